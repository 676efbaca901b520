"""Asks a running server as Triton's clients do, over HTTP with binary tensors and over gRPC: grpc.py HOST:PORT EXAMPLE_FOLDER.

After the simple_* examples of Triton's client repository which need no GPU and no shared memory, for a model of ours.
"""
import json
import pathlib
import queue
import struct
import sys
import time

import grpc
import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.grpc.service_pb2 as messages
import tritonclient.grpc.service_pb2_grpc as stubs
import tritonclient.http as over_http
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tritonclient.utils import InferenceServerException

address, example = sys.argv[1], pathlib.Path(sys.argv[2])
body = json.loads((example / "requests/v2.json").read_text())
expected = json.loads((example / "expected/v2.json").read_text())
KINDS = {"FP64": np.float64, "INT64": np.int64, "BOOL": bool, "BYTES": object}
MODEL = "fraud"
clients = {"http": (over_http, over_http.InferenceServerClient(address, concurrency=4)),
           "grpc": (over_grpc, over_grpc.InferenceServerClient(address))}


def inputs(module, binary=True):
    made = []
    for tensor in body["inputs"]:
        data = np.array(tensor["data"], dtype=KINDS[tensor["datatype"]]).reshape(tensor["shape"])
        given = module.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        if module is over_http:
            given.set_data_from_numpy(data, binary_data=binary)
        else:
            given.set_data_from_numpy(data)
        made.append(given)
    return made


def check(answer, names=("predict", "predict_proba")):
    for name in names:
        got = answer.as_numpy(name).tolist()
        got = [item.decode() if isinstance(item, bytes) else item for item in got]
        assert got == expected[name], (name, got)


def refused(call, *parts):
    try:
        call()
    except InferenceServerException as error:
        assert all(part in str(error) for part in parts), error
        return error
    raise AssertionError("a wrong request was answered")


def health_and_metadata(module, client):  # simple_*_health_metadata.py
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1") and not client.is_model_ready("nothing")
    server = client.get_server_metadata()
    model = client.get_model_metadata(MODEL, "1")
    extensions = server["extensions"] if module is over_http else list(server.extensions)
    assert {"binary_tensor_data", "classification"} <= set(extensions), extensions
    names = [i["name"] for i in model["inputs"]] if module is over_http else [i.name for i in model.inputs]
    assert names[0] == "amount", names
    refused(lambda: client.get_model_metadata("nothing"), "nothing")
    refused(lambda: client.get_model_metadata(MODEL, "7"), "7")


def infer(module, client):  # simple_*_infer_client.py
    outputs = [module.InferRequestedOutput(name) for name in ("predict_proba", "predict")]
    answer = client.infer(MODEL, inputs(module), outputs=outputs, request_id="e2e-1", model_version="1", priority=1, timeout=5_000_000)
    check(answer)
    head = answer.get_response()
    assert (head["id"] if module is over_http else head.id) == "e2e-1"
    listed = [o["name"] for o in head["outputs"]] if module is over_http else [o.name for o in head.outputs]
    assert listed == ["predict_proba", "predict"], listed
    check(client.infer(MODEL, inputs(module)), ("predict", "predict_proba"))
    refused(lambda: client.infer("nothing", inputs(module)), "nothing")
    refused(lambda: client.infer(MODEL, inputs(module)[1:]), "amount", "missing")
    refused(lambda: client.infer(MODEL, inputs(module), sequence_id=5, sequence_start=True), "sequence")
    refused(lambda: client.infer(MODEL, inputs(module), outputs=[module.InferRequestedOutput("nothing")]), "nothing")


def classification(module, client):  # image_client.py asks so
    answer = client.infer(MODEL, inputs(module), outputs=[module.InferRequestedOutput("predict_proba", class_count=1)])
    best = answer.as_numpy("predict_proba")
    assert best.shape == (len(expected["predict"]), 1), best.shape
    for row, text in enumerate(best[:, 0]):
        value, index, label = text.decode().split(":")
        assert float(value) == max(expected["predict_proba"][row]) and label == str(expected["predict"][row]), text


def asynchronous(module, client):  # simple_*_async_infer_client.py
    if module is over_http:
        for pending in [client.async_infer(MODEL, inputs(module)) for _ in range(20)]:
            check(pending.get_result())
        return
    done = queue.Queue()
    for _ in range(20):
        client.async_infer(MODEL, inputs(module), lambda result, error: done.put((result, error)))
    for _ in range(20):
        result, error = done.get(timeout=10)
        assert error is None, error
        check(result)


def config_and_statistics(module, client):
    config, statistics, index = client.get_model_config(MODEL), client.get_inference_statistics(MODEL), client.get_model_repository_index()
    if module is over_http:
        assert config["max_batch_size"] > 0 and config["input"][0]["data_type"] == "TYPE_FP64", config
        counted, state = statistics["model_stats"][0]["inference_stats"]["success"]["count"], index[0]["state"]
    else:
        assert config.config.max_batch_size > 0 and config.config.input[0].data_type == 12, config
        counted, state = statistics.model_stats[0].inference_stats.success.count, index.models[0].state
    assert counted > 0 and state == "READY", (counted, state)
    before = counted
    client.infer(MODEL, inputs(module))
    after = client.get_inference_statistics(MODEL)
    stats = after["model_stats"][0]["inference_stats"] if module is over_http else after.model_stats[0].inference_stats
    assert (stats["success"]["count"] if module is over_http else stats.success.count) == before + 1
    refused(lambda: client.load_model(MODEL), "explicit")
    refused(lambda: client.get_inference_statistics("nothing"), "nothing")


def mixed_json_and_binary():
    client = clients["http"][1]
    for binary in (True, False):
        for asked in (True, False):
            given = inputs(over_http, binary)
            given[0].set_data_from_numpy(np.array(body["inputs"][0]["data"]).reshape(body["inputs"][0]["shape"]), binary_data=not binary)
            outputs = [over_http.InferRequestedOutput("predict", binary_data=asked),
                       over_http.InferRequestedOutput("predict_proba", binary_data=not asked)]
            check(client.infer(MODEL, given, outputs=outputs))
    for algorithm in ("gzip", "deflate"):
        check(client.infer(MODEL, inputs(over_http), request_compression_algorithm=algorithm, response_compression_algorithm=algorithm))


def stream():  # simple_grpc_custom_repeat.py, simple_grpc_sequence_stream_infer_client.py without sequences
    client = over_grpc.InferenceServerClient(address)
    got = queue.Queue()
    client.start_stream(lambda result, error: got.put((result, error)))
    for number in range(50):
        client.async_stream_infer("nothing" if number == 20 else MODEL, inputs(over_grpc), request_id=str(number))
    for number in range(50):
        result, error = got.get(timeout=10)
        if number == 20:
            assert error is not None and "nothing" in str(error), error
            continue
        assert error is None, error
        assert result.get_response().id == str(number), "answers leave in the order of their requests"
        assert result.get_response().parameters["triton_final_response"].bool_param
        check(result)
    client.stop_stream()
    client.start_stream(lambda result, error: got.put((result, error)), headers={"triton_grpc_error": "true"})
    client.async_stream_infer("nothing", inputs(over_grpc))
    result, error = got.get(timeout=10)
    assert "StatusCode.NOT_FOUND" in error.status(), error
    client.stop_stream()


def typed_contents():  # grpc_explicit_int_content_client.py and its sisters
    channel = grpc.insecure_channel(address)
    stub = stubs.GRPCInferenceServiceStub(channel)
    request = messages.ModelInferRequest(model_name=MODEL, id="typed")
    fields = {"FP64": "fp64_contents", "INT64": "int64_contents", "BOOL": "bool_contents", "BYTES": "bytes_contents"}
    for tensor in body["inputs"]:
        given = request.inputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
        data = [v.encode() if isinstance(v, str) else v for v in tensor["data"]]
        getattr(given.contents, fields[tensor["datatype"]]).extend(data)
    answer = stub.ModelInfer(request)
    proba = struct.unpack(f"<{2 * len(expected['predict'])}d", answer.raw_output_contents[[o.name for o in answer.outputs].index("predict_proba")])
    assert [list(proba[i:i + 2]) for i in range(0, len(proba), 2)] == expected["predict_proba"]

    def code_of(change, **call):
        wrong = messages.ModelInferRequest()
        wrong.CopyFrom(request)
        change(wrong)
        try:
            stub.ModelInfer(wrong, **call)
        except grpc.RpcError as error:
            assert error.details(), error
            return error.code()
        return grpc.StatusCode.OK

    code = grpc.StatusCode
    assert code_of(lambda r: None) == code.OK
    assert code_of(lambda r: r.raw_input_contents.append(b"12345678")) == code.INVALID_ARGUMENT
    assert code_of(lambda r: setattr(r, "model_name", "nothing")) == code.NOT_FOUND
    assert code_of(lambda r: setattr(r, "model_version", "7")) == code.NOT_FOUND
    assert code_of(lambda r: r.inputs[0].shape.append(-1)) == code.INVALID_ARGUMENT
    assert code_of(lambda r: r.inputs.add(name="amount", datatype="FP64", shape=[1])) == code.INVALID_ARGUMENT
    assert code_of(lambda r: None, compression=grpc.Compression.Gzip) == code.OK
    assert code_of(lambda r: None, compression=grpc.Compression.Deflate) == code.OK
    unknown = channel.unary_unary("/inference.GRPCInferenceService/Nothing", lambda m: m, lambda m: m)
    for call, wanted in ((lambda: unknown(b""), code.UNIMPLEMENTED),
                         (lambda: channel.unary_unary("/no.Service/Nothing")(b""), code.UNIMPLEMENTED),
                         (lambda: channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(b"\xff\xff"), code.INVALID_ARGUMENT)):
        try:
            call()
            raise AssertionError("a wrong call was answered")
        except grpc.RpcError as error:
            assert error.code() == wanted, error
    channel.close()


def health_and_reflection():
    channel = grpc.insecure_channel(address, [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_permit_without_calls", 1)])
    health = health_pb2_grpc.HealthStub(channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == 1
    assert health.Check(health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService")).status == 1
    try:
        health.Check(health_pb2.HealthCheckRequest(service="nothing"))
        raise AssertionError("an unknown service has a health")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND
    watch = health.Watch(health_pb2.HealthCheckRequest(service="nothing"))
    assert next(watch).status == 3, "a watch of an unknown service goes on"
    watch.cancel()
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = [reflection_pb2.ServerReflectionRequest(list_services=""),
             reflection_pb2.ServerReflectionRequest(file_containing_symbol="inference.ModelConfig"),
             reflection_pb2.ServerReflectionRequest(file_by_filename="nothing.proto")]
    services, found, error = list(reflection.ServerReflectionInfo(iter(asked)))
    names = {service.name for service in services.list_services_response.service}
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= names, names
    assert found.file_descriptor_response.file_descriptor_proto and error.error_response.error_code == 5
    channel.close()


def big_messages():
    # Texts of 8 MB: more than any window, and than grpcio's own limit, which is on what it receives.
    client = over_grpc.InferenceServerClient(address, channel_args=[("grpc.max_receive_message_length", -1)])
    rows = 20_000
    given = []
    for tensor in body["inputs"]:
        one = np.array(tensor["data"], dtype=KINDS[tensor["datatype"]]).reshape(tensor["shape"])[:1]
        data = np.repeat(one, rows, axis=0)
        made = over_grpc.InferInput(tensor["name"], list(data.shape), tensor["datatype"])
        made.set_data_from_numpy(data)
        given.append(made)
    answer = client.infer(MODEL, given)
    assert answer.as_numpy("predict_proba").shape == (rows, 2)
    assert (answer.as_numpy("predict_proba") == np.array(expected["predict_proba"][0])).all()
    channel = grpc.insecure_channel(address)
    try:  # the server takes 64 MiB
        channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(bytes(65 << 20))
        raise AssertionError("a message beyond the limit was taken")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
    channel.close()


for _ in range(200):
    try:
        if clients["http"][1].is_server_ready():
            break
    except OSError:
        pass
    time.sleep(0.05)
for module, client in clients.values():
    for part in (health_and_metadata, infer, classification, asynchronous, config_and_statistics):
        part(module, client)
mixed_json_and_binary()
stream()
typed_contents()
health_and_reflection()
big_messages()
print("tritonclient over HTTP and gRPC, grpcio, health and reflection are content")
