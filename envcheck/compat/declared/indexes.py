"""What a package index is for torch: PyTorch's own for one build, a copy of the default one, or unknown."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from envcheck.facts import DeclaredIndex

Kind: TypeAlias = Literal["variant", "default", "links", "nightly", "unknown"]

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")
_VARIANT = re.compile(r"cu\d{2,3}|cpu|rocm[\d.]+|xpu")
_WHEELS = re.compile(r"pytorch", re.IGNORECASE)


def clean_url(url: str) -> str:
    """The address without the user name and password that may stand in it."""
    return _CREDENTIALS.sub("", url.strip().strip("\"'"))


def meaning(index: DeclaredIndex) -> tuple[Kind, str]:
    """(kind, build variant) of an index.  The variant is "" unless the index holds one build only.

    PyTorch publishes an index a variant (``…/whl/cu126``); its mirrors keep the last part of the path.  An address that
    ends in ``/simple`` is taken for a copy of the default index, which is what proxies of it are called.
    """
    if index.kind == "backend":
        return ("variant", index.url) if _VARIANT.fullmatch(index.url) else ("unknown", "")
    parts = [part for part in index.url.split("?")[0].rstrip("/").split("/") if part]
    last = parts[-1] if parts else ""
    if _WHEELS.search(index.url):
        if "nightly" in parts or "test" in parts:
            return "nightly", ""
        if last == "torch_stable.html" and len(parts) > 1 and _VARIANT.fullmatch(parts[-2]):
            return "variant", parts[-2]
        if last == "torch_stable.html" or last == "whl":
            return "links", ""
        if _VARIANT.fullmatch(last):
            return "variant", last
        return "unknown", ""
    return ("default", "") if last == "simple" else ("unknown", "")
