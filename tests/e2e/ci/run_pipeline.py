#!/usr/bin/env python3
"""Runs the commands of a generated pipeline the way its CI system would: run_pipeline.py SYSTEM FOLDER [options]

  --event push|pull_request   what happened (default push, on the branch main)
  --set NAME=VALUE            a variable or secret of the CI system, as a person would set it
  --override NAME=VALUE       replaces a value written in the file (an image at a registry on this machine)

Steps which only the CI system has (checkout, cache, `uses:`) are named and passed over; every shell command is executed
with the shell and the options the system uses. Ends with the first failing command's status.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

SHA = "0123456789abcdef0123456789abcdef01234567"


class Failed(Exception):
    pass


def execute(shell, script, env, folder):
    for line in script.rstrip("\n").split("\n"):
        print(f"    $ {line}", flush=True)
    done = subprocess.run([*shell, script], cwd=folder, env=env)
    if done.returncode != 0:
        raise Failed(done.returncode)


def base_environment(arguments):
    return {name: os.environ[name] for name in ("PATH", "HOME", "KUBECONFIG", "SSL_CERT_FILE", "XDG_CACHE_HOME") if name in os.environ} | {"LANG": "C.UTF-8"}


# ---- GitHub Actions -------------------------------------------------------------------------------------------------

def github_value(text, context):
    def lookup(match):
        expression = match.group(1).strip()
        equal = re.fullmatch(r"([\w.-]+) == '([^']*)'", expression)
        if equal:
            return str(context[equal.group(1)] == equal.group(2)).lower()
        if expression not in context and not expression.startswith(("vars.", "secrets.")):
            raise KeyError(f"expression {expression}")
        return context.get(expression, "")
    return re.sub(r"\$\{\{(.*?)\}\}", lookup, str(text))


def file_values(path):
    """NAME=VALUE lines of $GITHUB_ENV or $GITHUB_OUTPUT."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line)


def run_github_job(name, job, workflow, context, arguments, base):
    temp = pathlib.Path(tempfile.mkdtemp())
    context = context | {"runner.os": "Linux", "runner.temp": str(temp)}
    files = {key: temp / key.lower() for key in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH")}
    env = base | {key: github_value(value, context) for key, value in workflow["env"].items()} | arguments.override
    env |= {"GITHUB_SHA": SHA, "GITHUB_ACTOR": arguments.set.get("GITHUB_ACTOR", "octocat"), "RUNNER_TEMP": str(temp)}
    for step in job["steps"]:
        if "uses" in step:
            print(f"    ({step['uses']})")
            continue
        print(f"  {step.get('name', '')}")
        for path in files.values():
            path.write_text("")
        own = {key: github_value(value, context) for key, value in step.get("env", {}).items()}
        execute(["bash", "-e", "-c"], step["run"], env | own | {k: str(p) for k, p in files.items()}, arguments.folder)
        env |= file_values(files["GITHUB_ENV"])
        for line in files["GITHUB_PATH"].read_text().splitlines():
            env["PATH"] = f"{line}:{env['PATH']}"
        if "id" in step:
            context |= {f"steps.{step['id']}.outputs.{k}": v for k, v in file_values(files["GITHUB_OUTPUT"]).items()}
    return {f"needs.{name}.outputs.{k}": github_value(v, context) for k, v in job.get("outputs", {}).items()}


def run_github(arguments):
    workflow = yaml.safe_load((arguments.folder / ".github/workflows/wherry.yml").read_text().replace("\non:", "\n'on':", 1))
    context = {"github.event_name": arguments.event, "github.ref": "refs/heads/main", "github.repository": "Acme/Fraud"}
    for name, value in arguments.set.items():
        context |= {f"vars.{name}": value, f"secrets.{name}": value}
    ran = set()
    for name, job in workflow["jobs"].items():
        needs = job.get("needs")
        condition = github_value("${{" + job["if"] + "}}", context) == "true" if "if" in job else True
        if not condition or (needs and needs not in ran):
            print(f"job {name}: not for {arguments.event}")
            continue
        print(f"job {name}")
        context |= run_github_job(name, job, workflow, context, arguments, base_environment(arguments))
        ran.add(name)


# ---- GitLab ---------------------------------------------------------------------------------------------------------

def expand(text, env):
    return re.sub(r"\$(\w+)", lambda m: env.get(m.group(1), ""), str(text))


def run_gitlab(arguments):
    pipeline = yaml.safe_load((arguments.folder / ".gitlab-ci.yml").read_text())
    ci = {"CI_COMMIT_SHA": SHA, "CI_COMMIT_BRANCH": "main", "CI_PIPELINE_SOURCE": "push" if arguments.event == "push" else "merge_request_event"}
    env = base_environment(arguments) | ci | arguments.set
    env |= {key: expand(value, env) for key, value in pipeline["variables"].items()} | arguments.override
    for stage in pipeline["stages"]:
        for name, job in pipeline.items():
            if not isinstance(job, dict) or job.get("stage") != stage:
                continue
            if "rules" in job and arguments.event != "push":
                print(f"job {name}: not for {arguments.event}")
                continue
            print(f"job {name}")
            own = {key: expand(value, env) for key, value in job.get("variables", {}).items()}
            execute(["bash", "-eo", "pipefail", "-c"], "\n".join([*pipeline["default"]["before_script"], *job["script"]]), env | own, arguments.folder)
            report = job.get("artifacts", {}).get("reports", {}).get("dotenv")
            if report:
                env |= file_values(arguments.folder / report)


# ---- Jenkins --------------------------------------------------------------------------------------------------------

def groovy_string(text):
    return re.sub(r"\\(.)", r"\1", text)


def jenkins_bindings(block, arguments, temp):
    env = {}
    for kind, fields in re.findall(r"(\w+)\((credentialsId: [^)]*)\)", block):
        names = dict(re.findall(r"(\w+): '([^']*)'", fields))
        if kind == "usernamePassword":
            env |= {names["usernameVariable"]: arguments.set["REGISTRY_USER"], names["passwordVariable"]: arguments.set["REGISTRY_PASSWORD"]}
        elif kind == "string":
            env[names["variable"]] = arguments.set[names["variable"]]
        else:
            path = temp / names["credentialsId"]
            path.write_text(arguments.set.get(names["variable"], "token"))
            env[names["variable"]] = str(path)
    return env


def run_jenkins(arguments):
    text = (arguments.folder / "Jenkinsfile").read_text()
    temp = pathlib.Path(tempfile.mkdtemp())
    env = base_environment(arguments) | {"GIT_COMMIT": SHA, "WORKSPACE": str(arguments.folder), "WORKSPACE_TMP": str(temp)} | arguments.set
    declared = re.search(r"environment \{(.*?)\n  \}", text, re.S).group(1)
    for name, quote, value in re.findall(r"^    (\w+) = (['\"])(.*)\2$", declared, re.M):
        env[name] = groovy_string(value) if quote == "'" else re.sub(r"\$\{env\.(\w+)\}", lambda m: env[m.group(1)], value)
    env |= arguments.override
    try:
        for name, body in re.findall(r"    stage\('(.*?)'\) \{\n(.*?)\n    \}", text, re.S):
            if "when {" in body and arguments.event != "push":
                print(f"stage {name}: not for {arguments.event}")
                continue
            print(f"stage {name}")
            bound = jenkins_bindings(body, arguments, temp)
            for line in re.findall(r"^ *sh '((?:\\.|[^'\\])*)'$", body, re.M):
                execute(["/bin/sh", "-xe", "-c"], groovy_string(line), env | bound, arguments.folder)
    finally:
        for line in re.findall(r"^ *sh '((?:\\.|[^'\\])*)'$", text[text.index("  post {"):], re.M):
            execute(["/bin/sh", "-xe", "-c"], groovy_string(line), env, arguments.folder)


# ---- Travis CI ------------------------------------------------------------------------------------------------------

def run_travis(arguments):
    travis = yaml.safe_load((arguments.folder / ".travis.yml").read_text())
    env = base_environment(arguments) | {"TRAVIS_COMMIT": SHA} | arguments.set
    for job in travis["jobs"]["include"]:
        condition = job.get("if")
        if condition and not (condition == "branch = main AND type = push" and arguments.event == "push"):
            print(f"stage {job['stage']}: not for {arguments.event}")
            continue
        print(f"stage {job['stage']}")
        lines = [f"export {pair}" for pair in travis["env"]["global"]]
        lines += [f"export {name}='{value}'" for name, value in arguments.override.items()]
        lines += [f"{line} || exit" for line in travis["install"]]
        lines += ["result=0"]
        for entry in job["script"]:  # each runs whatever became of the one before
            lines += ["{", entry.rstrip("\n"), "} || result=$?"]
        execute(["bash", "-c"], "\n".join([*lines, "exit $result"]), env, arguments.folder)


# ---- CodeBuild, twice, as CodePipeline runs it ----------------------------------------------------------------------

def run_codepipeline(arguments):
    reference = ""
    for stage, file in (("Build", "buildspec.yml"), ("Deploy", "ci/deploy.buildspec.yml")):
        spec = yaml.safe_load((arguments.folder / file).read_text())
        print(f"stage {stage}")
        env = base_environment(arguments) | arguments.set | {"CODEBUILD_RESOLVED_SOURCE_VERSION": SHA, "REFERENCE": reference}
        env |= spec["env"].get("variables", {}) | arguments.override
        commands = [c for phase in ("install", "pre_build", "build") for c in spec["phases"].get(phase, {}).get("commands", [])]
        exported = tempfile.NamedTemporaryFile(mode="r")
        script = "\n".join(f"{{ {command}; }} || exit" for command in commands)
        execute([spec["env"]["shell"], "-c"], f"{script}\nenv >{exported.name}", env, arguments.folder)
        if "REFERENCE" in spec["env"].get("exported-variables", []):
            reference = dict(line.rstrip("\n").split("=", 1) for line in exported if "=" in line)["REFERENCE"]


def pair(text):
    name, _, value = text.partition("=")
    return name, value


def main():
    systems = {"github": run_github, "gitlab": run_gitlab, "jenkins": run_jenkins, "travis": run_travis, "codepipeline": run_codepipeline}
    parser = argparse.ArgumentParser()
    parser.add_argument("system", choices=systems)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--event", choices=["push", "pull_request"], default="push")
    parser.add_argument("--set", type=pair, action="append", default=[])
    parser.add_argument("--override", type=pair, action="append", default=[])
    arguments = parser.parse_args()
    arguments.folder = arguments.folder.resolve()
    arguments.set, arguments.override = dict(arguments.set), dict(arguments.override)
    try:
        systems[arguments.system](arguments)
    except Failed as failure:
        print(f"  ended with {failure}")
        return int(str(failure))
    return 0


sys.exit(main())
