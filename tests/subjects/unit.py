"""Tests of single parts, without a process to watch: each tests/unit/*_test.c is linked with the parts
of the guest that it calls, and run. Status 77 is a skip."""
import shutil
import subprocess
import sys

from harness import programs, settings
from harness.registry import Skip, check, test

UNIT = settings.TESTS / "unit"
SHIM = settings.SHIM
PARTS = ["base", "names", "ledger", "rules", "report", "record", "stacks", "goruntime", "host", "host/libc", "intake", "calls", "probes/go"]
FLAGS = ["-std=gnu17", "-g", "-O1", "-Wall", "-D_GNU_SOURCE", *settings.INCLUDES, f"-I{settings.ROOT}/include",
         f"-I{UNIT}", "-fno-strict-aliasing", "-ffunction-sections", "-fno-omit-frame-pointer",
         "-fno-builtin", "-DNSDRIFT_IMPLEMENTATION", '-DNSD_VERSION="0"']


def parts():
    """The guest's own sources as objects, made once per run and kept while they are the newest."""
    sources = [path for part in PARTS for folder in (SHIM / part, SHIM / part / settings.MACHINE)
               for path in sorted(folder.glob("*.[cS]"))]
    headers = [*SHIM.rglob("*.h"), *sources]
    archive = settings.CACHE / "unit" / "parts.a"
    folder = archive.parent / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    objects = [folder / ("-".join(path.relative_to(SHIM).with_suffix(".o").parts)) for path in sources]
    lines = ["objects = " + " ".join(map(str, objects)), f"all: {archive}", f"{archive}: $(objects)",
             f"\trm -f {archive} && ar rc {archive} $(objects)"]
    everything = " ".join(str(path) for path in headers if path.suffix == ".h")
    for source, target in zip(sources, objects):
        lines += [f"{target}: {source} {everything}",
                  f"\tgcc {' '.join(map(repr, FLAGS))} -ffreestanding -fno-stack-protector "
                  f"-fasynchronous-unwind-tables -I{unwind_headers()} -c -o {target} {source}"]
    makefile = archive.parent / f"makefile.{settings.FOLDER.parent.name}"
    makefile.write_text("\n".join(lines) + "\n")
    with open(archive.parent / "lock", "w") as lock:
        import fcntl
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["make", "-s", "-j2", "-f", makefile], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    makefile.unlink()
    check(done.returncode == 0, done.stdout[-4000:])
    return archive


def unwind_headers():
    from pathlib import Path
    found = sorted(Path("/usr/lib").glob("llvm-*/include/libunwind.h"), reverse=True)
    return found[0].parent if found else Path("/usr/include/libunwind")


def build(source):
    if not shutil.which("gcc"):
        raise Skip("gcc is not installed")
    output = settings.FOLDER / source.stem
    archive = settings.BUILD / "libunwind_own_names.a"
    command = ["gcc", *FLAGS, "-fbuiltin", "-o", output, source, parts(), archive, "-Wl,--gc-sections",
               "-Wl,--export-dynamic", "-pthread", "-lm"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, " ".join(map(str, command)), "\n" + done.stdout[-4000:])
    return output


def run(argv):
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=200)
    if done.returncode == 77:
        raise Skip(done.stdout.strip() or "cannot run here")
    check(done.returncode == 0, f"status {done.returncode}\n{done.stdout[-4000:]}")


def releases():
    for release in programs.GO_RELEASES:
        try:
            yield release, programs.go_root(release)
        except Skip:
            pass


def version(release):
    """Debian's 1.19 is 1.19.8."""
    text = (programs.go_root(release) / "VERSION").read_text()
    return text.split()[0].removeprefix("go")


def executables():
    """Go hosts of every release that is here, with symbols and without."""
    for release, _ in releases():
        yield release, programs.go("visits_locked", release)
        yield release, programs.go("visits_locked", release, (programs.DYNAMIC, "-s", "-w"), "stripped")


# One source as a library with unwind tables, without an index over them, and without any.
UNWIND_LIBRARIES = {
    "tables": ["-O2"],
    "no_index": ["-O2", "-Wl,--no-eh-frame-hdr", "-Wl,--no-ld-generated-unwind-info"],
    "no_tables": ["-O0", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"],
    "no_tables_no_frame_pointer": ["-O2", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"],
}


def unwind_libraries():
    for name, flags in UNWIND_LIBRARIES.items():
        output = settings.FOLDER / f"{name}.so"
        done = subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-o", output, UNIT / "unwind_library.c"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(done.returncode == 0, done.stdout)
        yield output


ARGUMENTS = {
    "unwind_test": lambda: list(unwind_libraries()),
    "go_decode_test": lambda: [word for release, path in executables()
                               for word in (f"-{version(release)}", path)] + ["--not-go", "/bin/sh"],
    "pclntab_test": lambda: [path for _, path in executables()],
}

for path in sorted(UNIT.glob("*_test.c")):
    @test(path.stem, timeout=300)
    def unit(source=path):
        run([build(source), *ARGUMENTS.get(source.stem, list)()])


@test(level="gate", timeout=300)
def lines_as_addr2line_says():
    """Lines out of pclntab against Go's own tool, for every release."""
    if not (UNIT / "pclntab_test.c").exists():
        raise Skip("no pclntab_test")
    reader = build(UNIT / "pclntab_test.c")
    for release, root in releases():
        run([sys.executable, UNIT / "go_lines.py", reader, root / "bin" / "go",
             programs.go("visits_locked", release)])
