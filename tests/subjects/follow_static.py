"""nsdrift run --follow-static: static Go programs that others start are watched as those that are
started by hand; what is followed behaves as if nobody followed it."""
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness import programs, releases, settings, shim
from harness.registry import Skip, check, check_equal, test

from . import go_safety
from .static import (PTRACE, RET_ERRNO, alive, kill_at_any_moment, mortal, noexec, nsdrift, static,
                     touching, wait_until)

NOBODY = 65534
FOLLOW = ("run", "--follow-static")


def follow(*argv, options=(), **keywords):
    """The program's own status, and the report as JSON."""
    log = settings.FOLDER / f"followed{len(list(settings.FOLDER.glob('followed*')))}"
    run = nsdrift(*FOLLOW, "--exit-status=program", "--json", "--log", log, *options, "--", *argv,
                  **keywords)
    check(log.exists(), "no report:", run.status, run.err)
    run.report = shim.parse(log.read_text(errors="backslashreplace"))
    return run


def rows(report, name):
    return [row for row in report.coverage if row["image"].endswith(name)]


# What starts the child: each another way from a process to the program.
STARTS = {
    "shell": lambda child: ["/bin/sh", "-c", f"{child}; true"],
    "shell_exec": lambda child: ["/bin/sh", "-c", f"exec {child}"],
    "env": lambda child: ["/usr/bin/env", "-i", child],
    "scrubbed": lambda child: ["/usr/bin/env", "-i", "/bin/sh", "-c", f"{child}; true"],
    "python": lambda child: ["/usr/bin/env", "python3", "-c",
                             f"import subprocess; subprocess.run(['{child}'])"],
    "nohup": lambda child: ["/bin/sh", "-c", f"setsid -w nohup {child}"],
    "namespaces": lambda child: ["unshare", "--pid", "--fork", "--mount-proc", "--net", child],
}
for go in releases.of_level("fast"):
    for how in ("child", "exec"):
        STARTS[f"static_{how}.{go}"] = (
            lambda child, release=go, way=how: [static("executes", release), way, child])
        STARTS[f"dynamic_{how}.{go}"] = (
            lambda child, release=go, way=how: [programs.go("executes", release), way, child])

for start in STARTS:
    @test(f"child.{start}")
    def child_is_watched(argv=STARTS[start]):
        """Named where it is faulty, clean where it is not, and by its own line."""
        faulty, correct = static("unlocked_setns"), static("visits_locked")
        run = follow(*argv(faulty))
        check_equal(run.report.faults(), ["unlocked-switch"], "of the faulty one")
        check_equal(run.report.findings[0]["program"], faulty.name, "whose finding")
        run = follow(*argv(correct))
        found = rows(run.report, correct.name)
        check_equal((run.status, run.report.faults(), len(found)), (0, [], 1),
                    f"the correct one {run.err}")
        check("injected" in found[0]["probes"] and found[0]["go"] and not found[0]["missing"], found)
        strangers = [row for row in run.report.coverage if row["missing"]]
        check(not strangers, "not watched:", strangers)
        run = nsdrift(*FOLLOW, "--", *argv(correct))
        check_equal((run.status, run.err), (0, ""), "in text")


for go in programs.GO_RELEASES:
    @test(f"release.{go}", level="fast" if go in releases.of_level("fast") else "gate")
    def child_of_every_release(release=go):
        run = follow("/bin/sh", "-c", f"{static('restore_forgotten', release)}; "
                     f"{static('visits_nested', release, 'stripped')}; true")
        check_equal(len(run.report.coverage), 3, f"images {run.report.coverage}")
        check(run.report.faults() and {f["program"] for f in run.report.findings} ==
              {"restore_forgotten-static-plain"}, run.report.findings)


def static_children(release):
    return go_safety.children_program(release, "", "-static")


for go in (releases.RELEASES[0], programs.NEWEST):
    @test(f"children.{go}", timeout=1800)
    def children_of_every_way(release=go):
        """From eight goroutines at once, with the collector and the profiler at work: all are seen."""
        count = go_safety.of_level(80, 700, 1000)  # more would make room in the index
        program, child = static_children(release), static("does_nothing")
        run = follow(program, str(count), child, timeout=120 + count)
        check(run.status == 0 and run.out.startswith(f"started {count} "), run.status, run.out, run.err)
        found = rows(run.report, child.name)
        check_equal(len(found), count, "children")
        check(all("injected" in row["probes"] and not row["missing"] and not row["lost"] for row in found),
              "not watched:", [row for row in found if "injected" not in row["probes"]][:3])

    @test(f"soak.{go}", timeout=1300)
    def soaked(release=go):
        """Thousands of signals, threads and children under the tracer change nothing."""
        seconds = go_safety.of_level(4, 15, 120)
        run = follow(static("soak", release), str(seconds), timeout=seconds * 6 + 60)
        check_equal((run.status, run.report.faults()), (0, []), f"the soak {run.err[-2000:]}")
        check(" failed 0" not in run.out and "setns" in run.out, run.out)
        row = rows(run.report, "soak-static-plain")[-1]
        check_equal((row["lost"], row["cross_check"]), (0, "agrees"), "lost, the look at /proc")


def without_ours(text):
    """What shows_itself says, but for its tracer and our three variables."""
    for line in text.splitlines():
        if line.startswith("environment"):
            yield [word for word in line.split()[2:]
                   if not word.startswith(("LD_PRELOAD=", "NSDRIFT=", "NSDRIFT_OPTIONS="))]
        elif "TracerPid" not in line:
            yield line


@test()
def cannot_tell():
    """What a followed child sees of its start is what it sees natively, but for its tracer."""
    argv = ["/usr/bin/env", static("shows_itself"), "an argument"]
    base = {"PATH": "/usr/bin:/bin", "MARK": "1"}
    native, run = shim.run(argv, on=False, base=base), follow(*argv, base=base)
    check(len(native.out.splitlines()) > 30, native.out)
    check_equal(run.status, native.status, "status")
    check_equal(list(without_ours(run.out)), list(without_ours(native.out)), "what it sees")


@test()
def status_is_handed_through():
    for code, status in (("exit 7", 7), ("kill -TERM $$", 128 + signal.SIGTERM),
                         ("kill -SEGV $$", 128 + signal.SIGSEGV)):
        run = follow("/bin/sh", "-c", f"{static('touches')} {settings.FOLDER}/a {settings.FOLDER}/b; {code}")
        check_equal(run.status, status, code)


def ignore_children():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


for label, options in (("", ()), (".followed", ("--follow-static",))):
    @test(f"ends_ignored{label}")
    def ends_of_children_ignored(more=options):
        """The command is started with SIGCHLD ignored: it learns the status all the same, and the
        program inherits the ignored signal."""
        command = ("run", "--exit-status=program", *more, "--")
        run = nsdrift(*command, "/bin/sh", "-c", "kill -KILL $$", before=ignore_children)
        check_equal(run.status, 128 + signal.SIGKILL, "of the shell")
        run = nsdrift(*command, "/bin/grep", "SigIgn", "/proc/self/status", before=ignore_children)
        check(int(run.out.split()[1], 16) >> (signal.SIGCHLD - 1) & 1, run.out)
        run = nsdrift(*command, static("does_nothing"), before=ignore_children)
        check_equal((run.status, run.err), (0, ""), "of Go")


HARD_WAYS = ("by_thread", "by_vfork", "by_clone", "of_orphans", "stopped", "with_ignored_ends", "left_stopped",
             "killed", "with_values", "with_job_control")

for way in HARD_WAYS:
    @test(f"hard.{way}", timeout=200)
    def started_in_a_hard_way(how=way):
        """What waiting for children told is what it tells natively, and all that began were watched."""
        program = programs.c("starts_hard")
        argv = [program, how, static("does_nothing")]
        native, run = shim.run(argv, on=False, timeout=90), follow(*argv, timeout=90)
        check_equal((run.status, run.out, run.err), (native.status, native.out, native.err), "followed")
        check(native.out, "it said nothing:", native.err)
        check(not [row for row in run.report.coverage if row["missing"]], run.report.coverage)


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def comm(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


# One that has the library put in, and one that is only followed.
STAYING = {"static": lambda: static("stays"), "dynamic": lambda: programs.go("stays")}


def start_staying(program="static"):
    """A followed program of several threads; the command and the program's pid."""
    tool = subprocess.Popen([settings.command(), *FOLLOW, "--exit-status=program", "--",
                             STAYING[program](), "home"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=mortal(),
                            preexec_fn=os.setpgrp)  # of its own, but not orphaned: it can be stopped
    check_equal(tool.stdout.readline(), b"ready\n", "its first word")
    (pid,) = [child for child in only_child(tool.pid) if comm(child) != "nsdrift-follow"]
    return tool, pid


@test(timeout=120)
def stopped_and_continued():
    """Job control: SIGSTOP and SIGTSTP stop the followed program, SIGCONT lets it go on."""
    tool, pid = start_staying()
    for stop in (signal.SIGSTOP, signal.SIGTSTP):
        os.kill(pid, stop)
        wait_until(lambda: state(pid) in "Tt")
        time.sleep(0.1)
        check(state(pid) in "Tt", "it went on by itself:", state(pid))
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: state(pid) in "SR")
    os.kill(pid, signal.SIGTERM)
    check_equal(tool.wait(20), 128 + signal.SIGTERM, "status")


@test(timeout=120)
def signals_to_the_group():
    """The follower minds no signal that a whole group gets."""
    tool = subprocess.Popen([settings.command(), *FOLLOW, "--", "/bin/sh", "-c",
                             f"trap 'echo caught' USR1 TERM; echo ready; while ! [ -e {settings.FOLDER}/go ]; "
                             f"do sleep 0.05; done; {static('unlocked_setns')}; true"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=mortal(),
                            start_new_session=True)
    check_equal(tool.stdout.readline(), b"ready\n", "its first word")
    followers = [child for child in only_child(tool.pid) if comm(child) == "nsdrift-follow"]
    check_equal(len(followers), 1, "followers")
    for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGRTMAX):
        os.kill(followers[0], number)
    (settings.FOLDER / "go").touch()
    err = tool.communicate(timeout=30)[1]
    check_equal(tool.returncode, 1, f"status: {err}")
    check(b"unlocked-switch" in err, err)


def tracer(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("TracerPid"))


for how in STAYING:
    @test(f"killed.{how}", timeout=120)
    def killed(program=how):
        """SIGKILL of the command: what it followed lives on, and nobody traces it any more."""
        tool, pid = start_staying(program)
        follower = tracer(pid)
        check(follower != 0, "it is not traced")
        tool.kill()
        tool.wait()
        wait_until(lambda: not alive(follower))
        time.sleep(0.1)
        check(alive(pid), "the program died with the command")
        check_equal(tracer(pid), 0, "its tracer")
        os.kill(pid, signal.SIGKILL)

    @test(f"follower_killed.{how}", timeout=120)
    def follower_killed(program=how):
        """Somebody kills the follower: the program lives on, the run says that it lost sight."""
        tool, pid = start_staying(program)
        os.kill(tracer(pid), signal.SIGKILL)
        time.sleep(0.2)
        check(alive(pid), "the program died with the follower")
        os.kill(pid, signal.SIGTERM)
        err = tool.communicate(timeout=30)[1]
        check(b"its children could not be followed to the end" in err, err)

    @test(f"outlived_by_a_child.{how}", timeout=120)
    def outlived_by_a_child(program=how):
        """What a program leaves behind runs on, untraced, when the command has reported."""
        mark = settings.FOLDER / "pid"
        run = follow("/bin/sh", "-c", f"{STAYING[program]()} home >{mark}.out 2>&1 & echo $! >{mark}; "
                     f"while ! grep -q ready {mark}.out; do sleep 0.05; done")
        pid = int(mark.read_text())
        check_equal(run.status, 0, run.err)
        time.sleep(0.1)
        check(alive(pid), "the child died")
        check_equal(tracer(pid), 0, "its tracer")
        os.kill(pid, signal.SIGKILL)


@test(timeout=600)
def killed_at_any_moment():
    """SIGKILL of the command while a child starts."""
    kill_at_any_moment({"fast": 40, "gate": 300, "all": 3000}[settings.LEVEL], *FOLLOW, "--", "/usr/bin/env")


@test(timeout=120)
def nothing_can_be_queued():
    """Where no signal can be queued any more, the follower lets go all the same."""
    mark = settings.FOLDER / "pid"
    tool = subprocess.Popen(["/bin/bash", "-c", f"ulimit -i 0; exec {settings.command()} {' '.join(FOLLOW)} -- "
                             f"/bin/sh -c 'sleep 100 >&- 2>&- & echo $! >{mark}'"],
                            stderr=subprocess.PIPE, env=mortal())
    try:
        check_equal((tool.communicate(timeout=30)[1], tool.returncode), (b"", 0), "its end")
    finally:
        os.kill(int(mark.read_text()), signal.SIGKILL)


for label, options in (("", ()), (".followed", ("--follow-static",))):
    @test(f"nothing_left{label}", timeout=120)
    def nothing_is_left(more=options):
        """Children that begin when the run ends leave no recording in a folder that is gone."""
        for _ in range(20):
            run = nsdrift("run", *more, "--", "/bin/sh", "-c", "for i in 1 2 3 4 5 6; do (/bin/true &); done",
                          base=dict(os.environ, TMPDIR=str(settings.FOLDER)))
            check_equal((run.status, run.err), (0, ""), "the run")
        time.sleep(0.2)
        check_equal(list(settings.FOLDER.glob("nsdrift-*")), [], "folders")


# ---- what stands in the way ----

@test()
def proc_of_others():
    """/proc of another pid namespace says nothing about our processes: one line, nothing is started."""
    argv, touched = touching()
    for more in ((), ("--follow-static",)):
        run = shim.run(["unshare", "--pid", "--fork", settings.command(), "run", *more, "--", *argv], on=False)
        check_equal((run.status, len(run.err.splitlines()), touched.exists()), (125, 1, False), run.err)
        check("/proc" in run.err, run.err)


@test()
def traced_already():
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    for more in ((), ("--follow-static",)):
        run = subprocess.run(["strace", "-f", "-o", "/dev/null", settings.command(), "run", *more, "--",
                              static("does_nothing")], stderr=subprocess.PIPE, text=True,
                             env=shim.environment(False))
        check_equal((run.returncode, len(run.stderr.splitlines())), (125, 1), run.stderr)
        check("nsdrift itself is traced" in run.stderr, run.stderr)


@test()
def damaged_header():
    """A program header that the kernel does not mind: the child runs, and is watched."""
    program = settings.FOLDER / "program"
    data = bytearray(static("does_nothing").read_bytes())
    check_equal(int.from_bytes(data[64:68], "little"), 6, "PT_PHDR is not the first")
    data[64 + 16 + 3] = 0xff  # of its p_vaddr
    program.write_bytes(data)
    program.chmod(0o755)
    run = follow("/bin/sh", "-c", f"{program}; echo $?")
    check_equal((run.out, run.err), ("0\n", ""), "what it did")
    check("injected" in rows(run.report, "program")[0]["probes"], run.report.coverage)


@test()
def another_file_in_its_place():
    """A root where the library's path leads, by an absolute link, to a file that is not it."""
    root, here = settings.FOLDER / "root", settings.library().parent
    elsewhere = settings.FOLDER / "elsewhere"
    (root / str(elsewhere)[1:]).mkdir(parents=True)
    (root / str(here)[1:]).parent.mkdir(parents=True, exist_ok=True)
    elsewhere.symlink_to(here)
    (root / str(here)[1:]).symlink_to(elsewhere)
    shutil.copy("/bin/busybox", root / str(elsewhere)[1:] / settings.library().name)
    shutil.copy(static("does_nothing"), root / "program")
    run = nsdrift(*FOLLOW, "--exit-status=program", "--", "chroot", root, "/program")
    check_equal(run.status, 0, run.err)
    check("another file is there" in run.err, run.err)

@test()
def set_uid_child():
    """It gets its rights, and is listed."""
    program = settings.FOLDER / "shows"
    shutil.copy(static("shows_itself"), program)
    program.chmod(0o4755)
    settings.FOLDER.chmod(0o755)
    argv = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", program]
    native = shim.run(argv, on=False)
    run = follow(*argv)
    rights = [line for line in native.out.splitlines() if "CapEff" in line]
    check(rights and rights == [line for line in run.out.splitlines() if "CapEff" in line], native.out, run.out)
    check("ffff" in rights[0], "natively it has no rights:", rights)
    check(any("set-uid" in m["why"] for row in rows(run.report, "shows") for m in row["missing"]),
          run.report.coverage)
    check_equal(nsdrift(*FOLLOW, "--", *argv).status, 0, "status")
    check_equal(nsdrift(*FOLLOW, "--strict", "--", *argv).status, 125, "--strict")


@test()
def without_the_capability():
    """An unprivileged tracer would strip set-uid programs of their rights: one line, and 125."""
    argv, touched = touching()
    base = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", settings.command(), *FOLLOW]
    for more, began in (((), False), (("--best-effort",), True)):
        run = subprocess.run([*base, *more, "--", "/usr/bin/env", *argv], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=shim.environment(False))
        check_equal((run.returncode, touched.exists()), (125, began), run.stderr)
        check("CAP_SYS_PTRACE" in run.stderr.splitlines()[0], run.stderr)
        check(began or len(run.stderr.splitlines()) == 1, "more than one line:", run.stderr)


@test()
def filter_of_the_child():
    """A child that has a filter of its own is left alone, and counts."""
    child = static("visits_locked")
    script = (f"import ctypes, os, sys; sys.path[:0] = ['{settings.TESTS}']; "
              f"from subjects.static import filter_answers; filter_answers({PTRACE}, {RET_ERRNO | 1}); "
              f"os.execv('{child}', ['child'])")
    run = nsdrift(*FOLLOW, "--", "/usr/bin/env", "python3", "-c", script)
    check_equal(run.status, 125, run.err)
    check(f"not watched: {child}: a seccomp filter is in force there" in run.err, run.err)


@test()
def out_of_reach():
    """A child that may not enter the folder of the recordings would tell nobody: it counts."""
    child = static("visits_locked")
    folder = Path("/run/out-of-reach")  # a file system of the test's own
    folder.mkdir()
    shutil.copy(child, folder / child.name)
    argv = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", folder / child.name]
    for copied in (settings.library(), settings.command()):
        shutil.copy(copied, folder)
    environment = dict(shim.environment(False), NSDRIFT_LIBRARY=f"{folder}/{settings.library().name}")
    run = subprocess.run([settings.command(), *FOLLOW, "--exit-status=findings", "--", *argv],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    check_equal(run.returncode, 125, run.stderr)
    check(f"not watched: {folder / child.name}: it cannot reach the folder" in run.stderr, run.stderr)


@test()
def in_a_root_of_its_own():
    """A container's program, whose root has no library: listed, and judged by --strict alone."""
    root = settings.FOLDER / "root"
    root.mkdir()
    shutil.copy(static("does_nothing"), root / "program")
    argv = ["chroot", root, "/program"]
    for verbosity in (0, 1):
        run = nsdrift(*FOLLOW, "-o", f"verbosity={verbosity}", "--", *argv)
        check_equal(run.status, 0, run.err)
        check(run.err.count("it runs in a root where the library is not") == 1, run.err)
    check_equal(nsdrift(*FOLLOW, "--strict", "--", *argv).status, 125, "--strict")


@test()
def library_that_cannot_be_executed():
    """Noticed half-way: the child runs as if nothing had been tried, and counts."""
    argv, touched = touching()
    folder = noexec()
    shutil.copy(settings.library(), folder / "libnsdrift.so")
    run = subprocess.run([settings.command(), *FOLLOW, "--", "/usr/bin/busybox", "true"],
                         stderr=subprocess.PIPE, text=True, env=shim.environment(False))
    check_equal(run.returncode, 125, run.stderr)
    environment = dict(shim.environment(False), NSDRIFT_LIBRARY=f"{folder}/libnsdrift.so")
    program = static("executes")
    run = subprocess.run([settings.command(), *FOLLOW, "--best-effort", "--", program, "child", *argv],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    check_equal((run.returncode, touched.exists()), (125, True), run.stderr)
    check_equal(run.stderr.count("it cannot map the library"), 2, run.stderr)


@test()
def mistakes():
    run = nsdrift(*FOLLOW, "-o", "follow=0", "--", "/bin/true")
    check_equal((run.status, len(run.err.splitlines())), (2, 2), run.err)
    run = nsdrift(*FOLLOW, "--", static("stays") / "nothing")
    check_equal((run.status, len(run.err.splitlines())), (125, 1), run.err)
