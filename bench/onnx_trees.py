"""Microseconds per call of ONNX Runtime on the ensembles of `engine_bench --dump DIR`.

    pip install numpy onnx onnxruntime
    python bench/onnx_trees.py DIR

The time of a graph of one tiny tree, that is of the call itself, is measured as well and printed; subtract it
to compare engines rather than bindings.
"""
import pathlib
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

FEATURES = 30
ROWS_IN_TURN = 4096


def load(folder):
    read = lambda name, dtype: np.fromfile(folder / name, dtype)
    return (read("roots.i32", np.int32), read("feature.i32", np.int32), read("left.i32", np.int32),
            read("right.i32", np.int32), read("threshold.f64", np.float64), read("values.f64", np.float64))


def model(arrays):
    roots, feature, left, right, threshold, values = arrays
    tree = np.searchsorted(roots, np.arange(len(feature)), side="right") - 1
    start = roots[tree]
    is_leaf = feature < 0
    nearest = threshold.astype(np.float32)
    down = np.where(nearest > threshold, np.nextafter(nearest, np.float32(-np.inf)), nearest)
    local = np.arange(len(feature)) - start
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, post_transform="NONE",
        nodes_treeids=tree.tolist(), nodes_nodeids=local.tolist(),
        nodes_featureids=np.where(is_leaf, 0, feature).tolist(),
        nodes_modes=np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values=np.where(is_leaf, 0, down).astype(float).tolist(),
        nodes_truenodeids=np.where(is_leaf, 0, left - start).tolist(),
        nodes_falsenodeids=np.where(is_leaf, 0, right - start).tolist(),
        target_treeids=tree[is_leaf].tolist(), target_nodeids=local[is_leaf].tolist(),
        target_ids=np.zeros(is_leaf.sum(), int).tolist(), target_weights=values[left[is_leaf]].tolist())
    graph = helper.make_graph([node], "trees",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, FEATURES])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])])
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)])
    result.ir_version = 8
    return result


def session(arrays):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(model(arrays).SerializeToString(), options, providers=["CPUExecutionProvider"])


def microseconds(run, rows):
    random = np.random.default_rng(7)
    tables = [random.random((rows, FEATURES), np.float32) for _ in range((ROWS_IN_TURN + rows - 1) // rows)]
    times = []
    deadline = time.perf_counter() + 1.0
    while time.perf_counter() < deadline or len(times) < 3:
        start = time.perf_counter()
        for table in tables:
            run(None, {"x": table})
        times.append((time.perf_counter() - start) / len(tables))
    return np.median(times) * 1e6


def main():
    folder = pathlib.Path(sys.argv[1])
    tiny = (np.array([0], np.int32), np.array([0, -1, -1], np.int32), np.array([1, 0, 1], np.int32),
            np.array([2, 0, 0], np.int32), np.array([0.5, 0, 0]), np.array([1.0, 2.0]))
    batches = (1, 10, 100, 1000)
    print("onnxruntime", ort.__version__, "microseconds per call, rows:", *batches)
    for name, arrays in [("call of a tiny model", tiny)] + [(str(f), load(f)) for f in sorted(folder.iterdir())]:
        start = time.perf_counter()
        run = session(arrays).run
        made = (time.perf_counter() - start) * 1e3
        print(f"{name}: load {made:.0f} ms:", *(f"{microseconds(run, rows):.1f}" for rows in batches), flush=True)


main()
