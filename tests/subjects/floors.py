"""The floors of the guest and the command: every room uses only those that the table in tests/floors.py
lets it use, no files use each other in a circle, and a use that climbs does not go unnoticed."""
import shutil
import subprocess

import floors
from harness import settings
from harness.registry import check, test


def programs_of_build():
    found = list(floors.objects_of(settings.BUILD))
    check(all(found), f"{settings.BUILD} holds no object files")
    return found


@test()
def every_arrow_goes_down():
    lines = floors.complaints(settings.ROOT, programs_of_build())
    check(not lines, "\n".join(lines))


def planted(source, words):
    """What is newly complained about in a copy of shim/ where `words` stand at the end of `source`."""
    root, programs = settings.FOLDER / "copy", programs_of_build()
    before = set(floors.complaints(settings.ROOT, programs))
    shutil.copytree(settings.SHIM, root / "shim")
    with open(root / "shim" / source, "a") as file:
        file.write(f"\n{words}\n")
    target = settings.FOLDER / "objects" / "shim" / f"{source}.o"
    target.parent.mkdir(parents=True)
    done = subprocess.run(["gcc", "-std=gnu17", "-ffreestanding", "-O1", *settings.INCLUDES, "-c", "-o", target,
                           root / "shim" / source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, done.stdout)
    copies = [[target if str(path).endswith(f"/shim/{source}.o") else path for path in program]
              for program in programs]
    check(copies != programs, f"no program is made of {source}")
    return sorted(set(floors.complaints(root, copies)) - before)


@test()
def a_planted_include_is_noticed():
    lines = planted("base/clock.c", '#include "host/program_file.h"')
    check(lines == ["base/clock.c includes host/program_file.h"], lines)


@test()
def a_planted_call_is_noticed():
    lines = planted("ledger/kinds.c", "extern int report__begin(void);\n"
                                      "int planted(void);\nint planted(void) { return report__begin(); }")
    check("ledger/kinds uses report__begin of report/report" in lines, lines)


@test()
def a_planted_circle_is_noticed():
    lines = planted("base/memory.c", "extern void arena__forget(void);\n"
                                     "void planted(void);\nvoid planted(void) { arena__forget(); }")
    check("circle: base/arena, base/memory" in lines, lines)
