#!/usr/bin/env python3
"""Prints how much of the guest and of the command has run in a coverage build, and what has not.

usage: report.py [--reset] BUILD

Lines count that hold code; a line of a header counts once, however many files include it. The guest
is libnsdrift.so in the programs that load it, the command is `nsdrift`; both hold the core rooms
(base, names, ledger, rules, record, report), so the two are told apart. Code in assembly is not
counted. --reset forgets what was counted so far.
"""
import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import counters  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def room_of(path):
    return str(Path(path).parent).removeprefix("shim/")


def merged(one, other):
    """What ran in one of the two, of the files of the first."""
    both = {}
    for path, file in one.items():
        second = other.get(path, counters.File())
        both[path] = counters.File(
            {line: max(count, second.lines.get(line, 0)) for line, count in file.lines.items()},
            {line: (name, max(count, second.functions.get(line, (name, 0))[1]))
             for line, (name, count) in file.functions.items()})
    return both


def tally(file):
    return len(file.lines), sum(1 for count in file.lines.values() if count)


def row(name, lines, reached, either=None):
    words = f"{name:<44}{lines:>7}{reached:>9}{percent(reached, lines):>9}"
    return words if either is None else words + f"{percent(either, lines):>18}"


def percent(part, whole):
    return f"{100 * part / whole:.1f}%" if whole else "-"


def table(title, files, both, other):
    """A row for each file, a total for each room and one for all of them."""
    rooms = defaultdict(list)
    for path in sorted(files):
        rooms[room_of(path)].append(path)
    yield f"{title:<44}{'lines':>7}{'reached':>9}{'':>9}{'or in ' + other:>18}"
    everything = [0, 0, 0]
    summary = []
    for room in sorted(rooms):
        total = [0, 0, 0]
        yield ""
        for path in rooms[room]:
            numbers = [*tally(files[path]), tally(both[path])[1]]
            total = [a + b for a, b in zip(total, numbers)]
            yield row("  " + path.removeprefix("shim/"), *numbers)
        everything = [a + b for a, b in zip(everything, total)]
        summary.append(row(room, *total))
        yield summary[-1]
    yield ""
    yield f"{title + ', by room':<44}{'lines':>7}{'reached':>9}{'':>9}{'or in ' + other:>18}"
    yield from summary
    yield row("total", *everything)


def unreached(file):
    """Functions that were never entered, and ranges of lines that did not run in the others."""
    starts = sorted(file.functions)
    functions = [(line, file.functions[line][0]) for line in starts if not file.functions[line][1]]
    never = {line for line, _ in functions}
    ranges, owner, position = [], None, 0
    last = False  # whether the line of code before this one is in the range
    for line in sorted(file.lines):
        while position < len(starts) and starts[position] <= line:
            owner, position, last = starts[position], position + 1, False
        missed = not file.lines[line] and owner not in never
        if missed and last:
            ranges[-1][1] = line
        elif missed:
            ranges.append([line, line])
        last = missed
    return functions, ranges


def holes(title, files):
    yield title
    for path in sorted(files):
        functions, ranges = unreached(files[path])
        if not functions and not ranges:
            continue
        yield f"  {path}"
        for line, name in functions:
            yield f"    never called: {name} ({line})"
        if ranges:
            yield "    lines: " + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def report(build):
    guest = counters.read(build / "libnsdrift.so", ROOT)
    command = counters.read(build / "nsdrift", ROOT)
    yield from table("Guest", guest, merged(guest, command), "command")
    yield ""
    yield from table("Command", command, merged(command, guest), "guest")
    yield ""
    every = {path: file for path, file in merged(guest, command).items()}
    every.update((path, file) for path, file in command.items() if path not in every)
    yield from holes("What neither has reached:", every)
    alone = {path: file for path, file in guest.items() if path in command}
    yield ""
    yield from holes("What the guest has not reached and the command may have:", alone)
    yield ""
    for name, files in (("guest", guest), ("command", command)):
        lines, reached = (sum(column) for column in zip(*map(tally, files.values())))
        yield f"{name}: {reached} of {lines} lines reached ({percent(reached, lines)})"
    yield "Not counted: assembly, and processes whose root or rights kept the counters file from them."


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reset", action="store_true", help="forget what was counted")
    parser.add_argument("build", type=lambda path: Path(path).resolve())
    args = parser.parse_args()
    if args.reset:
        for name in ("libnsdrift.so", "nsdrift"):
            counters.reset(args.build / name)
        return
    for line in report(args.build):
        print(line)


if __name__ == "__main__":
    main()
