#!/usr/bin/env python3
"""Measures what the server adds to a run of ONNX Runtime: round trips of a small network beside an address which computes nothing.

overhead.py --wherry BIN --server BIN --work DIR --model FILE --python PYTHON [--seconds 3] [--rounds 5]. FILE is a small network (tests/fixtures/keras/…).
wrk with one connection asks GET /v2/health/live and the inference of one row, by binary tensor and by JSON, in turns; both pass the same
socket, HTTP parser and event loop. The difference of the two p50 is decoding, the run itself and encoding; the run's own p50, measured
with the same library in this process (onnxruntime of --python), is taken off: what is left is the server's.
"""
import argparse
import atexit
import json
import math
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

POST = """
local file = assert(io.open(os.getenv("BODY_FILE"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = os.getenv("BODY_TYPE")
if os.getenv("HEAD_LENGTH") ~= "" then wrk.headers["Inference-Header-Content-Length"] = os.getenv("HEAD_LENGTH") end
"""
DONE = """
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d\\n", latency:percentile(50), e.connect + e.read + e.write + e.status + e.timeout))
end
"""
RUN = """
import sys, time, json, numpy as np, onnxruntime as rt
path, feeds = sys.argv[1], json.loads(sys.argv[2])
options = rt.SessionOptions()
options.intra_op_num_threads = 1
session = rt.InferenceSession(path, options, providers=["CPUExecutionProvider"])
binding = session.io_binding()
for name, (shape, dtype) in feeds.items():
    binding.bind_ortvalue_input(name, rt.OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype)))
for output in session.get_outputs(): binding.bind_output(output.name)
times = []
for _ in range(20000):
    began = time.perf_counter_ns()
    session.run_with_iobinding(binding)
    times.append(time.perf_counter_ns() - began)
times.sort()
print(times[len(times) // 2] / 1e3)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(script, url, seconds, **environment):
    output = subprocess.run(["wrk", "-t1", "-c1", f"-d{seconds}s", "-s", str(script), url], env=dict(os.environ, **environment),
                            capture_output=True, text=True, check=True).stdout
    p50, errors = output.split("RESULT ")[1].split()[:2]
    if errors != "0":
        raise SystemExit(output)
    return float(p50)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wherry", "server", "work", "model", "python"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    work = pathlib.Path(arguments.work)
    work.mkdir(parents=True, exist_ok=True)
    bundle, onnx = work / "overhead.bundle", work / "overhead.onnx"
    shutil.rmtree(bundle, ignore_errors=True)
    onnx.unlink(missing_ok=True)
    for target in (bundle, onnx):
        subprocess.run([arguments.wherry, "convert", arguments.model, "--quiet", "-o", str(target)], check=True)
    port = free_port()
    server = subprocess.Popen([arguments.server, str(bundle), "--port", str(port), "--access-log", "off"], stderr=subprocess.DEVNULL)
    atexit.register(server.kill)
    base = f"http://127.0.0.1:{port}"

    def get(path):
        return json.loads(subprocess.run(["curl", "-sf", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", base + path],
                                         capture_output=True, check=True).stdout)

    get("/v2/health/live")
    time.sleep(1)
    model = get("/v2/models")["models"][0]
    inputs = get(f"/v2/models/{model}")["inputs"]
    one = [(i["name"], [1] + i["shape"][1:]) for i in inputs]
    if any(i["datatype"] != "FP32" or min(i["shape"][1:]) < 1 for i in inputs):
        raise SystemExit("this needs a network of FP32 inputs whose shapes are fixed but for the batch")
    sizes = [4 * math.prod(shape) for _, shape in one]
    head = json.dumps({"inputs": [{"name": n, "shape": s, "datatype": "FP32", "parameters": {"binary_data_size": size}}
                                  for (n, s), size in zip(one, sizes)], "parameters": {"binary_data_output": True}}).encode()
    (work / "binary.body").write_bytes(head + bytes(sum(sizes)))
    (work / "json.body").write_text(json.dumps({"inputs": [{"name": n, "shape": s, "datatype": "FP32", "data": [0.5] * (size // 4)}
                                                           for (n, s), size in zip(one, sizes)]}))
    (work / "post.lua").write_text(POST + DONE)
    (work / "get.lua").write_text(DONE)
    nothing, binary, text = [], [], []
    infer = f"{base}/v2/models/{model}/infer"
    for _ in range(arguments.rounds):
        nothing.append(ask(work / "get.lua", base + "/v2/health/live", arguments.seconds))
        binary.append(ask(work / "post.lua", infer, arguments.seconds, BODY_FILE=str(work / "binary.body"),
                          BODY_TYPE="application/octet-stream", HEAD_LENGTH=str(len(head))))
        text.append(ask(work / "post.lua", infer, arguments.seconds, BODY_FILE=str(work / "json.body"),
                        BODY_TYPE="application/json", HEAD_LENGTH=""))
    run = float(subprocess.run([arguments.python, "-c", RUN, str(onnx), json.dumps({n: (s, "float32") for n, s in one})],
                               capture_output=True, text=True, check=True).stdout)
    floor = statistics.median(nothing)
    print(f"p50 at one connection, µs: nothing {floor:.0f}, the run itself {run:.1f}")
    for what, times in (("binary", binary), ("JSON", text)):
        p50 = statistics.median(times)
        print(f"inference, {what}: {p50:.0f}, of it the server's own work {p50 - floor - run:.0f}")


main()
