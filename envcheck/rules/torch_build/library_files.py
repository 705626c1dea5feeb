"""Shared libraries by their file names."""

from __future__ import annotations

MARKS = (".so", ".dll", ".dylib", ".pyd")


def file_name(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def is_library(path: str) -> bool:
    """``libtorch_cpu.so``, ``libcudnn.so.9``, ``c10.dll`` …"""
    name = file_name(path)
    return any(name.endswith(mark) or f"{mark}." in name for mark in MARKS)


def is_wheel_library(path: str) -> bool:
    """A library that lies in one of the nvidia wheels, not in torch's own folder."""
    return is_library(path) and "/nvidia/" in path.replace("\\", "/")
