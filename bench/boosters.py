#!/usr/bin/env python3
"""Boosted trees: wherry's engine beside LightGBM, XGBoost, CatBoost, TL2cgen, lleaves and ONNX Runtime, as tables.

    cmake --preset release-tests && ninja -C build/release-tests boosters_bench
    python3 bench/boosters.py build/release-tests/bin/boosters_bench

Makes a virtual environment (--venv, default ~/.cache/wherry-venvs/boosters-bench) with the frameworks, trains
100 trees of depth 3 and 500 trees of depth 6 on 30 columns with LightGBM, XGBoost and CatBoost, and lets
boosters_bench call every engine through its C API: one process, one thread, batches of 1, 10, 100 and 1000 rows.
TL2cgen's and lleaves' figures are of code compiled for this model by gcc -O3 and LLVM; ONNX Runtime computes in float32.
CatBoost's wheel has no C API: its predict() is called from Python, and what such a call costs by itself is shown by the
same call of a model of one tree.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

PACKAGES = ("lightgbm==4.6.0 xgboost==3.0.5 catboost==1.2.10 numpy<3 treelite==4.8.1 tl2cgen==1.0.0 lleaves==1.3.0 llvmlite==0.44.0 scikit-learn "
            "onnxruntime==1.32.0 onnxmltools==1.16.0 skl2onnx").split()
COLUMNS = 30
ROWS = 20_000
SHAPES = ((100, 3), (500, 6))
BATCHES = (1, 10, 100, 1000)


def data():
    import numpy as np

    random = np.random.default_rng(42)
    X = random.random((ROWS, COLUMNS), np.float32).astype(np.float64)
    y = np.sin(6 * X[:, 0]) + X[:, 1] * X[:, 2] + (X[:, 3] > X[:, 4]) + X[:, 5:] @ random.normal(size=COLUMNS - 5)
    return X, y + random.normal(scale=0.1, size=ROWS)


def package_file(package, *parts):
    module = __import__(package)
    return str(pathlib.Path(module.__file__).parent.joinpath(*parts))


def compiled(model, folder, name):
    """A treelite model as TL2cgen's C code, compiled by gcc."""
    import tl2cgen

    path = folder / (name + ".so")
    tl2cgen.export_lib(model, toolchain="gcc", libpath=str(path), params={"parallel_comp": 8}, nthread=2)
    return str(path)


def lleaves_library(text, folder, name):
    import lleaves

    cache = folder / (name + ".o")
    lleaves.Model(model_file=text).compile(cache=str(cache))
    path = folder / (name + "-lleaves.so")
    subprocess.run(["gcc", "-shared", "-o", str(path), str(cache), "-lm"], check=True)
    return str(path)


def onnx_file(convert, booster, folder, name):
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = convert(booster, initial_types=[("input", FloatTensorType([None, COLUMNS]))], target_opset=15)
    path = folder / (name + ".onnx")
    path.write_bytes(model.SerializeToString())
    return str(path)


def onnxruntime_library():
    import onnxruntime

    folder = pathlib.Path(onnxruntime.__file__).parent / "capi"
    # The shared library proper is inside the Python module, which exports the C API as well.
    return str(next(iter(sorted(folder.glob("libonnxruntime.so*")) or sorted(folder.glob("onnxruntime_pybind11*.so")))))


def attempt(what, make):
    """A peer which cannot be made here is left out, and said so."""
    try:
        return make()
    except Exception as error:  # whatever a converter or compiler raises
        print("left out: %s: %s" % (what, str(error).split("\n")[0][:200]), file=sys.stderr)
        return None


def lightgbm_engines(trees, depth, folder):
    import lightgbm
    import treelite

    X, y = data()
    params = {"objective": "regression", "max_depth": depth, "num_leaves": 2**depth, "learning_rate": 0.05}
    params.update({"min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1, "seed": 1})
    booster = lightgbm.train(params, lightgbm.Dataset(X, y), trees)
    name = "lightgbm-%d" % trees
    text = str(folder / (name + ".txt"))
    booster.save_model(text)
    from onnxmltools import convert_lightgbm

    return [
        ("wherry", "-", text),
        ("lightgbm", package_file("lightgbm", "lib", "lib_lightgbm.so"), text),
        ("tl2cgen-float64", attempt("TL2cgen", lambda: compiled(treelite.frontend.load_lightgbm_model(text), folder, name)), "-"),
        ("lleaves", attempt("lleaves", lambda: lleaves_library(text, folder, name)), "-"),
        ("onnxruntime", onnxruntime_library(), attempt("ONNX", lambda: onnx_file(convert_lightgbm, booster, folder, name))),
    ]


def xgboost_engines(trees, depth, folder):
    import treelite
    import xgboost

    X, y = data()
    params = {"objective": "reg:squarederror", "max_depth": depth, "eta": 0.05, "tree_method": "hist", "nthread": 1}
    booster = xgboost.train(params, xgboost.DMatrix(X, y), trees)
    name = "xgboost-%d" % trees
    path = str(folder / (name + ".json"))
    booster.save_model(path)
    from onnxmltools import convert_xgboost

    return [
        ("wherry", "-", path),
        ("xgboost", package_file("xgboost", "lib", "libxgboost.so"), path),
        ("tl2cgen-float32", attempt("TL2cgen", lambda: compiled(treelite.frontend.load_xgboost_model(path), folder, name)), "-"),
        ("onnxruntime", onnxruntime_library(), attempt("ONNX", lambda: onnx_file(convert_xgboost, booster, folder, name))),
    ]


def catboost_models(trees, depth, folder):
    """[(engine, model)] of which the first is also a file for wherry."""
    import catboost

    X, y = data()
    path = str(folder / ("catboost-%d.cbm" % trees))

    def fit(count):
        params = {"depth": depth, "learning_rate": 0.05, "random_seed": 1, "thread_count": 1, "verbose": False}
        return catboost.CatBoostRegressor(iterations=count, allow_writing_files=False, **params).fit(X, y)

    model = fit(trees)
    model.save_model(path)
    return path, [("catboost from Python", model), ("the same call, one tree", fit(1))]


def measure_in_python(models, rounds):
    """As measure(), of predict() on rows as boosters_bench makes them, but without a prediction to compare."""
    import time

    import numpy as np

    table = {}
    for name, model in models:
        for rows in BATCHES:
            X = np.random.default_rng(1).random((rows, COLUMNS), np.float32)
            calls = max(1, 4000 // rows // 8)
            times = []
            for _ in range(rounds):
                start = time.thread_time()
                for _ in range(calls):
                    model.predict(X, thread_count=1)
                times.append((time.thread_time() - start) / calls * 1e6)
            table.setdefault(name, {})[rows] = (sorted(times)[len(times) // 2], None)
    return table


def measure(program, engines, rounds):
    """{engine: {rows: (microseconds, prediction of the first row)}}; wherry first."""
    engines = [engine for engine in engines if None not in engine]
    arguments = [part for engine in engines for part in engine]
    out = subprocess.run([program, str(COLUMNS), str(rounds), *arguments], check=True, stdout=subprocess.PIPE, text=True)
    table = {}
    for line in out.stdout.splitlines():
        name, rows, microseconds, first = line.split()
        table.setdefault(name, {})[int(rows)] = (float(microseconds), float(first))
    return table


def report(title, table, out):
    heads = ("%d row%s" % (rows, "" if rows == 1 else "s") for rows in BATCHES)
    print("\n%s\n\n| µs per call (ratio to wherry) | %s |" % (title, " | ".join(heads)), file=out)
    print("| --- |" + " --- |" * len(BATCHES), file=out)
    for name, figures in table.items():
        cells = []
        for rows in BATCHES:
            microseconds, first = figures[rows]
            ours, expected = table["wherry"][rows]
            if first is not None and abs(first - expected) > 1e-4 * max(1.0, abs(expected)):
                sys.exit("error: %s predicts %r, wherry %r" % (name, first, expected))
            cells.append("%.2f (%.1f)" % (microseconds, microseconds / ours))
        print("| %s | %s |" % (name, " | ".join(cells)), file=out, flush=True)


def main():
    cache = pathlib.Path(os.environ.get("WHERRY_VENVS", pathlib.Path.home() / ".cache" / "wherry-venvs"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="boosters_bench, built in release mode")
    parser.add_argument("--venv", type=pathlib.Path, default=cache / "boosters-bench")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--only", choices=("lightgbm", "xgboost", "catboost"))
    args = parser.parse_args()
    python = args.venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(args.venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--only-binary=:all:", *PACKAGES], check=True)
    if pathlib.Path(sys.prefix) != args.venv.resolve():
        os.execv(python, [str(python), os.path.abspath(__file__), *sys.argv[1:]])
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what compilers have to say does not belong to the table
    with tempfile.TemporaryDirectory() as folder:
        for framework, engines in (("lightgbm", lightgbm_engines), ("xgboost", xgboost_engines)):
            if args.only not in (None, framework):
                continue
            for trees, depth in SHAPES:
                made = engines(trees, depth, pathlib.Path(folder))
                title = "%s model, %d trees of depth %d, %d columns" % (framework, trees, depth, COLUMNS)
                report(title, measure(args.program, made, args.rounds), out)
        for trees, depth in SHAPES if args.only in (None, "catboost") else ():
            path, models = catboost_models(trees, depth, pathlib.Path(folder))
            table = measure(args.program, [("wherry", "-", path)], args.rounds)
            table.update(measure_in_python(models, args.rounds))
            report("catboost model, %d symmetric trees of depth %d, %d columns" % (trees, depth, COLUMNS), table, out)


if __name__ == "__main__":
    main()
