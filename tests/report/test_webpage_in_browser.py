"""The web page in a real browser, at the width of a telephone and of a desk: nothing sticks out, something is shown.

Needs Chromium.  The page's own policy forbids scripts, so a frame around it does the measuring.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from envcheck.judge import Policy, Report, judge
from envcheck.report import Page, render
from envcheck.rules import QUESTIONS
from envcheck.testing import machine

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((path for path in map(shutil.which, BROWSERS) if path), None)
PHONE, DESK = 360, 1280

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium: the page is not looked at in a browser here"),
    pytest.mark.slow,
]

MEASURE = """
<script>
window.addEventListener("load", () => {
  const frame = document.getElementById("page");
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  const out = [...page.body.querySelectorAll("*")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.right > width + 0.5 && !e.closest(".wide");
  });
  const told = {width, scroll: page.documentElement.scrollWidth, height: page.documentElement.scrollHeight,
    out: out.map((e) => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 60)),
    ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
    fonts: frame.contentWindow.getComputedStyle(page.body).fontSize};
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script>
"""


def browse(tmp_path: Path, *args: str) -> str:
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={tmp_path}/profile"]
    done = subprocess.run([BROWSER, *flags, "--virtual-time-budget=5000", *args], capture_output=True, timeout=60)
    return done.stdout.decode("utf-8", "replace")


def measured(text: str, width: int, tmp_path: Path, *args: str) -> dict[str, Any]:
    """How the page lies in a frame of that width."""
    frame = f'<iframe id="page" width="{width}" height="3000" style="border:0" srcdoc="{escape(text)}"></iframe>'
    outer = tmp_path / "outer.html"
    outer.write_text(f'<!doctype html><body style="margin:0"><pre id="told"></pre>{MEASURE}{frame}')
    dom = browse(tmp_path, "--window-size=1400,3000", *args, "--dump-dom", outer.as_uri())
    told = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    assert told is not None and told[1], dom[:2000]
    found: dict[str, Any] = json.loads(unescape(told[1]))
    return found


def page_of(name: str) -> str:
    return render("html", judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True, require_gpu=True)), Page())


@pytest.mark.parametrize("width", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["h100", "driver-too-old", "nvml-hang"])
def test_nothing_sticks_out(name: str, width: int, tmp_path: Path) -> None:
    """No sideways scrolling but inside the table of builds, which scrolls by itself."""
    told = measured(page_of(name), width, tmp_path)
    assert told["width"] == width
    assert told["out"] == []
    assert told["scroll"] <= width


def test_hostile_texts_do_not_stick_out_either(report_of: Callable[[str], Report], tmp_path: Path) -> None:
    """Words without any space break where they must."""
    told = measured(render("html", report_of("hostile"), Page()), PHONE, tmp_path)
    assert (told["out"], told["scroll"] <= PHONE) == ([], True)


def test_the_measure_itself_notices(tmp_path: Path) -> None:
    """A page with one element that is too wide does not pass."""
    broken = page_of("h100").replace("<main>", '<main><div style="width:900px">too wide</div>')
    told = measured(broken, PHONE, tmp_path)
    assert told["scroll"] > PHONE and len(told["out"]) == 1


def test_dark_where_the_reader_wants_it(tmp_path: Path) -> None:
    """The system's scheme decides, without a script."""
    light = measured(page_of("h100"), PHONE, tmp_path)["ground"]
    dark = measured(page_of("h100"), PHONE, tmp_path, "--blink-settings=preferredColorScheme=0")["ground"]
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 23, 26)")


@pytest.mark.parametrize("width", [500, DESK])
def test_a_screenshot_shows_something(width: int, tmp_path: Path) -> None:
    """The browser paints the page: the picture has the size that was asked for and more than a few colours."""
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(page_of("driver-too-old"))
    browse(tmp_path, f"--window-size={width},1600", f"--screenshot={picture}", page.as_uri())
    shown_width, _, colours = _png(picture.read_bytes())
    assert shown_width == width
    assert len(colours) > 30


def _png(raw: bytes) -> tuple[int, int, set[bytes]]:
    """(width, height, some of the distinct pixels) of an 8-bit RGB(A) picture."""
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", raw[16:26])
    assert depth == 8 and colour in (2, 6)
    data, at = b"", 8
    while at < len(raw):
        (size,) = struct.unpack(">I", raw[at : at + 4])
        if raw[at + 4 : at + 8] == b"IDAT":
            data += raw[at + 8 : at + 8 + size]
        at += size + 12
    pixels = zlib.decompress(data)
    step = 3 if colour == 2 else 4
    return width, height, {pixels[i : i + step] for i in range(0, len(pixels) - step, 997)}
