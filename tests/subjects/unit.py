"""Tests of single parts, without a process to watch: each tests/unit/*.c that has a main is built with
the core's sources and run. Status 77 is a skip."""
import re
import shutil
import subprocess

from harness import settings
from harness.registry import Skip, check, test

UNIT = settings.TESTS / "unit"
GUEST = ["-ffreestanding", "-fno-stack-protector", "-fno-strict-aliasing"]


def build(source, compiler):
    """The head of a test may name the sources it needs: `Build: shim/base/text.c ...`, and flags."""
    text = source.read_text()
    output = settings.FOLDER / source.stem
    named = re.search(r"Build:\s*(.*)", text)
    if named:
        parts = [str(settings.ROOT / word) if word.startswith(("shim/", "tests/")) else word
                 for word in named[1].replace("*/", "").split()]
    else:
        core = ("base", "names", "ledger", "rules", "report")
        parts = [str(p) for folder in core for p in sorted((settings.ROOT / "shim" / folder).glob("*.c"))]
    command = [compiler, "-std=gnu17", "-g", "-O1", "-Wall", "-I", str(settings.ROOT / "shim"),
               "-I", str(settings.ROOT / "include"), "-D_GNU_SOURCE", "-fno-strict-aliasing",
               "-o", str(output), str(source), *parts, "-pthread"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, " ".join(command), "\n" + done.stdout)
    return output


for path in sorted(UNIT.glob("*.c")):
    if not re.search(r"^int\s+main\b", path.read_text(), re.M):
        continue

    @test(path.stem)
    def unit(source=path):
        compiler = shutil.which("gcc") or shutil.which("cc")
        if not compiler:
            raise Skip("no C compiler")
        done = subprocess.run([build(source, compiler)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=100)
        if done.returncode == 77:
            raise Skip(done.stdout.strip() or "cannot run here")
        check(done.returncode == 0, f"status {done.returncode}\n{done.stdout[-4000:]}")
