#!/usr/bin/env python3
"""Drives the model page in headless Chromium as a person would: page.py URL SCREENSHOT_FOLDER. Standard library only.

Presses Predict with the example row, changes a field, presses again, and checks answers, messages and the console; leaves
page-light.png and page-dark.png in the folder.
"""
import base64
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Browser:
    """The few WebDriver commands needed here (w3.org/TR/webdriver2)."""

    def __init__(self, profile):
        port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                     "--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}",
                     "--window-size=1100,1500", "--hide-scrollbars"]
        capabilities = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments, "binary": "/usr/bin/chromium"},
                        "goog:loggingPrefs": {"browser": "ALL"}}
        for _ in range(100):
            try:
                self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}}, raw=True)["sessionId"]
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("chromedriver does not answer")

    def call(self, method, path, body=None, raw=False):
        url = self.base + (path if raw else f"/session/{self.session}{path}")
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def scheme(self, name):
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia",
                                                "params": {"features": [{"name": "prefers-color-scheme", "value": name}]}})

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


def wait_for(browser, condition, what):
    for _ in range(100):
        if browser.run(f"return Boolean({condition});"):
            return
        time.sleep(0.05)
    raise SystemExit(f"page: {what}; it says: {browser.run('return document.body.innerText;')}")


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        try:
            browser.call("POST", "/url", {"url": url})
            wait_for(browser, "document.getElementById('name').innerText == 'fraud'", "the model's name is not shown")
            wait_for(browser, "document.getElementById('golden').innerText.includes('scikit-learn')", "golden predictions are not described")
            browser.run("document.getElementById('predict').click();")
            wait_for(browser, "/0\\.\\d/.test(document.getElementById('result').innerText)", "no probabilities after Predict")
            browser.scheme("light")
            browser.screenshot(folder / "page-light.png")
            browser.scheme("dark")
            browser.screenshot(folder / "page-dark.png")
            browser.run("document.getElementById('field-0').value = 'much'; document.getElementById('predict').click();")
            wait_for(browser, "document.getElementById('result').innerText.includes('amount')", "a wrong value is not explained")
            log = [line for line in browser.call("POST", "/se/log", {"type": "browser"})
                   if line["level"] == "SEVERE" and "400" not in line["message"]]
            if log:
                raise SystemExit(f"page: the console says {log}")
        finally:
            browser.close()
    print("the page predicts, explains a mistake, and its console is clean")


main()
