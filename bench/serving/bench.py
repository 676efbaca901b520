#!/usr/bin/env python3
"""Measures wherry beside FastAPI and Node + ONNX Runtime on one machine and prints the tables of docs/benchmarks.md.

bench.py --work DIR --wherry BIN [--seconds 5] [--rounds 3]. Closed loop: wrk on 127.0.0.1 shares the cores with the server.
Servers take turns within each round; figures are medians over the rounds, ratios are medians of the rounds' ratios.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = ["wherry", "fastapi", "node"]
MODELS = ["iris-lr", "fraud-rf"]
CONNECTIONS = [1, 16, 64]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One running server; also measures start to first 200."""

    def __init__(self, name, model, args):
        self.name, self.port = name, free_port()
        folder = args.work / "models" / model
        environment = dict(os.environ, MODEL_DIR=str(folder), PORT=str(self.port), NODE_HOME=str(args.work / "node"))
        self.body = folder / ("v2.json" if name == "wherry" else "instances.json")
        self.path = f"/v2/models/{model}/infer" if name == "wherry" else "/predict"
        if name == "wherry":
            bundle = args.work / "bundles" / model
            command = [args.wherry.parent / "wherry-server", bundle, "--host", "127.0.0.1", "--port", str(self.port), "--access-log", "off"]
        elif name == "fastapi":
            command = [args.work / "venv/bin/uvicorn", "fastapi_app:app", "--app-dir", HERE / "peers", "--host", "127.0.0.1", "--port",
                       str(self.port), "--workers", "1", "--log-level", "warning", "--no-access-log"]
        else:
            command = ["node", HERE / "peers/node/server.js"]
        began = time.perf_counter()
        self.process = subprocess.Popen([str(c) for c in command], env=environment, stderr=subprocess.DEVNULL)
        self.wait_ready()
        self.cold_ms = (time.perf_counter() - began) * 1000

    def wait_ready(self):
        body = self.body.read_bytes()
        for _ in range(200_000):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("POST", self.path, body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with status {self.process.returncode}")
            time.sleep(0.0005)
        raise SystemExit(f"{self.name} did not answer")

    def rss_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1000
        return 0

    def load(self, connections, seconds):
        """(requests/s, p50 ms, p99 ms)"""
        run = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", HERE / "post.lua",
                              f"http://127.0.0.1:{self.port}{self.path}"], capture_output=True, text=True, check=True,
                             env=dict(os.environ, BODY_FILE=str(self.body)))
        words = next(line for line in run.stdout.splitlines() if line.startswith("RESULT")).split()
        if int(words[4]):
            raise SystemExit(f"{self.name}: {words[4]} errors under load")
        return float(words[1]), int(words[2]) / 1000, int(words[3]) / 1000

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def measure(args):
    """{(model, connections, server): [(rps, p50, p99), …]}, {(model, server): [(cold, rss before load)]}"""
    cells, starts = {}, {}
    for model in MODELS:
        for _ in range(args.rounds):
            for name in SERVERS:
                server = Server(name, model, args)
                time.sleep(0.3)
                starts.setdefault((model, name), []).append((server.cold_ms, server.rss_mb()))
                for connections in CONNECTIONS:
                    cells.setdefault((model, connections, name), []).append(server.load(connections, args.seconds))
                server.stop()
    return cells, starts


def median(values):
    return statistics.median(values)


def print_tables(cells, starts, args):
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{os.cpu_count()} cores {cpu}, {datetime.date.today()}; {args.rounds} rounds of {args.seconds} s, client on the same cores.\n")
    print("| model | connections | wherry req/s (p50, p99 ms) | Node + ONNX Runtime | FastAPI | × Node | × FastAPI |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for connections in CONNECTIONS:
            by = {name: cells[model, connections, name] for name in SERVERS}
            text = {name: f"{median([r[0] for r in rows]):,.0f} ({median([r[1] for r in rows]):.2f}, {median([r[2] for r in rows]):.2f})"
                    for name, rows in by.items()}
            ratio = {name: median([w[0] / p[0] for w, p in zip(by["wherry"], by[name])]) for name in SERVERS}
            print(f"| {model} | {connections} | {text['wherry']} | {text['node']} | {text['fastapi']} | {ratio['node']:.1f} | {ratio['fastapi']:.1f} |")
    print("\n| model | server | process start to first 200, ms | resident memory idle, MB |\n|---|---|---|---|")
    for (model, name), rows in starts.items():
        print(f"| {model} | {name} | {median([r[0] for r in rows]):,.0f} | {median([r[1] for r in rows]):.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--wherry", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for model in MODELS:
        subprocess.run([args.wherry, "convert", args.work / "models" / model / "model.joblib", "-o", args.work / "bundles" / model,
                        "--name", model, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    cells, starts = measure(args)
    print_tables(cells, starts, args)


main()
