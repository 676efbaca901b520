"""Trains the two models every server of this benchmark serves, and writes them as joblib, ONNX and request bodies.

train.py OUT: OUT/<model>/{model.joblib, model.onnx, instances.json, v2.json}; a second run does nothing.
"""
import json
import os
import sys

import joblib
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression


def save(out, name, model, row):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    joblib.dump(model, os.path.join(folder, "model.joblib"))
    onnx = to_onnx(model, initial_types=[("input", FloatTensorType([None, len(row)]))], options={id(model): {"zipmap": False}},
                   target_opset={"": 17, "ai.onnx.ml": 3})
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(onnx.SerializeToString())
    bodies = {"instances": {"instances": [row]},
              "v2": {"inputs": [{"name": "input", "shape": [1, len(row)], "datatype": "FP64", "data": row}]}}
    for key, body in bodies.items():
        with open(os.path.join(folder, key + ".json"), "w") as file:
            json.dump(body, file)


def main():
    out = sys.argv[1]
    if os.path.exists(os.path.join(out, "done")):
        return
    x, y = load_iris(return_X_y=True)
    save(out, "iris-lr", LogisticRegression(max_iter=1000).fit(x, y), x[0].tolist())
    x, y = make_classification(n_samples=20000, n_features=30, n_informative=12, weights=[0.9], random_state=7)
    forest = RandomForestClassifier(n_estimators=100, max_depth=12, random_state=7, n_jobs=2).fit(x, y)
    forest.n_jobs = None
    save(out, "fraud-rf", forest, x[0].round(4).tolist())
    open(os.path.join(out, "done"), "w").close()


main()
