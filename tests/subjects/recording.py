"""Recordings: that they say what the report from inside says, and that they outlive everything."""
import json
import os
import shutil

from harness import programs, recordings, settings, shim
from harness.expectations import Expectation
from harness.registry import Skip, check, check_equal, test

_number = 0


def folder(mode=0o777):
    global _number
    _number += 1
    path = settings.FOLDER / f"recordings{_number}"
    path.mkdir()
    os.chmod(path, mode)
    return path


def nsdrift(*argv, **keywords):
    if not settings.command().exists():
        raise Skip("this build has no command")
    return shim.run([settings.command(), *argv], on=False, **keywords)


def report(path, *more):
    """What `nsdrift report` says of a file or a folder, as JSON."""
    done = nsdrift("report", "--json", "--no-debug-info", "--severity", "note", *more, path)
    result = shim.parse(done.out)
    check(not result.strangers, "lines that are no JSON:", result.strangers[:3], done.err)
    result.status, result.err = done.status, done.err
    return result


# ---- the same result inside and outside ----

def essence(finding):
    """All of it but what a later report of the same image may have counted on."""
    return json.dumps({key: value for key, value in finding.items() if key != "count"},
                      sort_keys=True)


def same_result(program, by_stderr=False):
    """One run, told from inside and from its recordings."""
    path = folder()
    watch = shim.watched_by_stderr if by_stderr else shim.watched
    run = watch([program], options=f"verbosity=2:record={path}")
    names = sorted(path.iterdir())
    if not names:
        check(not run.report.findings, "findings, and no recording")
        return
    outside = report(path, "-v")
    # An exec that came back: from inside it was said before what followed was known.
    came_back = any(row["type"] == "exec-failed" for row in run.report.other)
    key = (lambda finding: finding["rule"] + finding["fingerprint"]) if came_back else essence
    inside_findings = {key(finding): finding for finding in run.report.findings}
    outside_findings = {key(finding): finding for finding in outside.findings}
    for text in inside_findings:
        check(text in outside_findings, "found inside alone:", text, "\noutside:",
              "\n".join(outside_findings))
    for text in outside_findings:
        check(text in inside_findings, "found outside alone:", text, "\ninside:",
              "\n".join(inside_findings))
    last = {}
    for row in run.report.coverage:
        last[(row["pid"], row["pid_ns"], row["image"])] = row
    for row in outside.coverage:
        inside = last.get((row["pid"], row["pid_ns"], row["image"]))
        if row["ended"] != "killed":
            check(inside is not None, "an image that said nothing from inside:", row)
            check_equal(row, inside, "the closing line")


for source in sorted(programs.C.glob("*.expect")):
    @test(f"same.c.{source.stem}", every_build=True)
    def same_for_c(path=source):
        same_result(programs.c(path.stem), Expectation(path).by_stderr)

for source in sorted(programs.GO.glob("*.expect")):
    @test(f"same.go.{source.stem}", timeout=300)
    def same_for_go(path=source):
        same_result(programs.go(path.stem))


@test("fork_copies_and_exec")
def images_of_one_process():
    """A fork copy has its own part, an exec'd image its own file; both tell what they did."""
    path = folder()
    shim.run([programs.c("fork_child_moves")], options=f"record={path}")
    outside = report(path)
    check(len({row["pid"] for row in outside.coverage}) > 1, "images:", outside.coverage)


# ---- what outlives what ----

@test(every_build=True)
def leaves_nothing_behind():
    """Every descriptor closed, the root changed, the environment cleared, then SIGKILL."""
    path = folder()
    program = programs.c("leaves_nothing_behind")
    native = shim.run([program], on=False)
    run = shim.run([program], options=f"record={path}")
    check_equal((run.status, run.out, run.err), (native.status, "", ""), "the host")
    check_equal(native.status, -9, "it kills itself")
    outside = report(path)
    check_equal(outside.faults(), ["left-switched"], "faults")
    killed = [row for row in outside.coverage if row["ended"] == "killed"]
    check_equal([row["lost"] for row in killed], [0], "killed images and what they lost")
    names = [frame["function"] for frame in outside.findings[0]["stack"]]
    check("visit" in names and "worker" in names, "the stack:", names)
    run = nsdrift("run", "--", program)
    check_equal(run.status, 1, "nsdrift run")
    check_equal(run.err.count("left-switched"), 1, f"reports in\n{run.err}")


def killed_at_random(rounds):
    """SIGKILL at a random moment: the recording is readable and whole up to its last event."""
    import mmap
    import random
    import signal
    import subprocess
    import time
    program = programs.c("switches_without_pause")
    shim.run([program, 1], on=False)  # skips where it cannot run
    path = folder()
    progress = settings.FOLDER / "progress"
    for number in range(rounds):
        progress.write_bytes(bytes(4096))
        child = subprocess.Popen([program, "0", progress], stdin=subprocess.DEVNULL,
                                 env=shim.environment(options=f"record={path}:record_size=32M"))
        time.sleep(random.uniform(0, 0.06))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        done = [int.from_bytes(progress.read_bytes()[i * 8:i * 8 + 8], "little") for i in range(8)]
        files = list(path.iterdir())
        if not files:
            check_equal(sum(done), 0, "no recording although calls were made")
            continue
        data = files[0].read_bytes()
        hold_prefixes(recordings.events(data), done)
        part = recordings.read_part(data)
        check_equal(part["overwritten"], 0, "overwritten")
        if number % 5 == 0:
            outside = report(path)
            check(outside.status == 0, "nsdrift report:", outside.status, outside.err)
            check_equal([(row["ended"], row["lost"]) for row in outside.coverage],
                        [("killed", 0)], "coverage")
        files[0].unlink()


QUEUE = 64  # events that had come back to the program and waited for the lock (probes/submit.c)


def hold_prefixes(events, done):
    """Each thread's calls are there from the first on, none missing, and none that was not made."""
    by_thread = {}
    for call, tid, arguments, _ in events:
        if call == "SOCKET":
            by_thread.setdefault(tid, []).append(arguments[2] - 1000)
    for tid, numbers in by_thread.items():
        check_equal(numbers, list(range(1, len(numbers) + 1)), f"calls of thread {tid}")
    recorded, known = sorted(map(len, by_thread.values())), sorted(n for n in done if n)
    check(sum(recorded) >= sum(known) - QUEUE, "calls that came back:", known, "recorded:", recorded)
    # A call that was recorded and has not come back: one for each thread.
    check(sum(recorded) <= sum(known) + 8, "calls that came back:", known, "recorded:", recorded)


@test("killed_at_random.20")
def killed_20_times():
    killed_at_random(20)


@test("killed_at_random.100", level="gate", timeout=300)
def killed_100_times():
    killed_at_random(100)


@test("killed_at_random.1000", level="all", timeout=1800)
def killed_1000_times():
    killed_at_random(1000)


# ---- a ring that goes round ----

@test(every_build=True)
def overwritten_events_cost_no_finding():
    """Far more events than there is room for: the findings are those of the report from inside."""
    path = folder()
    program = programs.c("switches_without_pause")
    run = shim.watched([program, 2000], options=f"record={path}:record_size=32K")
    files = list(path.iterdir())
    check_equal(len(files), 1, "recordings")
    part = recordings.read_part(files[0].read_bytes())
    check(part["overwritten"] > 1000 and part["keeping"] == 1, "the ring did not go round:", part)
    outside = report(path)
    check(run.report.findings, "this host makes a fault")
    check_equal(sorted(map(essence, outside.findings)), sorted(map(essence, run.report.findings)),
                "findings")
    check_equal(sorted(row["count"] for row in outside.findings),
                sorted(row["count"] for row in run.report.findings), "counts")
    check_equal(outside.coverage[-1], run.report.coverage[-1], "the closing line")
