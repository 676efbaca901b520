#!/usr/bin/env python3
"""Measures wherry's server beside nginx answering a static file with the same JSON, over HTTP/1.1 (wrk) and HTTP/2 (h2load).

nginx.py --server WHERRY_SERVER --bundle BUNDLE --body REQUEST.json [--seconds 4] [--rounds 5]. wherry decodes, predicts and encodes at each
request; nginx has two workers, sendfile and an open file cache, no access log, and is asked with GET. Both run all the time and take turns within
each round, with the client on the same cores; figures are medians over the rounds, ratios are medians of the rounds' ratios.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# name, tool, connections, streams for each
CASES = [("HTTP/1.1, 64 connections", "wrk", 64, 1), ("HTTP/1.1, 1 connection", "wrk", 1, 1),
         ("HTTP/2, 64 connections", "h2load", 64, 1), ("HTTP/2, 8 connections × 32 streams", "h2load", 8, 32)]
NGINX = """
worker_processes 2;
daemon off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=16; open_file_cache_valid 600s;
  types {{ application/json json; }}
  server {{ listen 127.0.0.1:{http1}; root {folder}; }}
  server {{ listen 127.0.0.1:{http2} http2; root {folder}; }}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_wherry(args, model):
    port = free_port()
    process = subprocess.Popen([args.server, args.bundle, "--host", "127.0.0.1", "--port", str(port), "--access-log", "off", "--threads", "2"],
                               stderr=subprocess.DEVNULL)
    path = f"/v2/models/{model}/infer"
    for _ in range(2000):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("POST", path, args.body.read_bytes(), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                return process, body, {"http1": f"http://127.0.0.1:{port}{path}", "http2": f"http://127.0.0.1:{port}{path}"}
        except OSError:
            pass
        time.sleep(0.005)
    raise SystemExit("wherry did not answer")


def start_nginx(folder, body):
    ports = {"http1": free_port(), "http2": free_port()}
    (folder / "answer.json").write_bytes(body)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, **ports))
    folder.chmod(0o755)
    process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf"])
    time.sleep(0.5)
    return process, {version: f"http://127.0.0.1:{port}/answer.json" for version, port in ports.items()}


def processor_seconds(process):
    """User and system time of a process and its children."""
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if stat.parent.name == str(process.pid) or fields[1] == str(process.pid):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def load(tool, url, connections, streams, seconds, body):
    """(requests/s, p50 ms, p99 ms); h2load gives no percentiles, so its mean stands for p50."""
    if tool == "wrk":
        script = HERE / ("post.lua" if body else "get.lua")
        run = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url], capture_output=True, text=True,
                             check=True, env=dict(os.environ, BODY_FILE=str(body)))
        words = next(line for line in run.stdout.splitlines() if line.startswith("RESULT")).split()
        if int(words[4]):
            raise SystemExit(f"{url}: {words[4]} errors under load")
        return float(words[1]), int(words[2]) / 1000, int(words[3]) / 1000
    command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", url]
    if body:
        command += ["-d", body, "-H", "content-type: application/json"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    if not re.search(r" 0 failed, 0 errored, 0 timeout", run.stdout):
        raise SystemExit(f"{url}: errors under load\n{run.stdout}")
    rate = float(re.search(r"([\d.]+) req/s", run.stdout).group(1))
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", run.stdout)
    return rate, float(mean.group(1)) * {"us": 0.001, "ms": 1, "s": 1000}[mean.group(2)], float("nan")


def measure(args, servers):
    """{(case, server): [(rps, p50, p99, server's processor µs per request), …]}"""
    cells = {}
    for _ in range(args.rounds):
        for name, tool, connections, streams in CASES:
            for server, (process, urls) in servers.items():
                body = args.body if server == "wherry" else None
                before = processor_seconds(process)
                rate, p50, p99 = load(tool, urls["http1" if tool == "wrk" else "http2"], connections, streams, args.seconds, body)
                spent = (processor_seconds(process) - before) / (rate * args.seconds) * 1e6
                cells.setdefault((name, server), []).append((rate, p50, p99, spent))
    return cells


def print_table(cells, args):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{os.cpu_count()} cores {cpu}, {datetime.date.today()}; {args.rounds} rounds of {args.seconds} s, client on the same cores.\n")
    print("| | wherry req/s | nginx req/s | rate | p50 | p99 | server time per request, µs (wherry, nginx) |")
    print("|---|---|---|---|---|---|---|")
    for name, *_ in CASES:
        ours, theirs = cells[name, "wherry"], cells[name, "nginx"]
        figures = [statistics.median(row[0] for row in rows) for rows in (ours, theirs)]
        ratios = [statistics.median(w[i] / n[i] for w, n in zip(ours, theirs)) for i in (0, 1, 2)]
        spent = [statistics.median(row[3] for row in rows) for rows in (ours, theirs)]
        p99 = "" if ratios[2] != ratios[2] else f"{ratios[2]:.2f} ×"
        print(f"| {name} | {figures[0]:,.0f} | {figures[1]:,.0f} | {ratios[0]:.2f} × | {ratios[1]:.2f} × | {p99} | {spent[0]:.1f}, {spent[1]:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=pathlib.Path, required=True)
    parser.add_argument("--bundle", type=pathlib.Path, required=True)
    parser.add_argument("--body", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    model = json.loads((args.bundle / "bundle.json").read_text()).get("name", args.bundle.name)
    with tempfile.TemporaryDirectory() as name:
        wherry, body, urls = start_wherry(args, model)
        nginx, nginx_urls = start_nginx(pathlib.Path(name), body)
        try:
            print_table(measure(args, {"wherry": (wherry, urls), "nginx": (nginx, nginx_urls)}), args)
        finally:
            for process in (wherry, nginx):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=20)


main()
