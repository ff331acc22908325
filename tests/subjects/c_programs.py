"""The small C hosts: each natively and under nsdrift, with the report that stands beside it."""
from harness import programs, shim
from harness.expectations import Expectation, hold_letters, hold_text
from harness.registry import check_equal, test


def verdict(program, expectation):
    """Same output and status as native; the text and the JSON report are as expected."""
    native = shim.run([program], on=False)
    check_equal(native.status, expectation.status, "native exit status")
    plain = shim.run([program])
    check_equal((plain.status, plain.out), (native.status, native.out), "output under nsdrift")
    hold_text(expectation, native.err, plain.err, "the report by default")
    watched = (shim.watched_by_stderr if expectation.by_stderr else shim.watched)([program])
    check_equal((watched.status, watched.out), (native.status, native.out), "output, json")
    if expectation.same_stderr:
        check_equal(watched.err, native.err, "stderr with a log_path")
    expectation.hold(watched.report)
    shim.check_coverage(watched.report, expectation.cross_check)


for source in sorted(programs.C.glob("*.expect")):
    @test(source.stem, every_build=True)
    def c_program(path=source):
        verdict(programs.c(path.stem), Expectation(path))


WITH_TEXT = ("library_helper_outlives_visit", "main_away_while_sibling_mounts",
             "main_switches_and_pthread_exits", "mount_on_another_thread",
             "pool_worker_skips_restore_and_idles", "pool_worker_skips_restore_and_is_healed",
             "restore_fails_and_work_goes_on", "restore_fails_and_worker_idles",
             "restore_on_another_thread")

for source in WITH_TEXT:
    @test(f"text.{source}", every_build=True)
    def text_to_the_letter(name=source):
        hold_letters(programs.C / f"{name}.text", shim.run([programs.c(name)]).err)


@test("without_optimisation", level="gate", timeout=300)
def c_programs_at_O0():
    """Visits and their ends are told from stack slots: that must not depend on -O2."""
    failed = []
    for path in sorted(programs.C.glob("*.expect")):
        try:
            verdict(programs.c(path.stem, flags=("-O0",)), Expectation(path))
        except Exception as error:
            failed.append(f"{path.stem}: {error}")
    check_equal(failed, [], "hosts at -O0")


@test("without_frame_tables_or_symbols", level="gate", timeout=300)
def stripped():
    """Stripped and without frame pointers: verdicts need no names."""
    import subprocess
    for name in ("setns_round_trip", "pool_worker_skips_restore_and_idles",
                 "pool_worker_skips_restore_and_is_healed", "library_helper_outlives_visit",
                 "restore_fails_and_work_goes_on"):
        program = programs.c(name, flags=("-O2", "-fomit-frame-pointer"))
        bare = program.with_name(f"{name}-{programs.settings.FOLDER.parent.name}")
        try:
            subprocess.run(["strip", "-o", bare, program], check=True)
            verdict(bare, Expectation(programs.C / f"{name}.expect"))
        finally:
            bare.unlink(missing_ok=True)


for source in ("setns_round_trip", "thread_switches_and_returns", "errors_are_kept", "changes_root",
               "thread_switches_and_pthread_exits", "single_threaded_move", "spawns", "calls_by_syscall",
               "main_pthread_exits", "vfork_child_moves", "fork_child_moves", "worker_cancelled_in_visit"):
    @test(f"musl.{source}", level="fast")
    def musl_program(name=source):
        verdict(programs.c(name, compiler="musl-gcc"), Expectation(programs.C / f"{name}.expect"))


for form in ("vfork", "number", "raw", "clone"):
    for way in ("visits", "moves", "jumps", "exits", "cancelled"):
        @test(f"handlers_around_vfork.{form}.{way}", every_build=True)
        def handlers_around_vfork(words=(form, way)):
            """What a parent's handler does as the call returns is the parent's, not the child's."""
            # Without us the child of syscall() writes over its parent's way back: no native run.
            watched = shim.watched([programs.c("handlers_around_vfork"), *words])
            check_equal((watched.status, watched.out), (3, "") if words[1] == "exits" else (0, "done\n"),
                        "what it does")
            check_equal(watched.report.faults(), [] if words[1] == "visits" else ["main-switched"], "faults")


@test(level="gate", timeout=300)
def short_threads_in_constant_memory():
    native = shim.run([programs.c("many_short_threads"), 20000], on=False, timeout=250)
    watched = shim.watched([programs.c("many_short_threads"), 20000], timeout=250)
    check_equal(watched.out, native.out, "growth of memory over 20,000 threads")
    check_equal(watched.report.faults(), [], "faults")
    shim.check_coverage(watched.report)


@test(level="all", timeout=1800)
def a_million_short_threads_in_constant_memory():
    watched = shim.watched([programs.c("many_short_threads"), 1000000], timeout=1700)
    check_equal(watched.out, "grown by 0 MiB\n", "growth of memory over a million threads")
    shim.check_coverage(watched.report)
