"""Tests of single parts, without a process to watch: each tests/unit/*_test.c is linked with the parts
of the guest that it calls, and run: as it is, with the sanitizers of addresses and of undefined behaviour
(unit.asan.NAME), and where threads meet without a lock (THREADED), with the thread sanitizer
(unit.tsan.NAME). Status 77 is a skip."""
import fcntl
import os
import re
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

# How the parts and the tests are compiled: as they are and by the thread sanitizer at every level, by the
# others in the gate, as these take more than a minute. A sanitizer ends the test at the first fault.
VARIANTS = {
    "": [],
    "asan": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    # For a test that must not have the sanitizers' libraries in its process.
    "ubsan": ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"],
    "tsan": ["-fsanitize=thread"],
}
# The unwinder reads words of other functions' frames, the zones that this sanitizer poisons among them.
NOT_OF_ADDRESSES = SHIM / "stacks"
WITHOUT_LIBRARIES = {"modules_test": "libasan keeps libm loaded, and the test wants to see it go"}
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1",
              "TSAN_OPTIONS": "halt_on_error=1"}
THREADED = re.compile("pool_test|submit_test|.*_race_test")


def parts(variant):
    """The guest's own sources as objects, made once per run and kept while they are the newest."""
    sources = [path for part in PARTS for folder in (SHIM / part, SHIM / part / settings.MACHINE)
               for path in sorted(folder.glob("*.[cS]"))]
    headers = [*SHIM.rglob("*.h"), *sources]
    archive = settings.CACHE / "unit" / (variant or "plain") / "parts.a"
    folder = archive.parent / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    objects = [folder / ("-".join(path.relative_to(SHIM).with_suffix(".o").parts)) for path in sources]
    lines = ["objects = " + " ".join(map(str, objects)), f"all: {archive}", f"{archive}: $(objects)",
             f"\trm -f {archive} && ar rc {archive} $(objects)"]
    everything = " ".join(str(path) for path in headers if path.suffix == ".h")
    for source, target in zip(sources, objects):
        flags = [*FLAGS, *VARIANTS[variant]]
        if NOT_OF_ADDRESSES in source.parents:
            flags.append("-fno-sanitize=address")
        lines += [f"{target}: {source} {everything} {folder}/flags",
                  f"\tgcc {' '.join(map(repr, flags))} -ffreestanding -fno-stack-protector "
                  f"-fasynchronous-unwind-tables -I{unwind_headers()} -c -o {target} {source}"]
    makefile = archive.parent / f"makefile.{settings.FOLDER.parent.name}"
    makefile.write_text("\n".join(lines) + "\n")
    with open(archive.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = folder / "flags"
        if not known.exists() or known.read_text() != repr((FLAGS, VARIANTS)):
            known.write_text(repr((FLAGS, VARIANTS)))
        done = subprocess.run(["make", "-s", "-j2", "-f", makefile], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    makefile.unlink()
    check(done.returncode == 0, done.stdout[-4000:])
    return archive


def unwind_headers():
    from pathlib import Path
    found = sorted(Path("/usr/lib").glob("llvm-*/include/libunwind.h"), reverse=True)
    return found[0].parent if found else Path("/usr/include/libunwind")


def build(source, variant=""):
    if not shutil.which("gcc"):
        raise Skip("gcc is not installed")
    output = settings.FOLDER / source.stem
    archive = settings.BUILD / "libunwind_own_names.a"
    command = ["gcc", *FLAGS, *VARIANTS[variant], "-fbuiltin", "-o", output, source, parts(variant), archive,
               "-Wl,--gc-sections", "-Wl,--export-dynamic", "-pthread", "-Wl,--as-needed", "-lm"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, " ".join(map(str, command)), "\n" + done.stdout[-4000:])
    return output


def run(argv):
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=200, env=dict(os.environ, **SANITIZERS))
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


def variants(stem):
    memory = "ubsan" if stem in WITHOUT_LIBRARIES else "asan"
    return ["", memory, "tsan"] if THREADED.fullmatch(stem) else ["", memory]


for path in sorted(UNIT.glob("*_test.c")):
    for variant_ in variants(path.stem):
        name_ = f"{variant_}.{path.stem}".lstrip(".")

        @test(name_, level="gate" if variant_ in ("asan", "ubsan") else "fast", timeout=300)
        def unit(source=path, variant=variant_):
            run([build(source, variant), *ARGUMENTS.get(source.stem, list)()])


@test(level="gate", timeout=300)
def lines_as_addr2line_says():
    """Lines out of pclntab against Go's own tool, for every release."""
    if not (UNIT / "pclntab_test.c").exists():
        raise Skip("no pclntab_test")
    reader = build(UNIT / "pclntab_test.c")
    for release, root in releases():
        run([sys.executable, UNIT / "go_lines.py", reader, root / "bin" / "go",
             programs.go("visits_locked", release)])
