#!/usr/bin/env python3
"""The models of ONNX's own backend tests (package onnx), each with inputs and the outputs ONNX expects, against wherry.

    python3 tests/parity/onnx_backend.py [WHERRY [FOLDER]]     in an environment with onnx and numpy

FOLDER: other cases, as python3 -m onnx.backend.test.cmd_tools generate-data -o FOLDER makes of every operator.

Each case becomes golden examples of the framework and goes through `wherry verify`. What wherry refuses is listed with its
reason; a case which answers otherwise fails the run.
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper

WHERRY = sys.argv[1] if len(sys.argv) > 1 else "./wherry"
DATA = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(onnx.__file__).parent / "backend/test/data"


def tensor(path):
    proto = onnx.TensorProto()
    proto.ParseFromString(path.read_bytes())
    array = numpy_helper.to_array(proto)
    values = [v.decode() if isinstance(v, bytes) else v for v in array.reshape(-1).tolist()]
    return {"shape": list(array.shape), "values": values}


def golden(folder, model):
    """The lines of golden.jsonl, or None where a case has other values than tensors."""
    given = [i.name for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer}]
    lines = [json.dumps({"golden": 1, "framework": "ONNX", "version": onnx.__version__, "source": "framework"})]
    for data in sorted(folder.glob("test_data_set_*")):
        inputs = [tensor(data / f"input_{i}.pb") for i in range(len(given))]
        outputs = [tensor(data / f"output_{i}.pb") for i in range(len(model.graph.output))]
        lines.append(json.dumps({"inputs": dict(zip(given, inputs)),
                                 "tensors": dict(zip([o.name for o in model.graph.output], outputs))}))
    return "\n".join(lines) + "\n"


def main():
    counts = collections.Counter()
    for path in sorted(DATA.rglob("model.onnx")):
        model = onnx.load(path)
        try:
            text = golden(path.parent, model)
        except Exception:  # sequences, optional values and the like have other files
            counts["other values"] += 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            examples = pathlib.Path(folder) / "golden.jsonl"
            examples.write_text(text)
            run = subprocess.run([WHERRY, "verify", str(path), "--golden", str(examples)], capture_output=True, text=True)
        name = path.parent.name
        if run.returncode == 0:
            counts["agree"] += 1
        elif run.returncode in (1, 2, 3) and "differ" not in run.stderr:
            counts["refused"] += 1
            print(f"refused  {name}: {run.stderr.splitlines()[0]}")
        else:
            counts["differ"] += 1
            print(f"DIFFERS  {name}: {run.stdout}{run.stderr}")
    print(dict(counts))
    return 1 if counts["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
