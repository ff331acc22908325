"""The tests as a list, and the three ways in which one may end."""
from dataclasses import dataclass
from typing import Callable

LEVELS = ["fast", "gate", "all"]


class Failure(Exception):
    """Something is not as it must be; the words say what."""


class Skip(Exception):
    """The test cannot run here; the words say why."""


@dataclass
class Test:
    name: str
    run: Callable[[], None]
    level: str
    timeout: int
    every_build: bool
    alone: bool


tests = []


def test(name=None, level="fast", timeout=120, every_build=False, alone=False):
    """Registers a function without arguments, under subject.name."""
    def register(function):
        subject = function.__module__.rsplit(".", 1)[-1]
        tests.append(Test(f"{subject}.{name or function.__name__}", function, level, timeout,
                          every_build, alone))
        return function
    return register


def check(good, *words):
    if not good:
        raise Failure(" ".join(str(word) for word in words))


def check_equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}:\n  wanted {wanted!r}\n  got    {got!r}")
