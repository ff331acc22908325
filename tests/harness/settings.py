"""Where things are. BUILD, FOLDER and LEVEL are set for each test by the runner."""
import os
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PROGRAMS = TESTS / "programs"
CACHE = Path(os.environ.get("NSDRIFT_TEST_CACHE") or ROOT / "build" / "tests")

# What a compiler has to be told to find the guest's headers: those of this machine too.
SHIM = ROOT / "shim"
MACHINE = platform.machine()
INCLUDES = [f"-I{folder}" for folder in (SHIM, *sorted(SHIM.rglob(MACHINE)))]

LEVEL = "gate"
BUILD = ROOT / "build"   # of the product under test
FOLDER = Path("/nowhere")  # of the running test: empty at its start, removed afterwards


def library():
    return BUILD / "libnsdrift.so"


def command():
    return BUILD / "nsdrift"
