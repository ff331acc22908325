"""What nsdrift saw against what strace shows of another run: per thread the same namespace and mount
calls, in order, with the same results. A shim that does nothing fails each of these."""
from harness import programs, settings, strace, system
from harness.expectations import Expectation
from harness.registry import test

# Without a namespace call of their own, or never the same twice.
NOT_COMPARED = {"many_short_threads", "spawns", "cancelled_in_open", "handlers_make_calls"}

for source in sorted(programs.C.glob("*.expect")):
    if source.stem in NOT_COMPARED:
        continue

    @test(source.stem, every_build=True)
    def c_program(name=source.stem):
        expectation = Expectation(programs.C / f"{name}.expect")
        strace.compare([programs.c(name)], by_stderr=True, cross_check=expectation.cross_check)

for source in ("setns_round_trip", "changes_root", "calls_by_syscall", "errors_are_kept"):
    @test(f"musl.{source}")
    def musl_program(name=source):
        expectation = Expectation(programs.C / f"{name}.expect")
        strace.compare([programs.c(name, compiler="musl-gcc")], by_stderr=True,
                       cross_check=expectation.cross_check)

for source in sorted(programs.GO.glob("*.expect")):
    for go in programs.GO_RELEASES:
        @test(f"go.{source.stem}.{go}", level="fast" if go == programs.NEWEST else "gate",
              timeout=300)
        def go_program(name=source.stem, release=go):
            expectation = Expectation(programs.GO / f"{name}.expect")
            strace.compare([programs.go(name, release)], same_threads=expectation.same_threads,
                           cross_check=expectation.cross_check)


def launch(program):
    """A program that is given hello and world, which are there anew for each of the two runs."""
    def prepare():
        system.private_mounts()
        (settings.FOLDER / "hello").write_text("hello\n")
        (settings.FOLDER / "world").write_text("world\n")
    return strace.compare([program, settings.FOLDER / "hello", settings.FOLDER / "world"],
                          before=prepare)


for go in programs.GO_RELEASES:
    @test(f"launcher.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
    def launcher(release=go):
        launch(programs.go("launcher", release, (programs.DYNAMIC, "-X main.discipline=locked"),
                           "fixed"))
