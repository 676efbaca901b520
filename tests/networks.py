#!/usr/bin/env python3
"""Small networks of every framework against the framework's own answers: networks.py WHERRY.

The fixtures lie in tests/fixtures: tensorflow/*/expected.npz (in:NAME, out:NAME), keras/*.json and torch/*.json beside the model
({"inputs": …, "outputs": …, "tolerance": …}, lists in the model's order or objects by name). Each is asked through the command line. Floating-point
numbers may differ by 1e-5 of the output's largest, or by the case's tolerance; all others must be equal.
"""
import ast
import json
import math
import pathlib
import subprocess
import sys
import zipfile

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
TOLERANCE = 1e-5


def read_array(data):
    """numpy's .npy format (numpy/lib/format.py) as shape and a flat list."""
    import struct
    length = struct.unpack_from("<H" if data[6] == 1 else "<I", data, 8)[0]
    begin = 10 if data[6] == 1 else 12
    head = ast.literal_eval(data[begin:begin + length].decode())
    body, kind, size = data[begin + length:], head["descr"][1], int(head["descr"][2:])
    assert not head["fortran_order"] and head["descr"][0] in "<|", head
    count = math.prod(head["shape"])
    if kind == "S":
        return head["shape"], [body[i * size:(i + 1) * size].rstrip(b"\0").decode() for i in range(count)]
    if kind == "U":
        return head["shape"], [body[4 * i * size:4 * (i + 1) * size].decode("utf-32-le").rstrip("\0") for i in range(count)]
    code = {"f4": "f", "f8": "d", "f2": "e", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "b1": "?"}
    return head["shape"], list(struct.unpack_from(f"<{count}{code[kind + str(size)]}", body))


def nested(shape, flat):
    if not shape:
        return flat[0]
    step = math.prod(shape[1:])
    return [nested(shape[1:], flat[i * step:(i + 1) * step]) for i in range(shape[0])]


def flattened(value):
    if not isinstance(value, list):
        return [value]
    return [x for part in value for x in flattened(part)]


def cases():
    for path in sorted(FIXTURES.glob("tensorflow/*/expected.npz")):
        with zipfile.ZipFile(path) as archive:
            arrays = {name.removesuffix(".npy"): nested(*read_array(archive.read(name))) for name in archive.namelist()}
        yield path.parent, [], TOLERANCE, ({n[3:]: a for n, a in arrays.items() if n.startswith("in:")},
                                {n[4:]: a for n, a in arrays.items() if n.startswith("out:")})
    for path in sorted([*FIXTURES.glob("keras/*.json"), *FIXTURES.glob("torch/*.json")]):
        case = json.loads(path.read_text())
        yield path.with_suffix(""), case.get("options", []), case.get("tolerance", TOLERANCE), (case["inputs"], case["outputs"])


def run(wherry, command, model, *options, text=None):
    done = subprocess.run([wherry, command, str(model), "--quiet", *options], input=text, capture_output=True, text=True, cwd=model.parent)
    return done.returncode, done.stdout, done.stderr


def by_name(values, names):
    """Lists, or objects by number, go by the order of the names."""
    if isinstance(values, dict) and not set(values) <= set(names):
        values = [values[str(i)] for i in range(len(values))]
    return values if isinstance(values, dict) else dict(zip(names, values, strict=True))


def difference(got, want):
    """Largest difference of the output, as a part of its largest number; a text where it is of another kind."""
    if [type(got) is list] == [type(want) is list] and json.dumps(shape_of(got)) != json.dumps(shape_of(want)):
        return f"shape {shape_of(got)}, not {shape_of(want)}"
    a, b = flattened(got), flattened(want)
    if len(a) != len(b):
        return f"{len(a)} elements, not {len(b)}"
    if not any(isinstance(x, float) for x in b):
        return 0.0 if list(map(float_or_self, a)) == list(map(float_or_self, b)) else "other values"
    largest = max([abs(x) for x in b if math.isfinite(x)], default=0.0) or 1.0
    worst = 0.0
    for x, y in zip(a, b):
        if x is None:
            x = math.nan
        if math.isnan(y) != math.isnan(x):
            return "NaN in another place"
        if not math.isnan(y) and x != y:
            worst = max(worst, abs(x - y) / largest)
    return worst


def float_or_self(x):
    return x if isinstance(x, str) else float(x)


def shape_of(value):
    return [len(value), *(shape_of(value[0]) if value else [])] if isinstance(value, list) else []


def main():
    wherry = pathlib.Path(sys.argv[1]).resolve()
    failed, worst, count = 0, 0.0, 0
    for model, options, tolerance, (inputs, outputs) in cases():
        status, described, problem = run(wherry, "inspect", model, "--output", "json", *options)
        if status == 0:
            signature = json.loads(described)
            names = [t["name"] for t in signature["signature"]["tensors"]]
            results = [o["name"] for o in signature["outputs"]]
            status, answer, problem = run(wherry, "predict", model, "--input", "-", *options,
                                          text=json.dumps({"inputs": by_name(inputs, names)}))
        if status != 0 and "runtime.not_found" in problem:
            print("skipped: ONNX Runtime is not installed")
            return 77
        if status != 0:
            print(f"failed: {model.relative_to(FIXTURES)}: {problem.strip()}")
            failed += 1
            continue
        got = json.loads(answer)["outputs"]
        count += 1
        for name, want in by_name(outputs, results).items():
            off = difference(got[name], want)
            if isinstance(off, str) or off > tolerance:
                print(f"failed: {model.relative_to(FIXTURES)}: {name} is off by {off}")
                failed += 1
            else:
                worst = max(worst, off if tolerance == TOLERANCE else 0.0)
    print(f"{count} networks, largest difference {worst:.1e} of an output's largest value, {failed} failed")
    return 1 if failed or count == 0 else 0


sys.exit(main())
