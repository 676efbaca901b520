"""Starts a server with everything switched on, under examples/seccomp.json, and asks it: observe.py WHERRY_SERVER WORK_FOLDER PROMTOOL.

WORK_FOLDER has bundle/ (with a profile) and transactions.csv, which the profile was made of.
"""
import hashlib
import hmac
import http.server
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import jwt
import numpy as np
import pandas as pd
from jwcrypto import jwk
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus_text

server, work, promtool = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Helper(http.server.BaseHTTPRequestHandler):
    """Token issuer and trace collector."""

    keys, posted, headers_seen, fetched = [], [], [], 0

    def do_GET(self):
        Helper.fetched += 1
        self.answer(json.dumps({"keys": [k.export_public(as_dict=True) for k in Helper.keys]}).encode(), "application/json")

    def do_POST(self):
        message = ExportTraceServiceRequest()
        message.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        Helper.posted.append(message)
        Helper.headers_seen.append(dict(self.headers))
        self.answer(ExportTraceServiceResponse().SerializeToString(), "application/x-protobuf")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


helper_port, port = free_port(), free_port()
helper = http.server.ThreadingHTTPServer(("127.0.0.1", helper_port), Helper)
threading.Thread(target=helper.serve_forever, daemon=True).start()
signing = jwk.JWK.generate(kty="EC", crv="P-256", kid="first", use="sig")
Helper.keys = [signing]

made = subprocess.run([server, "--make-api-key", "tester"], capture_output=True, text=True, check=True).stdout.splitlines()
key = next(word for word in made[0].split() if word.startswith("wherry_"))
line = made[-1]
assert key not in line and hashlib.sha256(key.encode()).hexdigest() in line
slow = subprocess.run([server, "--make-api-key", "slow"], capture_output=True, text=True, check=True).stdout.splitlines()
slow_key = next(word for word in slow[0].split() if word.startswith("wherry_"))
access = work / "access"
access.write_text(f"""# made by observe.py
{line.replace("permissions=predict,metadata", "permissions=all")}
{slow[-1]} rate=60/m burst=2
token scope=predict permissions=predict,metadata models=claim:models
anyone permissions=metrics
""")
(work / "log.key").write_bytes(b"0123456789abcdef0123456789abcdef")
log = open(work / "log", "w")
root = pathlib.Path(__file__).resolve().parents[2]
process = subprocess.Popen(
    [sys.executable, str(root / "tests/e2e/under_seccomp.py"), str(root / "examples/seccomp.json"),
     server, str(work / "bundle"), "--port", str(port), "--access", str(access), "--token-keys", f"http://127.0.0.1:{helper_port}/jwks",
     "--token-issuer", "https://issuer.example", "--token-audience", "wherry", "--triton-metrics", "--debug",
     "--prediction-log", str(work / "predictions"), "--prediction-log-sample", "1", "--prediction-log-columns", "amount,device",
     "--prediction-log-hash", "country", "--prediction-log-key", str(work / "log.key")],
    stderr=log, env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{helper_port}", "OTEL_SERVICE_NAME": "fraud",
                                  "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=e2e",
                                  "OTEL_TRACES_SAMPLER": "parentbased_always_off", "OTEL_BSP_SCHEDULE_DELAY": "100"})


def ask(path, body=None, headers={}, method=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def until(condition, what):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def ready():
    try:
        return ask("/v2/health/ready")[0] == 200
    except OSError:
        return False


def token(issuer_key, **claims):
    now = int(time.time())
    return jwt.encode({"iss": "https://issuer.example", "aud": "wherry", "sub": "alice", "scope": "predict", "models": ["fraud"],
                       "exp": now + 300} | claims, issuer_key.export_to_pem(private_key=True, password=None), algorithm="ES256",
                      headers={"kid": issuer_key["kid"]})


def bearer(secret):
    return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}


rows = pd.read_csv(work / "transactions.csv")
profile = json.loads((work / "bundle/profile.json").read_text())
names = [column["name"] for column in profile["columns"]]
records = json.loads(rows[names].iloc[:50].to_json(orient="records"))
body = json.dumps({"dataframe_records": records}).encode()
try:
    until(ready, "not ready")

    assert "Seccomp:\t2" in pathlib.Path(f"/proc/{process.pid}/status").read_text()

    # Access.
    status, headers, answer = ask("/invocations", body, {"Content-Type": "application/json"})
    assert status == 401 and headers["WWW-Authenticate"].startswith("Bearer") and b"error" in answer, (status, answer)
    for path in ("/version", "/v2", "/v2/models/fraud", "/v2/logging", "/debug"):
        assert ask(path)[0] == 401, path
    assert ask("/ping")[0] == ask("/v2/health/live")[0] == ask("/metrics")[0] == 200
    assert ask("/invocations", body, bearer("wherry_" + "x" * 43))[0] == 401
    status, headers, answer = ask("/invocations", body, bearer(key))
    assert status == 200 and len(json.loads(answer)["predictions"]) == 50, answer
    assert ask("/invocations", body, {"X-API-Key": key, "Content-Type": "application/json"})[0] == 200
    until(lambda: ask("/invocations", body, bearer(token(signing)))[0] == 200, "a token is not accepted")
    assert ask("/invocations", body, bearer(token(signing, models=["other"])))[0] == 403
    assert ask("/invocations", body, bearer(token(signing, scope="read")))[0] == 403
    assert ask("/invocations", body, bearer(token(signing, exp=1)))[0] == 401
    assert ask("/invocations", body, bearer(token(signing, aud="x")))[0] == 401
    assert ask("/invocations", body, bearer(token(jwk.JWK.generate(kty="EC", crv="P-256", kid="first"))))[0] == 401
    statuses = [ask("/invocations", body, bearer(slow_key)) for _ in range(3)]
    assert [s for s, _, _ in statuses] == [200, 200, 429], statuses
    assert int(statuses[2][1]["Retry-After"]) >= 1 and "r=0" in statuses[2][1]["RateLimit"]
    access.write_text(access.read_text() + "# changed\nkey late sha256:" + hashlib.sha256(b"late").hexdigest() + " permissions=predict\n")
    until(lambda: ask("/invocations", body, bearer("late"))[0] == 200, "the access file is not read again")

    # Traces.
    parent = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert ask("/v2/models/fraud", headers=bearer(key) | {"traceparent": f"00-{parent}-00f067aa0ba902b7-01", "tracestate": "a=1"})[0] == 200
    assert ask("/invocations", body, bearer(key) | {"traceparent": f"00-{parent}-00f067aa0ba902b8-01"})[0] == 200
    spans = lambda: [s for m in Helper.posted for r in m.resource_spans for scope in r.scope_spans for s in scope.spans]
    until(lambda: len(spans()) >= 5, "no spans")
    assert {s.trace_id.hex() for s in spans()} == {parent}
    by_name = {s.name: s for s in spans()}
    assert set(by_name) - {"queue"} == {"GET /v2/models/{model}", "POST /invocations", "decode", "compute", "encode"}, by_name.keys()
    served = by_name["POST /invocations"]
    attributes = {a.key: a.value.string_value or a.value.int_value for a in served.attributes}
    assert served.kind == served.SPAN_KIND_SERVER and served.parent_span_id.hex() == "00f067aa0ba902b8"
    assert attributes == {"http.request.method": "POST", "url.path": "/invocations", "url.scheme": "http", "http.route": "/invocations",
                          "http.response.status_code": 200, "network.protocol.version": "1.1", "wherry.model.name": "fraud",
                          "wherry.model.version": "1", "wherry.rows": 50}, attributes
    assert by_name["GET /v2/models/{model}"].trace_state == "a=1"
    for name in set(by_name) & {"decode", "queue", "compute", "encode"}:
        phase = by_name[name]
        assert phase.parent_span_id == served.span_id
        assert served.start_time_unix_nano <= phase.start_time_unix_nano <= phase.end_time_unix_nano <= served.end_time_unix_nano
    assert abs(served.end_time_unix_nano / 1e9 - time.time()) < 60
    resource = {a.key: a.value.string_value for a in Helper.posted[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "fraud" and resource["deployment.environment"] == "e2e" and resource["telemetry.sdk.language"] == "cpp"
    assert Helper.headers_seen[0]["x-tenant"] == "a b" and Helper.headers_seen[0]["Content-Type"] == "application/x-protobuf"

    # Drift: what was counted so far, and rows which are unlike the training data, as NumPy sees them.
    odd = rows[names].iloc[:500].copy()
    odd["amount"] = odd["amount"] * 20
    odd["country"] = "BR"
    assert ask("/invocations", json.dumps({"dataframe_records": json.loads(odd.to_json(orient="records"))}).encode(), bearer(key))[0] == 200
    text = ask("/metrics")[2].decode()
    metrics = {family.name: family for family in prometheus_text(text)}
    sent = int(next(s.value for s in metrics["wherry_input_window_cells"].samples if s.labels["column"] == "amount"))
    seen = pd.concat([rows[names].iloc[:50]] * ((sent - 500) // 50) + [odd])
    assert len(seen) == sent, (len(seen), sent)
    told = {s.labels["column"]: s.value for s in metrics["wherry_input_psi"].samples}
    for column in profile["columns"]:
        cells = seen[column["name"]].dropna()
        if column["kind"] == "number":
            counts = np.bincount(np.searchsorted(column["edges"], cells.astype(float), side="left"), minlength=len(column["counts"]))
        else:
            place = {value: i for i, value in enumerate(column["values"])}
            counts = np.bincount([place.get(c, len(place)) for c in cells], minlength=len(column["counts"]))
        share, expected = (np.maximum(c / np.sum(c), 1e-4) for c in (counts, np.array(column["counts"])))
        psi = np.sum((share - expected) * np.log(share / expected))
        assert math.isclose(told[column["name"]], psi, rel_tol=1e-9), (column["name"], told[column["name"]], psi)
    assert told["country"] > 1 and told["amount"] > 0.25, told
    deciles = next(c for c in profile["columns"] if c["name"] == "amount")
    assert np.allclose(deciles["edges"], np.quantile(rows["amount"], np.arange(1, 10) / 10, method="inverted_cdf")), deciles

    # Metrics, in both formats.
    status, headers, answer = ask("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert headers["Content-Type"].startswith("application/openmetrics-text"), headers["Content-Type"]
    families = {family.name: family for family in open_metrics(answer.decode())}
    exemplars = [s.exemplar for s in families["wherry_request_duration_seconds"].samples if s.exemplar]
    assert exemplars and exemplars[0].labels["trace_id"] == parent, exemplars
    rejected = {s.labels["reason"]: s.value for s in metrics["wherry_rejected_requests"].samples}
    assert rejected["rate_limited"] == 1 and rejected["forbidden"] == 2 and rejected["unauthenticated"] >= 8, rejected
    assert metrics["nv_inference_count"].samples[0].value == metrics["wherry_predicted_rows"].samples[0].value
    ours = "\n".join(l for l in text.splitlines() if "nv_inference" not in l) + "\n"
    lint = subprocess.run([promtool, "check", "metrics"], input=ours, capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr

    # The prediction log.
    until(lambda: (work / "predictions").stat().st_size > 0, "nothing in the prediction log")
    time.sleep(0.5)
    lines = [json.loads(l) for l in (work / "predictions").read_text().splitlines()]
    assert set(lines[0]["inputs"]) == {"amount", "device", "country"}, lines[0]
    digest = hmac.new((work / "log.key").read_bytes(), records[0]["country"].encode(), "sha256").hexdigest()
    assert lines[0]["inputs"]["country"] == "hmac-sha256:" + digest and lines[0]["inputs"]["amount"] == records[0]["amount"]
    assert oct((work / "predictions").stat().st_mode & 0o777) == "0o600"

    # Log level and /debug.
    assert ask("/v2/logging", b'{"log_verbose_level": 0, "log_info": false}', bearer(key))[0] == 200
    before = (work / "log").stat().st_size
    ask("/ping")
    time.sleep(0.5)
    assert (work / "log").stat().st_size == before, "requests are still logged"
    debug = json.loads(ask("/debug", headers=bearer(key))[2])
    assert debug["models"][0]["name"] == "fraud" and debug["traces"]["dropped"] == 0, debug

    # A new signing key is fetched when a token names it: half a minute after the last time at the earliest.
    second = jwk.JWK.generate(kty="EC", crv="P-256", kid="second")
    Helper.keys = [signing, second]
    assert ask("/invocations", body, bearer(token(second)))[0] == 401
    for _ in range(45):
        if ask("/invocations", body, bearer(token(second)))[0] == 200:
            break
        time.sleep(1)
    else:
        raise AssertionError("the new signing key is not fetched")
    assert Helper.fetched <= 3, Helper.fetched

    logged = (work / "log").read_text()
    for secret in (key, slow_key, "eyJ"):
        assert secret not in logged, "a secret is in the log"
    assert '"identity":"tester"' in logged and f'"trace_id":"{parent}"' in logged
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text() if os.access(f"/proc/{process.pid}/limits", os.R_OK) else ""
    assert not limits or any(l.startswith("Max core file size") and l.split()[4] == "1" for l in limits.splitlines()), limits
finally:
    process.send_signal(signal.SIGTERM)
    status = process.wait(30)
    log.close()
    print((work / "log").read_text()[-1500:])
assert status == 0, status
print("access, traces, drift, metrics, the prediction log and the log level are as they should be")
