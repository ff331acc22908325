"""The command: nsdrift run, its exit status, and what it says."""
import re
import shutil
import subprocess

from harness import programs, registry, settings, shim
from harness.registry import Skip, check, check_equal, test


def nsdrift(*argv, **keywords):
    if not settings.command().exists():
        raise Skip("this build has no command")
    return shim.run([settings.command(), *argv], on=False, **keywords)


@test(every_build=True)
def exit_statuses():
    """0: nothing found; 1: an error or a warning; 125: it could not be watched; 2: a usage error."""
    clean, faulty = programs.c("setns_round_trip"), programs.c("pool_worker_skips_restore_and_idles")
    check_equal(nsdrift("run", "--", clean).status, 0, "clean")
    found = nsdrift("run", "--", faulty)
    check_equal(found.status, 1, "a warning")
    check("left-switched" in found.err, "the report", found.err)
    check_equal(nsdrift("run", "--", programs.c("thread_switches_and_returns")).status, 0, "a note")
    failing = nsdrift("run", "--", "/bin/sh", "-c", "exit 9")
    check_equal((failing.status, failing.err.count("sh ended with status 9")), (9, 1), failing.err)
    check_equal(nsdrift("run", "--exit-status=findings", "--", "/bin/sh", "-c", "exit 9").status, 0,
                "the findings' status")
    missing = nsdrift("run", "--", "/nowhere/at-all")
    check_equal(missing.status, 125, "it could not be started")
    check(missing.err, "no word about what could not be started")
    check_equal(nsdrift("run").status, 2, "no program")
    check_equal(nsdrift("run", "--exit-status=some", "--", clean).status, 2, "an unknown kind of status")
    check_equal(nsdrift("run", "--no-such-option", "--", clean).status, 2, "an unknown option")
    check_equal(nsdrift("no-such-command").status, 2, "an unknown command")


@test()
def status_of_the_program():
    run = nsdrift("run", "--exit-status=program", "--", programs.c("ends"), "exit")
    check_equal(run.status, 3, "--exit-status=program")
    run = nsdrift("run", "--exit-status=program", "--", "/bin/sh", "-c", "kill -TERM $$")
    check_equal(run.status, 128 + 15, "a signal")
    run = nsdrift("run", "--exit-status=program", "--", programs.c("pool_worker_skips_restore_and_idles"))
    check_equal(run.status, 0, "although something was found")


WORDS = {"": (0, 9, 125, 137), "findings": (0, 0, 0, 0), "bisect": (0, 1, 125, 1), "program": (0, 9, 125, 137)}


@test()
def statuses_where_nothing_was_found():
    """Each word of --exit-status, for a program that ends well, fails, asks to be skipped, is killed; and
    one line about the end, which no other line names."""
    for word, statuses in WORDS.items():
        for end, status in zip(("exit 0", "exit 9", "exit 125", "kill -KILL $$"), statuses):
            run = nsdrift("run", *([f"--exit-status={word}"] if word else []), "--", "/bin/sh", "-c", end)
            check_equal(run.status, status, f"{word or 'by default'}: {end}: {run.err}")
            lines = run.err.splitlines()
            check_equal(len(lines), 0 if end == "exit 0" else 1, f"lines of {end}: {lines}")
            check(end == "exit 0" or "sh ended with status" in run.err or "sh was ended by SIGKILL" in run.err,
                  run.err)


@test()
def statuses_where_something_was_found():
    """A finding decides, however the program ends; bisect and findings never go above 125."""
    faulty = programs.c("pool_worker_skips_restore_and_idles")
    for word in WORDS:
        for end, own in (("exit 9", 9), ("kill -TERM $$", 143)):
            run = nsdrift("run", *([f"--exit-status={word}"] if word else []), "--", "/bin/sh", "-c",
                          f"{faulty}; {end}")
            check_equal(run.status, own if word == "program" else 1, f"{word}: {end}: {run.err}")
            check("ended" not in run.err, "a report that says enough names the end too:", run.err)


@test()
def output_is_the_programs():
    for argv in (["/bin/sh", "-c", "echo out; echo err >&2"], [programs.c("errors_are_kept")]):
        native = shim.run(argv, on=False)
        run = nsdrift("run", "--", *argv)
        check_equal((run.out, run.err), (native.out, native.err), "stdout and stderr of a clean program")


@test()
def static_programs():
    """125, one line that says why, and the program is not started without --best-effort."""
    if not shutil.which("busybox"):
        raise Skip("busybox-static is not installed")
    run = nsdrift("run", "--", shutil.which("busybox"), "touch", settings.FOLDER / "touched")
    check_equal(run.status, 125, "a static program")
    check("static" in run.err and len(run.err.splitlines()) == 1, run.err)
    check(not (settings.FOLDER / "touched").exists(), "it was started")
    for way, own in (("true", 0), ("false", 1)):
        for word, status in (("", own or 125), ("findings", 125), ("bisect", own or 125), ("program", own)):
            run = nsdrift("run", "--best-effort", *([f"--exit-status={word}"] if word else []), "--",
                          shutil.which("busybox"), way)
            check_equal(run.status, status, f"--best-effort {word}: {way}")


@test()
def best_effort_without_a_folder():
    """Where no recording can be made the program is started all the same, and nobody calls it clean."""
    import os
    nowhere = {"base": {**os.environ, "TMPDIR": "/nowhere"}}
    run = nsdrift("run", "--best-effort", "--", "/bin/echo", "said", **nowhere)
    check_equal((run.status, run.out, run.err.count("no folder for the recordings")), (125, "said\n", 1), run.err)
    check_equal(nsdrift("run", "--best-effort", "--", "/bin/sh", "-c", "exit 4", **nowhere).status, 4, "its own")
    check_equal(nsdrift("run", "--", "/bin/echo", "said", **nowhere).out, "", "without --best-effort")


@test()
def loader_by_hand():
    """A program that is started by the loader's name is watched like any other."""
    import glob
    loaders = glob.glob("/lib64/ld-linux-*.so.2")
    if not loaders:
        raise Skip("there is no loader of glibc's here")
    run = nsdrift("run", "--", loaders[0], programs.c("setns_round_trip"))
    check_equal((run.status, run.err), (0, ""), "a clean program")
    run = nsdrift("run", "--", loaders[0], programs.c("pool_worker_skips_restore_and_idles"))
    check_equal((run.status, run.err.count("warning: left-switched")), (1, 1), run.err)


@test()
def launcher_is_named():
    from subjects import launcher
    program = programs.go("launcher")

    def run(argv, **keywords):
        return nsdrift("run", "--", *argv, **keywords)
    result, _ = launcher.start(program, 0, runner=run)
    check_equal(result.status, 1, result.err)
    check("unlocked-switch" in result.err, result.err)
    fixed, copied = launcher.start(programs.go("launcher", ldflags=launcher.FIXED, label="fixed"), 0,
                                   runner=run)
    check_equal((fixed.status, copied), (0, "world\n"), fixed.err)


@test()
def library_is_found():
    """By NSDRIFT_LIBRARY, else beside the command."""
    import os
    base = {k: v for k, v in os.environ.items() if not k.startswith("NSDRIFT")}
    copy = settings.FOLDER / "nsdrift"
    shutil.copy(settings.command(), copy)
    faulty = programs.c("pool_worker_skips_restore_and_idles")
    done = subprocess.run([copy, "run", "--", faulty], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(base, NSDRIFT_LIBRARY=str(settings.library())), text=True)
    check_equal(done.returncode, 1, f"by NSDRIFT_LIBRARY ({done.stdout})")
    shutil.copy(settings.library(), settings.FOLDER / "libnsdrift.so")
    done = subprocess.run([copy, "run", "--", faulty], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=base, text=True)
    check_equal(done.returncode, 1, f"beside the command ({done.stdout})")


@test()
def mistakes_in_the_call():
    """The first line says who speaks and what is wrong, and nothing that does not follow."""
    for argv, words in ((["run", "-x", "--", "true"], "invalid option -- 'x'"),
                        (["run", "--log"], "option '--log' requires an argument"),
                        (["report", "--nothing", "file"], "unrecognized option '--nothing'"),
                        (["scan", "--nothing"], "unrecognized option '--nothing'"),
                        (["repeat", "--nothing", "3"], "unrecognized option '--nothing'"),
                        (["run", "-o", "depth=many", "--", "true"], "in option 'depth=many'"),
                        (["run", "-o", "depths=3", "--", "true"], "unknown option 'depths'"),
                        (["run", "-o", "depth", "--", "true"], "option without a value 'depth'"),
                        (["repeat", "-o", "depth=many", "3", "--", "true"], "in option 'depth=many'")):
        run = nsdrift(*argv)
        first, *rest = run.err.splitlines()
        check_equal((run.status, len(rest)), (2, 1), f"{argv}: {run.err}")
        check(first.startswith("nsdrift: ") and first.endswith(words), argv, run.err)
        check(rest[0].startswith("Try 'nsdrift "), argv, run.err)
    run = subprocess.run([settings.command(), "run", "--", "/bin/echo", "said"], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=dict(shim.environment(False), NSDRIFT_OPTIONS="depth=many"))
    check_equal((run.returncode, run.stdout), (0, "said\n"), "a mistake in the environment stops nothing")
    check(run.stderr.endswith("'depth=many': the default is used\n"), run.stderr)


@test()
def folder_instead_of_a_program():
    for command in (["run"], ["repeat", 3]):
        run = nsdrift(*command, "--", settings.FOLDER)
        check_equal((run.status, run.err), (125, f"nsdrift: {settings.FOLDER} is a folder, not a program\n"), command)


def shown(text):
    """A manual or README as it is read: no macros of roff, lines that were broken in one."""
    text = text.replace("\\-", "-").replace("\\fB", "").replace("\\fP", "")
    return re.sub(r"\n {4,10}(?=[a-z])", " ", text)


@test()
def examples_are_current():
    """What README and the manuals show is what is said today: sentences, remedies, the closing line."""
    run = nsdrift("run", "-o", "verbosity=1", "--", programs.c("pool_worker_skips_restore_and_idles"))
    sentence = re.search(r"left-switched: thread \d+ (.*)", run.err)[1]
    remedy = re.search(r"Fix: (.*) at ", run.err)[1]
    pages = {path.name: shown(path.read_text())
             for path in (settings.ROOT / "README.md", *sorted((settings.SHIM / "man").iterdir()))}
    for name, text in pages.items():
        for said in re.findall(r"left-switched: thread \d+ (.*)", text):
            check(said.startswith(sentence), name, said)
    # Not how many functions: a new one would change every page.
    closing = re.sub(r"libc: \d+", "libc: N", re.search(r"libc: \d+ functions\. .*", run.err)[0])
    shown_closing = [re.sub(r"libc: \d+", "libc: N", line) for text in pages.values()
                     for line in re.findall(r"libc: [1-9]\d* functions\. .*", text)]
    check(len(shown_closing) >= 3, "examples with a closing line", shown_closing)
    for line in shown_closing:
        check(line.startswith(closing), "the closing line:", line, closing)
    check(f"Fix: {remedy} at " in pages["nsdrift-run.1"], remedy)


@test()
def guarantees_name_their_tests():
    """Each name in brackets in nsdrift-guarantees(7) is a part of the name of a test."""
    page = (settings.SHIM / "man" / "nsdrift-guarantees.7").read_text()
    named = {name for group in re.findall(r"^\.RB \[ (.*?)\]", page, re.S | re.M)
             for name in re.findall(r"[\w.]*\w", re.sub(r"^\.BR ", "", group, flags=re.M))}
    check(len(named) > 10, "names", sorted(named))
    known = [test.name for test in registry.tests]
    check_equal([name for name in sorted(named) if not any(name in test for test in known)], [], "no such test")


@test()
def help_and_version():
    for argv in (["--help"], ["help"], ["run", "--help"]):
        result = nsdrift(*argv)
        check_equal(result.status, 0, argv)
        check("nsdrift run" in result.out, argv, result.out)
    check("0." in nsdrift("--version").out, "--version")
