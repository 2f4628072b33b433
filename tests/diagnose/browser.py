"""A headless Chromium, driven through chromedriver's HTTP interface: what a page is once a browser has read it.

    python -m tests.diagnose.browser PAGE.html FOLDER

takes pictures of a page, wide and narrow, by day and by night.
"""

import base64
import http.client
import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

WIDE, NARROW = 1400, 400
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
)
DRIVERS = ("chromedriver", "/usr/lib/chromium/chromedriver")


def found():
    """(chromium, chromedriver), or None and the reason."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = next(filter(None, map(shutil.which, DRIVERS)), None)
    if browser and driver:
        return (browser, driver), ""
    return None, "no chromium and chromedriver: apt-get install chromium chromium-driver"


class Browser:
    """A page in a window; every command is a request."""

    def __init__(self, port, binary, profile):
        self._at = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        flags = [*FLAGS, f"--user-data-dir={profile}"]
        wanted = {"goog:chromeOptions": {"binary": binary, "args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"

    def open(self, path, width=WIDE, dark=False):
        self._size(width, 900)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("POST", f"{self._session}/url", {"url": Path(path).resolve().as_uri()})

    def run(self, script):
        """What a script returns that runs in the page."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def log(self):
        """What the console says since the last time."""
        return [line["message"] for line in self._ask("POST", f"{self._session}/se/log", {"type": "browser"})]

    def devtools(self, command, **parameters):
        return self._ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def picture(self, path):
        """The whole page, also what lies below the window."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        self._size(size["width"], size["height"])
        shot = self.devtools("Page.captureScreenshot")
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self._ask("DELETE", self._session)
        self._at.close()

    def _size(self, width, height):
        size = {"width": width, "height": height}
        self.devtools("Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, mobile=False, **size)

    def _ask(self, method, path, body=None):
        self._at.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(self._at.getresponse().read())["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{path}: {answer['error']}: {answer['message']}")
        return answer


@contextmanager
def browser():
    """A browser with an empty profile, ended with the block."""
    (binary, driver), _ = found()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            told = (re.search(r"successfully on port (\d+)", line) for line in process.stdout)
            port = next((int(match[1]) for match in told if match), None)
            if port is None:
                raise RuntimeError(f"{driver} did not start")
            window = Browser(port, binary, profile)
            try:
                yield window
            finally:
                window.close()
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


if __name__ == "__main__":
    page, folder = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as window:
        for name, width, dark in (("wide", WIDE, False), ("narrow", NARROW, False), ("night", WIDE, True)):
            window.open(page, width, dark)
            window.picture(folder / f"{page.stem}-{name}.png")
        print("\n".join(window.log()) or "the console says nothing")
