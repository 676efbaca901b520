#!/usr/bin/env python3
"""Checks size budgets: files over 600 lines, functions over 80 lines and the server binary, given as optional argument.

A longer file or function needs a line in tests/budgets_allowed.txt: PATH[:FUNCTION] | reason.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_FILE_LINES = 600
MOST_FUNCTION_LINES = 80
MOST_SERVER_BYTES = 12_500_000


def long_functions(path):
    """(name, lines) of top-level or class-level blocks which start with a line ending in ') {' or similar."""
    start, name, depth = None, None, 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'|//.*', "", line)
        if start is None:
            found = re.match(r"^(?:  )?[A-Za-z_].*?([\w~:]+)\(", code)
            if found and not re.match(r"^\s*(namespace|class|struct|enum|if|for|while|switch|return)\b", code):
                name = found.group(1)
            if name and code.rstrip().endswith("{") and re.search(r"\)[\w\s&>:,<*-]*\{$|\)\s*\{$", code.rstrip()):
                start, depth = number, 0
        if start is not None:
            depth += code.count("{") - code.count("}")
            if depth <= 0:
                yield name, number - start + 1
                start, name = None, None
        elif code.rstrip().endswith((";", "}")):
            name = None


def main():
    allowed = set()
    for line in (ROOT / "tests/budgets_allowed.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            allowed.add(line.split("|")[0].strip())
    tracked = subprocess.run(["git", "ls-files", "src", "apps", "fuzz", "bench"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    wrong, files = [], 0
    for name in tracked:
        if not name.endswith((".h", ".cc")) or not (ROOT / name).exists():
            continue
        files += 1
        lines = len((ROOT / name).read_text().splitlines())
        if lines > MOST_FILE_LINES and name not in allowed:
            wrong.append(f"{name}: {lines} lines, budget {MOST_FILE_LINES}")
        if name.endswith("_test.cc"):
            continue
        for function, length in long_functions(ROOT / name):
            if length > MOST_FUNCTION_LINES and f"{name}:{function}" not in allowed:
                wrong.append(f"{name}: {function} has {length} lines, budget {MOST_FUNCTION_LINES}")
    for binary in sys.argv[1:]:
        size = pathlib.Path(binary).stat().st_size
        if size > MOST_SERVER_BYTES:
            wrong.append(f"{binary}: {size} bytes, budget {MOST_SERVER_BYTES}")
    print("\n".join(wrong) if wrong else f"{files} files within their budgets")
    return 1 if wrong else 0


sys.exit(main())
