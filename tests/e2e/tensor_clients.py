"""Asks a server of examples/tensors through tritonclient, over HTTP and gRPC: tensor_clients.py HOST:PORT EXAMPLE_FOLDER."""
import sys
import time

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

address = sys.argv[1]
pixels = np.zeros((2, 1, 4, 4), np.float32)
pixels[0, 0, 1:3, 1:3] = 1
ids = np.array([[3, 1, 4], [1, 5, 0]], np.int64)
mask = np.array([[True, True, True], [True, True, False]])


def tensor(module, name, array, datatype, **how):
    made = module.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, **how)
    return made


def close(got, wanted):
    assert got.shape == np.shape(wanted) and np.allclose(got, wanted, atol=1e-6), (got, wanted)


answers = []
for module in (http, grpc):
    server = module.InferenceServerClient(address)
    metadata = server.get_model_metadata("words", **({"as_json": True} if module is grpc else {}))
    assert [(i["name"], i["datatype"], [int(n) for n in i["shape"]]) for i in metadata["inputs"]] == [
        ("ids", "INT64", [-1, -1]), ("mask", "BOOL", [-1, -1])], metadata
    ways = [{"binary_data": True}, {"binary_data": False}] if module is http else [{}]
    for way in ways:
        result = server.infer("pixels", [tensor(module, "pixels", pixels, "FP32", **way)])
        close(result.as_numpy("probabilities")[0], [0.10196938, 0.89475286, 0.0032778])
        answers.append(result.as_numpy("probabilities"))
        result = server.infer("words", [tensor(module, "mask", mask, "BOOL", **way), tensor(module, "ids", ids, "INT64", **way)])
        close(result.as_numpy("vector"), [[-0.08333334, 0.125, 0, 0.45833334], [0.5, -0.375, -0.375, 0.1875]])
        assert result.as_numpy("words").tolist() == [3, 2] and result.as_numpy("words").dtype == np.int64
    wanted = module.InferRequestedOutput("probabilities", class_count=2)
    best = server.infer("pixels", [tensor(module, "pixels", pixels, "FP32")], outputs=[wanted]).as_numpy("probabilities")
    assert best.shape == (2, 2) and best[0, 0].split(b":")[1] == b"1", best
    mistakes = [
        [tensor(module, "pixels", pixels.astype(np.float64), "FP64")],
        [tensor(module, "pixels", pixels[:, :, :3], "FP32")],
        [tensor(module, "pictures", pixels, "FP32")],
    ]
    for inputs in mistakes:
        try:
            server.infer("pixels", inputs)
            raise AssertionError("not refused")
        except InferenceServerException as refusal:
            assert "pi" in refusal.message() and str(refusal.status()) in ("400", "StatusCode.INVALID_ARGUMENT"), refusal
    config = server.get_model_config("pixels", **({"as_json": True} if module is grpc else {}))
    config = config.get("config", config)
    assert [int(n) for n in config["input"][0]["dims"]] == [1, 4, 4] and config["max_batch_size"] > 0, config
assert all((answer == answers[0]).all() for answer in answers)
print("tritonclient is content over HTTP and gRPC")
