"""A headless Chromium that a test drives, over the DevTools protocol and a pair of pipes; nothing but the standard library."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def chromium():
    """The path of a Chromium, None where there is none."""
    return next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


class Page:
    """One page in a browser of its own; a context manager. `requests` and `complaints` fill up as it lives."""

    def __init__(self, url, width=1280, height=900, mobile=False, seconds=90):
        self.requests, self.complaints, self._loaded, self._count, self._text = (
            [],
            [],
            False,
            0,
            b"",
        )
        self._until = time.monotonic() + seconds
        self._profile = tempfile.mkdtemp()
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        for end in (to_browser, from_browser):
            os.set_inheritable(end, True)
        # the browser wants its pipes as descriptors 3 and 4
        shell = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, chromium(), *_FLAGS, f"--user-data-dir={self._profile}"],
            pass_fds=(to_browser, from_browser),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._send(f"{domain}.enable")
        scale = 2 if mobile else 1
        self._send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=mobile,
        )
        self._send("Page.navigate", url=url)
        while not self._loaded:
            self._receive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait(timeout=20)
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _send(self, method, **params):
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _receive(self):
        """The next message of the browser; events are noted."""
        while b"\0" not in self._text:
            left = self._until - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            self._text += os.read(self._read, 1 << 16)
        text, self._text = self._text.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, params):
        self._loaded |= method == "Page.loadEventFired"
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"])[:500])

    def run(self, script):
        """The value of a JavaScript expression; promises are awaited."""
        found = self._send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key):
        """A key pressed and let go, as a keyboard would send it."""
        for kind in ("rawKeyDown", "keyUp"):
            code = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35}[key]
            self._send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    def picture(self, file, selector=None):
        """A PNG of an element, or of the whole page."""
        where = (
            "document.documentElement"
            if selector is None
            else f"document.querySelector({json.dumps(selector)})"
        )
        x, y, wide, high = self.run(
            f"(() => {{const r = {where}.getBoundingClientRect(); return [r.x + scrollX, r.y + scrollY, r.width, r.height]}})()"
        )
        clip = {"x": x, "y": y, "width": wide, "height": high, "scale": 1}
        shot = self._send(
            "Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True
        )
        Path(file).write_bytes(base64.b64decode(shot["data"]))
