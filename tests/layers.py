#!/usr/bin/env python3
"""Checks the layer table: each #include of our own headers must be allowed by the including module's DEPS.

The table is the wherry_module(...) lines of the CMakeLists.txt files themselves. Also checked: no cycles, no module
without a row, and nothing but test files may include GoogleTest. Exit 1 with one line per violation.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
MODULE = re.compile(r"wherry_module\(\s*(\w+)\s+DEPS((?:\s+\w+)*?)\s*(?:\s(?:LIBS|TEST_LIBS)\b[^)]*)?\)")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_table():
    table = {}
    for cmake in sorted(SRC.rglob("CMakeLists.txt")):
        for name, deps in MODULE.findall(cmake.read_text()):
            table[name] = (cmake.parent.relative_to(SRC).as_posix(), deps.split())
    return table


def closure(table, name, above=()):
    if name in above:
        raise SystemExit(f"cycle of modules: {' -> '.join([*above, name])}")
    seen = set()
    for dep in table[name][1]:
        if dep not in table:
            raise SystemExit(f"module {name}: unknown dependency {dep}")
        seen |= {dep} | closure(table, dep, (*above, name))
    return seen


def module_of(folders, path):
    """The module whose folder is the longest prefix of the path."""
    fitting = [f for f in folders if path == f or path.startswith(f + "/")]
    return folders[max(fitting, key=len)] if fitting else None


def main():
    table = read_table()
    folders = {folder: name for name, (folder, _) in table.items()}
    wrong = []
    for name in table:
        closure(table, name)
    for source in sorted([*SRC.rglob("*.h"), *SRC.rglob("*.cc")]):
        relative = source.relative_to(SRC).as_posix()
        owner = module_of(folders, relative.rsplit("/", 1)[0])
        if owner is None:
            wrong.append(f"src/{relative}: its folder is not a module")
            continue
        is_test = relative.endswith(("_test.cc", "_fuzz.cc"))
        text = source.read_text()
        if not is_test and "testing" not in relative and re.search(r"#\s*include\s+<g(test|mock)/", text):
            wrong.append(f"src/{relative}: GoogleTest outside a test")
        for header in INCLUDE.findall(text):
            target = module_of(folders, header.rsplit("/", 1)[0])
            if target is None or target == owner or is_test:
                continue
            if target not in table[owner][1]:
                wrong.append(f"src/{relative}: module {owner} may not include {header} (module {target})")
    print("\n".join(wrong) if wrong else f"{len(table)} modules, all includes allowed")
    return 1 if wrong else 0


sys.exit(main())
