#!/usr/bin/env python3
"""Checks that every header of ours compiles alone: headers.py COMPILE_COMMANDS_JSON [most parallel jobs].

The flags are those of the first source of the header's folder. Headers which did not change since they last
passed, nor any of ours that they include, are skipped; the record lies beside the compile commands.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def flags_by_folder(commands):
    flags = {}
    for entry in commands:
        words = shlex.split(entry["command"])
        keep = [w for w in words if w.startswith(("-I", "-D", "-std", "-isystem", "-W"))]
        for i, word in enumerate(words):
            if word == "-isystem":
                keep += ["-isystem", words[i + 1]]
        keep = [w for i, w in enumerate(keep) if w != "-isystem" or i + 1 < len(keep)]
        flags.setdefault(str(pathlib.Path(entry["file"]).parent), keep)
    return flags


def closure(header, found):
    """The header and all of ours that it includes, whether beside it or from src/."""
    if header in found or not header.exists():
        return found
    found.add(header)
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', header.read_text(), re.M):
        closure(header.parent / name, found)
        closure(ROOT / "src" / name, found)
    return found


def digest(header):
    return hashlib.sha256(b"".join(h.read_bytes() for h in sorted(closure(header, set())))).hexdigest()


def main():
    commands = json.loads(pathlib.Path(sys.argv[1]).read_text())
    flags = flags_by_folder(commands)
    record = pathlib.Path(sys.argv[1]).parent / "headers_passed.json"
    passed = set(json.loads(record.read_text())) if record.exists() else set()
    current = {}

    def check(header):
        key = current[header] = f"{header.relative_to(ROOT)}:{digest(header)}"
        if key in passed:
            return None
        own = flags.get(str(header.parent))
        if own is None:
            return f"{header}: no source file in its folder"
        run = subprocess.run(["g++", *own, "-fsyntax-only", "-x", "c++", "-"], input=f'#include "{header}"\n', capture_output=True,
                             text=True)
        if run.returncode == 0:
            passed.add(key)
            return None
        return run.stderr

    headers = sorted((ROOT / "src").rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        failures = [f for f in pool.map(check, headers) if f]
    record.write_text(json.dumps(sorted(passed & set(current.values()))))
    print("\n".join(failures) if failures else f"{len(headers)} headers compile alone")
    return 1 if failures else 0


sys.exit(main())
