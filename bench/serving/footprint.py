#!/usr/bin/env python3
"""Measures one wherry-server: start to ready, memory idle and after many requests, and large binary tensors.

footprint.py --server BIN --wherry BIN --work DIR [--requests 10000000] [--starts 20]. DIR/bundles/iris-lr is what bench.py makes of
train.py's model. A matrix of 1 MB (FP32, 1024 x 256) goes to a linear model made here as an ONNX-free bundle by `wherry convert` of a
scikit-learn file, which DIR/venv's Python writes.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

ROWS, COLUMNS = 1024, 256
TRAIN = """
import sys, joblib, numpy as np
from sklearn.linear_model import LinearRegression
model = LinearRegression()
model.coef_, model.intercept_, model.n_features_in_ = np.linspace(-1, 1, {columns}), 0.5, {columns}
joblib.dump(model, sys.argv[1])
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def exchange(connection, request):
    """Sends the request's parts and reads one answer of known length; its status."""
    for part in request:
        connection.sendall(part)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(1 << 16)
        if not piece:
            raise SystemExit("the server closed the connection")
        head += piece
    head, _, rest = head.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    left = length - len(rest)
    while left > 0:
        left -= len(connection.recv(min(left, 1 << 20)))
    return int(head.split()[1])


class Server:
    def __init__(self, binary, bundle):
        self.port = free_port()
        began = time.perf_counter()
        self.process = subprocess.Popen([binary, bundle, "--port", str(self.port), "--access-log", "off"], stderr=subprocess.DEVNULL)
        ready = [b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    if exchange(connection, ready) == 200:
                        break
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit("the server ended")
        self.ready_ms = (time.perf_counter() - began) * 1000

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS"))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def starts(args, bundle):
    times = []
    for _ in range(args.starts):
        server = Server(args.server, bundle)
        times.append(server.ready_ms)
        memory = server.resident_mb()
        server.stop()
    return statistics.median(times), memory


def growth(args, bundle):
    """Resident MB after a tenth of the requests and after all of them, and how many there were."""
    server = Server(args.server, bundle)
    body = args.work / "models/iris-lr/v2.json"
    here = pathlib.Path(__file__).resolve().parent
    sizes, done = [], 0
    for goal in (args.requests // 10, args.requests):
        while done < goal:
            run = subprocess.run(["wrk", "-t1", "-c64", "-d10s", "-s", here / "post.lua",
                                  f"http://127.0.0.1:{server.port}/v2/models/iris-lr/infer"], capture_output=True, text=True, check=True,
                                 env=dict(os.environ, BODY_FILE=str(body)))
            words = next(line for line in run.stdout.splitlines() if line.startswith("RESULT")).split()
            if int(words[4]):
                raise SystemExit(f"{words[4]} errors under load")
            done += int(float(words[1]) * 10)
        sizes.append(server.resident_mb())
    server.stop()
    return sizes[0], sizes[1], done


def binary_tensors(args, folder):
    """GB/s of 1 MB requests on one connection, and of the loopback alone with as many bytes."""
    model, bundle = folder / "wide.joblib", folder / "wide"
    subprocess.run([args.work / "venv/bin/python", "-c", TRAIN.format(columns=COLUMNS), model], check=True)
    subprocess.run([args.wherry, "convert", model, "-o", bundle, "--name", "wide", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    server = Server(args.server, bundle)
    payload = os.urandom(2) * (ROWS * COLUMNS * 2)
    inputs = [{"name": "input", "shape": [ROWS, COLUMNS], "datatype": "FP32", "parameters": {"binary_data_size": len(payload)}}]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    request = [b"POST /v2/models/wide/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
               + f"Inference-Header-Content-Length: {len(head)}\r\nContent-Length: {len(head) + len(payload)}\r\n\r\n".encode() + head, payload]
    times = []
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(300):
            began = time.perf_counter()
            if exchange(connection, request) != 200:
                raise SystemExit("the tensor was refused")
            times.append(time.perf_counter() - began)
    server.stop()
    return len(payload) / statistics.median(times) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", type=pathlib.Path, required=True)
    parser.add_argument("--wherry", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--starts", type=int, default=20)
    args = parser.parse_args()
    bundle = args.work / "bundles/iris-lr"
    with tempfile.TemporaryDirectory() as folder:
        ready, idle = starts(args, bundle)
        rate = binary_tensors(args, pathlib.Path(folder))
        before, after, requests = growth(args, bundle)
    print("| what | figure |\n|---|---|")
    print(f"| process start to ready, median of {args.starts} | {ready:.1f} ms |")
    print(f"| resident memory, idle | {idle:.1f} MB |")
    print(f"| resident memory after {requests // 10 / 1e6:.1f} and after {requests / 1e6:.1f} million requests | {before:.1f}, {after:.1f} MB |")
    print(f"| 1 MB of FP32 ({ROWS} × {COLUMNS}) per request, one connection | {rate:.2f} GB/s |")


if __name__ == "__main__":
    main()
