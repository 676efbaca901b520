"""Writes the parity matrix from what parity_test reported.

    python matrix.py REPORT.jsonl CLASSES_DIR WHERRY > docs/reference/parity.md

CLASSES_DIR/VERSION/*.pkl are unfitted estimators of each scikit-learn version (list_estimators.py); WHERRY says of
each whether it knows the class. Ends with status 1 when a case failed, or when a public estimator which wherry knows
has no case.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

FRAMEWORKS = {
    "sklearn": "scikit-learn",
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "skops": "skops",
    "imblearn": "imbalanced-learn",
}
HEAD = """# Parity matrix

What wherry predicts, compared with what each framework itself answered for the same rows: made by
`tests/parity/matrix.sh`, which fits the models of `tests/fixtures/cases` in each version of each framework, asks them
rows and lets `parity_test` compare all outputs. {cases} models, {answers} rows; labels, shapes and refusals of rows agree
in all of them. How many rows each had is [at the end](#rows-asked).

| cell | meaning |
| --- | --- |
| = | every number of every case is the same to the last bit |
| 3e-15 | the largest relative difference over all cases; where terms cancel, relative to the largest answer of the column |
| ~1e-6 | the same where the framework's own result depends on the machine or is computed in float32; the reason is below |
| (=) | only as a step of other models |
| · | no case with this version |
| blank | this version does not have it |

The rows are random, with NaN, infinities, denormals, the ends of the number types, unseen categories and texts of all
scripts among them as far as the model takes them; where it refuses one, wherry does. Where numbers beyond some size only
show which library adds what first, they stay below it (`most=` in `tests/fixtures/cases`; where distances overflow, a
brute force search of scikit-learn 1.1 answers neighbours that do not exist), where nearly equal distances do, numbers are
drawn and not moved (`still=`), and neighbours which are equally far were chosen by numpy's portable code (`portable=`). `null` in a column of texts stands for None and for NaN,
whichever of them the model was fitted with; scikit-learn tells them apart.

Differences come from matrix products, which a BLAS sums in another order, and from exp, log and their like, which
numpy and the C library round differently in the last digit.
"""


def version_key(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def show(deviation):
    mantissa, exponent = ("%.0e" % deviation).split("e")
    return "%se%d" % (mantissa, int(exponent))


class Cell:
    """What the cases of one class in one version showed."""

    def __init__(self):
        self.identical, self.deviation, self.loose = True, 0.0, False
        self.as_step = True

    def add(self, case, is_root):
        if self.as_step and is_root:
            self.__init__()
            self.as_step = False
        if self.as_step != is_root:
            self.identical &= case["identical"]
            self.deviation = max(self.deviation, case["deviation"])
            self.loose |= case["tolerance"] > 1e-12

    def __str__(self):
        text = "=" if self.identical else ("~" if self.loose else "") + show(self.deviation)
        return "(%s)" % text if self.as_step else text


def read_report(path):
    cases = [json.loads(line) for line in open(path, encoding="utf-8")]
    for case in cases:
        case["framework"], case["version"], case["name"] = case["case"].split("/")
    return cases


def cells_of(cases):
    cells = collections.defaultdict(Cell)
    for case in cases:
        for i, name in enumerate(case["classes"]):
            cells[name.rsplit(".", 1)[-1], case["version"]].add(case, i == 0)
    return cells


def refusal(wherry, path):
    """The reason why wherry refuses a class, or None when it knows it."""
    done = subprocess.run([wherry, "inspect", "--output", "json", str(path)], capture_output=True, text=True)
    document = json.loads(done.stdout)
    if document["served"]:
        return None
    error = document["refusal"]
    if error["id"] in ("sklearn.no_inference", "sklearn.unsupported_estimator", "sklearn.unknown_class"):
        return error["message"].split(": ", 2)[-1]
    return None


def table(names, versions, cell, notes):
    head = "| | " + " | ".join(versions) + " | |"
    lines = [head, "|" + " --- |" * (len(versions) + 2)]
    for name in names:
        lines.append("| %s | %s | %s |" % (name, " | ".join(cell(name, v) for v in versions), notes.get(name, "")))
    return "\n".join(lines)


def sklearn_part(cases, classes, wherry):
    versions = sorted({case["version"] for case in cases}, key=version_key)
    public = {v: {path.stem for path in (classes / v).glob("*.pkl")} for v in versions}
    cells = cells_of(cases)
    reasons, missing = {}, []
    for version in versions:
        for name in public[version]:
            if any((name, v) in cells for v in versions):
                continue
            reason = refusal(wherry, classes / version / (name + ".pkl"))
            if reason is not None:
                reasons[name] = "refused: " + reason
            else:
                missing.append(name)

    def cell(name, version):
        if name not in public[version]:
            return ""
        if name in reasons:
            return "–"
        return str(cells[name, version]) if (name, version) in cells else "·"

    names = sorted(set().union(*public.values()))
    known = [name for name in names if name not in reasons]
    text = "%d of the %d public estimators of scikit-learn %s predict or transform new rows here; %d are refused.\n\n" % (
        len(public[versions[-1]] - set(reasons)),
        len(public[versions[-1]]),
        versions[-1],
        len(public[versions[-1]] & set(reasons)),
    )
    text += table(known, versions, cell, {})
    text += "\n\n### Refused by name\n\n| | reason |\n| --- | --- |\n"
    text += "\n".join("| %s | %s |" % (name, reasons[name][9:]) for name in names if name in reasons)
    return text, sorted(set(missing))


def other_part(cases):
    versions = sorted({case["version"] for case in cases}, key=version_key)
    rows = collections.defaultdict(Cell)
    for case in cases:
        root = case["classes"][0].rsplit(".", 1)[-1] if case["classes"] else "model"
        rows["%s (%s)" % (root, case["format"]), case["version"]].add(case, True)
    names = sorted({name for name, _ in rows})
    counts = collections.Counter()
    for case in cases:
        counts[case["version"]] += 1
    text = table(names, versions, lambda n, v: str(rows[n, v]) if (n, v) in rows else "·", {})
    return text + "\n\nCases: " + ", ".join("%s: %d" % (v, counts[v]) for v in versions) + "."


def loose_part(cases):
    found = {}
    for case in cases:
        if case["tolerance"] > 1e-12:
            entry = found.setdefault((case["framework"], case["name"]), [0.0, case["because"]])
            entry[0] = max(entry[0], case["deviation"])
    if not found:
        return ""
    lines = ["| case | largest difference | why |", "| --- | --- | --- |"]
    lines += ["| %s %s | %s | %s |" % (f, n, show(d), why) for (f, n), (d, why) in sorted(found.items())]
    return "\n## Where the framework itself is not exact\n\n" + "\n".join(lines) + "\n"


def rows_part(cases):
    """Of each version: models, how many had at least 900 rows, and how many rows the others had in the middle."""
    by_version = collections.defaultdict(list)
    for case in cases:
        by_version[case["framework"], case["version"]].append(case["rows"])
    lines = ["| | models | asked 900 rows or more | fewer |", "| --- | --- | --- | --- |"]
    for framework in FRAMEWORKS:
        versions = sorted((v for f, v in by_version if f == framework), key=version_key)
        for version in versions:
            rows = by_version[framework, version]
            few = sorted(n for n in rows if n < 900)
            others = "%d (%d rows in the middle)" % (len(few), few[len(few) // 2]) if few else "0"
            cells = FRAMEWORKS[framework], version, len(rows), len(rows) - len(few), others
            lines.append("| %s %s | %d | %d | %s |" % cells)
    head = "Rows which a model refuses are not counted; about 24 rows are those of the fixtures alone."
    return "\n## Rows asked\n\n" + head + "\n\n" + "\n".join(lines) + "\n"


def main(report, classes, wherry):
    cases = read_report(report)
    failed = [case["case"] for case in cases if case["failed"]]
    print(HEAD.format(cases=f"{len(cases):,}", answers=f"{sum(case['rows'] for case in cases):,}"))
    missing = []
    for framework, title in FRAMEWORKS.items():
        mine = [case for case in cases if case["framework"] == framework]
        if not mine:
            continue
        print("## %s\n" % title)
        if framework == "sklearn":
            text, missing = sklearn_part(mine, pathlib.Path(classes), wherry)
        else:
            text = other_part(mine)
        print(text + "\n")
    print(loose_part(cases))
    print(rows_part(cases))
    for case in failed:
        print("error: %s differs" % case, file=sys.stderr)
    for name in missing:
        print("error: no case for %s" % name, file=sys.stderr)
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
