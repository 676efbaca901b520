#!/usr/bin/env python3
"""Measures wherry beside the framework on the same cores: import, image size, cold start, images per second.

bench.py --wherry BIN --server BIN --work DIR [--tensorflow PYTHON] [--torch PYTHON] [--seconds 5] [--rounds 3]. PYTHON are interpreters
with the framework installed (tensorflow with Keras; torch and torchvision); what is not given is left out. MobileNetV2 and ResNet50 with
random weights are written by the framework itself, as a SavedModel or a .pt2 file.

Both answer the same images. The framework runs in a process of its own with as many threads as there are cores, by its fastest call (a
compiled tf.function; torch.inference_mode). wherry is asked over HTTP with binary tensors, by one client per core: decoding and sending the
images is in its time and not in the framework's. They take turns.
"""
import argparse
import atexit
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import threading
import time

TENSORFLOW = """
import os, sys, time, json
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf
name, folder, cores = sys.argv[1], sys.argv[2], int(sys.argv[3])
tf.config.threading.set_intra_op_parallelism_threads(cores)
tf.config.threading.set_inter_op_parallelism_threads(1)
model = getattr(tf.keras.applications, {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50"}[name])(weights=None)
if not os.path.exists(folder):
    model.export(folder) if hasattr(model, "export") else tf.saved_model.save(model, folder)
run = tf.saved_model.load(folder).signatures["serving_default"]
key = list(run.structured_input_signature[1])[0]
call = lambda images: list(run(**{key: tf.constant(images)}).values())[0].numpy()
def images(batch): return np.random.RandomState(0).rand(batch, 224, 224, 3).astype(np.float32)
"""
TORCH = """
import os, sys, time, json
import numpy as np, torch, torchvision
name, path, cores = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(cores)
torch.manual_seed(0)
model = getattr(torchvision.models, name)(weights=None).eval()
if not os.path.exists(path):
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.export.save(torch.export.export(model, (torch.rand(2, 3, 224, 224),), dynamic_shapes=({0: batch},)), path)
else:
    model = torch.export.load(path).module()
def call(images):
    with torch.inference_mode(): return model(torch.from_numpy(images)).numpy()
def images(batch): return np.random.RandomState(0).rand(batch, 3, 224, 224).astype(np.float32)
"""
QUIET = """
import os
answers = os.fdopen(os.dup(1), "w")  # frameworks talk on standard output
os.dup2(2, 1)
"""
LOOP = """
import resource
print(json.dumps({"answer": call(images(2)).tolist(), "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), file=answers, flush=True)
for line in sys.stdin:
    batch, seconds = json.loads(line)
    x = images(batch)
    for _ in range(3): call(x)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        call(x); count += batch
    print(json.dumps(count / (time.perf_counter() - begin)), file=answers, flush=True)
"""


def started(command, **options):
    """A process which does not outlive this one."""
    process = subprocess.Popen(command, **options)
    atexit.register(process.kill)
    return process


class Framework:
    """The framework in its own process: its answer for two images, then images per second on demand."""

    def __init__(self, python, code, model, path, cores):
        self.process = started([python, "-c", QUIET + code + LOOP, model, str(path), str(cores)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=open(path.parent / "framework.log", "a"), text=True)
        first = json.loads(self.process.stdout.readline())
        self.answer, self.rss = first["answer"], first["rss"]

    def rate(self, batch, seconds):
        self.process.stdin.write(json.dumps([batch, seconds]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Server:
    def __init__(self, binary, bundle):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        began = time.perf_counter()
        self.process = started([binary, str(bundle), "--port", str(self.port), "--access-log", "off"], stderr=subprocess.DEVNULL)
        while True:
            try:
                if self.get("/v2/health/ready")[0] == 200:
                    break
            except OSError:
                time.sleep(0.001)
            if self.process.poll() is not None:
                raise SystemExit("the server ended")
        self.cold_start = time.perf_counter() - began

    def get(self, path):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := connection.recv(1 << 16):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def memory(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024

    def close(self):
        self.process.terminate()
        self.process.wait()


def binary_request(model, name, shape, data):
    head = json.dumps({"inputs": [{"name": name, "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": len(data)}}],
                       "parameters": {"binary_data_output": True}}).encode()
    return (f"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: x\r\nInference-Header-Content-Length: {len(head)}\r\n"
            f"Content-Length: {len(head) + len(data)}\r\n\r\n").encode() + head + data


def read_answer(connection):
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(1 << 18)
        if not piece:
            raise SystemExit("the server closed the connection")
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head.decode().splitlines()[1:])}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(1 << 18)
    return int(head.split()[1]), headers, body


def rate(server, request, batch, seconds, clients):
    counts = [0] * clients
    end = time.perf_counter() + seconds

    def work(k):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            while time.perf_counter() < end:
                connection.sendall(request)
                status, _, body = read_answer(connection)
                if status != 200:
                    raise SystemExit(body)
                counts[k] += batch

    threads = [threading.Thread(target=work, args=[k]) for k in range(clients)]
    began = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(counts) / (time.perf_counter() - began)


def measured(command):
    """Seconds, largest resident memory and output of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - began, usage.ru_maxrss * 1024, output


def size_of(path):
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def measure(arguments, name, framework, python, code, suffix):
    import array
    cores = os.cpu_count()
    path = arguments.work / f"{name}{suffix}"
    peer = Framework(python, code, name, path, cores)
    bundle = arguments.work / f"{name}-{framework}.bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    took, memory, _ = measured([arguments.wherry, "convert", str(path), "--quiet", "-o", str(bundle)])
    layout = arguments.work / "layout"
    shutil.rmtree(layout, ignore_errors=True)
    measured([arguments.wherry, "build", str(bundle), "--quiet", "-o", f"oci:{layout}"])
    starts = []
    for _ in range(5):
        server = Server(arguments.server, bundle)
        starts.append(server.cold_start)
        server.close()
    server = Server(arguments.server, bundle)
    model = json.loads(server.get("/v2/models")[1])["models"][0]
    described = json.loads(server.get(f"/v2/models/{model}")[1])
    given = described["inputs"][0]
    shape = given["shape"][1:]
    one = 1
    for length in shape:
        one *= length
    numbers = subprocess.run([python, "-c", "import sys,numpy as np; sys.stdout.buffer.write(np.random.RandomState(0).rand("
                              + ",".join(map(str, [2] + shape)) + ").astype(np.float32).tobytes())"], capture_output=True, check=True).stdout
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(binary_request(model, given["name"], [2] + shape, numbers))
        status, headers, body = read_answer(connection)
    assert status == 200, body
    got = array.array("f", body[int(headers["inference-header-content-length"]):])
    want = [x for row in peer.answer for x in row]
    error = max(abs(a - b) for a, b in zip(got, want)) / max(map(abs, want))
    print(f"\n{name} from {framework}: file {size_of(path) / 1e6:.1f} MB, import {took:.2f} s with {memory / 1e6:.0f} MB, "
          f"image {size_of(layout) / 1e6:.1f} MB, cold start {statistics.median(starts) * 1e3:.0f} ms, "
          f"largest difference {error:.1e} of the largest value")
    print("\n| images per request | wherry images/s | framework images/s | × |\n|---|---|---|---|")
    for batch in (1, 8):
        request = binary_request(model, given["name"], [batch] + shape, numbers[: 4 * one] * batch)
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(rate(server, request, batch, arguments.seconds, cores))
            theirs.append(peer.rate(batch, arguments.seconds))
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"| {batch} | {a:.1f} | {b:.1f} | {a / b:.2f} |", flush=True)
    print(f"\nresident memory: wherry {server.memory() / 1e6:.0f} MB, {framework} {peer.rss / 1e6:.0f} MB")
    server.close()
    peer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wherry", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--tensorflow")
    parser.add_argument("--torch")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for name in ("mobilenet_v2", "resnet50"):
        if arguments.tensorflow:
            measure(arguments, name, "tensorflow", arguments.tensorflow, TENSORFLOW, "-saved")
        if arguments.torch:
            measure(arguments, name, "torch", arguments.torch, TORCH, ".pt2")


main()
