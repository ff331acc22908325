"""The small Go hosts, dynamic, with every release of Go that the probe knows."""
from harness import programs, releases, settings, shim
from harness.expectations import Expectation, hold_letters, hold_text
from harness.registry import check, check_equal, test


def verdict(program, expectation, release):
    native = shim.run([program], on=False)
    check_equal(native.status, expectation.status, "native exit status")
    plain = shim.run([program])
    check_equal((plain.status, plain.out), (native.status, native.out), "output under nsdrift")
    hold_text(expectation, native.err, plain.err, "the report by default")
    watched = shim.watched([program])
    check_equal((watched.status, watched.out), (native.status, native.out), "output, json")
    expectation.hold(watched.report)
    shim.check_coverage(watched.report, expectation.cross_check)
    images = [row for row in watched.report.coverage if row["image"].endswith(program.name)]
    check(images and all(row["go"] and row["go"].startswith(release) for row in images),
          "coverage does not name the release:", watched.report.coverage)


HOSTS = sorted(path for path in programs.GO.glob("*.expect"))
STRIPPED = (programs.DYNAMIC, "-s", "-w")

for path in HOSTS:
    for go in programs.GO_RELEASES:
        fast = go in releases.of_level("fast")

        @test(f"{path.stem}.{go}", level="fast" if fast else "gate", timeout=300,
              every_build=go == programs.NEWEST)
        def go_program(expect=path, release=go):
            verdict(programs.go(expect.stem, release), Expectation(expect), release)

for host in ("main_wedged", "unlocked_private_fs", "unlocked_setns", "unlocked_round_trip"):
    @test(f"text.{host}")
    def text_to_the_letter(name=host):
        hold_letters(programs.GO / f"{name}.text", shim.run([programs.go(name)]).err)


for go in programs.GO_RELEASES:
    @test(f"stripped.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
    def stripped(release=go):
        """Without symbol table and DWARF: functions and lines come from pclntab."""
        for name in ("visits_locked", "unlocked_round_trip", "restore_forgotten",
                     "thread_thrown_away", "children_in_namespaces"):
            program = programs.go(name, release, STRIPPED, "stripped")
            verdict(program, Expectation(programs.GO / f"{name}.expect"), release)


for go in programs.GO_RELEASES[2:]:
    @test(f"generic.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
    def generic(release=go):
        """Generic functions (from 1.18 on) go by the same name whatever types they are compiled for."""
        program = programs.go("main", release, folder=settings.PROGRAMS / "go_generic", label="generic")
        for where, name in (("function of int", "main.leave[...]"),
                            ("function of slice", "main.leave[...]"),
                            ("method of string", "main.(*box[...]).leave"),
                            ("method of box", "main.(*box[...]).leave")):
            run = shim.watched([program, where])
            check_equal((run.status, run.out, run.err), (0, "", ""), where)
            check_equal([(f["rule"], f["stack"][0]["function"]) for f in run.report.findings],
                        [("unlocked-switch", name)], where)


for host in ("visits_nested", "unlocked_by_method_value", "restore_forgotten", "thread_thrown_away"):
    @test(f"later.{host}", level="gate", timeout=300)
    def later(name=host):
        """Of a release that is newer than the table: as of the others, and the closing line says so."""
        for label, ldflags in (("", (programs.DYNAMIC,)), ("stripped", STRIPPED)):
            program = programs.go(name, releases.LATER, ldflags, label)
            verdict(program, Expectation(programs.GO / f"{name}.expect"), releases.LATER)
        rows = [row for row in shim.watched([program]).report.coverage if row["go"]]
        check(rows and all(row["go_newer"] for row in rows), "coverage:", rows)


@test("later.text", level="gate", timeout=300)
def later_text():
    """Functions, files and lines to the letter too."""
    text = shim.run([programs.go("unlocked_setns", releases.LATER)]).err
    words = f"Go {releases.LATER} (newer than what nsdrift was tested with):"
    check(words in text, "the closing line:", text)
    wanted = (programs.GO / "unlocked_setns.text").read_text()
    check_equal(shim.normalised(text.replace(words, f"Go {releases.LATER}:")).splitlines(),
                wanted.splitlines(), "the text")
