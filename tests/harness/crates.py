"""The hosts in Rust: their crates come here by cargo before the tests start, which have no network.
Where there is no cargo of 1.70 or later, their tests are skipped: older ones want a copy of the
whole registry's index."""
import os
import re
import shutil
import subprocess
import sys

from . import programs, settings
from .registry import Skip

RUST = settings.PROGRAMS / "rust"


def _cargo():
    path = shutil.which("cargo")
    if not path:
        return None
    done = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True)
    version = re.match(r"cargo 1\.(\d+)", done.stdout)
    return path if version and int(version[1]) >= 70 else None


def bring(tests):
    cargo = _cargo()
    if not cargo or not any(test.startswith("field.rust.") for test in tests):
        return
    done = subprocess.run([cargo, "fetch", "--quiet", "--locked", "--target",
                           "x86_64-unknown-linux-gnu", "--manifest-path", RUST / "Cargo.toml"])
    if done.returncode != 0:
        print("the crates could not be brought here: the tests in Rust are skipped", file=sys.stderr)


def program(name):
    cargo = _cargo()
    if not cargo:
        raise Skip("cargo 1.70 or later is not installed")
    folder = settings.CACHE / "rust"
    command = [cargo, "build", "--quiet", "--locked", "--offline", "--manifest-path",
               RUST / "Cargo.toml", "--target-dir", folder]
    fetched = subprocess.run([cargo, "metadata", "--quiet", "--locked", "--offline",
                              "--format-version=1", "--filter-platform", "x86_64-unknown-linux-gnu",
                              "--manifest-path", RUST / "Cargo.toml"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    if fetched.returncode != 0:
        raise Skip("the crates are not here")
    return programs.build_once(folder / "debug" / name, sorted(RUST.glob("**/*.rs")), command,
                               dict(os.environ))
