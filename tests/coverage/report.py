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
import textwrap
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
            {place: max(count, second.functions.get(place, 0))
             for place, count in file.functions.items()})
    return both


def only_in(one, other):
    """The files of both, with everything at 0 that ran in the first alone, and all else at 1."""
    def ran(here, there):
        return 0 if here and not there else 1

    return {path: counters.File(
                {line: ran(count, other[path].lines.get(line, 1)) for line, count in file.lines.items()},
                {place: ran(count, other[path].functions.get(place, 1))
                 for place, count in file.functions.items()})
            for path, file in one.items() if path in other}


def tally(file):
    return len(file.lines), sum(1 for count in file.lines.values() if count)


def row(name, lines, reached, either=None):
    words = f"{name:<44}{lines:>7}{reached:>9}{percent(reached, lines):>9}"
    return words if either is None else words + f"{percent(either, lines):>18}"


def percent(part, whole):
    return f"{100 * part / whole:.1f}%" if whole else "-"


def heading(title, other):
    return f"{title:<44}{'lines':>7}{'reached':>9}{'':>9}{'or in ' + other:>18}"


def table(title, files, both, other, own):
    """A row for each file of the rooms that `own` picks, a total for each room and one for all."""
    rooms = defaultdict(list)
    for path in sorted(files):
        rooms[room_of(path)].append(path)
    yield heading(title, other)
    everything = [0, 0, 0]
    summary = []
    for room in sorted(rooms):
        rows = {path: [*tally(files[path]), tally(both[path])[1]] for path in rooms[room]}
        total = [sum(column) for column in zip(*rows.values())]
        everything = [a + b for a, b in zip(everything, total)]
        summary.append(row(room, *total))
        if own(room):
            yield ""
            yield from (row("  " + Path(path).name, *numbers) for path, numbers in rows.items())
            yield summary[-1]
    yield ""
    yield heading(title + ", by room", other)
    yield from summary
    yield row("total", *everything)


def unreached(file):
    """Functions that were never entered, and ranges of lines that did not run in the others."""
    functions = sorted(place for place, count in file.functions.items() if not count)
    entered = {line for (line, _), count in file.functions.items() if count}
    starts = sorted({line for line, _ in file.functions})
    ranges, owner, position = [], None, 0
    last = False  # whether the line of code before this one is in the range
    for line in sorted(file.lines):
        while position < len(starts) and starts[position] <= line:
            owner, position, last = starts[position], position + 1, False
        missed = not file.lines[line] and (owner is None or owner in entered)
        if missed and last:
            ranges[-1][1] = line
        elif missed:
            ranges.append([line, line])
        last = missed
    return functions, ranges


def listed(title, words):
    """One paragraph of the words, its lines below each other."""
    if words:
        yield from textwrap.wrap(f"{title}: " + ", ".join(words), width=108, initial_indent="    ",
                                 subsequent_indent="      ", break_on_hyphens=False)


def holes(title, files):
    yield title
    for path in sorted(files):
        functions, ranges = unreached(files[path])
        if len(functions) == len(files[path].functions) and functions:
            yield f"  {path}: all of it"
        elif functions or ranges:
            yield f"  {path}"
            yield from listed("never called", [f"{name} ({line})" for line, name in functions])
            yield from listed("lines", [str(a) if a == b else f"{a}-{b}" for a, b in ranges])


def sum_up(name, files):
    lines, reached = (sum(column) for column in zip(*map(tally, files.values())))
    return f"{name}: {reached} of {lines} lines reached ({percent(reached, lines)})"


def report(build):
    guest = counters.read(build / "libnsdrift.so", ROOT)
    command = counters.read(build / "nsdrift", ROOT)
    alone = {path: file for path, file in command.items() if room_of(path).startswith("cli")}
    yield from table("Guest", guest, merged(guest, command), "command", lambda room: True)
    yield ""
    yield from table("Command", command, merged(command, guest), "guest",
                     lambda room: room.startswith("cli"))
    yield ""
    yield from holes("What has run in neither:", merged(guest, command) | alone)
    yield ""
    yield from holes("What has run in the command alone, of the rooms that both share:",
                     only_in(command, guest))
    yield ""
    yield "Functions that one macro makes share its lines, and are listed by their names."
    yield "Not counted: assembly, and processes that could not open the counters file (another root)."
    yield sum_up("guest", guest)
    yield sum_up("command", command)
    yield sum_up("command without the rooms that it shares with the guest", alone)


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
