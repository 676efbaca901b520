#!/usr/bin/env python3
"""Drives the page of a tensor model as a person would: tensor_page.py URL SCREENSHOT_FOLDER. The model is examples/tensors/words.onnx."""
import pathlib
import sys
import tempfile

from page import Browser, check_everywhere, wait_for

url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with tempfile.TemporaryDirectory() as profile:
    browser = Browser(profile)
    try:
        browser.call("POST", "/url", {"url": url})
        wait_for(browser, "document.getElementById('name').innerText == 'words'", "the model's name is not shown")
        wait_for(browser, "document.getElementById('fields').innerText.includes('INT64 [batch, length]')", "the shape is not shown")
        browser.run("document.getElementById('predict').click();")
        wait_for(browser, "document.getElementById('result').innerText.includes('vector')", "no answer to the example")
        browser.run("document.getElementById('field-0').value = '[[3, 1, 4]]';"
                    "document.getElementById('field-1').value = '[[true, true, false]]';"
                    "document.getElementById('predict').click();")
        wait_for(browser, "document.getElementById('result').innerText.includes('[1, 4]') && "
                          "document.getElementById('result').innerText.includes('[2]')", "no answer to typed tensors")
        browser.scheme("light")
        browser.whole(folder / "page-tensors.png", 1100)
        check_everywhere(browser, "the page of a tensor model")
        browser.run("document.getElementById('field-1').value = '[[1]]'; document.getElementById('predict').click();")
        wait_for(browser, "document.getElementById('result').innerText.includes(\"input 'mask'\")", "a wrong value is not explained")
        wait_for(browser, "document.activeElement.id == 'field-1'", "the wrong field is not focused")
        browser.run("document.getElementById('field-1').value = '[[1'; document.getElementById('predict').click();")
        wait_for(browser, "document.getElementById('result').innerText.includes('This is not JSON')", "half-typed JSON is not explained")
        wrong = [entry["message"] for entry in browser.call("POST", "/se/log", {"type": "browser"})
                 if entry["level"] == "SEVERE" and "400" not in entry["message"]]
        if wrong:
            raise SystemExit(f"the console says {wrong}")
    finally:
        browser.close()
print("the page answers a tensor model")
