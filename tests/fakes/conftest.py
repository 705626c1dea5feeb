"""The fakes' own tests use the fixtures that they offer to others."""

from __future__ import annotations

from .fixtures import deploy, fake_builds

__all__ = ["deploy", "fake_builds"]
