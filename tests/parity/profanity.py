"""Compares wherry's answers with scikit-learn's on alt-profanity-check's files: profanity.py WHERRY DATA_DIR."""

import json
import pathlib
import subprocess
import sys
import warnings

import joblib
import numpy as np
import sklearn
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "fixtures"))
from more_rows import more_rows  # noqa: E402

TEXTS = [
    "You are an idiot!", "go to hell", "What a lovely day, thank you.", "Du bist ein Vollidiot, verdammte Scheiße!",
    "Das Wetter ist schön", "putain de merde", "Bonjour, comment ça va ?", "你这个傻瓜 fuck", "今天天气很好",
    "Сука блять", "Доброе утро", "هذا نص عربي لطيف", "यह एक वाक्य है", "F U C K", "fuck\u0301 DAMN\u00a0hell",
    "İĞDIŞ ışık SHIT", "ΣΚΑΤΑ ΟΔΟΣ", "😀 shit 🎉 crap", "", " ", "a", "fuck " * 200, "𝔣𝔲𝔠𝔨 ｆｕｃｋ",
]  # fmt: skip
WIDE = 40  # texts and rows whose whole vectors are compared


def texts_of(vectorizer):
    """These, and about 1,200 more: the same shuffled, random characters, random words of the vocabulary."""
    rng = np.random.RandomState(5)
    words = sorted(vectorizer.vocabulary_)
    drawn = [" ".join(rng.choice(words, size=rng.randint(1, 30))).upper() for _ in range(400)]
    return TEXTS + drawn + more_rows(TEXTS, 800)[len(TEXTS) :]


def ask(wherry, model, rows):
    answer = subprocess.run(
        [wherry, "predict", str(model), "--output", "json"], input=json.dumps(rows).encode(), stdout=subprocess.PIPE, check=True
    )
    return json.loads(answer.stdout.decode())["outputs"]


def compare(what, expected, actual):
    expected, actual = np.asarray(expected), np.asarray(actual)
    assert expected.shape == actual.shape, (what, expected.shape, actual.shape)
    if expected.dtype.kind != "f":
        assert (expected == actual).all(), what
        return 0.0
    worst = np.max(np.abs(expected - actual) / np.maximum(np.maximum(np.abs(expected), np.abs(actual)), 1e-300), initial=0)
    assert worst <= 1e-12, (what, worst)
    return worst


def main():
    wherry, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    warnings.simplefilter("ignore")
    vectorizer, model = joblib.load(folder / "vectorizer.joblib"), joblib.load(folder / "model.joblib")
    texts = texts_of(vectorizer)
    X = vectorizer.transform(texts)
    rows = X[:WIDE].toarray()
    worst = [compare("transform", rows, ask(wherry, folder / "vectorizer.joblib", texts[:WIDE])["transform"])]
    both = folder / "both.joblib"
    joblib.dump(make_pipeline(vectorizer, model), both)
    dense = ask(wherry, folder / "model.joblib", rows.tolist())
    whole = ask(wherry, both, texts)
    for method in ("predict", "predict_proba"):
        worst.append(compare(method + " of the model alone", getattr(model, method)(rows), dense[method]))
        worst.append(compare(method, getattr(model, method)(X), whole[method]))
    print(
        "alt-profanity-check of scikit-learn %s: %d texts, %d terms, worst relative deviation %.2g"
        % (sklearn.__version__, len(texts), X.shape[1], max(worst))
    )


if __name__ == "__main__":
    main()
