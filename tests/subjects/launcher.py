"""The program that this project exists for: named in every run when it is faulty, failing or not, and
never accused when it is fixed."""
from collections import Counter

from harness import programs, settings, shim, system
from harness.registry import Failure, check, check_equal, test

RUNS = {"fast": 20, "gate": 200, "all": 1000}
FIXED = (programs.DYNAMIC, "-X main.discipline=locked")


def unshare_line():
    text = (programs.GO / "launcher.go").read_text().splitlines()
    return next(number for number, line in enumerate(text, 1) if "syscall.Unshare" in line)


def start(program, number, **keywords):
    """One container start in a mount namespace of its own; the run and what became of hello."""
    folder = settings.FOLDER / f"start{number}"
    folder.mkdir(exist_ok=True)
    (folder / "hello").write_text("hello\n")
    (folder / "world").write_text("world\n")
    (folder / "hello-copied").unlink(missing_ok=True)
    runner = keywords.pop("runner", shim.watched)
    result = runner([program, folder / "hello", folder / "world"], before=system.private_mounts,
                    **keywords)
    copied = folder / "hello-copied"
    return result, copied.read_text() if copied.exists() else None


def right(result, copied):
    return result.status == 0 and copied == "world\n"


def check_named(result):
    found = [f for f in result.report.findings if f["severity"] != "note"]
    check_equal([f["rule"] for f in found], ["unlocked-switch"], "findings of the faulty launcher")
    finding = found[0]
    check_equal(finding["severity"], "error", "severity")
    top = finding["stack"][0]
    check_equal((top["function"], top["file"].rsplit("/", 1)[-1], top["line"]),
                ("main.main", "launcher.go", unshare_line()), "the place that is named")
    check_equal((finding["goroutine"], finding["locked"], finding["call"]), (1, False, "unshare"),
                "goroutine, lock and call")
    check("mnt" in finding["namespaces"], "kinds", finding["namespaces"])
    row = finding["namespaces"]["mnt"]
    check(row["before"] and row["before"] == row["home"], "before and home", row)
    check("LockOSThread" in finding["remedy"], "remedy", finding["remedy"])


def repeat(release, ldflags, label, times, judge):
    program = programs.go("launcher", release, ldflags, label)
    seen = Counter()
    for number in range(times):
        result, copied = start(program, number % 10, options="verbosity=1")
        good = right(result, copied)
        seen["worked" if good else "failed"] += 1
        try:
            judge(result, good)
            shim.check_coverage(result.report)
        except Failure as failure:
            raise Failure(f"start {number + 1} of {times} ({dict(seen)}): {failure}\n{result.err}")
    print(dict(seen))


def named(result, good):
    check_named(result)


def cleared(result, good):
    check_equal(result.report.faults(), [], "findings of the fixed launcher")
    check(good, "the fixed launcher failed:", result.status, result.err)


for go in programs.GO_RELEASES:
    @test(f"faulty.{go}", level="fast" if go in ("1.19", programs.NEWEST) else "gate", timeout=1200,
          every_build=go == programs.NEWEST)
    def faulty(release=go):
        repeat(release, (programs.DYNAMIC,), "", RUNS[settings.LEVEL], named)

    @test(f"fixed.{go}", level="fast" if go in ("1.19", programs.NEWEST) else "gate", timeout=1200,
          every_build=go == programs.NEWEST)
    def fixed(release=go):
        repeat(release, FIXED, "fixed", RUNS[settings.LEVEL], cleared)

    @test(f"stripped.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
    def stripped(release=go):
        repeat(release, (programs.DYNAMIC, "-s", "-w"), "stripped", 10, named)
        repeat(release, (*FIXED, "-s", "-w"), "fixed-stripped", 10, cleared)

    @test(f"forced.{go}", level="fast" if go in ("1.19", programs.NEWEST) else "gate", timeout=300)
    def forced(release=go):
        """The migration happens for certain: what followed stands in the finding, both threads named."""
        program = programs.go("launcher_forced", release)
        vanished = 0
        for number in range(10):
            result, copied = start(program, number, options="verbosity=1")
            check(not right(result, copied), "the forced launcher worked")
            vanished += "/ns/mnt" in result.err
            found = [f for f in result.report.findings if f["severity"] != "note"]
            check_equal([f["rule"] for f in found], ["unlocked-switch"], "findings")
            finding = found[0]
            follow = {c["rule"]: c for c in finding["consequences"]}
            check("split-sequence" in follow, "split-sequence is missing:", finding)
            split = follow["split-sequence"]
            check(split["tid"] and finding["tid"] and split["tid"] != finding["tid"],
                  "both threads:", finding)
            check(finding["stack"] and split["stack"], "both stacks:", finding)
            check_equal(split["stack"][0]["function"], "main.main", "where the second mount is made")
            check("exec-discards" in follow, "exec-discards is missing:", finding)
            shim.check_coverage(result.report)
        check(vanished, "in no run did the thread vanish that nsenter was told")


@test()
def text():
    """The report as a user sees it: what, where, what followed, the remedy, the coverage."""
    program = programs.go("launcher")
    result, copied = start(program, 0, runner=shim.run)
    line = unshare_line()
    for words in ("nsdrift: error: unlocked-switch: goroutine 1 moved thread",
                  "unshare(CLONE_NEWNS) = 0", "mnt 40", f"#0 main.main launcher.go:{line}",
                  "#1 runtime.main proc.go:",
                  f"Fix: call runtime.LockOSThread() before launcher.go:{line}",
                  f"nsdrift: 1 error, 0 warnings. Go {programs.NEWEST}: ",
                  "0 records lost."):
        check(words in result.err, f"no {words!r} in:\n{result.err}")
    fixed, copied = start(programs.go("launcher", ldflags=FIXED, label="fixed"), 0, runner=shim.run)
    check_equal((fixed.status, fixed.err, copied), (0, "", "world\n"), "the fixed one")


@test(level="gate", timeout=300)
def natively_it_fails_seldom():
    """The hosts themselves: the fixed one never fails natively, the forced one always does."""
    for number in range(50):
        fixed, copied = start(programs.go("launcher", ldflags=FIXED, label="fixed"), 0,
                              runner=shim.run, on=False)
        check(right(fixed, copied), "the fixed launcher failed natively", fixed)
    forced, copied = start(programs.go("launcher_forced"), 0, runner=shim.run, on=False)
    check(not right(forced, copied), "the forced launcher worked natively")
