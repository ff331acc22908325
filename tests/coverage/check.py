#!/usr/bin/env python3
"""Whether the coverage report can be believed: runs a coverage build in known ways, one after the
other, and checks that exactly what must have run counts as reached. Forgets what was counted.

usage: check.py BUILD
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import counters  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
START = "shim/start/start.c"
WRAPPERS = "shim/probes/libc/"
GO = """package main

func main() {}
"""


class Build:
    def __init__(self, folder):
        self.library, self.command = folder / "libnsdrift.so", folder / "nsdrift"

    def reset(self):
        for binary in (self.library, self.command):
            counters.reset(binary)

    def preloaded(self, *argv, on=True):
        """With an environment of two variables; the status is the caller's business."""
        variables = {"PATH": os.environ["PATH"], "LD_PRELOAD": str(self.library)}
        subprocess.run(argv, env=variables | ({"NSDRIFT": "1"} if on else {}), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def counted(self):
        return Counted(counters.read(self.library, ROOT) | {
            path: file for path, file in counters.read(self.command, ROOT).items() if "/cli/" in path})


class Counted:
    """What has run so far; a function or a text that is not there is a mistake of this script."""
    def __init__(self, files):
        self.files = files

    def entered(self, where, function):
        """`where` is the beginning of a path."""
        count, = (count for path, file in self.files.items() if path.startswith(where)
                  for (_, name), count in file.functions.items() if name == function)
        return count

    def line(self, path, text, after):
        """Of the first line with this text, below the one with the text `after`."""
        rows = (ROOT / path).read_text().splitlines()
        start = next(i for i, row in enumerate(rows) if after in row)
        number = next(i for i in range(start, len(rows)) if text in rows[i]) + 1
        return self.files[path].lines[number]


def check(what, holds):
    if not holds:
        raise SystemExit(f"coverage cannot be believed: {what}")


def check_nothing(build):
    build.reset()
    for binary in (build.library, build.command):
        lines = [count for file in counters.read(binary, ROOT).values() for count in file.lines.values()]
        check(f"{binary.name} has {len(lines)} lines of code", len(lines) > 1000)
        check(f"{binary.name} has not run, and lines count as reached", not any(lines))


def check_lines(build):
    """Where the variable is set the loop is left by its first way out, else by its second."""
    place = START, "return false", "bool is_switched_on"
    build.reset()
    build.preloaded("true")
    counted = build.counted()
    check("a way out that was not taken", counted.line(*place) == 0)
    check("the function around it", counted.entered(START, "is_switched_on") == 1)
    check("the start of a watched program", counted.entered(START, "begin") == 1)
    check("an injection that was not made", counted.entered(START, "nsd_injected_begin") == 0)
    check("a command that was not used", counted.entered("shim/cli/main.c", "main") == 0)
    build.preloaded("true", on=False)
    counted = build.counted()
    check("a way out that was taken", counted.line(*place) == 1)
    check("the start of a program that is not watched", counted.entered(START, "begin") == 1)


def check_killed(build):
    """What a process has counted is there although it had no way to write it down."""
    build.reset()
    build.preloaded("unshare", "--user", "--map-root-user", "--uts", "sh", "-c", "kill -KILL $$")
    counted = build.counted()
    check("unshare in an image that was exec'd over", counted.entered(WRAPPERS, "unshare") > 0)
    check("setns, which nobody called", counted.entered(WRAPPERS, "setns") == 0)
    check("the image that was killed", counted.entered(START, "begin") == 2)


def check_children(build):
    """A fork's child counts into the same file, in an environment that was cleared as well."""
    build.reset()
    forks = "import os; os.environ.clear(); os.fork() or os._exit(0); os.wait()"
    build.preloaded(sys.executable, "-c", forks)
    check("the fresh start of a copy", build.counted().entered(START, "begin_copy") == 1)


def check_injected(build, folder):
    go = shutil.which("go")
    if not go:
        print("coverage: no Go here, the injected library was not checked", file=sys.stderr)
        return
    (folder / "nothing.go").write_text(GO)
    subprocess.run([go, "build", "-o", folder / "nothing", folder / "nothing.go"], check=True,
                   env=os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": ""})
    build.reset()
    subprocess.run([build.command, "run", "--", folder / "nothing"], check=True)
    counted = build.counted()
    check("the library in a static program", counted.entered(START, "nsd_injected_begin") == 1)
    check("the injection", counted.entered("shim/cli/inject/inject.c", "run_entry") == 1)
    check("the constructor, which nobody calls there", counted.entered(START, "start") == 0)


def main():
    build = Build(Path(sys.argv[1]).resolve())
    check_nothing(build)
    check_lines(build)
    check_killed(build)
    check_children(build)
    with tempfile.TemporaryDirectory() as folder:
        check_injected(build, Path(folder))
    build.reset()


if __name__ == "__main__":
    main()
