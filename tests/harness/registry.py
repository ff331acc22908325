"""The decorator that makes a function a test, and the words in which tests pass judgement."""
import unittest
from dataclasses import dataclass
from typing import Callable

import pytest

LEVELS = ["fast", "gate", "all"]


class Failure(AssertionError):
    """Something is not as it must be; the words say what."""
    __module__ = "builtins"  # so that a traceback does not tell where the class stands


class Skip(unittest.SkipTest):
    """The test cannot run here; the words say why."""


@dataclass
class Test:
    subject: str
    name: str  # with the subject in front
    run: Callable[[], None]
    marks: list
    every_build: bool


tests = []


def test(name=None, level="fast", timeout=120, every_build=False, marks=()):
    """Registers a function without arguments, under subject.name."""
    def register(function):
        subject = function.__module__.rsplit(".", 1)[-1]
        own = [getattr(pytest.mark, level), pytest.mark.timeout(timeout), *marks]
        if every_build:
            own.append(pytest.mark.every_build)
        tests.append(Test(subject, f"{subject}.{name or function.__name__}", function, own, every_build))
        return function
    return register


def check(good, *words):
    __tracebackhide__ = True
    if not good:
        raise Failure(" ".join(str(word) for word in words))


def check_equal(got, wanted, what):
    __tracebackhide__ = True
    if got != wanted:
        raise Failure(f"{what}:\n  wanted {wanted!r}\n  got    {got!r}")
