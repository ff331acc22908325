#!/usr/bin/env python3
"""Runs nsdrift's tests and counts them.

usage: run.py [--level fast|gate|all] [--build FOLDER]... [--jobs N] [--list] [name...]

Each test is a process in namespaces of its own, with a folder of its own, and a limit of time after
which it has failed; nothing of it is left when it ends. A name selects the tests that contain
it. The first build is tested wholly, each further one by the tests that depend on the compiler.
The last line is "N passed, N failed, N skipped"; the status is 1 if one failed or none ran.
"""
import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import crates, guest, modules, registry, releases, sandbox, settings  # noqa: E402
from harness.registry import LEVELS  # noqa: E402

SUBJECTS = ["unit", "laws", "options", "bad_input", "c_programs", "ends", "go_programs",
            "go_matrix", "go_safety", "peers", "events", "recording", "command",
            "calls", "report", "scan", "repeat", "bisect", "completions", "launcher", "static", "follow_static",
            "dumpable", "kernel", "field", "static_field"]


def chosen(args):
    """The tests to run, as (test, build) in the order of their subjects."""
    for subject in SUBJECTS:
        __import__(f"subjects.{subject}")
    for number, build in enumerate(args.build):
        for test in registry.tests:
            if LEVELS.index(test.level) > LEVELS.index(args.level):
                continue
            if number and not test.every_build:
                continue
            if args.name and not any(name in test.name for name in args.name):
                continue
            yield test, build


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--level", choices=LEVELS, default="gate")
    parser.add_argument("--build", action="append", type=lambda p: Path(p).resolve(), default=[])
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    parser.add_argument("name", nargs="*")
    args = parser.parse_args()
    if not args.build:
        args.build = [settings.ROOT / "build"]
    settings.LEVEL = args.level
    todo = list(chosen(args))
    if args.list:
        for test, build in todo:
            print(test.name, build.name if build != args.build[0] else "")
        return 0
    for build in args.build:
        if not (build / "libnsdrift.so").exists():
            print(f"{build}/libnsdrift.so is missing: build it first", file=sys.stderr)
            return 1
    releases.bring(releases.of_level(args.level))
    modules.bring([test.name for test, _ in todo])
    crates.bring([test.name for test, _ in todo])
    guest.bring([test.name for test, _ in todo])
    sandbox.become_root_of_a_user_namespace()

    counts = {"passed": 0, "failed": 0, "skipped": 0}
    running, failed = [], []
    width = max([len(test.name) for test, _ in todo] or [0])
    while todo or running:
        # A test that measures or that wants the machine for itself runs alone.
        while todo and len(running) < args.jobs:
            if running and (todo[0][0].alone or running[0].test.alone):
                break
            running.append(sandbox.Job(*todo.pop(0)))
        for job in list(running):
            if not job.over():
                continue
            running.remove(job)
            verdict, words = job.result()
            counts[verdict] += 1
            where = "" if job.build == args.build[0] else f" [{job.build.name}]"
            line = f"{verdict}: {words}" if verdict == "skipped" else verdict
            print(f"{job.test.name + where:<{width}} {line} ({job.seconds():.1f} s)", flush=True)
            if verdict == "failed":
                failed.append(job.test.name + where)
                print("    " + words.rstrip().replace("\n", "\n    "), flush=True)
        time.sleep(0.01)
    if failed:
        print("failed: " + ", ".join(failed))
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
