#!/usr/bin/env python3
"""Holds the lines that the reader of pclntab gives against `go tool addr2line`.

usage: go_lines.py PCLNTAB_TEST GO EXECUTABLE

addr2line says the symbol that holds the pc, and file and line of the innermost inlined call.
"""
import os
import subprocess
import sys


def main():
    test, go, executable = sys.argv[1:4]
    ours = subprocess.run([test, "--lines", executable], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in ours.stdout.splitlines()]
    asked = "".join(row[0] + "\n" for row in rows)
    # What GOFLAGS has for a newer release, 1.16 and 1.17 do not know and stop at.
    env = dict(os.environ, GOENV="off", GOFLAGS="", GOTOOLCHAIN="local")
    answer = subprocess.run([go, "tool", "addr2line", executable], input=asked, env=env,
                            capture_output=True, text=True, check=True).stdout.splitlines()
    wrong = unfolded = 0
    for i, (pc, function, place, *calls) in enumerate(rows):
        their_function, their_place = answer[2 * i], answer[2 * i + 1]
        unfolded += len(calls) > 1
        # The symbol table has a suffix for assembly functions, and shortens nothing.
        if their_function.removesuffix(".abi0") != function and "[" not in function:
            same = their_function == ""
        else:
            # Padding behind a function has no line, which is said as -1 there.
            same = their_place in (place, "?:0") or (place, their_place) == (":0", ":-1")
        if not same:
            wrong += 1
            if wrong <= 5:
                print(f"{executable}: {pc}: {function} {place}, not {their_function} {their_place}")
    print(f"{executable}: {len(rows)} places, {unfolded} with inlined calls, {wrong} differ")
    return 1 if wrong * 1000 > len(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
