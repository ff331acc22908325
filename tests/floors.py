#!/usr/bin/env python3
"""Holds the floors of shim/: which room may use which, and that no files use each other in a circle.

usage: floors.py BUILD-FOLDER [--root FOLDER]

A use is an #include, or a symbol that one object file leaves undefined and another one defines (nm).
Prints each use that the table does not allow and each circle; the status is 1 if there is one.
A file in the folder of a machine belongs to the room that the folder is in; a header, its source and
its assembly are one file here. A circle is one of symbols and of headers that include headers: a
source that includes a header for its types alone does not close one.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

# A room may use itself and what stands behind its name, and nothing else.
GUEST = {
    "base": "",
    "names": "base",
    "ledger": "base",
    "stacks": "base names ledger",
    "rules": "base ledger",
    "record": "base names ledger rules",
    "report": "base names ledger rules",
    "goruntime": "base names ledger",
    "host": "base names ledger rules record report",
    "host/libc": "base names host",
    "intake": "base names ledger stacks rules record report host",
    "calls": "base names ledger stacks rules record report host host/libc intake",
    "probes/go": "base names ledger stacks rules record report goruntime host intake calls",
    "start": "base names ledger stacks rules record report goruntime host host/libc intake calls probes/go",
    "probes/libc": "base names ledger stacks rules record report goruntime host host/libc intake calls "
                   "probes/go start",
}
# What the command takes from the guest: what prints, what reads, and what it puts into a program.
FROM_GUEST = "base names ledger rules record report goruntime"
COMMAND = {
    "cli": FROM_GUEST,
    "cli/watch": "cli " + FROM_GUEST,
    "cli/read": "cli cli/watch " + FROM_GUEST,
    "cli/inject": "cli cli/watch cli/read start/injection " + FROM_GUEST,
    "cli/scan": "cli cli/watch cli/read " + FROM_GUEST,
    "cli/show": "cli cli/watch cli/read " + FROM_GUEST,
    "cli/repeat": "cli cli/watch cli/read cli/inject cli/show " + FROM_GUEST,
    "cli/commands": "cli cli/watch cli/read cli/inject cli/scan cli/show cli/repeat " + FROM_GUEST,
}
# One file of a room that stands above or beside it.
FILES = {
    "cli/main": "cli/commands",  # calls the subcommands by name
}
MAY_USE = {room: set(rooms.split()) | {room} for room, rooms in {**GUEST, **COMMAND}.items()}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def machines(shim):
    """Names of the folders of a machine: those that stand in base."""
    return {path.name for path in (shim / "base").iterdir() if path.is_dir()}


class House:
    """All uses between files, as file -> {file used: how it is known}."""

    def __init__(self, root):
        self.shim = root / "shim"
        self.machines = machines(self.shim)
        self.uses = {}
        self.binding = {}  # the uses that can close a circle

    def file_of(self, path):
        """'host/caller' for shim/host/caller.c; without the folder of the machine."""
        parts = [part for part in path.with_suffix("").parts if part not in self.machines]
        return "/".join(parts)

    def add(self, user, used, how, binds):
        if user != used:
            self.uses.setdefault(user, {}).setdefault(used, how)
            if binds:
                self.binding.setdefault(user, {}).setdefault(used, how)

    def read_includes(self):
        sources = [path for path in sorted(self.shim.rglob("*")) if path.suffix in (".c", ".h", ".S")]
        by_machine = {path.name: path for path in sources if path.parent.name in self.machines}
        for path in sources:
            for name in INCLUDE.findall(path.read_text()):
                found = [self.shim / name, path.parent / name, by_machine.get(name)]
                target = next((place for place in found if place and place.is_file()), None)
                if target is not None:  # else: include/, or a library's
                    self.add(self.file_of(path.relative_to(self.shim)),
                             self.file_of(target.resolve().relative_to(self.shim.resolve())),
                             f"{path.relative_to(self.shim)} includes {name}",
                             binds=path.suffix == ".h")

    def read_objects(self, objects):
        """`objects`: object files of one program, with /shim/ in their paths as CMake makes them."""
        defined, wanted = {}, []
        sources = {str(path): Path(str(path).split("/shim/", 1)[1]).with_suffix("") for path in objects}
        there = [path for path, source in sources.items() if (self.shim / source).exists()]
        listed = subprocess.run(["nm", "-A", "-P", *there], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            path, _, rest = line.partition(": ")
            symbol, kind = rest.split()[:2]
            file = self.file_of(sources[path])
            if kind in "Uwv":
                wanted.append((file, symbol))
            elif kind.isupper():
                defined.setdefault(symbol, set()).add(file)
        for file, symbol in wanted:
            for maker in defined.get(symbol, set()):
                self.add(file, maker, f"{file} uses {symbol} of {maker}", binds=True)


def room_of(file):
    return file.rpartition("/")[0]


def is_allowed(user, used):
    rooms = MAY_USE.get(room_of(user), set()) | set(FILES.get(user, "").split())
    return room_of(used) in rooms or used in rooms


def climbs(house):
    return sorted(how for user, used in house.uses.items() for file, how in used.items()
                  if not is_allowed(user, file))


def circles(uses):
    """Tarjan's strongly connected components of two files or more, without recursion."""
    index, low, stack, found = {}, {}, [], []
    for start in sorted(uses):
        work = [] if start in index else [(start, None)]
        while work:
            file, rest = work.pop()
            if rest is None:
                index[file] = low[file] = len(index)
                stack.append(file)
                rest = iter(sorted(uses.get(file, ())))
            for used in rest:
                if used not in index:
                    work += [(file, rest), (used, None)]
                    break
                if used in stack:
                    low[file] = min(low[file], low[used])
            else:
                if low[file] == index[file]:
                    at = stack.index(file)
                    if len(stack) - at > 1:
                        found.append(sorted(stack[at:]))
                    del stack[at:]
                elif work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[file])
    return found


def unknown_rooms(house):
    files = set(house.uses) | {file for used in house.uses.values() for file in used}
    return sorted({room_of(file) for file in files} - set(MAY_USE))


# What is linked together; the command and the library each have a `close`.
PROGRAMS = [["nsdrift", "nsd_core"], ["nsdrift_command", "nsd_go_reader", "nsd_core"]]


def objects_of(build):
    for targets in PROGRAMS:
        yield [path for target in targets
               for path in sorted(build.glob(f"CMakeFiles/{target}.dir/shim/**/*.o"))]


def complaints(root, programs):
    """All that is wrong, one line each. `programs`: lists of object files."""
    house = House(root)
    house.read_includes()
    for objects in programs:
        house.read_objects(objects)
    lines = [f"no such room in the table: {room}" for room in unknown_rooms(house)]
    lines += climbs(house)
    for circle in circles(house.binding):
        lines.append("circle: " + ", ".join(circle))
        lines += [f"    {house.binding[user][used]}" for user in circle
                  for used in sorted(set(circle) & set(house.binding.get(user, ())))]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    args = parser.parse_args()
    programs = list(objects_of(args.build))
    if not all(programs):
        sys.exit(f"{args.build} holds no object files: build it first")
    lines = complaints(args.root, programs)
    print("\n".join(lines) or "every arrow goes down, and there is no circle")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
