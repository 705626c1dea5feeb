"""Environment markers (PEP 508), judged for the platform that the question is about instead of our own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from envcheck.compat.declared.wanted import admits

from .recipe import Recipe
from .requirement import Ask

SYSTEMS = {"Linux": ("posix", "linux"), "Darwin": ("posix", "darwin"), "Windows": ("nt", "win32")}
USUAL = ("3.12", "3.11", "3.13", "3.10", "3.14", "3.9", "3.8", "3.15", "3.7", "3.6")
"""The Pythons that a project without a named one is read for: the first that it admits."""


@dataclass(frozen=True)
class Markers:
    """The platform and Python for which markers are judged.  ``python`` "" means that nobody told it."""

    system: str = "Linux"
    machine: str = "x86_64"
    python: str = ""

    def of(self, recipe: Recipe) -> Markers:
        """The same for one environment, which may name its own Python and system."""
        python = recipe.python.text if recipe.python is not None else self.python
        if not python:
            wanted = recipe.requires_python.text if recipe.requires_python is not None else ""
            python = next((version for version in USUAL if admits(wanted, version)), USUAL[0])
        return replace(self, system=recipe.system or self.system, machine=recipe.machine or self.machine, python=python)

    def hold(self, marker: str) -> bool:
        """Does the marker hold there?  One that cannot be read holds nothing back."""
        if not marker:
            return True
        from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

        try:
            return Marker(marker).evaluate(self._environment())
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
            return True

    def bound(self, ask: Ask) -> Ask:
        """The request with the first of its sources whose marker holds there."""
        for marker, index, url in ask.choices:
            if self.hold(marker):
                return replace(ask, index=index, url=url or ask.url)
        return ask

    def _environment(self) -> dict[str, str]:
        os_name, sys_platform = SYSTEMS.get(self.system, ("posix", self.system.lower()))
        full = self.python if self.python.count(".") > 1 else f"{self.python}.0"
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": os_name,
            "platform_machine": "AMD64" if self.system == "Windows" else self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.system,
            "platform_version": "",
            "python_full_version": full,
            "python_version": ".".join(self.python.split(".")[:2]),
            "sys_platform": sys_platform,
            "extra": "",
        }
