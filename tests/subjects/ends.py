"""Every way in which a process image ends brings the report, once."""
import re
import shutil
import signal
import subprocess
import tempfile

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test

from . import static

WAYS = ["return", "exit", "_exit", "_Exit", "quick_exit", "exit_group", "worker-exit", "execv",
        "execve", "execvp", "execl", "execle", "execlp", "fexecve", "execveat", "execve-by-syscall"]

for compiler, name in [(c, w) for c in ("gcc", "musl-gcc") for w in WAYS]:
    prefix = "musl." if compiler == "musl-gcc" else ""

    @test(prefix + name.replace("-", "_"), every_build=not prefix)
    def end(way=name, cc=compiler):
        program = programs.c("ends", compiler=cc)
        plain = shim.run([program, way])
        check_equal(plain.status, 3, "exit status")
        check_equal(plain.err.count("warning: left-switched"), 1, f"warnings in\n{plain.err}")
        watched = shim.watched([program, way], options="verbosity=1")
        check_equal(watched.status, 3, "exit status")
        check_equal(watched.report.faults(), ["left-switched"], "faults")
        shim.check_coverage(watched.report)
        ended = [row["ended"] for row in watched.report.coverage
                 if row.get("image", "").endswith("ends")]
        wanted = "exec" if "exec" in way and way != "worker-exit" else "exit"
        check(wanted in ended, "coverage says that the image ended by", ended)


@test(every_build=True)
def last_thread():
    """main is gone by pthread_exit, the last thread returns: exit status 0, and the report."""
    program = programs.c("ends")
    plain = shim.run([program, "last-thread"])
    check_equal(plain.status, 0, "exit status")
    check_equal(plain.err.count("warning: died-switched"), 1, f"warnings in\n{plain.err}")
    watched = shim.watched([program, "last-thread"], options="verbosity=1")
    check_equal(watched.report.faults(), ["died-switched"], "faults")
    shim.check_coverage(watched.report, ("agrees", "impossible"))


@test()
def exec_that_fails_says_nothing_twice():
    program = programs.c("exec_fails")
    plain = shim.run([program])
    check_equal(plain.err.count("left-switched"), 1, f"warnings in\n{plain.err}")
    watched = shim.watched([program])
    check_equal(watched.report.faults(), ["left-switched"], "faults")
    failed = [row for row in watched.report.other if row["type"] == "exec-failed"]
    check(failed, "no exec-failed line after a report that was made for an exec which came back")


@test()
def killed_by_a_signal():
    """A bare preload cannot report then; it must not change how the process dies."""
    native = shim.run(["sh", "-c", "kill -TERM $$"], on=False)
    check_equal(shim.run(["sh", "-c", "kill -TERM $$"]).status, native.status, "status")


# ---- Go programs that are ended by a signal ----

SIGNALS = {"term": signal.SIGTERM, "int": signal.SIGINT, "hup": signal.SIGHUP,
           "reset": signal.SIGTERM, "crash": signal.SIGABRT, "pipe": signal.SIGPIPE}


for go in programs.GO_RELEASES:
    for kind in ("dynamic", "static"):
        @test(f"go_by_signal.{kind}.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
        def go_by_signal(release=go, way=kind):
            """The report comes before the runtime raises the signal that ends the program."""
            ldflags = {} if way == "dynamic" else {"ldflags": (), "label": "static-plain"}
            program = programs.go("ends_by_signal", release, **ldflags)
            for how, number in SIGNALS.items():
                native = shim.run([program, how], on=False)
                check_equal((native.status, native.out), (-number, "ready\n"), f"{how}, natively")
                for goes_home in ((), ("home",)):
                    argv = [program, how, *goes_home]
                    run = static.watched(argv, "verbosity=1")
                    wanted = [] if goes_home else ["unlocked-while-switched"]
                    check_equal((run.status, run.out), (128 + number, native.out), f"{argv}")
                    check_equal(run.report.faults(), wanted, f"{argv}: faults by nsdrift run")
                    shim.check_coverage(run.report)
                    check_equal([row["ended"] for row in run.report.coverage], ["exit"], "ended")
                    if way == "static":
                        continue
                    plain = shim.run(argv)
                    check_equal((plain.status, plain.out), (native.status, native.out), f"{argv}")
                    check_equal(plain.err.count("error: unlocked-while-switched"), len(wanted),
                                f"{argv}: reports in\n{plain.err}")


@test("go_by_signal.as_pid_1")
def go_by_signal_as_first_process():
    """The kernel ignores such a signal for pid 1, and the runtime exits instead."""
    argv = ["unshare", "-p", "-f", "--mount-proc", programs.go("ends_by_signal"), "term"]
    native, run = shim.run(argv, on=False), shim.watched(argv, "verbosity=1")
    check_equal((run.status, run.out), (native.status, native.out), "status and output")
    check_equal(run.report.faults(), ["unlocked-while-switched"], "faults")


@test("go_by_signal.with_option")
def go_by_signal_with_option():
    """signal= for the signal that ends the program: one report, and the same end."""
    for program in (programs.go("ends_by_signal"), programs.go("ends_by_signal", ldflags=(),
                                                               label="static-plain")):
        run = static.watched([program, "term"], "signal=TERM:verbosity=1")
        check_equal((run.status, run.out), (128 + signal.SIGTERM, "ready\n"), "status and output")
        check_equal(run.report.faults(), ["unlocked-while-switched"], "faults")
        shim.check_coverage(run.report)


# ---- a thread that leaves in the middle of our work ----

def reports_or_says_why_not(output):
    """The fault, or a closing line that names what was missed."""
    return "warning: main-switched" in output or "not watched: " in output


@test("leaves.jump")
def jumps_out_of_our_work(count=100):
    """siglongjmp out of a handler: the lock that is left behind costs neither report nor time."""
    run = shim.run([programs.c("leaves_in_the_middle"), "jump", count])
    check_equal((run.status, run.out), (0, "done\n"), "status and output")
    check(reports_or_says_why_not(run.err), "neither report nor reason:", run.err)


@test("leaves.cancel")
def cancelled_in_our_work(count=60):
    run = shim.run([programs.c("leaves_in_the_middle"), "cancel", count])
    check_equal((run.status, run.out), (0, "done\n"), "status and output")
    check(reports_or_says_why_not(run.err), "neither report nor reason:", run.err)


@test("leaves.fork")
def forks_in_our_work(count=60):
    """A handler forks; the child returns from it into the call that was interrupted."""
    run = shim.run([programs.c("leaves_in_the_middle"), "fork", count])
    check_equal((run.status, run.out), (0, f"0 of {count} children ended otherwise\n"),
                f"status and output\n{run.err}")


def ends_in_our_work(way, count, is_told, options=""):
    silent = []
    for moment in range(count):
        run = shim.run([programs.c("leaves_in_the_middle"), way, moment], options=options)
        check_equal(run.status, 3, f"status\n{run.err}")
        if not is_told(run.err):
            silent.append((moment, run.err))
    check_equal(silent, [], f"runs of {count} without report and without a reason")


@test("leaves.exit")
def exits_in_our_work(count=25):
    """A handler that ends the program prints what is found so far."""
    ends_in_our_work("exit", count, reports_or_says_why_not)


@test("leaves.exec")
def execs_in_our_work(count=10):
    """An exec ends all other threads, so that there is no fault; both images have a closing line."""
    ends_in_our_work("exec", count, lambda output: output.count(" errors, ") == 2, "verbosity=1")


@test("leaves.late")
def exits_in_our_report(count=25):
    """A handler that ends the program interrupts the last report, on whatever stack that stands."""
    ends_in_our_work("late", count, lambda output: reports_or_says_why_not(output) or
                     "so its end was not judged" in output)


@test("leaves.jump.often", level="gate", timeout=300)
def a_thousand_jumps():
    jumps_out_of_our_work(1000)


@test("leaves.cancel.often", level="gate", timeout=300)
def a_thousand_cancels():
    cancelled_in_our_work(1000)


@test("leaves.fork.often", level="gate", timeout=300)
def a_thousand_forks():
    forks_in_our_work(1000)


@test("leaves.exit.often", level="gate", timeout=300)
def a_thousand_exits():
    exits_in_our_work(800)
    exits_in_our_report(500)
    execs_in_our_work(200)


@test("leaves.under_run")
def told_by_run_after_jumps():
    """What the guest did not judge, the command judges by the recording, and says what it lacks."""
    done = subprocess.run([settings.BUILD / "nsdrift", "run", "--", programs.c("leaves_in_the_middle"),
                           "jump", "40"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=100)
    check(reports_or_says_why_not(done.stderr), "neither report nor reason:", done.stderr)
    check_equal(done.returncode, 1 if "warning: main-switched" in done.stderr else 125, "status")


@test("leaves.no_call_is_dearer", timeout=200)
def later_calls_do_not_wait():
    """A call that waits in vain gives the processor away two hundred times. 4,000 calls after jumps
    do so together less often than a hundred such calls would."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    with tempfile.NamedTemporaryFile("r") as counts:
        run = shim.run(["strace", "-f", "-c", "--seccomp-bpf", "-e", "trace=sched_yield", "-o", counts.name,
                        programs.c("leaves_in_the_middle"), "jump", 100, 2000], timeout=150)
        rows = [line.split() for line in counts.read().splitlines() if "sched_yield" in line]
        shown = run.out, run.err
    check_equal(run.status, 0, f"status\n{shown}")
    check(sum(int(row[3]) for row in rows) < 20000, "sched_yield:", rows)


@test(every_build=True)
def handlers_check_their_stack():
    """No handler of the host runs on a stack of ours, whatever we are doing."""
    program = programs.c("handlers_check_their_stack")
    native = shim.run([program], on=False)
    for _ in range(3):
        run = shim.run([program])
        check_equal((run.status, run.out), (3, native.out), f"status and output\n{run.err}")
        check_equal(run.err.count("warning: left-switched"), 1, f"reports in\n{run.err}")


@test(every_build=True)
def handlers_on_disarmed_stack():
    """The kernel denies that there is an alternate stack; the lock stays with the code that was interrupted."""
    run = shim.run([programs.c("handlers_on_disarmed_stack")], options="verbosity=1")
    check_equal((run.status, run.out), (0, "done\n"), f"status and output\n{run.err}")
    check("0 records lost." in run.err and "not watched" not in run.err, run.err)
