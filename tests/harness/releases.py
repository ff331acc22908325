"""The Go releases that the probe is tested with, and how they come here: by scripts/go-release, before
the tests start, which have no network."""
import os
import subprocess
import sys

from . import settings

RELEASES = ["1.16.15", "1.17.13", "1.18.10", "1.19", "1.20.14", "1.21.13", "1.22.12", "1.23.1", "1.23.12",
            "1.24.3", "1.24.6", "1.25.5", "1.26.8"]
NEWEST = RELEASES[-1]
DEBIAN = "1.19"  # of Debian 12
LATER = "1.27.4"  # newer than the probe's table
VARIABLE = "NSDRIFT_TEST_GO"  # release=GOROOT release=GOROOT ...: nothing is brought then


def bring(wanted):
    if VARIABLE in os.environ:
        return
    found = []
    for release in wanted:
        done = subprocess.run([settings.ROOT / "scripts" / "go-release", release],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode == 0:
            found.append(f"{release}={done.stdout.strip()}")
        else:
            print(f"Go {release} could not be brought here: its tests are skipped", file=sys.stderr)
    os.environ[VARIABLE] = " ".join(found)


def of_level(level):
    return [RELEASES[0], DEBIAN, NEWEST] if level == "fast" else [*RELEASES, LATER]


def root(release):
    """Its GOROOT, or None."""
    for word in os.environ.get(VARIABLE, "").split():
        name, _, folder = word.partition("=")
        if name == release and os.access(f"{folder}/bin/go", os.X_OK):
            return folder
    return None
