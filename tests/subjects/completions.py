"""Completion in bash, zsh and fish: what is offered is what there is, and a TAB at a prompt completes."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

from harness import settings, shim
from harness.registry import Skip, check, check_equal, test
from subjects.command import nsdrift

FOLDER = settings.ROOT / "shim" / "completions"
BASH = """
source "$0"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_nsdrift nsdrift "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def environment():
    env = shim.environment(False)
    env["PATH"] = f"{settings.BUILD}:{env['PATH']}"
    env["HOME"] = str(settings.FOLDER)
    return env


def bash(*words):
    done = subprocess.run(["bash", "--norc", "-c", BASH, FOLDER / "nsdrift.bash", "nsdrift", *map(str, words)],
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check_equal((done.returncode, done.stderr), (0, ""), f"completion of {words}")
    return set(done.stdout.split())


def commands():
    part = nsdrift("--help").out.split("Commands:\n")[1].split("\n\n")[0]
    return {line.split()[0] for line in part.splitlines()}


def options(command):
    """--name as its help lists it, with = where a word follows."""
    found = set()
    for line in nsdrift(command, "--help").out.splitlines():
        option = re.match(r" +(?:-\w, )?(--[a-z-]+)( [A-Z]|=)?", line)
        if option:
            found.add(option[1] + ("=" if option[2] else ""))
    return found


def fish(line):
    if not shutil.which("fish"):
        raise Skip("fish is not installed")
    done = subprocess.run(["fish", "--no-config", "-c", f"source {FOLDER}/nsdrift.fish; complete -C '{line}'"],
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check_equal((done.returncode, done.stderr), (0, ""), f"completion of {line}")
    return {row.split("\t")[0] for row in done.stdout.splitlines()}


@test()
def bash_offers_what_there_is():
    check({"run", "report", "scan", "repeat"} <= commands(), "subcommands", commands())
    check_equal(bash(""), commands() | {"--help", "--version"}, "subcommands")
    check_equal(bash("sc"), {"scan"}, "sc")
    for command in commands():
        check(len(options(command)) > 2, "options", options(command))
        check_equal(bash(command, "-"), options(command), f"options of {command}")
    check_equal(bash("repeat", 20, "--j"), {"--jobs="}, "options behind the number")
    check_equal(bash("run", "--strict", "--js"), {"--json"}, "options behind options")


@test()
def bash_offers_values():
    table = nsdrift("--help").out.split("Options of the library")[1].splitlines()[1:]
    names = {line.split()[0] + "=" for line in table}
    check("verbosity=" in names, names)
    check_equal(bash("run", "-o", ""), names, "-o")
    check_equal(bash("run", "-o", "verb"), {"verbosity="}, "-o verb")
    check_equal(bash("run", "--exit-status", "=", ""), {"findings", "bisect", "program"}, "--exit-status=")
    check_equal(bash("report", "--severity", "w"), {"warning"}, "--severity w")
    (settings.FOLDER / "some-log").write_text("")
    check_equal(bash("run", "--log", "some"), {"some-log"}, "--log")
    check_equal(bash("report", "some"), {"some-log"}, "recordings")
    check(str(os.getpid()) in bash("scan", ""), "processes")


@test()
def bash_leaves_the_program_alone():
    """Behind the program, its words: files, and none of nsdrift's options."""
    (settings.FOLDER / "some-file").write_text("")
    for words in (["run", "--"], ["run"], ["run", "--strict", "-o", "depth=3"], ["repeat", 20, "--"],
                  ["repeat", 20], ["repeat", 20, "--jobs", 2, "--"]):
        check("basename" in bash(*words, "basena"), "programs behind", words)
        check_equal(bash(*words, "ls", "some"), {"some-file"}, f"arguments behind {words}")
        check_equal(bash(*words, "ls", "--"), set(), f"options of the program behind {words}")


@test()
def fish_offers_what_there_is():
    check_equal(fish("nsdrift "), commands(), "subcommands")
    for command in commands():
        check_equal(fish(f"nsdrift {command} --"), options(command), f"options of {command}")
    check_equal(fish("nsdrift run --exit-status="),
                {f"--exit-status={how}" for how in ("findings", "bisect", "program")}, "--exit-status=")
    check_equal(fish("nsdrift run -o verb"), {"verbosity="}, "-o verb")
    check("basename" in fish("nsdrift run -- basena"), "programs")
    check_equal(fish("nsdrift repeat 20 --jo"), {"--jobs="}, "options behind the number")


def type_into(shell, prepare, typed):
    """What a terminal shows after the keys."""
    if not shutil.which(shell[0]):
        raise Skip(f"{shell[0]} is not installed")
    ours, theirs = pty.openpty()
    env = dict(environment(), TERM="dumb", PS1="", HISTFILE="/dev/null")
    process = subprocess.Popen(shell, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
                               preexec_fn=lambda: (os.setsid(), os.close(os.open(os.ttyname(0), os.O_RDWR))))
    os.close(theirs)
    shown = b""

    def read(until, seconds):
        nonlocal shown
        deadline = time.monotonic() + seconds
        while until not in shown and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    return
    os.write(ours, prepare.encode() + b"; echo pre''pared\n")
    read(b"prepared\r\n", 30)
    time.sleep(0.5)
    os.write(ours, typed.encode())
    read(b"Exit status:", 20)
    process.kill()
    process.wait()
    os.close(ours)
    return shown.decode(errors="replace")


SHELLS = {"bash": (["bash", "--norc", "-i"], f"source {FOLDER}/nsdrift.bash"),
          "zsh": (["zsh", "-f", "-i"], f"fpath=({FOLDER} $fpath); autoload -Uz compinit; compinit -u -D"),
          "fish": (["fish", "--no-config", "-i"], f"source {FOLDER}/nsdrift.fish")}

for name in SHELLS:
    @test(f"at_the_prompt.{name}")
    def at_the_prompt(name=name):
        """sca TAB --he TAB Enter."""
        shell, prepare = SHELLS[name]
        shown = type_into(shell, prepare, "nsdrift sca\t--he\t\n")
        check("Usage: nsdrift scan" in shown, f"{name} shows:\n{shown}")


@test()
def installed_where_shells_look():
    prefix = settings.FOLDER / "prefix"
    done = subprocess.run(["cmake", "--install", settings.BUILD, "--prefix", prefix], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    # cmake writes the manifest last, and cannot if the build belongs to another user.
    check(done.returncode == 0 or "install_manifest" in done.stdout, done.stdout)
    for place in ("bash-completion/completions/nsdrift", "zsh/site-functions/_nsdrift",
                  "fish/vendor_completions.d/nsdrift.fish", "man/man1/nsdrift-scan.1",
                  "man/man1/nsdrift-repeat.1"):
        check((prefix / "share" / place).exists(), f"{place} is not installed")
