#!/usr/bin/env python3
"""Runs console scripts against the real binaries: run.py BIN_FOLDER SCRIPT…

A script is a text file (*.cmd, or the ```console blocks of a *.md) of commands and what they print:

    $ wherry version
    wherry 0.1.0
    $ wherry nonsense
    error: no command 'nonsense' [cli.unknown_command]
    hint: …
    [exit 2]

`$ ` starts a command (bash; `\\` continues it). The lines below are its stdout and stderr as they come; `…` stands for any
text within a line, a line of only `...` for any number of lines. `[exit N]` says the status when it is not 0. Commands run
in a copy of the repository's tracked files without the sources of wherry, each script in its own, with HOME empty. A block
which begins ```console skip is not run. A script which says `needs onnxruntime` in a comment is skipped (status 77) where
libonnxruntime.so.1 is not found. WHERRY_ACCEPT=1 rewrites *.cmd files with what was printed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def commands_of(path):
    """[(command, expected lines, line number)]"""
    text = path.read_text()
    if path.suffix == ".md":
        blocks = [(m.start(1), m.group(1)) for m in re.finditer(r"```console\n(.*?)```", text, re.S)]
    else:
        blocks = [(0, text)]
    found = []
    for offset, block in blocks:
        number = text[:offset].count("\n")
        for line in block.splitlines():
            number += 1
            if line.startswith("$ "):
                found.append(([line[2:]], [], number))
            elif found and found[-1][0][-1].endswith("\\") and not found[-1][1]:
                found[-1][0].append(line)
            elif found and not (path.suffix == ".cmd" and line.startswith("#")):
                found[-1][1].append(line)
    return [("\n".join(c), strip_end(e), n) for c, e, n in found]


def strip_end(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def matches(expected, got):
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None


def run_script(path, binaries):
    failures, accepted = [], []
    with tempfile.TemporaryDirectory() as folder:
        for part in ("examples", "tests/fixtures", "wherry"):
            source, target = ROOT / part, pathlib.Path(folder) / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if part == "wherry":
                target.symlink_to(binaries / "wherry")
            elif part == "examples":
                shutil.copytree(source, target)
            else:
                target.symlink_to(source)
        home = pathlib.Path(folder) / ".home"
        home.mkdir()
        environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8", "NO_COLOR": "1",
                       "TERM": "dumb"}
        if onnxruntime():
            environment["WHERRY_ONNXRUNTIME"] = onnxruntime()
        for command, expected, number in commands_of(path):
            try:
                done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
                printed, status = done.stdout.decode(errors="replace"), done.returncode
            except subprocess.TimeoutExpired:
                printed, status = "(still running after 120 s)", 124
            got = strip_end([line.rstrip() for line in printed.splitlines()])
            if status != 0:
                got.append(f"[exit {status}]")
            accepted.append((command, got))
            if not matches(expected, got):
                failures.append(f"{path.relative_to(ROOT)}:{number}: $ {command}\n--- expected\n" + "\n".join(expected) +
                                "\n--- printed\n" + "\n".join(got) + "\n")
    if failures and os.environ.get("WHERRY_ACCEPT") == "1" and path.suffix == ".cmd":
        head = [line for line in path.read_text().splitlines() if line.startswith("#")]
        body = [line for command, got in accepted for line in ["$ " + command, *got, ""]]
        path.write_text("\n".join([*head, "", *body]).rstrip() + "\n")
    return failures, len(accepted)


def onnxruntime():
    """Where ONNX Runtime is, as wherry looks for it; HOME is another one for the commands."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    places = [os.environ.get("WHERRY_ONNXRUNTIME"), cache / "wherry/onnxruntime/libonnxruntime.so.1",
              "/opt/wherry/lib/libonnxruntime.so.1"]
    return next((str(place) for place in places if place and pathlib.Path(place).exists()), None)


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    count, failures = 0, []
    for name in sys.argv[2:]:
        if "needs onnxruntime" in pathlib.Path(name).read_text().split("```")[0] and not onnxruntime():
            print(f"{name}: skipped, for libonnxruntime.so.1 is not here")
            return 77
        wrong, ran = run_script(pathlib.Path(name).resolve(), binaries)
        failures += wrong
        count += ran
    print("\n".join(failures))
    print(f"{count - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or count == 0 else 0


sys.exit(main())
