"""Records golden predictions: what your fitted model answers, for a server to replay and compare.

Call it once at the end of training, with some rows the model has not seen (16 to 64 are plenty; include missing and
unseen values, they are where servers differ). Copy the function or import it: it needs nothing but the model.

    from record_golden import record
    record(model, X_test[:32], "model.golden.jsonl")

X is a DataFrame or a numpy array. A file beside the model with its name and `.golden.jsonl` is found by itself.
"""
import json


def record(model, X, path):
    rows, columns = (X.to_dict("split")["data"], list(X.columns)) if hasattr(X, "columns") else (X.tolist(), None)
    methods = [m for m in ("predict", "predict_proba", "transform") if hasattr(model, m)]
    version = model.__getstate__()["_sklearn_version"]
    dense = lambda out: [o[0] for o in out] if isinstance(out, list) else (out.toarray() if hasattr(out, "toarray") else out)[0]
    with open(path, "w", encoding="utf-8") as file:
        print(json.dumps({"golden": 1, "framework": "scikit-learn", "version": version, "source": "framework"}), file=file)
        for i, row in enumerate(rows):
            outputs = {m: dense(getattr(model, m)(X[i : i + 1])) for m in methods}
            cells = [None if cell != cell else cell for cell in row]  # NaN, the only value unequal to itself, is missing
            print(json.dumps({"columns": columns, "row": cells, "outputs": outputs}, default=lambda v: v.tolist()), file=file)
