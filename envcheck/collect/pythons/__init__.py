"""Python environments, found without running any of them, and the one that the user's shell means."""

from .meanings import Meanings, activation, meanings
from .scripts import interpreter_of_script
from .search import Found, find_interpreters
from .target import BadTarget, Choice, choose_target, own_environment

__all__ = [
    "BadTarget",
    "Choice",
    "Found",
    "Meanings",
    "activation",
    "choose_target",
    "find_interpreters",
    "interpreter_of_script",
    "meanings",
    "own_environment",
]
