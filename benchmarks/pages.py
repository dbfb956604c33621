"""Do pages fit a phone and a wide screen, and can they be read?

python benchmarks/pages.py SITE [BROWSER]

Each page of a folder (a built site, reports) is shown by headless Chromium at 375 and 1,400 pixels.
Printed are pages that are wider than the screen, errors of their scripts, texts whose contrast is
below 4.5 (large ones: 3; WCAG 2.2, level AA), in the light and the dark scheme of the site, and how
many were looked at; the exit code is 1 if there is a fault.
"""

import json
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

WIDTHS = (375, 1400)
PATIENCE = 500.0
SHOWN = 8
"""Errors of a page that are printed."""
CONTRAST = """
const parse = (text) => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return text.startsWith("color(srgb") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
};
const over = (top, below) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * below[i]);
const light = (rgb) => {
  const linear = rgb.map((v) => v / 255).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
function faint(window) {
  const found = new Set();
  for (const element of window.document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const seen = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!own || !seen) continue;
    const style = window.getComputedStyle(element), layers = [];
    for (let at = element; at; at = at.parentElement)
      layers.unshift(parse(window.getComputedStyle(at).backgroundColor));
    const ground = layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
    const [one, other] = [light(over(parse(style.color), ground)), light(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize), bold = style.fontWeight >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < least)
      found.add(`contrast ${ratio.toFixed(2)}: ${element.tagName} .${element.className}`);
  }
  return found;
}
"""
LOOP = """<body style="margin:0"><script>
const pages = %s, widths = %s, found = [];
%s
const wait = (time) => new Promise((done) => setTimeout(done, time));
(async () => {
  for (const page of pages) for (const width of widths) {
    const frame = document.createElement("iframe");
    frame.width = width; frame.height = 900; frame.src = page;
    document.body.append(frame);
    await new Promise((done) => { frame.onload = done; });
    const errors = [];
    frame.contentWindow.addEventListener("error", (event) => errors.push(event.message));
    await wait(150);
    const root = frame.contentDocument.documentElement;
    frame.contentDocument.head.insertAdjacentHTML(
      "beforeend", "<style>*, ::before, ::after { transition: none !important }</style>");
    const over = root.scrollWidth - root.clientWidth, body = frame.contentDocument.body;
    for (const scheme of body.dataset.mdColorScheme ? ["default", "slate"] : ["as it is"]) {
      if (scheme !== "as it is") body.dataset.mdColorScheme = scheme;
      await wait(100);
      for (const text of faint(frame.contentWindow)) errors.push(`${scheme}: ${text}`);
    }
    found.push([page, width, over, errors]);
    frame.remove();
  }
  await fetch("/done", {method: "POST", body: JSON.stringify(found)});
})();</script>"""


class _Handler(SimpleHTTPRequestHandler):
    """Serves the site, and one page that shows all others."""

    loop = ""
    found: "Queue[Any]" = Queue()

    def do_GET(self) -> None:
        if self.path != "/all-pages":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(self.loop.encode())

    def do_POST(self) -> None:
        """Receive what was found."""
        self.found.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def check(site: Path, browser: str) -> list[tuple[str, int, int, list[str]]]:
    """Each page and width with the pixels that it is too wide, and its script errors."""
    pages = sorted(str(page.relative_to(site)) for page in site.glob("*.html"))
    _Handler.loop = LOOP % (json.dumps(pages), json.dumps(WIDTHS), CONTRAST)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={profile}", "--remote-debugging-port=0",
            f"http://127.0.0.1:{server.server_port}/all-pages",
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return [
                (row[0], row[1], row[2], row[3]) for row in _Handler.found.get(timeout=PATIENCE)
            ]
        finally:
            process.kill()
            process.wait()


def main() -> int:
    """Check the site that is named; returns the exit code."""
    found = check(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "chromium")
    faults = [row for row in found if row[2] > 0 or row[3]]
    for page, width, over, errors in faults:
        print(f"{page} at {width}: {over} pixels too wide {errors[:SHOWN] or ''}")
    print(f"{len(found)} pages and widths, {len(faults)} with a fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
