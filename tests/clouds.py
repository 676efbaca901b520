#!/usr/bin/env python3
"""The server as each cloud runs it: clouds.py WHERRY WHERRY_SERVER.

AWS Lambda's runtime interface is played by a stand-in which keeps to its documentation: one event at a time, ids which must
come back, 202 for answers, 400 for an id that is not the current one.
"""
import atexit
import base64
import gzip
import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WHERRY, SERVER = sys.argv[1:3]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Runtime(http.server.ThreadingHTTPServer):
    """Lambda's runtime interface for one function instance."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.results, self.current, self.count = queue.Queue(), queue.Queue(), None, 0
        self.seconds = 3  # until the function's deadline
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def invoke(self, event):
        self.events.put(event if isinstance(event, bytes) else json.dumps(event).encode())
        return self.results.get(timeout=30)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        assert self.path == "/2018-06-01/runtime/invocation/next", self.path
        event = self.server.events.get()
        self.server.count += 1
        self.server.current = f"8476a536-e9f4-11e8-9739-2dfe598c3f{self.server.count:02d}"
        self.answer(200, event, [("Content-Type", "application/json"), ("Lambda-Runtime-Aws-Request-Id", self.server.current),
                                 ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self.server.seconds) * 1000))),
                                 ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"),
                                 ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:f")])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.split("/")
        if self.path == "/2018-06-01/runtime/init/error":
            kind = "init_error"
        else:
            kind = parts[-1]
            if parts[:4] != ["", "2018-06-01", "runtime", "invocation"] or parts[4] != self.server.current:
                return self.answer(400, b'{"errorType":"InvalidRequestID"}')
        if len(body) > 6 << 20:
            return self.answer(413, b'{"errorType":"RequestEntityTooLarge"}')
        self.answer(202, b'{"status":"OK"}')
        self.server.results.put((kind, json.loads(body), self.headers.get("Lambda-Runtime-Function-Error-Type")))


class Server:
    def __init__(self, arguments, environment, wait=None):
        self.process = subprocess.Popen([SERVER, *arguments], env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.lines = []
        self.ready = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        if wait:
            assert self.ready.wait(20), self.lines

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if '"ready"' in line:
                self.ready.set()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.lines


def ask(port, path, body=None, method=None, headers=None):
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def gateway2(method, path, body=None, encoded=False, headers=None, stage="$default"):
    event = {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers or {"content-type": "application/json"},
             "requestContext": {"stage": stage, "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"}}, "isBase64Encoded": encoded}
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    return event


def check_lambda(bundle, good):
    runtime = Runtime()
    api = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}"}
    server = Server([bundle], api)
    plain = runtime.invoke(good)
    assert plain[0] == "response" and len(plain[1]["predictions"]) == 3, plain
    kind, answer, _ = runtime.invoke(gateway2("POST", "/invocations", good))
    assert kind == "response" and answer["statusCode"] == 200 and not answer["isBase64Encoded"], answer
    assert json.loads(answer["body"]) == plain[1]
    assert answer["headers"]["X-Request-Id"].startswith("8476a536-"), answer
    coded = {"content-type": "application/json", "content-encoding": "gzip"}
    _, answer, _ = runtime.invoke(gateway2("POST", "/prod/invocations", gzip.compress(good), True, coded, stage="prod"))
    assert json.loads(answer["body"]) == plain[1], answer
    event = {"httpMethod": "POST", "path": "/invocations", "headers": {"Content-Type": "application/json"}, "multiValueHeaders": None,
             "queryStringParameters": None, "requestContext": {"elb": {"targetGroupArn": "x"}}, "body": good.decode(), "isBase64Encoded": False}
    _, answer, _ = runtime.invoke(event)
    assert answer["statusDescription"] == "200 OK" and json.loads(answer["body"]) == plain[1], answer
    _, answer, _ = runtime.invoke(gateway2("GET", "/v2/health/ready"))
    assert answer["statusCode"] == 200, answer
    _, answer, _ = runtime.invoke(gateway2("GET", "/", headers={"accept-encoding": "gzip"}))
    assert answer["isBase64Encoded"] and gzip.decompress(base64.b64decode(answer["body"])).startswith(b"<!"), answer
    kind, answer, error_type = runtime.invoke({"instances": "none"})
    assert (kind, error_type) == ("error", "Function.BadRequest") and "list of rows" in answer["errorMessage"], answer
    kind, answer, error_type = runtime.invoke(b'{"requestContext":{"http":{}}}')
    assert (kind, error_type) == ("error", "Function.BadEvent"), answer
    runtime.seconds = -1  # too late: what is not decoded within a millisecond is not computed any more
    many = json.loads(good)
    kind, answer, error_type = runtime.invoke({"dataframe_records": many["dataframe_records"] * 5_000})
    assert (kind, error_type) == ("error", "Function.ServerError") and "time" in answer["errorMessage"], answer
    runtime.seconds = 3
    assert runtime.invoke(good)[1] == plain[1]
    server.end()
    server = Server(["/nonexistent"], api)
    kind, answer, error_type = runtime.results.get(timeout=20)
    assert (kind, error_type) == ("init_error", "Runtime.InitError"), answer
    assert server.process.wait(20) == 1
    print("ok: AWS Lambda")


def check_sagemaker(bundle, good, work):
    port = free_port()
    server = Server(["serve"], {"WHERRY_BUNDLE": bundle, "SAGEMAKER_BIND_TO_PORT": str(port), "WHERRY_HOST": "127.0.0.1"}, True)
    assert ask(port, "/ping")[0] == 200
    status, body = ask(port, "/invocations", good)
    assert status == 200 and len(json.loads(body)["predictions"]) == 3, body
    server.end()
    # Many models. SageMaker's folder cannot be had in a test: another one is given.
    models = work / "models"
    for name in ("a1", "b2"):
        shutil.copytree(bundle, models / name / "model")
    (models / "broken" / "model").mkdir(parents=True)
    (models / "broken" / "model" / "bundle.json").write_text("{}")
    port = free_port()
    environment = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_BIND_TO_PORT": str(port), "WHERRY_HOST": "127.0.0.1"}
    server = Server(["serve", "--repository", str(models), "--model-control", "explicit"], environment, True)
    assert ask(port, "/ping")[0] == 200
    assert json.loads(ask(port, "/models")[1]) == {"models": []}
    load = {"model_name": "a1", "url": "/opt/ml/models/a1/model"}
    assert ask(port, "/models", load)[0] == 200
    assert ask(port, "/models", load)[0] == 409
    assert ask(port, "/models", {"model_name": "none", "url": "/x"})[0] == 404
    assert ask(port, "/models", {"model_name": "broken", "url": "/x"})[0] == 400
    assert ask(port, "/models", {"model_name": "a1"})[0] == 400
    assert json.loads(ask(port, "/models")[1])["models"][0]["modelName"] == "a1"
    assert ask(port, "/models/a1")[0] == 200 and ask(port, "/models/b2")[0] == 404
    target = {"X-Amzn-SageMaker-Target-Model": "a1.tar.gz"}
    status, body = ask(port, "/models/a1/invoke", good, headers=target)
    assert status == 200 and len(json.loads(body)["predictions"]) == 3, body
    assert ask(port, "/models/b2/invoke", good)[0] == 404
    assert ask(port, "/models/a1", method="DELETE")[0] == 200
    assert ask(port, "/models/a1", method="DELETE")[0] == 404
    assert ask(port, "/models/a1/invoke", good)[0] == 404
    server.end()
    port = free_port()
    environment["SAGEMAKER_BIND_TO_PORT"] = str(port)
    server = Server(["serve", "--repository", str(models), "--model-control", "explicit", "--model-memory", "1K"], environment, True)
    assert ask(port, "/models", load)[0] == 507
    server.end()
    print("ok: SageMaker")


def check_vertex(bundle, good):
    port = free_port()
    environment = {"AIP_HTTP_PORT": str(port), "AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2", "WHERRY_HOST": "127.0.0.1",
                   "AIP_PREDICT_ROUTE": "/v1/endpoints/1/deployedModels/2:predict", "AIP_MODE": "PREDICTION", "WHERRY_BUNDLE": bundle}
    server = Server([], environment, True)
    assert ask(port, "/v1/endpoints/1/deployedModels/2")[0] == 200
    body = json.loads(good)
    body["parameters"] = {"predict_method": "predict_proba"}
    status, answer = ask(port, "/v1/endpoints/1/deployedModels/2:predict", body)
    assert status == 200 and len(json.loads(answer)["predictions"]) == 3, answer
    assert ask(port, "/v1/endpoints/1/deployedModels/2:predict", {"instances": 1})[0] == 400
    server.end()
    failed = subprocess.run([SERVER], env={**os.environ, "AIP_HTTP_PORT": "0", "AIP_STORAGE_URI": "gs://b/m", "WHERRY_BUNDLE": "/none"}, capture_output=True, text=True)
    assert failed.returncode != 0 and "gs://b/m" in failed.stderr, failed
    print("ok: Vertex AI")


def check_azure(bundle, good):
    port = free_port()
    environment = {"AZUREML_MODEL_DIR": bundle, "WHERRY_HOST": "127.0.0.1", "WHERRY_PORT": str(port)}
    server = Server([], environment, True)
    assert ask(port, "/") == (200, "Healthy")
    assert ask(port, "/", headers={"Accept": "text/html"})[1].startswith("<!")
    status, body = ask(port, "/score", good)
    assert status == 200 and len(json.loads(body)["predictions"]) == 3, body
    assert "/score" in json.loads(ask(port, "/swagger.json")[1])["paths"]
    server.end()
    print("ok: Azure ML")


def check_cloud_run(bundle, good):
    port = free_port()
    server = Server([], {"PORT": str(port), "K_SERVICE": "fraud", "WHERRY_BUNDLE": bundle}, True)
    assert ask(port, "/invocations", good)[0] == 200
    server.end()
    print("ok: Cloud Run")


with tempfile.TemporaryDirectory() as folder:
    made = str(pathlib.Path(folder) / "bundle")
    subprocess.run([WHERRY, "convert", str(ROOT / "examples/fraud/model.joblib"), "-o", made, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    rows = (ROOT / "examples/fraud/requests/records.json").read_bytes()
    check_lambda(made, rows)
    check_sagemaker(made, rows, pathlib.Path(folder))
    check_vertex(made, json.dumps({"instances": json.loads(rows)["dataframe_records"]}).encode())
    check_azure(made, rows)
    check_cloud_run(made, rows)
