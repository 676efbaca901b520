"""What hostile and unlucky clients do, and that others are answered meanwhile: hostile.py PORT"""
import http.client
import json
import socket
import sys
import threading
import time
import urllib.request

PORT = int(sys.argv[1])
BASE = f"http://127.0.0.1:{PORT}"


def body_of(model, rows):
    metadata = json.load(urllib.request.urlopen(f"{BASE}/v2/models/{model}"))
    inputs = []
    for column in metadata["inputs"]:
        width = column["shape"][1] if len(column["shape"]) > 1 else 1
        value = {"BYTES": "DE", "BOOL": True}.get(column["datatype"], 1)
        inputs.append({"name": column["name"], "datatype": column["datatype"], "shape": [rows] + [width] * (len(column["shape"]) - 1),
                       "data": [value] * (rows * width)})
    return json.dumps({"inputs": inputs}).encode()


def post(model, body, headers=None, timeout=60):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=timeout)
    connection.request("POST", f"/v2/models/{model}/infer", body, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def check(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")
    print("good:", what)


def raw(data, wait=5):
    with socket.create_connection(("127.0.0.1", PORT), timeout=wait) as client:
        try:
            client.sendall(data)
        except OSError:
            pass
        try:
            return client.recv(65536)
        except OSError:
            return b""


small = body_of("fraud", 1)
check(post("fraud", small)[0] == 200, "a plain request is answered")

# Slowloris: many heads that never end.
idle = []
for _ in range(200):
    client = socket.create_connection(("127.0.0.1", PORT))
    client.sendall(b"POST /v2/models/fraud/infer HTTP/1.1\r\nHost: x\r\nX-A: ")
    idle.append(client)
worst = 0
for _ in range(50):
    began = time.time()
    assert post("fraud", small)[0] == 200
    worst = max(worst, time.time() - began)
check(worst < 2, f"200 slow heads keep nobody waiting (longest answer {worst * 1000:.0f} ms)")
idle[0].settimeout(20)
answer = idle[0].recv(4096)
check(b" 408 " in answer or answer == b"", "a head that does not end is given up")
for client in idle:
    client.close()

head = b"POST /v2/models/fraud/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
check(b" 413 " in raw(head + b"Content-Length: 9000000\r\n\r\n" + b"x" * 1000), "a body beyond the limit is refused at its head")
check(b" 413 " in raw(head + b"Content-Length: 99999999999999999999\r\n\r\n") or b" 400 " in raw(head + b"Content-Length: 99999999999999999999\r\n\r\n"),
      "a length beyond all numbers is refused")
tiny = b"".join(b"1\r\n%c\r\n" % c for c in small)
check(b" 200 " in raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + tiny + b"0\r\n\r\n"), "a body in chunks of one byte is answered")
answer = raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 70000 + b"0\r\n\r\n", 20)
check(answer.startswith(b"HTTP/1.1 4"), "70,000 chunks of one byte are a client's mistake: " + answer.split(b"\r\n")[0].decode())
check(post("fraud", b"[" * 100_000)[0] == 400, "JSON nested 100,000 deep is refused")
check(post("fraud", b'{"inputs":[' + b"{}," * 500_000 + b"{}]}")[0] == 400, "half a million empty inputs are refused")
check(post("fraud", b'{"inputs":[{"name":"x","shape":[4611686018427387904,4],"datatype":"FP64","data":[]}]}')[0] == 400, "a shape that overflows is refused")

# Overload of one model: 429 for its flood, and others go on.
slow = body_of("slow", 20_000)
statuses, retry = [], []


def flood():
    for _ in range(6):
        status, headers, _ = post("slow", slow)
        statuses.append(status)
        if status == 429:
            retry.append(headers["Retry-After"])


threads = [threading.Thread(target=flood) for _ in range(24)]
for thread in threads:
    thread.start()
time.sleep(0.2)
latencies = []
while any(thread.is_alive() for thread in threads):
    began = time.time()
    assert post("fraud", small)[0] == 200
    latencies.append(time.time() - began)
for thread in threads:
    thread.join()
check(set(statuses) <= {200, 429}, f"a flood is answered with 200 and 429 only: {dict((s, statuses.count(s)) for s in set(statuses))}")
check(200 in statuses and 429 in statuses, "some of it is computed, some refused")
check(all(int(value) >= 1 for value in retry), "429 says when to come back")
latencies.sort()
check(latencies and latencies[len(latencies) // 2] < 1, f"small requests to another model go on (median {latencies[len(latencies) // 2] * 1000:.1f} ms, {len(latencies)} of them)")

# A deadline which passes while the request waits.
late = []
threads = [threading.Thread(target=lambda: post("slow", slow)) for _ in range(3)]
for thread in threads:
    thread.start()
status, _, text = post("slow", slow, {"X-Request-Timeout": "1ms"})
for thread in threads:
    thread.join()
check(status == 504, f"a request whose time is over is 504 ({status} {text[:200].decode()})")
check(post("slow", slow, {"X-Request-Timeout": "soon"})[0] == 400, "a timeout which is no time is refused")
check(post("fraud", small)[0] == 200, "the server is as good as new")
