"""Where things are. conftest.py sets LEVEL and RUN, the sandbox sets BUILD and FOLDER for each test."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PROGRAMS = TESTS / "programs"
CACHE = Path(os.environ.get("NSDRIFT_TEST_CACHE") or ROOT / "build" / "tests")

LEVEL = "gate"
RUN = Path("/nowhere")   # of this run of the tests: what its processes share; removed afterwards
BUILD = ROOT / "build"   # of the product under test
FOLDER = Path("/nowhere")  # of the running test: empty at its start, removed afterwards


def library():
    return BUILD / "libnsdrift.so"


def command():
    return BUILD / "nsdrift"
