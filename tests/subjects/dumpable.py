"""Processes that may not be looked at (PR_SET_DUMPABLE 0, or a file that may only be executed), without
the rights of root: the command says so, and what is watched is watched as ever."""
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from harness import programs, settings, shim, system
from harness.expectations import Expectation
from harness.registry import Skip, check, check_equal, test

from .scan import can_drop, drop

PR_SET_DUMPABLE = 4
EXECUTE_ONLY = 0o711  # of root's: others have the right to execute it, and none to read it


def drop_and_hide():
    """As PR_SET_DUMPABLE does not outlive an exec, it is set when the rights are gone."""
    drop()
    system.call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextmanager
def place():
    """A folder that everybody may use: the tests' own are not open to others."""
    if not settings.command().exists():
        raise Skip("this build has no command")
    can_drop()
    folder = Path(tempfile.mkdtemp(dir="/run"))
    folder.chmod(0o777)
    try:
        put(settings.library(), folder, "libnsdrift.so")
        yield folder
    finally:
        shutil.rmtree(folder)


def put(source, folder, name, mode=0o755):
    there = folder / name
    shutil.copy(source, there)
    there.chmod(mode)
    return there


def run(command, *argv, before=drop, **keywords):
    return shim.run([command, "run", "-o", "verbosity=1", *argv], on=False, before=before, cwd="/",
                    base=dict(os.environ, TMPDIR=str(command.parent)), **keywords)


def marks(folder, name):
    return [folder / f"{name}.began", folder / f"{name}.ended"]


def kinds_of_program():
    return (("static", programs.go("touches", ldflags=(), label="static-plain"), "injected"),
            ("dynamic", programs.go("touches"), "watched"))


@test()
def caller():
    """Of the caller's it is gone with the exec of the command."""
    with place() as folder:
        command = put(settings.command(), folder, "nsdrift")
        for kind, source, word in kinds_of_program():
            program, (began, ended) = put(source, folder, kind), marks(folder, kind)
            result = run(command, "--", program, began, ended, before=drop_and_hide)
            check_equal(result.status, 0, f"{kind}: {result.err}")
            check(word in result.err and ended.exists(), kind, result.err)


@test()
def command():
    """The command cannot trace its own children then: 125 and one line, not started; with
    --best-effort it is started all the same. A dynamic program wants no tracing."""
    with place() as folder:
        hidden = put(settings.command(), folder, "nsdrift", EXECUTE_ONLY)
        for kind, source, _ in kinds_of_program():
            program, (began, ended) = put(source, folder, kind), marks(folder, kind)
            result = run(hidden, "--", program, began, ended)
            if kind == "dynamic":
                check_equal(result.status, 0, result.err)
                check(ended.exists(), "it did not run")
                continue
            check_equal((result.status, len(result.err.splitlines())), (125, 1), result.err)
            check("could not be watched" in result.err and "PR_SET_DUMPABLE" in result.err, result.err)
            check(not began.exists(), "it was started")
            result = run(hidden, "--best-effort", "--", program, began, ended)
            check_equal(result.status, 125, result.err)
            check(began.exists() and ended.exists(), "it was not started:", result.err)


@test()
def program_that_may_only_be_executed():
    """What it is nobody can tell before it runs: one line, 125, and it is not started."""
    with place() as folder:
        command = put(settings.command(), folder, "nsdrift")
        for kind, source, _ in kinds_of_program():
            program, (began, ended) = put(source, folder, kind, EXECUTE_ONLY), marks(folder, kind)
            result = run(command, "--", program, began, ended)
            check_equal((result.status, len(result.err.splitlines())), (125, 1), f"{kind}: {result.err}")
            check(str(program) in result.err, kind, result.err)
            check(not began.exists(), kind, "was started")
            result = run(command, "--best-effort", "--", program, began, ended)
            check_equal(result.status, 125, f"{kind}: {result.err}")
            check(began.exists() and ended.exists(), kind, "was not started:", result.err)


@test()
def watched_program():
    """One that hides itself, and whose own /proc is another's, is seen as one of root's is."""
    with place() as folder:
        source = programs.c("hides_itself")
        program, log = put(source, folder, "hides_itself"), folder / "log"
        native = shim.run([program], on=False, before=drop, cwd="/")
        result = shim.run([program], options=f"json=1:verbosity=2:log_path={log}", before=drop, cwd="/",
                          base=dict(os.environ))
        check_equal((result.status, result.out, result.err), (native.status, native.out, native.err),
                    "status and output")
        report = shim.parse("".join(path.read_text() for path in folder.glob("log*")))
        Expectation(programs.C / "hides_itself.expect").hold(report)
        shim.check_coverage(report, ("agrees", "impossible"))
