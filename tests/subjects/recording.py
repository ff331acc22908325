"""Recordings: that they say what the report from inside says, and that they outlive everything."""
import datetime
import json
import os
import re
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
    """All of it but what a later report of the same image may have counted on, and the time's last digits:
    after a report on the way the recording has a later pair of clocks, which rounds in its own way."""
    same = {key: value for key, value in finding.items() if key != "count"}
    moment = datetime.datetime.fromisoformat(same["time"].removesuffix("Z")) if same.get("time") else None
    if moment:
        same["time"] = round(moment.replace(tzinfo=datetime.timezone.utc).timestamp(), 3)
    return json.dumps(same, sort_keys=True)


def same_result(program, by_stderr=False, more=""):
    """One run, told from inside and from its recordings."""
    path = folder()
    watch = shim.watched_by_stderr if by_stderr else shim.watched
    run = watch([program], options=f"verbosity=2:record={path}{more}")
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


# Its stacks and their names find no room in a recording of the usual size, which is counted there alone.
WITH_ROOM = {"main_away_after_many_stacks": ":record_size=16M"}

for source in sorted(programs.C.glob("*.expect")):
    @test(f"same.c.{source.stem}", every_build=True)
    def same_for_c(path=source):
        same_result(programs.c(path.stem), Expectation(path).by_stderr, WITH_ROOM.get(path.stem, ""))

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
        files = [file for file in path.iterdir() if not file.name.startswith(".")]
        if not files:
            check_equal(sum(done), 0, "no recording although calls were made")
            for half_made in path.iterdir():
                half_made.unlink()
            continue
        data = files[0].read_bytes()
        hold_prefixes(recordings.events(data), done)
        part = recordings.read_part(data)
        check_equal(part["overwritten"], 0, "overwritten")
        if number % 5 == 0:
            outside = report(path)
            # Killed in the middle of a visit, nobody can judge the end.
            away = any("killed, its end could not be judged" in row.get("unjudged", "") for row in outside.coverage)
            check_equal(outside.status, 125 if away else 0, f"nsdrift report: {outside.err}")
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


# ---- a ring that goes round, tables that are full ----

@test(every_build=True)
def stacks_of_events_cost_no_finding_its_own():
    """More stacks than the tables have room for: the finding that comes last has its stack and words, and
    what was left out is counted."""
    path = folder()
    run = shim.watched([programs.c("main_away_after_many_stacks")], options=f"record={path}")
    outside = report(path)
    check(outside.coverage[-1]["unnamed"] > 1000, "the tables were not full:", outside.coverage)
    check_equal(list(map(essence, outside.findings)), list(map(essence, run.report.findings)), "findings")
    check_equal([finding["rule"] for finding in outside.findings], ["main-switched"], "rules")


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


# ---- files ----

@test(every_build=True)
def made_for_its_owner_alone():
    """0600 under a name that tells program, pid, pid namespace and time; no link is followed."""
    path = folder()
    shim.run([programs.c("setns_round_trip")], options=f"record={path}")
    files = list(path.iterdir())
    check_equal([oct(file.stat().st_mode) for file in files], ["0o100600"], "modes")
    words = files[0].name.split(".")
    check_equal((words[0], len(words), len(words[4])), ("setns_round_trip", 5, 16), files[0].name)
    check(words[1].isdigit() and words[2].isdigit() and words[3].isdigit(), files[0].name)
    size = files[0].stat().st_size
    check(files[0].stat().st_blocks * 512 >= size, "the file is sparse:", size)


@test(every_build=True)
def nothing_happened():
    """An image without an event leaves no file, however it ends; also an exec that fails."""
    for argv in (["/bin/true"], ["/bin/sh", "-c", "exec true"], ["/bin/sh", "-c", "exec /nowhere"],
                 ["env", "PATH=/nowhere:/usr/bin:/bin", "true"]):
        path = folder()
        shim.run(argv, options=f"record={path}")
        check_equal([file.name for file in path.iterdir()], [], f"files of {argv}")


@test()
def after_an_exec_that_failed():
    """What had no event yet is taken away before an exec; if that fails, recording goes on."""
    path = folder()
    run = shim.watched([programs.c("exec_then_switch")], options=f"record={path}")
    outside = report(path)
    check_equal(outside.faults(), run.report.faults(), "faults")
    check(outside.faults(), "this host makes a fault")


def small_tmpfs(size):
    from harness import system
    path = folder(0o700)
    system.mount("none", str(path), "tmpfs", 0, f"size={size}".encode())
    return path


@test(every_build=True)
def full_disk():
    """One line at start, and the host is unharmed; never a SIGBUS when the disk is full later."""
    program = programs.c("setns_round_trip")
    native = shim.run([program], on=False)
    path = small_tmpfs("64k")
    run = shim.run([program], options=f"record={path}")
    check_equal((run.status, run.out), (native.status, native.out), "the host")
    check_equal(len(run.err.splitlines()), 1, f"lines in {run.err!r}")
    check("ENOSPC" in run.err and "nothing is recorded" in run.err, run.err)
    check_equal(list(path.iterdir()), [], "what is left")
    # Room for the recording alone: the rest of the disk fills up while the host runs.
    path = small_tmpfs("1m")
    faulty = programs.c("switches_without_pause")
    run = shim.run(["/bin/sh", "-c", f'head -c 2m /dev/zero > {path}/filler; exec "$0" 50', faulty],
                   options=f"record={path}")
    check("ENOSPC" in run.err, run.err)
    path = small_tmpfs("1m")
    run = shim.run(["/bin/sh", "-c", f'(sleep 0.2; head -c 2m /dev/zero > {path}/filler) & "$0" 3000',
                    faulty], options=f"record={path}:log_path=/dev/null")
    check_equal(run.status, 0, "the host, while the disk fills up")


@test(every_build=True)
def limit_of_file_sizes():
    """RLIMIT_FSIZE: a smaller recording, or none; SIGXFSZ never."""
    import resource
    program = programs.c("thread_switches_and_returns")
    native = shim.run([program], on=False)
    for limit, wanted in ((0, 0), (4096, 0), (20000, 0), (60000, 1), (200000, 1), (10 ** 6, 1)):
        path = folder()
        run = shim.run([program], options=f"record={path}",
                       before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        check_equal((run.status, run.out), (native.status, native.out), f"the host, limit {limit}")
        files = list(path.iterdir())
        check_equal(len(files), wanted, f"recordings, limit {limit}")
        check_equal(len(run.err.splitlines()), 1 - wanted, f"lines in {run.err!r}")
        if files:
            check_equal(report(path).rules(), ["died-switched"], f"limit {limit}")


@test(every_build=True)
def folder_that_cannot_be_used():
    program = programs.c("setns_round_trip")
    native = shim.run([program], on=False)
    link = settings.FOLDER / "link"
    link.symlink_to("/nowhere")
    for name, word in (("/nowhere/at/all", "ENOENT"), ("/dev/null", "ENOTDIR"), (link, "ENOENT"),
                       ("x" * 300, "ENAMETOOLONG"), ("/proc/self", "E")):
        run = shim.run([program], options=f"record={name}")
        check_equal((run.status, run.out), (native.status, native.out), f"the host, {name}")
        check_equal(len(run.err.splitlines()), 1, f"lines in {run.err!r}")
        check(word in run.err, name, run.err)
    for size in ("1K", "1000M", "x", "-1"):
        path = folder()
        run = shim.run([program], options=f"record={path}:record_size={size}")
        check("record_size" in run.err, run.err)
        check_equal(len(list(path.iterdir())), 1, "recordings, with the default size")


@test()
def relative_folder():
    path = folder()
    (path / "inner").mkdir()
    shim.run([programs.c("thread_switches_and_returns")], options="record=inner", cwd=path)
    check_equal(report(path / "inner").rules(), ["died-switched"], "findings")


@test()
def two_tools_in_one_folder():
    """Many at once with one folder: each file is whole and of one process."""
    import subprocess
    path = folder()
    program = programs.c("thread_switches_and_returns")
    running = [subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                env=shim.environment(options=f"record={path}:log_path=/dev/null"))
               for _ in range(20)]
    statuses = {child.wait() for child in running}
    check_equal(statuses, {shim.run([program], on=False).status}, "statuses")
    outside = report(path)
    check_equal(len(list(path.iterdir())), 20, "recordings")
    check_equal(len({row["pid"] for row in outside.coverage}), 20, "processes")
    check_equal(outside.rules(), ["died-switched"] * 20, "findings")


# ---- many images ----

@test("many_images", timeout=600)
def many_images():
    """A script that builds what it starts executes thousands: none is lost, whatever their number."""
    count = {"fast": 2100, "gate": 4000, "all": 20000}[settings.LEVEL]
    faulty = programs.c("thread_switches_and_returns")
    script = f"i=0; while [ $i -lt {count} ]; do /bin/true; i=$((i+1)); done; {{}}exec {{}}"
    run = nsdrift("run", "-o", "verbosity=1", "--", "/bin/sh", "-c", script.format("", "/bin/true"),
                  timeout=60 + count // 20)
    check_equal(run.status, 0, run.err[-2000:])
    silent = re.search(r"(\d+) more process images were watched and had nothing to say", run.err)
    lines = run.err.count("0 errors, 0 warnings.")
    check_equal(lines + int(silent[1]), count + 2, f"images {lines} {silent}")
    run = nsdrift("run", "--json", "--", "/bin/sh", "-c", script.format(f"{faulty}; ", "/bin/true"),
                  timeout=60 + count // 20)
    named = [f for f in shim.parse(run.err).findings if f["program"] == faulty.name]
    check(named, "the last but one was not named:", run.status, run.err[-500:])


# ---- forks ----

def fork_storm(count, timeout=60):
    program = programs.c("forks_and_switches")
    native = shim.run([program, count], on=False, timeout=timeout)
    check_equal(native.out, "0 failed\n", "native")
    path = folder()
    run = shim.run([program, count], options=f"record={path}:log_path=/dev/null", timeout=timeout)
    check_equal((run.status, run.out, run.err), (0, native.out, ""), "with a recording")
    check_equal(len(list(path.iterdir())), 1, "recordings: all of it is in the parent's file")
    place = folder()
    keywords = {"timeout": timeout, "base": dict(os.environ, TMPDIR=str(place))}
    run = nsdrift("run", "--", program, count, **keywords)
    check_equal((run.status, run.out, run.err), (0, native.out, ""), "nsdrift run")
    run = nsdrift("run", "-o", "severity=note", "--", program, count, "faulty", **keywords)
    check_equal(run.err.count("died-switched"), 1, f"notes in\n{run.err[-3000:]}")
    check_equal(os.listdir(place), [], "folders that are left")


@test("fork_storm.200")
def fork_storm_200():
    fork_storm(200)


@test("fork_storm.2000", level="gate", timeout=300)
def fork_storm_2000():
    fork_storm(2000)


@test("fork_storm.100000", level="all", timeout=3600)
def fork_storm_100000():
    fork_storm(100000, timeout=1200)


# ---- nsdrift run on top of it ----

@test("run.signals")
def signals_without_handlers():
    """SIGTERM and Ctrl-C on a Go program that has no handler: it dies, and the report is there."""
    import signal
    import subprocess
    import time
    if not settings.command().exists():
        raise Skip("this build has no command")
    program = programs.go("waits_unlocked")
    for number, to_group in ((signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGQUIT, True),
                             (signal.SIGKILL, None), (signal.SIGSEGV, None)):
        child = subprocess.Popen([settings.command(), "run", "--", program], start_new_session=True,
                                 env=shim.environment(on=False), stderr=subprocess.PIPE, text=True,
                                 stdin=subprocess.DEVNULL)
        time.sleep(0.7)
        if to_group:
            os.killpg(child.pid, number)
        elif to_group is None:
            listed = f"/proc/{child.pid}/task/{child.pid}/children"
            os.kill(int(open(listed).read().split()[0]), number)
        else:
            child.send_signal(number)
        try:
            _, err = child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            check(False, f"signal {number} has ended nothing:", "\n".join(shim.standing(child.pid)))
        check_equal(child.returncode, 1, f"status, signal {number}")
        check_equal(err.count("error: unlocked-switch"), 1, f"signal {number}:\n{err}")


@test("run.killed")
def run_of_what_is_killed():
    run = nsdrift("run", "--json", "--", programs.c("leaves_nothing_behind"))
    result = shim.parse(run.err)
    check_equal(run.status, 1, "status")
    check(any(row["ended"] == "killed" and row["lost"] == 0 for row in result.coverage), run.err)
    run = nsdrift("run", "--exit-status=program", "--", programs.c("leaves_nothing_behind"))
    check_equal(run.status, 128 + 9, "--exit-status=program")


@test("run.watched_or_never_loaded")
def watched_or_never_loaded():
    """0 for what was watched and did nothing, also when it was killed; 125 for what never was."""
    check_equal(nsdrift("run", "--", "/bin/true").status, 0, "nothing happened")
    run = nsdrift("run", "--", "/bin/sh", "-c", "kill -9 $$")
    check_equal((run.status, run.err.count("sh was ended by SIGKILL; nothing was found")), (137, 1), run.err)
    check_equal(nsdrift("run", "--exit-status=findings", "--", "/bin/sh", "-c", "kill -9 $$").status, 0,
                "killed, and clean")
    run = nsdrift("run", "--best-effort", "--", shutil.which("busybox") or "/bin/busybox", "true")
    check_equal(run.status, 125, f"never loaded: {run.err}")


UNENDED = "left no report of its end, which could not be judged"
KILLED = "killed, its end could not be judged"


@test("run.ends_by_own_instruction", every_build=True)
def end_that_nobody_saw():
    """exit_group by an instruction of the program's own: nobody judged the threads, so it is not clean."""
    program = programs.c("ends_by_own_instruction")
    for how in ("good", "bad"):
        for options in ([], ["--strict"], ["--exit-status=findings"], ["--exit-status=bisect"]):
            run = nsdrift("run", *options, "--", program, how)
            check_equal((run.status, run.err.count(UNENDED), len(run.err.splitlines())), (125, 1, 1),
                        f"{how}, {options}: {run.err}")
    run = nsdrift("run", "--", program, "child")
    check_equal((run.status, run.err.count(KILLED)), (125, 1), f"a child: {run.err}")
    rows = shim.parse(nsdrift("run", "--json", "--", program, "child").err).coverage
    check(any(KILLED in row.get("unjudged", "") for row in rows), "in JSON", rows)
    path = folder()
    nsdrift("run", "-o", f"record={path}", "--", program, "bad")
    outside = report(path)
    check_equal(outside.status, 125, f"nsdrift report: {outside.err}")


@test("run.switches_by_own_instruction", every_build=True)
def switch_that_nobody_saw():
    """setns by an instruction of the program's own: the last look at the threads sees where they are."""
    program = programs.c("switches_by_own_instruction")
    for options in ([], ["--strict"], ["-o", "verbosity=1"]):
        run = nsdrift("run", *options, "--", program, "bad")
        check_equal((run.status, run.err.count("the last look at its threads disagrees")), (125, 1), run.err)
        check_equal(nsdrift("run", *options, "--", program, "good").status, 0, "good")
        run = nsdrift("run", *options, "--", program, "child")
        check_equal((run.status, run.err.count("the last look at its threads disagrees")), (125, 1), run.err)


@test("run.hides_proc")
def nobody_can_look():
    """Threads that have switched, and no /proc at the end: not judged, and said."""
    run = nsdrift("run", "--", programs.c("hides_proc"))
    check_equal((run.status, run.err.count("its threads could not be looked at in the end")), (125, 1), run.err)
    check_equal(nsdrift("run", "--exit-status=program", "--", programs.c("hides_proc")).status, 0, "its own")


@test("run.killed_while_away")
def killed_while_away():
    """A signal ends a daemon: with every thread at home that is judged, with one elsewhere it is not."""
    import signal
    import subprocess
    if not settings.command().exists():
        raise Skip("this build has no command")
    program = programs.c("waits_for_its_end")
    for number in (signal.SIGTERM, signal.SIGKILL):
        for where, status, words in (("home", 128 + number, f"was ended by {number.name}"),
                                     ("away", 125, KILLED)):
            child = subprocess.Popen([settings.command(), "run", "--", program, where],
                                     env=shim.environment(on=False), stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if child.stdout.readline() != "ready\n":
                raise Skip(child.communicate()[1])
            os.kill(int(open(f"/proc/{child.pid}/task/{child.pid}/children").read().split()[0]), number)
            _, err = child.communicate(timeout=30)
            check_equal((child.returncode, err.count(words), len(err.splitlines())), (status, 1, 1),
                        f"{number.name}, {where}: {err}")
    # Of a child the command does not know how it ended.
    script = '"$0" {} > "$1" & while [ ! -s "$1" ]; do sleep 0.05; done; kill -9 $!; wait; exit 0'
    for where, status in (("home", 0), ("away", 125)):
        said = settings.FOLDER / f"said.{where}"
        run = nsdrift("run", "--", "/bin/sh", "-c", script.format(where), program, said)
        check_equal((run.status, run.err.count(KILLED)), (status, status == 125), f"a child, {where}: {run.err}")


@test("run.zombie")
def killed_and_not_waited_for():
    """A child that was killed and is a zombie when the command ends does not run on."""
    run = nsdrift("run", "--json", "--", "/usr/bin/python3", "-c",
                  "import os, subprocess, sys\n"
                  "child = subprocess.Popen([sys.argv[1], 'away'], stdout=subprocess.PIPE)\n"
                  "child.stdout.readline(); child.kill()\n"
                  "os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)\n"
                  "os._exit(0)", programs.c("waits_for_its_end"))
    ended = [row["ended"] for row in shim.parse(run.err).coverage if row["program"] == "waits_for_its_end"]
    check_equal((run.status, sorted(ended)), (125, ["exit", "killed"]), run.err)


@test("run.set_uid_children")
def set_uid_children():
    """A program that runs with other rights ignores the preload: it is listed, with the reason."""
    program = settings.FOLDER / "other-rights"
    shutil.copy(programs.c("setns_round_trip"), program)
    try:
        os.chown(program, 65534, 65534)
        program.chmod(0o4755)
    except OSError:
        raise Skip("there is no second user here")
    if os.statvfs(program).f_flag & os.ST_NOSUID:
        raise Skip("the folder is mounted nosuid")
    os.chmod(settings.FOLDER, 0o755)
    why = f"{program}: it is set-uid, set-gid, or has file capabilities"
    for script in (f"{program}; true", f"exec {program}"):
        run = nsdrift("run", "--exit-status=findings", "--", "/bin/sh", "-c", script)
        check_equal((run.status, run.err.count(why)), (0, 1), f"{script}: {run.err}")
        run = nsdrift("run", "--exit-status=findings", "--strict", "--", "/bin/sh", "-c", script)
        check_equal((run.status, run.err.count(why)), (125, 1), f"--strict, {script}: {run.err}")


HIDDEN = "it was started where the folder of the recordings cannot be reached"


def over_the_folder(script, *argv, command=("run",), options=()):
    """A run whose folder disappears behind a file system that its own command mounts over it."""
    path = folder()
    return nsdrift(*command, *options, "--", "unshare", "--mount", "/bin/sh", "-c",
                   f'mount -t tmpfs none {path} && {script}', *argv,
                   base={**os.environ, "TMPDIR": str(path)})


@test("run.behind_a_mount")
def started_behind_a_mount():
    """What loads the library and cannot tell anybody is no clean run: Go, and what the command is."""
    program = programs.go("unlocked_setns")
    run = over_the_folder('"$0"; true', program)
    check_equal(run.status, 125, f"a child in Go: {run.err}")
    check(f"not watched: {program}: {HIDDEN}" in run.err, run.err)
    other = programs.c("thread_switches_and_returns")
    run = over_the_folder('exec "$0"', other)
    check_equal(run.status, 125, f"in place of the command: {run.err}")
    check(f"not watched: {other}: {HIDDEN}" in run.err, run.err)
    run = over_the_folder('exec "$0"', other, command=("repeat", "2"))
    check_equal((run.status, "not watched, or not all of it: 2 runs" in run.out), (125, True), run.out)
    # Another child is listed for who asks, and decides nothing.
    run = over_the_folder('"$0"; true', other)
    check_equal((run.status, run.err), (0, ""), "a child in C")
    run = over_the_folder('"$0"; true', other, options=("-o", "verbosity=1"))
    check_equal((run.status, run.err.count(HIDDEN)), (0, 1), run.err)
    check_equal(over_the_folder('"$0"; true', other, options=("--strict",)).status, 125, "--strict")
    # An exec that comes back has started nothing.
    run = over_the_folder("exec /nowhere/at/all", options=("-o", "verbosity=1"))
    check(HIDDEN not in run.err, "an exec that failed is named:", run.err)


@test("run.gives_up_its_rights")
def gives_up_its_rights():
    """The capabilities that still open the folder before the exec are gone after it."""
    if shutil.which("setpriv") is None:
        raise Skip("there is no setpriv")
    dropped = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if shim.run([*dropped, "/bin/true"], on=False).status != 0:
        raise Skip("there is no second user in this user namespace")
    run = nsdrift("run", "--", *dropped, "/bin/echo", "said")
    check_equal((run.status, run.out), (125, "said\n"), run.err)
    check(f"not watched: /bin/echo: {HIDDEN}" in run.err, run.err)


@test("run.limit_of_file_sizes")
def command_under_a_limit_of_file_sizes():
    """SIGXFSZ does not end the command, and the program still has it as it was."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000))
    run = nsdrift("run", "--", "/bin/true", before=limit)
    check_equal(run.status, 125, f"no room for the recordings: {run.err}")
    check("File too large" in run.err, run.err)
    path = folder()
    shim.run([programs.c("thread_switches_and_returns")], options=f"record={path}")
    trace = path / "trace"
    before = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
    run = nsdrift("report", "--trace", trace, path, before=before)
    check_equal(run.status, 125, f"no room for the trace: {run.err}")
    check("File too large" in run.err, run.err)
    run = nsdrift("run", "--exit-status=program", "--", "/bin/sh", "-c", "kill -XFSZ $$")
    check_equal(run.status, 128 + 25, "the program's own end")


@test("run.init")
def run_as_init():
    """As pid 1 of a pid namespace, with children that outlive their parents."""
    import subprocess
    if not settings.command().exists():
        raise Skip("this build has no command")
    program = programs.c("pool_worker_skips_restore_and_idles")
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", settings.command(), "run", "--",
                           "/bin/sh", "-c", '(true &) ; (sleep 0.1 &) ; "$0"', program],
                          env=shim.environment(on=False), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    check_equal(done.returncode, 1, done.stderr)
    check_equal(done.stderr.count("warning: left-switched"), 1, done.stderr)


@test("run.init.nested_namesake")
def nested_process_with_the_pid_of_the_command():
    """As pid 1, with the command as pid 3; a pid namespace inside has a pid 3 too, which is a child:
    there mount is pid 2, and what it hides the folder from is pid 3."""
    if not settings.command().exists():
        raise Skip("this build has no command")
    path = folder()
    other = programs.c("thread_switches_and_returns")

    def as_init(options, *argv):
        return shim.run(["unshare", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c",
                         '/bin/true; exec "$@"', "sh", settings.command(), "run", *options, "--", *argv],
                        on=False, base={**os.environ, "TMPDIR": str(path)})
    nested = f'mount -t tmpfs none {path} && {{ "$0"; true; }}'
    command = ["/bin/sh", "-c", f"unshare --pid --fork --mount /bin/sh -c '{nested}' $0; true", other]
    run = as_init(["-o", "verbosity=1"], *command)
    check_equal((run.status, run.err.count(f"==3==nsdrift: not watched: {other}: {HIDDEN}")), (0, 1), run.err)
    run = as_init([], *command)
    check_equal((run.status, run.err), (0, ""), "a child in C decides nothing")
    # What was started in place of the command is the command all the same.
    run = as_init([], "unshare", "--mount", "/bin/sh", "-c", f"mount -t tmpfs none {path} && exec $0", other)
    check_equal((run.status, run.err.count(HIDDEN)), (125, 1), run.err)


@test("run.first_of_a_pid_namespace")
def command_that_is_the_first_of_a_pid_namespace():
    """Under `unshare --pid` without --fork the command has another pid for itself than for us."""
    program = programs.c("thread_switches_and_returns")
    for argv in ([program], ["/bin/sh", "-c", '"$0"; true', program]):
        run = shim.run(["unshare", "--pid", settings.command(), "run", "-o", "severity=note", "--", *argv],
                       on=False)
        check_equal((run.status, run.err.count("note: died-switched")), (0, 1), run.err)
        check("not watched" not in run.err, run.err)


@test("run.who_runs_on")
def processes_that_run_on():
    """What still runs when the command has ended is reported as it is then, without a complaint."""
    run = nsdrift("run", "--json", "-o", "verbosity=1", "--", "/bin/sh", "-c",
                  f"exec 2> /dev/null > /dev/null; {programs.c('stays_away')} two & sleep 0.5")
    result = shim.parse(run.err)
    ended = {row["program"]: row["ended"] for row in result.coverage}
    check_equal((ended.get("stays_away"), ended.get("sleep")), ("report", "exit"), run.err)
    check("not watched" not in run.err, run.err)


@test("run.keeps_recordings")
def run_keeps_recordings():
    """record= given to run: the recordings stay there, also where nothing was found."""
    path = folder()
    for name, rules in (("thread_switches_and_returns", ["died-switched"]), ("setns_round_trip", [])):
        run = nsdrift("run", "-o", f"record={path}", "--", programs.c(name))
        check_equal((run.status, run.err), (0, ""), name)
        kept = [file for file in path.iterdir() if file.name.startswith(name)]
        check_equal(len(kept), 1, f"recordings of {name}")
        check_equal(report(kept[0]).rules(), rules, name)
    run = nsdrift("run", "-o", "record=/nowhere", "--", programs.c("setns_round_trip"))
    check("/nowhere" in run.err and run.status == 0, run.err)


@test("run.says_at_the_start_what_it_cannot_keep")
def run_cannot_keep_recordings():
    """One line before the program runs, which is not lost; its status and its findings stay."""
    file = settings.FOLDER / "file"
    file.write_text("mine\n")
    for where in ("/nowhere/at/all", file):
        script = "echo hello; echo its own >&2; exit 7"
        run = nsdrift("run", "-o", f"record={where}", "--", "/bin/sh", "-c", script)
        lines = run.err.splitlines()
        check_equal((run.status, run.out, len(lines)), (7, "hello\n", 3), run.err)
        check(lines[0].startswith(f"nsdrift: the recordings will not be kept in {where}: "), run.err)
        check_equal(lines[1], "its own", "after it")
        run = nsdrift("run", "-o", f"record={where}", "--", programs.c("pool_worker_skips_restore_and_idles"))
        check(run.status == 1 and "left-switched" in run.err and run.err.count(str(where)) == 1, run.err)
    check_equal(file.read_text(), "mine\n", "the file")


@test("run.keeps_what_was_not_watched")
def run_keeps_its_index():
    """`nsdrift report` of the folder ends as the run did, also where that saw a program unwatched."""
    path = folder()
    program = programs.go("unlocked_round_trip", ldflags=(), label="static")
    first = nsdrift("run", "-o", f"record={path}", "--", "/bin/sh", "-c", f'"{program}" > /dev/null; true')
    check_equal(first.status, 125, first.err)
    outside = report(path)
    check_equal(outside.status, 125, f"the report: {outside.err}")
    unwatched = [row for row in outside.coverage if row.get("missing") and
                 row["missing"][0]["probe"] == "image"]
    check_equal([row["program"] for row in unwatched], [program.name], "programs that were not watched")
    # A second run in the same folder, and a recording that somebody took out.
    second = nsdrift("run", "-o", f"record={path}", "--", programs.c("thread_switches_and_returns"))
    check_equal(second.status, 0, second.err)
    check_equal(report(path).rules(), ["died-switched"], "findings of both runs")
    for file in path.glob("thread_switches_and_returns.*"):
        file.unlink()
    check("a recording that it names is gone" in report(path).err, "nothing is said of what is gone")


@test("run.lost_index")
def index_is_lost():
    """Who removes the list of images cannot make a clean run of it."""
    outer, kept = folder(), folder()
    run = nsdrift("run", "-o", f"record={kept}", "--", "/bin/sh", "-c",
                  'rm -f "$TMPDIR"/nsdrift-*/.index; /bin/true; true',
                  base={**os.environ, "TMPDIR": str(outer)})
    check_equal((run.status, ".index: it is gone" in run.err), (125, True), run.err)


@test("run.reader_goes_away")
def reader_goes_away():
    """Who reads the report stops at once: no folder is left, and the program has its own SIGPIPE."""
    outer = folder()
    run = shim.run(["/bin/bash", "-c", '"$0" run -o verbosity=1 -- "$1" 2>&1 > /dev/null | exec true; '
                    'echo "${PIPESTATUS[0]}"', settings.command(),
                    programs.c("main_away_beside_idle_thread")], on=False,
                   base={**os.environ, "TMPDIR": str(outer)})
    check_equal(list(outer.iterdir()), [], f"what is left, after {run.out!r}")
    run = nsdrift("run", "--exit-status=program", "--", "/bin/sh", "-c", "kill -PIPE $$")
    check_equal(run.status, 128 + 13, "the program's own SIGPIPE")


@test("run.killed_command")
def command_is_killed():
    """A run that is killed itself leaves its folder, which says what `run` would have said."""
    import signal
    import subprocess
    import time
    if not settings.command().exists():
        raise Skip("this build has no command")
    path = folder()
    running = subprocess.Popen([settings.command(), "run", "--", programs.c("stays_away"), "two"],
                               env={**shim.environment(on=False), "TMPDIR": str(path)}, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    running.stdout.readline()
    time.sleep(0.2)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    inner, = path.iterdir()
    outside = report(inner)
    os.killpg(running.pid, signal.SIGKILL)
    check_equal([row["program"] for row in outside.coverage], ["stays_away"], outside.err)
    # Two threads are in other namespaces, and their process has no recorded end.
    check(outside.status in (1, 125) and not outside.err, outside.status, outside.err)


@test("run.threads_and_events")
def run_at_higher_verbosity():
    run = nsdrift("run", "--json", "-o", "verbosity=3", "--", programs.c("setns_round_trip"))
    result = shim.parse(run.err)
    check(any(row["call"] == "setns" for row in result.events), "events:", run.err[:2000])
    check(result.threads and result.coverage, "threads and coverage:", run.err[:2000])


@test("run.nothing_on_stderr")
def nothing_of_ours_on_stderr():
    """What the program's children cannot reach is not complained about on their stderr."""
    run = nsdrift("run", "--", "/bin/sh", "-c",
                  'rm -rf "${NSDRIFT_OPTIONS##*record=}" 2> /dev/null; /bin/true; true')
    check("nothing is recorded" not in run.err, run.err)


# ---- bytes that anybody may have made ----

def fuzzer(name, *flags, compiler="clang"):
    from pathlib import Path
    if not shutil.which(compiler):
        raise Skip(f"{compiler} is not installed")
    shim_folder = settings.ROOT / "shim"
    sources = [path for part in ("base", "names", "ledger", "rules", "record", "report")
               for path in sorted((shim_folder / part).glob("*.c"))]
    target = settings.TESTS / "fuzz" / "recording.c"
    output = settings.CACHE / "fuzz" / name
    command = [compiler, "-std=gnu17", "-g", "-O1", "-D_GNU_SOURCE", *settings.INCLUDES,
               "-fno-strict-aliasing", "-fno-builtin", *flags, "-o", output, target, *sources]
    probe = settings.FOLDER / "probe.c"
    probe.write_text("int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }\n"
                     if "-DSTANDALONE" not in flags else "int main(void) { return 0; }\n")
    import subprocess
    if subprocess.run([compiler, *flags, "-o", settings.FOLDER / "probe", probe],
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip(f"{compiler} has no runtime for {' '.join(flags)} (libclang-rt-dev)")
    headers = [Path(path) for path in shim_folder.rglob("*.h")]
    return programs.build_once(output, [target, *sources, *headers], command)


SEEDS = ["pool_worker_skips_restore_and_idles", "thread_switches_and_returns",
         "mount_on_another_thread", "fork_child_moves", "restore_fails_and_work_goes_on",
         "restore_on_another_thread", "main_switches_and_pthread_exits", "leaves_nothing_behind"]


def corpus():
    """Small recordings of the hosts, one that went round, and one of Go."""
    made, path = folder(), folder()
    options = f"record={made}:record_size=32K:log_path=/dev/null"
    for name in SEEDS:
        shim.run([programs.c(name)], options=options)
    shim.run([programs.c("switches_without_pause"), 30], options=options)
    shim.run([programs.go("unlocked_round_trip")], options=options)
    for file in made.iterdir():
        (path / file.name).write_bytes(recordings.compact(file.read_bytes()))
    check(len(list(path.iterdir())) > len(SEEDS), "seeds:", *path.iterdir())
    return path


def fuzz(seconds):
    import subprocess
    program = fuzzer("recording", "-fsanitize=fuzzer,address,undefined",
                     "-fno-sanitize-recover=undefined")
    done = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=1024",
                           "-print_final_stats=1", corpus()], cwd=settings.FOLDER,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=seconds + 120)
    check_equal(done.returncode, 0, done.stdout[-3000:])
    runs = [int(line.split()[-1]) for line in done.stdout.splitlines() if "number_of_executed" in line]
    check(runs and runs[0] > 10 * seconds, "inputs tried:", runs)


@test("fuzz.20s", timeout=400)
def fuzz_20():
    fuzz(20)


@test("fuzz.60s", level="gate", timeout=400)
def fuzz_60():
    fuzz(60)


@test("fuzz.600s", level="all", timeout=1000)
def fuzz_600():
    fuzz(600)


@test("cut_at_every_length", timeout=300)
def cut_and_flipped():
    """Every seed cut off at some thousand lengths, and with bits flipped: no crash, no loop."""
    import random
    import subprocess
    program = fuzzer("recording_once", "-DSTANDALONE", "-fsanitize=address,undefined",
                     "-fno-sanitize-recover=undefined", compiler="gcc")
    random.seed(4)
    path = folder()
    for number, seed in enumerate(sorted(corpus().iterdir())):
        data = seed.read_bytes()
        for cut in sorted({*range(0, len(data), 251), len(data) - 1, len(data)}):
            (path / f"{number}.cut{cut}").write_bytes(data[:cut])
        for turn in range(60):
            flipped = bytearray(data)
            for _ in range(random.choice((1, 1, 4, 40))):
                at = random.randrange(len(flipped))
                flipped[at] ^= 1 << random.randrange(8)
            (path / f"{number}.flip{turn}").write_bytes(flipped)
    files = sorted(path.iterdir())
    for at in range(0, len(files), 200):
        done = subprocess.run([program, *files[at:at + 200]], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=120)
        check_equal(done.returncode, 0, done.stdout[-3000:])


# ---- a guest all the same ----

for host in ("glibc", "musl", "go"):
    @test(f"identity.{host}")
    def same_to_the_host(name=host):
        """The host sees nothing of the recording but its mapping: no descriptor, no call's result."""
        from subjects import laws
        laws.identity(laws.HOSTS[name](), False, f"record={folder()}")


@test(every_build=True)
def seccomp_filters():
    """A filter that kills at any call of ours: recording goes on, since it takes none."""
    program = programs.c("seccomp_kills_strangers")
    native = shim.run([program], on=False)
    path = folder()
    run = shim.run([program], options=f"record={path}")
    check_equal((run.status, run.out), (native.status, native.out), "the host")
    outside = report(path)
    check_equal(outside.rules(), ["died-switched"], "what was found after the filter")
    check_equal([row["ended"] for row in outside.coverage], ["exit"], "how it ended")
    run = nsdrift("run", "-o", "severity=note", "--", program)
    check_equal((run.status, run.out), (0, native.out), "nsdrift run")
    check_equal(run.err.count("note: died-switched"), 1, run.err)


@test("musl")
def musl_hosts():
    for name in ("thread_switches_and_returns", "setns_round_trip", "fork_child_moves"):
        path = folder()
        program = programs.c(name, compiler="musl-gcc")
        run = shim.watched([program], options=f"record={path}")
        check_equal(sorted(map(essence, report(path).findings)),
                    sorted(map(essence, run.report.findings)), name)


@test("calls_without_end", level="gate", timeout=300)
def recording_of_many_threads():
    """Twenty thousand short threads: bounded, and the findings are those from inside."""
    path = folder()
    run = shim.watched([programs.c("many_short_threads"), 20000], timeout=250,
                       options=f"record={path}")
    outside = report(path)
    check_equal(sorted(map(essence, outside.findings)), sorted(map(essence, run.report.findings)),
                "findings")
    size = sum(file.stat().st_size for file in path.iterdir())
    check(size <= 2 * 256 * 1024 + 4096, "size:", size)


@test("run.asked_twice")
def asked_twice_to_end():
    """timeout(1) signals the process and then its group: the report is whole, and nothing is left."""
    import subprocess
    if not settings.command().exists():
        raise Skip("this build has no command")
    program = programs.go("waits_unlocked")
    place = folder()
    for _ in range(5):
        done = subprocess.run(["timeout", "0.4", settings.command(), "run", "--", program],
                              env=shim.environment(on=False, base=dict(os.environ, TMPDIR=str(place))),
                              stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        check_equal(done.returncode, 124, done.stderr)
        check_equal(done.stderr.count("error: unlocked-switch"), 1, done.stderr)
        check("records lost" in done.stderr, "the closing line:", done.stderr)
        check_equal(os.listdir(place), [], "what is left")
