"""Writes one pickle per public estimator of the installed scikit-learn, not fitted: what `wherry inspect` says of it
tells whether its class is known, and if not why.

    python list_estimators.py OUT_DIR
"""

import inspect
import pathlib
import pickle
import sys
import warnings

from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

ARGUMENTS = {
    "estimator": LogisticRegression,
    "base_estimator": LogisticRegression,
    "estimators": lambda: [("a", LinearRegression())],
    "transformers": lambda: [("a", StandardScaler(), [0])],
    "transformer_list": lambda: [("a", StandardScaler())],
    "steps": lambda: [("a", StandardScaler())],
    "param_grid": dict,
    "param_distributions": dict,
    "dictionary": lambda: [[1.0]],
}


def instance(cls):
    needed = [
        name
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is inspect.Parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    return cls(**{name: ARGUMENTS[name]() for name in needed})


def main(out_dir):
    warnings.simplefilter("ignore")
    folder = pathlib.Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for name, cls in all_estimators():
        with open(folder / (name + ".pkl"), "wb") as file:
            pickle.dump(instance(cls), file, protocol=4)


if __name__ == "__main__":
    main(sys.argv[1])
