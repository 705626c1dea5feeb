"""The web page: well-formed, complete in itself, unbreakable by what it shows, and readable in both colour schemes."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from envcheck.facts import Bench, BenchDevice, NumericCheck, Timing, Unread
from envcheck.judge import RUNGS, Policy, Report, judge
from envcheck.report import Page, render
from envcheck.report.phrases import RUNG_NAMES
from envcheck.report.webpage.style import STYLE
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine
from tests.report.readers import Tags

TAGS = frozenset(
    [
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "h1", "h2",
        "h3", "p", "span", "a", "code", "pre", "ol", "ul", "li", "dl", "dt", "dd", "div", "b", "strong", "table",
        "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "title", "path", "line", "circle", "text",
        "g", "rect",
    ]
)  # fmt: skip
ATTRIBUTES = frozenset(
    [
        "lang", "charset", "name", "content", "http-equiv", "class", "href", "rel", "title", "scope", "tabindex",
        "role", "aria-label", "style", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "viewbox", "width",
        "height", "text-anchor", "transform", "aria-hidden",
    ]
)  # fmt: skip


def page_of(name: str) -> str:
    return render("html", judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True, require_gpu=True)), Page())


@pytest.mark.parametrize("name", CAST)
def test_the_page_is_well_formed_and_loads_nothing(name: str) -> None:
    """Every tag is closed where it was opened; no script, no picture, no address but those that a reader may follow."""
    text = page_of(name)
    assert text.isascii() and text.startswith("<!doctype html>\n")
    page = Tags(text)
    assert {tag for tag, _ in page.seen} <= TAGS
    assert {attribute for _, attributes in page.seen for attribute in attributes} <= ATTRIBUTES
    assert [tag for tag, attributes in page.seen if "href" in attributes and tag != "a"] == []
    assert "url(" not in text and "@import" not in text
    links = [attributes for tag, attributes in page.seen if tag == "a"]
    assert all((link["href"] or "").startswith("https://") and "noopener" in (link["rel"] or "") for link in links)


@pytest.mark.parametrize("name", CAST)
def test_everything_is_on_the_page(name: str) -> None:
    """The whole ladder, every finding with its fix, every card."""
    report = judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True))
    page = Tags(render("html", report, Page()))
    words = re.sub(r"\s+", " ", page.words())
    assert [text for text in map(RUNG_NAMES.get, RUNGS) if text not in words] == []
    for finding in (*report.root_causes, *report.warnings, *report.notes):
        assert finding.rule in words and finding.code in words
        assert re.sub(r"\s+", " ", finding.summary) in words
        if finding.fix is not None:
            assert re.sub(r"\s+", " ", finding.fix.title) in words
    assert page.of_class("ladder") == ["ol"]
    nvml = report.snapshot.nvml
    gpus = [] if isinstance(nvml, Unread) or not isinstance(nvml.gpus, list) else nvml.gpus
    assert [gpu.index for gpu in gpus if f"GPU {gpu.index}: " not in words] == []


def test_the_heat_map_shows_what_runs_and_what_is_installed() -> None:
    """On a machine with a card: coloured cells with the reason on them, the installed build outlined."""
    page = Tags(page_of("driver-too-old"))
    cells = [attributes for tag, attributes in page.seen if tag == "td" and attributes.get("class")]
    have = [cell for cell in cells if "have" in (cell["class"] or "").split()]
    assert len(have) == 1 and (have[0]["class"] or "").startswith("warning")
    assert "580" in (have[0]["title"] or "")
    assert {"ok", "warning"} <= {(cell["class"] or "").split()[0] for cell in cells}
    assert "Which torch builds run here" not in Tags(page_of("cpu-torch")).words("h2")


def test_hostile_texts_make_no_tag(report_of: Callable[[str], Report], hostile_text: str) -> None:
    """A file name is shown as it is, and neither opens a tag nor an attribute nor turns the line round."""
    text = render("html", report_of("hostile"), Page())
    page = Tags(text)
    assert {tag for tag, _ in page.seen} <= TAGS
    assert {attribute for _, attributes in page.seen for attribute in attributes} <= ATTRIBUTES
    assert "<script>alert(1)</script>" in page.words() and "日本語" in page.words()
    assert not any(character in page.words() for character in "\x1b\x07\x00\u202e\u2066")
    assert "script" not in {tag for tag, _ in page.seen}


def test_a_content_policy_forbids_what_is_not_there() -> None:
    """A second wall behind the escaping: the browser runs no script and fetches nothing."""
    page = Tags(page_of("h100"))
    (policy,) = [a["content"] for t, a in page.seen if t == "meta" and a.get("http-equiv")]
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_one_gpu_alone() -> None:
    """``--gpu`` leaves the other cards out, as in the terminal."""
    report = judge(machine("h100").snapshot, QUESTIONS)
    words = Tags(render("html", report, Page(gpu=1))).words("h3")
    assert "GPU 1: " in words and "GPU 0: " not in words


def colours(dark: bool) -> dict[str, str]:
    """The custom properties of one colour scheme."""
    light_part, _, dark_part = STYLE.partition("@media (prefers-color-scheme:dark)")
    part = dark_part.split("}", 1)[0] if dark else light_part
    return dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{3,6})", part))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast(dark: bool) -> None:
    """WCAG 2.2, AA: 4.5 to 1 for text, in both schemes, which define the same colours."""
    scheme = colours(dark)
    assert set(scheme) == set(colours(not dark))
    pairs = [(state, f"{state}-ground") for state in ("ok", "problem", "warning", "unknown", "note", "none")]
    pairs += [(ink, ground) for ink in ("ink", "soft", "link") for ground in ("ground", "card")] + [("ink", "code")]
    for ink, ground in pairs:
        bright, dim = sorted((luminance(scheme[ink]), luminance(scheme[ground])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ink, ground)


def benched(**more: object) -> str:
    """The page of an H100 that was measured: memory-bound work on the slope, products under the roof."""
    n = 1 << 28

    def timing(workload: str, seconds: float, shape: list[int], size: str = "1024 MiB") -> Timing:
        return Timing(workload=workload, size=size, shape=shape, samples_s=[seconds * (1 + i / 500) for i in range(9)])

    facts: dict[str, object] = {
        "device": "cuda:0",
        "name": "NVIDIA H100 80GB HBM3",
        "trouble": None,
        "checks": [
            NumericCheck(id="chain-rule", wrong=None, unavailable=None),
            NumericCheck(id="softmax-gradient", wrong="off by <0.5>", unavailable=None),
        ],
        "timings": [
            timing("copy", 8 * n / 3.0e12, [n]),
            timing("fill", 4 * n / 2.9e12, [n]),
            timing("matmul", 2 * 8192**3 / 52e12, [8192] * 3, "8192"),
            timing("broadcast", 4 * n / 2.7e12, [16384, 16384]),
            timing("products", 4 * 65536 * 4096 * 1000 / 45e12, [65536, 4096, 1000], "large"),
            timing("step", 80e-6, [256, 784, 10], "course"),
            Timing(workload="step", variant="compile", unavailable="left out with --quick"),
        ],
    }
    device = BenchDevice(**{**facts, **more})  # type: ignore[arg-type]
    now = machine("h100").but({"/bench": Bench(device="auto", devices=[device])})
    return render("html", judge(now.snapshot, QUESTIONS), Page())


def test_the_roofline_of_a_measured_machine() -> None:
    """Roofs and dots lie within the picture; each dot's number stands in the table with what it is."""
    page = Tags(benched())
    assert {tag for tag, _ in page.seen} <= TAGS
    (svg,) = [attributes for tag, attributes in page.seen if tag == "svg"]
    _, _, width, height = map(float, (svg["viewbox"] or "").split())
    drawn = [a for tag, a in page.seen if tag in ("line", "circle", "text")]
    for attributes in drawn:
        for name, limit in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y1", height)):
            assert 0 <= float(attributes.get(name) or 0) <= limit
    dots = [a for tag, a in page.seen if tag == "circle"]
    assert len(dots) == 3, "a copy and a fill compute nothing, and a matmul is a roof"
    assert len(page.of_class("roof")) == 2
    assert len(page.of_class("number")) == 3
    assert [data for tag, data in page.texts if tag == "td" and data.isdigit()] == ["1", "2", "3"]
    assert "2.68 TB/s" in page.words("td") and "80.6 us" in page.words("td")
    assert "left out with --quick" in page.words("li")


def test_a_wrong_number_stands_before_any_speed() -> None:
    """The checks that do not hold are named, with what is wrong."""
    page = Tags(benched())
    assert "1 of 2 numerical checks hold" in page.words("p")
    assert "softmax-gradient" in page.words("code") and "off by <0.5>" in page.words("li")


def test_a_benchmark_that_could_not_measure() -> None:
    """No ceilings, no picture; the device's own trouble is shown."""
    page = Tags(benched(timings=[], checks=Unread("crashed", "signal 11"), trouble="RuntimeError: no kernel image"))
    assert page.of_class("roofline") == []
    assert "RuntimeError: no kernel image" in page.words("p")
