#!/usr/bin/env python3
"""Two small networks as ONNX files, for the guide on deep learning models and for tests: make.py [FOLDER].

pixels.onnx  pixels float32 [batch, 1, 4, 4] -> probabilities float32 [batch, 3]: a convolution and a dense layer
words.onnx   ids int64 [batch, length], mask bool [batch, length]
             -> vector float32 [batch, 4], words int64 [batch]: the mean of the embeddings where the mask holds, and how many
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
FOLDER = FOLDER if FOLDER.is_dir() else FOLDER.parent
numbers = np.random.default_rng(5)


def weight(name, *shape):
    values = (numbers.integers(-8, 9, size=shape) / 8).astype(np.float32)
    return numpy_helper.from_array(values, name)


def constant(name, values):
    return numpy_helper.from_array(np.array(values), name)


def save(name, nodes, inputs, outputs, weights):
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9, producer_name="make.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, FOLDER / f"{name}.onnx")


def tensor(name, dtype, *shape):
    return helper.make_tensor_value_info(name, dtype, list(shape))


save("pixels",
     [helper.make_node("Conv", ["pixels", "filters"], ["found"], pads=[1, 1, 1, 1]),
      helper.make_node("Relu", ["found"], ["kept"]),
      helper.make_node("Flatten", ["kept"], ["flat"]),
      helper.make_node("Gemm", ["flat", "dense", "bias"], ["scores"]),
      helper.make_node("Softmax", ["scores"], ["probabilities"])],
     [tensor("pixels", TensorProto.FLOAT, "batch", 1, 4, 4)],
     [tensor("probabilities", TensorProto.FLOAT, "batch", 3)],
     [weight("filters", 2, 1, 3, 3), weight("dense", 32, 3), weight("bias", 3)])

save("words",
     [helper.make_node("Gather", ["table", "ids"], ["embedded"]),
      helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
      helper.make_node("Where", ["wide", "embedded", "zero"], ["kept"]),
      helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
      helper.make_node("Cast", ["mask"], ["ones"], to=TensorProto.INT64),
      helper.make_node("ReduceSum", ["ones", "middle"], ["words"], keepdims=0),
      helper.make_node("Max", ["words", "one"], ["at_least_one"]),
      helper.make_node("Cast", ["at_least_one"], ["count"], to=TensorProto.FLOAT),
      helper.make_node("Unsqueeze", ["count", "middle"], ["divisor"]),
      helper.make_node("Div", ["sum", "divisor"], ["vector"])],
     [tensor("ids", TensorProto.INT64, "batch", "length"), tensor("mask", TensorProto.BOOL, "batch", "length")],
     [tensor("vector", TensorProto.FLOAT, "batch", 4), tensor("words", TensorProto.INT64, "batch")],
     [weight("table", 10, 4), constant("zero", np.float32(0)), constant("one", np.int64(1)),
      constant("last", np.array([-1], np.int64)), constant("middle", np.array([1], np.int64))])
