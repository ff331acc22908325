"""Every way in which a process image ends brings the report, once."""
from harness import programs, shim
from harness.registry import check, check_equal, test

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
