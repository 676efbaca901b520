#!/usr/bin/env python3
"""Drives the pages of a server of examples/fraud in headless Chromium as a person would: page.py URL SCREENSHOT_FOLDER.

Standard library only. Presses Predict with the example row, makes a mistake, asks for several rows with the keyboard alone,
tries an address of /docs, and checks answers, messages and the console; leaves page-light.png, page-dark.png, page-phone.png
and docs.png in the folder. With AXE in the environment (the path of axe-core's axe.min.js) both pages are also checked for
accessibility, in light, dark, at 320 pixels and at 200 %.
"""
import base64
import json
import os
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

    def size(self, width, height, mobile=False, scale=1):
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride",
                                                "params": {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}})

    def whole(self, path, width, mobile=False):
        """A picture of the whole page at this width."""
        self.size(width, 900, mobile)
        self.size(width, min(4000, self.run("return document.documentElement.scrollHeight;")), mobile)
        self.screenshot(path)
        self.size(1100, 1500)

    def keys(self, text):
        """What a person types, one key after another; \ue007 is Enter, \ue004 Tab (WebDriver, "normalised key value")."""
        actions = [step for key in text for step in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

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


def check_accessibility(browser, what):
    """axe-core's rules, where it is at hand, and no sideways scrolling."""
    if "AXE" in os.environ:
        browser.run(pathlib.Path(os.environ["AXE"]).read_text() + "; return 1;")
        browser.run("window.found = null; axe.run().then((result) => { window.found = result.violations; }); return 1;")
        wait_for(browser, "window.found", "axe-core does not answer")
        found = browser.run("return window.found.map((rule) => [rule.id, rule.help, rule.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary)]);")
        if found:
            raise SystemExit(f"{what}: axe-core finds {json.dumps(found, indent=1)}")
    if browser.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth;"):
        raise SystemExit(f"{what}: it scrolls sideways")


def check_everywhere(browser, what):
    for scheme in ("dark", "light"):
        browser.scheme(scheme)
        check_accessibility(browser, f"{what}, {scheme}")
    browser.size(320, 800, True)
    check_accessibility(browser, f"{what}, 320 pixels wide")
    browser.size(640, 400, scale=2)
    check_accessibility(browser, f"{what}, at 200 %")
    browser.size(1100, 1500)


def try_the_form(browser, folder):
    wait_for(browser, "document.getElementById('name').innerText == 'fraud'", "the model's name is not shown")
    wait_for(browser, "document.getElementById('about').innerText.includes('scikit-learn')", "golden predictions are not described")
    browser.run("document.getElementById('predict').click();")
    wait_for(browser, "/0\\.\\d/.test(document.getElementById('result').innerText)", "no probabilities after Predict")
    wait_for(browser, "!document.getElementById('load').hidden", "no latency is drawn")
    browser.scheme("light")
    browser.whole(folder / "page-light.png", 1100)
    browser.scheme("dark")
    browser.whole(folder / "page-dark.png", 1100)
    browser.scheme("light")
    browser.whole(folder / "page-phone.png", 360, True)
    check_everywhere(browser, "the page")


def make_a_mistake(browser):
    browser.run("document.getElementById('field-0').value = 'much'; document.getElementById('predict').click();")
    wait_for(browser, "document.getElementById('result').innerText.includes('amount')", "a wrong value is not explained")
    wait_for(browser, "document.activeElement.id == 'field-0' && document.activeElement.getAttribute('aria-invalid') == 'true'",
             "the wrong field is neither marked nor focused")
    check_accessibility(browser, "the page after a mistake")


def use_the_keyboard(browser):
    """Adds a row and predicts without a mouse: from the field just marked wrong."""
    browser.run("document.getElementById('field-0').select();")
    browser.keys("250")
    browser.run("document.getElementById('add').focus();")
    browser.keys("\ue007")
    wait_for(browser, "document.getElementById('rows').children.length == 2", "Add a row does not add one")
    browser.run("document.getElementById('field-0').focus();")
    browser.keys("\ue007")
    wait_for(browser, "document.getElementById('result').innerText.includes('Row 2')", "Enter in a field does not predict both rows")
    check_accessibility(browser, "the page with two rows")
    browser.run("document.getElementById('tab-curl').focus();")
    browser.keys("\ue014")
    wait_for(browser, "document.getElementById('code').innerText.includes('urllib')", "the arrow key does not choose Python")


def try_the_documentation(browser, url, folder):
    browser.call("POST", "/url", {"url": url + "docs"})
    wait_for(browser, "document.getElementById('invocations')", "the operations are not listed")
    browser.run("document.getElementById('invocations').open = true;")
    wait_for(browser, "document.querySelector('#invocations button')", "an operation does not unfold")
    check_accessibility(browser, "the documentation")
    browser.run("document.querySelector('#invocations button').click();")
    wait_for(browser, "document.getElementById('invocations').innerText.includes('200 OK')", "the example does not succeed")
    browser.whole(folder / "docs.png", 1100)
    check_everywhere(browser, "the documentation")


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        try:
            browser.call("POST", "/url", {"url": url})
            try_the_form(browser, folder)
            make_a_mistake(browser)
            use_the_keyboard(browser)
            try_the_documentation(browser, url, folder)
            log = [line for line in browser.call("POST", "/se/log", {"type": "browser"})
                   if line["level"] == "SEVERE" and "400" not in line["message"]]
            if log:
                raise SystemExit(f"page: the console says {log}")
        finally:
            browser.close()
    print("the pages predict, explain a mistake, obey the keyboard, and their console is clean")


if __name__ == "__main__":
    main()
