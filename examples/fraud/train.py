"""Trains the fraud model on transactions.csv and writes model.joblib, model.golden.jsonl and expected/.

    python generate.py && python train.py
"""
import json
import pathlib
import sys

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from record_golden import record  # noqa: E402  (examples/record_golden.py: one function to copy)

NUMBERS = ["amount", "hour", "customer_age", "transactions_24h", "minutes_since_last", "distance_km"]
WORDS = ["merchant_category", "country", "device"]
FLAGS = ["is_foreign"]


def build():
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="unknown"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("words", words, WORDS), ("flags", "passthrough", FLAGS)])
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, learning_rate=0.08, random_state=0))


def golden_rows(unseen):
    """24 rows of the test set, and 8 with what training never saw or what is not there."""
    odd = unseen.iloc[24:32].copy()
    odd["device"] = [None, None, "smart fridge", "ANDROID", "", "web", "ios", "web"]
    odd["country"] = ["DE", "JP", "🏴‍☠️", None, "Côte d'Ivoire", "US", "de", "NG"]
    odd["merchant_category"] = ["gift cards", None, "groceries", "casino", "fuel", "Gift Cards", "travel", "jewellery"]
    odd["customer_age"] = [None, None, 18, 95, 130, None, 44, 21]
    odd["minutes_since_last"] = [None, 0.0, 1e9, None, 5.5, 0.1, 400.0, 1.0]
    odd["amount"] = [0.0, 0.01, 1e7, -25.0, 19.99, 5000.0, 250.0, 999.99]
    return pd.concat([unseen.iloc[:24], odd], ignore_index=True)


def asked():
    """The rows of each file in requests/, as the DataFrames pandas makes of them."""
    requests = {path.name: path for path in (HERE / "requests").iterdir()}
    load = lambda name: json.loads(requests[name].read_text(encoding="utf-8"))
    one, split = load("one.json"), load("split.json")["dataframe_split"]
    tensors = load("v2.json")["inputs"]
    return {
        "one": pd.DataFrame(one["rows"], columns=one["columns"]),
        "records": pd.DataFrame(load("records.json")["dataframe_records"]),
        "split": pd.DataFrame(split["data"], columns=split["columns"]),
        "v2": pd.DataFrame({tensor["name"]: tensor["data"] for tensor in tensors}),
        "rows": pd.read_csv(requests["rows.csv"], keep_default_na=False, na_values=[""]),
    }


def main():
    data = pd.read_csv(HERE / "transactions.csv", keep_default_na=False, na_values=[""])
    X, y = data.drop(columns="is_fraud"), data["is_fraud"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    model = build().fit(X_train, y_train)
    score = model.predict_proba(X_test)[:, 1]
    print("ROC AUC %.3f, average precision %.3f (%.1f %% fraud)" % (roc_auc_score(y_test, score), average_precision_score(y_test, score), 100 * y.mean()))

    joblib.dump(model, HERE / "model.joblib")
    record(model, golden_rows(X_test), HERE / "model.golden.jsonl")
    for name, rows in asked().items():
        answer = {"predict": model.predict(rows).tolist(), "predict_proba": model.predict_proba(rows).tolist()}
        (HERE / "expected" / (name + ".json")).write_text(json.dumps(answer) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
