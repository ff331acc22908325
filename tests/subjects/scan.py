"""nsdrift scan: what it says of processes that stand still in known places, as root and without rights,
and of processes whose threads come and go."""
import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from harness import modules, programs, settings, shim
from harness.registry import Skip, check, check_equal, test
from subjects.command import nsdrift

KINDS = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user",
         "uts"]
NOBODY = 65534


@contextmanager
def standing(argv, before=None, record=None):
    """The process and the lines that it printed before "ready"; under nsdrift if it is to be recorded."""
    options = f"record={record}" if record else ""
    process = subprocess.Popen([str(word) for word in argv],
                               env=shim.environment(bool(record), options=options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               preexec_fn=before)
    try:
        lines = []
        for line in process.stdout:
            if line.strip() == "ready":
                break
            lines.append(line.strip())
        else:
            if process.wait() == shim.CANNOT_RUN:
                raise Skip("namespaces cannot be made here")
            check(False, f"{argv} ended before it was ready: {process.returncode}")
        yield process, lines
    finally:
        process.kill()
        process.wait()


def links(pid, tid):
    """Kind -> inode of one thread, read here by other means; what cannot be read is left out."""
    found = {}
    for kind in KINDS:
        try:
            found[kind] = int(os.readlink(f"/proc/{pid}/task/{tid}/ns/{kind}").split("[")[1][:-1])
        except OSError:
            pass
    return found


def threads(pid):
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))


def unlike_leader(pid):
    """The answer by the book: every thread whose links are not the leader's."""
    home = links(pid, pid)
    return [tid for tid in threads(pid) if links(pid, tid) != home]


def scanned(*argv, **keywords):
    run = nsdrift("scan", "--json", *argv, **keywords)
    return run, [json.loads(line) for line in run.out.splitlines()]


def only(rows, kind="scan"):
    rows = [row for row in rows if row["type"] == kind]
    check_equal(len(rows), 1, f"lines of {kind}")
    return rows[0]


@test(every_build=True)
def uniform():
    with standing([programs.c("stays_away"), "nobody", 5]) as (process, _):
        check_equal(unlike_leader(process.pid), [], "by the book")
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal((run.status, row["threads"], row["differ"], row["unread"]), (0, 6, [], []), "scan")
        check_equal(row["leader"], links(process.pid, process.pid), "the leader's namespaces")
        text = nsdrift("scan", process.pid)
        check_equal((text.status, text.out),
                    (0, f"stays_away (pid {process.pid}): 6 threads, all in the same namespaces\n"), "text")


@test(every_build=True)
def two_are_away():
    """Names, kinds, inodes and what the leader has, of exactly the threads that the host names."""
    with standing([programs.c("stays_away"), "two", 5]) as (process, away):
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal(run.status, 1, "status")
        check_equal(sorted(t["tid"] for t in row["differ"]), sorted(map(int, away)), "who differs")
        check_equal(sorted(t["tid"] for t in row["differ"]), unlike_leader(process.pid), "by the book")
        home = links(process.pid, process.pid)
        for thread in row["differ"]:
            there = links(process.pid, thread["tid"])
            check_equal(thread["name"], "strays", "name")
            check_equal(thread["namespaces"],
                        {kind: {"current": there[kind], "leader": home[kind]} for kind in ("net", "uts")},
                        "kinds")
        check_equal(row["odd_leader"], [], "the leader is not the odd one")
        text = nsdrift("scan", process.pid).out
        for tid in away:
            check(f"thread {tid} (strays)" in text, text)
        check("2 of 8 threads are not where the leader is" in text, text)
        check(f"leader {home['net']}" in text, text)


@test()
def odd_leader_of_a_c_program():
    with standing([programs.c("stays_away"), "leader", 5]) as (process, _):
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal((run.status, row["odd_leader"], row["go"], row["m0"]), (1, ["net", "uts"], None, None),
                    "the leader is the odd one")
        check_equal([t["tid"] for t in row["differ"]], unlike_leader(process.pid), "who differs")
        text = nsdrift("scan", process.pid).out
        check("the leader is not where the others are" in text and "M0" not in text, text)


@test()
def leader_has_ended():
    """Its namespaces are gone then; the others are held against each other."""
    with standing([programs.c("stays_away"), "ended", 5]) as (process, away):
        deadline = time.monotonic() + 5
        while ") Z " not in Path(f"/proc/{process.pid}/task/{process.pid}/stat").read_text():
            check(time.monotonic() < deadline, "the leader does not end")
            time.sleep(0.01)
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal((run.status, [t["tid"] for t in row["differ"]]), (1, [int(away[0])]), "who differs")
        check("most" in row and "leader" not in row, row)
        check("The leader has ended." in nsdrift("scan", process.pid).out, "no word about the leader")


@test()
def pid_namespace_without_a_process():
    """The kernel shows such a one to nobody: it is named, not dropped."""
    with standing([programs.c("stays_away"), "childless", 3]) as (process, away):
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal((run.status, [t["tid"] for t in row["differ"]]), (1, [int(away[0])]), "who differs")
        place = row["differ"][0]["namespaces"]
        check_equal((list(place), place["pid_for_children"]["current"]), (["pid_for_children"], None), "kinds")


# What the program does -> whether its threads are uniform.
PLACES = {"home": True, "visited": True, "thread": False, "leader": False}


@test(level="gate", timeout=180)
def namspill():
    """The matcher BeUniformlyNamespaced within a process and scan outside give one answer about it."""
    program = modules.importer("namspill", settings.PROGRAMS / "go_namspill" / "main.go")
    for where, uniform in PLACES.items():
        with standing([program, where]) as (process, lines):
            check_equal(lines, ["uniform" if uniform else "not uniform"], f"namspill, {where}")
            run, rows = scanned(process.pid)
            row = only(rows)
            check_equal((run.status, row["unread"]), (0 if uniform else 1, []), f"scan, {where}: {row}")
            check_equal([t["tid"] for t in row["differ"]], unlike_leader(process.pid), where)
            check_equal(nsdrift("scan", process.pid).status, run.status, f"as text, {where}")
            check(row["threads"] > 4, f"{where}: only {row['threads']} threads")
            process.send_signal(signal.SIGUSR1)
            check_equal(process.stdout.readline().strip(), lines[0], f"namspill after the scan, {where}")


WEDGES = {"wedged": ("wedged", "M0 is wedged"), "locked": ("locked", "M0 is not wedged: goroutine 1 is locked"),
          "free": ("not locked", "M0 is not wedged, and no goroutine"), "home": (None, "all in the same")}
STRIPPED = (programs.DYNAMIC, "-s", "-w")

for go in programs.GO_RELEASES:
    for label, ldflags, extra in (("", (programs.DYNAMIC,), ()), ("stripped", STRIPPED, ()), ("static", (), ()),
                                  ("pie", (), ("-buildmode=pie",))):
        fast = go in ("1.19", programs.NEWEST) and label in ("", "stripped")

        @test(f"first_m.{go}" + (f".{label}" if label else ""), level="fast" if fast else "gate",
              every_build=go == programs.NEWEST)
        def first_m(release=go, label=label, ldflags=ldflags, extra=extra):
            """Wedged for certain where m0 says so, and only there; dynamic, stripped, static, PIE."""
            program = programs.go("stays", release, ldflags, label, extra)
            for how, (verdict, words) in WEDGES.items():
                with standing([program, how]) as (process, _):
                    run, rows = scanned(process.pid)
                    row = only(rows)
                    check_equal(run.status, 0 if how == "home" else 1, f"status, {how}")
                    check_equal(row.get("m0"), verdict, f"m0, {how}: {row}")
                    check_equal([t["tid"] for t in row["differ"]], unlike_leader(process.pid), how)
                    text = nsdrift("scan", process.pid).out
                    check(words in text, how, text)
                    check(all(len(line) <= 80 for line in text.splitlines()), "wider than 80 columns:", text)
                    if how != "home":
                        check(row["go"].startswith(release), "release", row["go"])


@test()
def in_a_pid_namespace():
    """Its runtime knows itself by another number than we do; and so does its recording."""
    record = settings.FOLDER / "records"
    record.mkdir()
    with standing(["unshare", "--pid", "--fork", "--kill-child", programs.go("stays"), "wedged"],
                  record=record) as (process, _):
        child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        check(links(child, child)["pid"] != links("self", os.getpid())["pid"], "no pid namespace of its own")
        run, rows = scanned("--since", record, child)
        row = only(rows)
        check_equal((run.status, row["m0"], list(row["since"]["moved"])), (1, "wedged", ["net"]), run.err)


@test()
def program_that_was_deleted():
    """/proc/PID/exe leads to it all the same."""
    import shutil
    copy = settings.FOLDER / "copy"
    shutil.copy(programs.go("stays"), copy)
    with standing([copy, "wedged"]) as (process, _):
        copy.unlink()
        run, rows = scanned(process.pid)
        check_equal((run.status, only(rows)["m0"]), (1, "wedged"), "m0")


@test()
def everything():
    """--all, and without a PID: the differing process is listed, the others are counted."""
    with standing([programs.c("stays_away"), "two", 2]) as (process, away), \
            standing([programs.c("stays_away"), "nobody", 2]) as (other, _):
        for argv in (["--all"], []):
            run, rows = scanned(*argv)
            check_equal(run.status, 1, argv)
            row = only(rows)
            check_equal((row["pid"], len(row["differ"])), (process.pid, 2), "the process that differs")
            total = only(rows, "scan-sum")
            check(total["processes"] >= 3 and total["threads"] >= 8 and total["differ"] == 2, total)
            text = nsdrift("scan", *argv).out
            check(f"stays_away (pid {process.pid})" in text and f"(pid {other.pid})" not in text, text)


def drop(*_):
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def can_drop():
    child = os.fork()
    if child == 0:
        try:
            drop()
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        raise Skip("there is no second user in this user namespace")


@contextmanager
def reachable(program):
    """A copy where everybody may go: the tests' own folders are not open to others."""
    import shutil
    import tempfile
    folder = Path(tempfile.mkdtemp(dir="/run"))
    folder.chmod(0o755)
    try:
        yield Path(shutil.copy(program, folder))
    finally:
        shutil.rmtree(folder)


@test()
def without_rights():
    """Another user's process: 125 and why; among all: counted, named, and one's own is read."""
    can_drop()
    with reachable(settings.command()) as command, reachable(programs.c("stays_away")) as program, \
            standing([program, "two", 2]) as (roots, _), \
            standing([program, "nobody", 2], before=drop) as (own, _):
        def scan(*argv):
            return shim.run([command, "scan", *argv], on=False, before=drop, cwd="/")
        denied = scan(roots.pid)
        check_equal((denied.status, denied.out), (125, ""), "another user's")
        check("Permission denied" in denied.err and str(roots.pid) in denied.err, denied.err)
        mine = scan(own.pid)
        check_equal(mine.status, 0, mine.err)
        both = scan(own.pid, roots.pid)
        check_equal(both.status, 0, "one of two could be read")
        check("Permission denied" in both.err and str(roots.pid) in both.err, both.err)
        total = scan("--all")
        check_equal(total.status, 0, total.out)
        check("not read: " in total.out and "(Permission denied)" in total.out, total.out)
        rows = [json.loads(line) for line in scan("--all", "--json").out.splitlines()]
        check(roots.pid in [row["pid"] for row in rows if row["type"] == "scan-unread"], rows)
        check(only(rows, "scan-sum")["unread_processes"] >= 1, rows)


@test()
def runtime_that_is_not_known():
    """Namespaces can be read, m0 cannot: it may be wedged, and why nobody knows."""
    # Names of the functions that tell where m0 and its fields are, spoilt.
    image = bytearray(programs.go("stays").read_bytes())
    for name in (b"runtime.mexit\0", b"runtime.unlockOSThread\0"):
        at = image.find(name)
        while at >= 0:
            image[at + 8:at + 9] = b"#"
            at = image.find(name, at + 1)
    program = settings.FOLDER / "unknown"
    program.write_bytes(image)
    program.chmod(0o755)
    with standing([program, "wedged"]) as (process, _):
        run, rows = scanned(process.pid)
        row = only(rows)
        check_equal((run.status, row["m0"]), (1, "may be wedged"), f"m0 of a runtime that is not known: {row}")
        check(row["m0_why"], row)
        text = nsdrift("scan", process.pid).out
        check("M0 may be wedged (" in text and all(len(line) <= 80 for line in text.splitlines()), text)


@test()
def nobody_there():
    gone = subprocess.Popen(["true"])
    gone.wait()
    run = nsdrift("scan", gone.pid)
    check_equal((run.status, run.out), (125, ""), "a PID that is gone")
    check(f"no process {gone.pid}" in run.err and len(run.err.splitlines()) == 1, run.err)
    for word in ("x", "0", "-1", "12x", "99999999999999999999", ""):
        check_equal(nsdrift("scan", "--", word).status, 2, f"PID {word!r}")
    check_equal(nsdrift("scan", "--all", "1").status, 2, "--all and a PID")
    check_equal(nsdrift("scan", "--no-such-option").status, 2, "an unknown option")
    check("nsdrift scan" in nsdrift("scan", "--help").out, "--help")


@test()
def zombie():
    """A process that has ended and waits for its parent has no namespaces any more."""
    process = subprocess.Popen(["true"])
    time.sleep(0.3)
    run = nsdrift("scan", process.pid)
    check_equal(run.status, 125, "a zombie")
    check(run.err, "no word about it")
    process.wait()


@test()
def number_of_a_thread():
    with standing([programs.c("stays_away"), "two", 2]) as (process, away):
        run = nsdrift("scan", away[0])
        check_equal(run.status, 1, "by the number of a thread")
        check(f"is a thread of process {process.pid}" in run.err, run.err)
        check(f"(pid {process.pid})" in run.out, run.out)


@test(timeout=180)
def threads_that_die_meanwhile():
    """Never an error, never a thread that differs where none does; 200 scans of a busy process."""
    program = programs.c("many_threads_come_and_go")
    with standing([program]) as (process, _):
        ended = time.monotonic() + (5 if settings.LEVEL == "fast" else 30)
        looks = 0
        while time.monotonic() < ended:
            run, rows = scanned(process.pid)
            row = only(rows)
            check_equal((run.status, run.err, row["differ"], row["unread"]), (0, "", [], []), "scan")
            looks += 1
        check(looks > 20, f"only {looks} scans")
        check(process.poll() is None, "the process died of being looked at")


@test()
def process_that_ends_meanwhile():
    for _ in range(30):
        process = subprocess.Popen([programs.c("stays_away"), "nobody", "50"], stdout=subprocess.DEVNULL)
        scan = subprocess.Popen([settings.command(), "scan", str(process.pid)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        process.send_signal(signal.SIGKILL)
        process.wait()
        check(scan.wait(timeout=20) in (0, 125), "status", scan.returncode)


@test()
def since_the_start():
    """All alike, and not where they started: only the recording tells; and by which call."""
    record = settings.FOLDER / "records"
    record.mkdir()
    home = links("self", os.getpid())
    with standing([programs.c("stays_away"), "all", 3], record=record) as (process, _):
        there = links(process.pid, process.pid)
        check(there["net"] != home["net"] and there["uts"] != home["uts"], "the host did not move")
        check_equal(nsdrift("scan", process.pid).status, 0, "without the recording all are alike")
        for path in (record, *record.iterdir()):
            run, rows = scanned("--since", path, process.pid)
            row = only(rows)
            check_equal((run.status, row["differ"], row["since"]["gap"]), (1, [], False), run.err)
            moved = row["since"]["moved"]
            check_equal({kind: (one["current"], one["started"]) for kind, one in moved.items()},
                        {kind: (there[kind], home[kind]) for kind in ("net", "uts")}, "from where, to where")
            check(all("unshare in leave" in one["by"] for one in moved.values()), moved)
        text = nsdrift("scan", "--since", record, process.pid)
        check("They are not where they started:" in text.out and f"started in {home['net']}" in text.out, text.out)
        check(all(len(line) <= 80 for line in text.out.splitlines()), text.out)
        everything = nsdrift("scan", "--since", record, "--all")
        check(everything.status == 1 and f"(pid {process.pid})" in everything.out, everything.out)
    with standing([programs.c("stays_away"), "two", 3], record=record) as (process, away):
        run, rows = scanned("--since", record, process.pid)
        check_equal((run.status, only(rows)["since"]["moved"], len(only(rows)["differ"])), (1, {}, 2), run.err)
        check("The leader is where it started." in nsdrift("scan", "--since", record, process.pid).out, "text")
    with standing([programs.c("stays_away"), "nobody", 3]) as (process, _):
        run = nsdrift("scan", "--since", record, process.pid)
        check_equal(run.status, 0, "a process that was not recorded")
        check("nothing of this process" in run.err, run.err)
        (settings.FOLDER / "foreign").write_bytes(b"\x7fELF" + bytes(1000))
        for path in ("/nowhere/at-all", settings.FOLDER / "foreign", "/dev/null"):
            for whom in ([process.pid], ["--all"], []):
                run = nsdrift("scan", "--since", path, *whom)
                check_equal((run.status, run.out, len(run.err.splitlines())), (2, "", 1), f"{path}: {run.err}")
                check(run.err.startswith("nsdrift: ") and str(path) in run.err, run.err)


@test()
def since_the_start_of_a_go_program():
    record = settings.FOLDER / "records"
    record.mkdir()
    with standing([programs.go("stays"), "locked"], record=record) as (process, _):
        run, rows = scanned("--since", record, process.pid)
        moved = only(rows)["since"]["moved"]
        check_equal((run.status, list(moved)), (1, ["net"]), run.err)
        check("unshare in main.main stays.go:" in moved["net"]["by"], moved)


@test()
def on_a_terminal():
    """Colours, by a pager where there is one; where less is not installed, straight; NO_COLOR is obeyed."""
    from subjects.repeat import on_terminal
    folder = settings.FOLDER / "programs"
    folder.mkdir()
    (folder / "cat").symlink_to("/bin/cat")
    with standing([programs.c("stays_away"), "two", 2]) as (process, away):
        argv = [settings.command(), "scan", process.pid]
        for variables in ({"PATH": str(folder)}, {"PAGER": "cat"}, {"PAGER": ""}):
            shown = on_terminal(argv, {"TERM": "xterm", "NO_COLOR": "", **variables})
            check(f"thread {away[0]} (strays)" in shown and "\033[1m" in shown, variables, shown)
        shown = on_terminal(argv, {"TERM": "xterm", "NO_COLOR": "", "PAGER": "sed s/^/paged:/"})
        check("paged:  thread" in shown, shown)
        shown = on_terminal(argv, {"TERM": "xterm", "NO_COLOR": "1", "PAGER": "cat"})
        check("strays" in shown and "\033" not in shown, shown)
    check("\033" not in nsdrift("scan", os.getpid()).out, "colours in a pipe")
