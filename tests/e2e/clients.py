"""Asks a running server through tritonclient and reads its metrics with prometheus_client: clients.py HOST:PORT EXAMPLE_FOLDER."""
import json
import pathlib
import sys
import time
import urllib.request

import numpy as np
import tritonclient.http as triton
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.utils import InferenceServerException

address, example = sys.argv[1], pathlib.Path(sys.argv[2])
client = triton.InferenceServerClient(address)
for _ in range(200):
    try:
        if client.is_server_ready():
            break
    except OSError:
        pass
    time.sleep(0.05)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("fraud")

metadata = client.get_model_metadata("fraud")
assert metadata["name"] == "fraud" and [i["name"] for i in metadata["inputs"]][0] == "amount", metadata

request = json.loads((example / "requests/v2.json").read_text())
expected = json.loads((example / "expected/v2.json").read_text())
kinds = {"FP64": np.float64, "INT64": np.int64, "BOOL": bool, "BYTES": object}
inputs = []
for tensor in request["inputs"]:
    data = np.array(tensor["data"], dtype=kinds[tensor["datatype"]]).reshape(tensor["shape"])
    given = triton.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
    given.set_data_from_numpy(data, binary_data=False)
    inputs.append(given)
outputs = [triton.InferRequestedOutput(name, binary_data=False) for name in ("predict", "predict_proba")]
answer = client.infer("fraud", inputs, outputs=outputs, request_id="e2e-1")
assert answer.get_response()["id"] == "e2e-1"
assert answer.as_numpy("predict").tolist() == expected["predict"]
assert answer.as_numpy("predict_proba").tolist() == expected["predict_proba"]

for wrong in (lambda: client.infer("nothing", inputs), lambda: client.infer("fraud", inputs[1:]),
              lambda: client.get_model_metadata("fraud", "7")):
    try:
        wrong()
        raise AssertionError("a wrong request was answered")
    except InferenceServerException as error:
        assert error.message(), error

metrics = {family.name: family for family in
           text_string_to_metric_families(urllib.request.urlopen(f"http://{address}/metrics").read().decode())}
assert metrics["wherry_request_duration_seconds"].type == "histogram"
assert any(sample.labels.get("route") == "infer" and sample.value >= 1 for sample in metrics["wherry_http_requests"].samples)
print("tritonclient and prometheus_client are content")
