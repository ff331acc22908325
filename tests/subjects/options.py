"""Each option of the table, by what it does."""
import json
import os
import re
import signal
import socket
import subprocess

from harness import programs, settings, shim
from harness.registry import check, check_equal, test


def faulty():
    return programs.c("pool_worker_skips_restore_and_idles")


def clean():
    return programs.c("setns_round_trip")


@test()
def log_path():
    result = shim.run([faulty()], options=f"log_path={settings.FOLDER}/log")
    check_equal(result.err, "", "stderr")
    logs = sorted(settings.FOLDER.glob("log*"))
    check(any(re.fullmatch(r"log\.\d+", p.name) and "left-switched" in p.read_text() for p in logs),
          "log files", logs)
    for path in logs:
        check_equal(path.stat().st_mode & 0o777, 0o600, f"mode of {path.name}")


@test()
def log_path_expansions():
    shim.run([faulty()], options=f"log_path={settings.FOLDER}/x-%e-%H-%t-%p")
    names = [p.name for p in settings.FOLDER.glob("x-*") if "left-switched" in p.read_text()]
    check_equal(len(names), 1, f"files with the finding among {list(settings.FOLDER.iterdir())}")
    program, host = faulty().name, socket.gethostname()
    check(re.fullmatch(re.escape(f"x-{program}-{host}-") + r"\S+-\d+", names[0]), "name", names[0])


@test()
def log_path_is_no_link():
    """O_NOFOLLOW: a link that somebody laid there beforehand is not followed."""
    target = settings.FOLDER / "target"
    target.write_text("mine\n")
    for number in range(1, 400):
        os.symlink(target, settings.FOLDER / f"log.{number}")
    result = shim.run([faulty()], options=f"log_path={settings.FOLDER}/log")
    check_equal(target.read_text(), "mine\n", "the link's target")
    check_equal(result.status, 0, "status")


@test(name="json")
def json_lines():
    result = shim.run([faulty()], options="json=1")
    rows = [json.loads(line) for line in result.err.splitlines()]
    finding = next(row for row in rows if row["type"] == "finding")
    for key in ("schema", "rule", "severity", "message", "remedy", "fingerprint", "count", "time", "pid",
                "tid", "pid_ns", "main_thread", "program", "goroutine", "locked", "call", "arguments",
                "result", "errno", "namespaces", "stack", "related", "consequences"):
        check(key in finding, f"no {key} in", finding)
    check_equal(finding["schema"], 1, "schema")
    check_equal((finding["goroutine"], finding["locked"]), (None, None), "goroutine and lock of a C thread")
    check(re.fullmatch(r"[0-9a-f]{16}", finding["fingerprint"]), finding["fingerprint"])
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", finding["time"]), finding["time"])
    check_equal(finding["program"], faulty().name, "program")
    check_equal(set(finding["namespaces"]), {"net"}, "kinds")
    frame = finding["stack"][0]
    for key in ("function", "file", "line", "module", "offset", "build_id"):
        check(key in frame, f"no {key} in", frame)
    check("visit" in [f["function"] for f in finding["stack"]], "stack", finding["stack"])
    check("worker" in [f["function"] for f in finding["stack"]], "stack", finding["stack"])


@test()
def fingerprints_stay():
    def prints():
        return [f["fingerprint"] for f in shim.watched([faulty()]).report.findings]
    first = prints()
    check(first, "no finding")
    for _ in range(4):
        check_equal(prints(), first, "fingerprints of another run")


@test()
def verbosity():
    quiet = shim.run([clean()], options="verbosity=0")
    check_equal(quiet.err, "", "verbosity=0")
    one = shim.run([clean()], options="verbosity=1")
    check("0 errors, 0 warnings" in one.err and "0 records lost" in one.err, one.err)
    two = shim.run([programs.c("thread_per_namespace")], options="verbosity=2:json=1")
    threads = shim.parse(two.err).threads
    away = [t for t in threads if t["switched"]]
    check_equal(len(away), 4, f"switched threads in {threads}")
    for key in ("tid", "name", "born_of", "born_at", "locked", "namespaces", "switched"):
        check(key in away[0], f"no {key} in", away[0])
    three = shim.run([clean()], options="verbosity=3:json=1")
    events = shim.parse(three.err).events
    check_equal(sum(e["call"] == "setns" for e in events), 202, "setns events")
    text = shim.run([clean()], options="verbosity=3")
    check_equal(text.err.count("setns("), 202, "setns lines")
    opened = [e for e in events if e["call"] == "open"]
    check(opened and all(e["arguments"] in (None, "") and e["result"] >= 0 for e in opened), opened[:3])
    check(": open() = " in text.err and "open(3)" not in text.err, text.err[:2000])


@test()
def severity():
    note, warning = programs.c("thread_switches_and_returns"), faulty()
    check_equal(shim.run([note]).err, "", "a note in text")
    check("note: died-switched" in shim.run([note], options="severity=note").err, "severity=note")
    check_equal(shim.parse(shim.run([note], options="json=1").err).rules(), ["died-switched"], "json")
    check("left-switched" not in shim.run([warning], options="severity=error").err, "severity=error")
    check_equal(shim.parse(shim.run([note], options="json=1:severity=warning").err).rules(), [],
                "json with severity=warning")


@test()
def exitcode():
    check_equal(shim.run([faulty()], options="exitcode=66").status, 66, "with a warning")
    check_equal(shim.run([faulty()], options="exitcode=0").status, 0, "exitcode=0")
    check_equal(shim.run([clean()], options="exitcode=66").status, 0, "without")
    check_equal(shim.run([programs.c("thread_switches_and_returns")], options="exitcode=66").status, 0,
                "with a note")
    for way in ("return", "exit", "_exit", "quick_exit", "exit_group", "worker-exit"):
        check_equal(shim.run([programs.c("ends"), way], options="exitcode=66").status, 66, way)
    program = programs.go("unlocked_round_trip")
    check_equal(shim.run([program], options="exitcode=66").status, 66, "Go with an error")
    check_equal(shim.run([programs.go("visits_locked")], options="exitcode=66").status, 0, "Go without")


@test(name="signal")
def signal_option():
    program = programs.c("signal_reports")
    for spelling in ("USR1", "SIGUSR1", str(int(signal.SIGUSR1))):
        plain = shim.watched([program], options=f"verbosity=1:signal={spelling}")
        check_equal((plain.status, plain.out), (-signal.SIGUSR1, ""), spelling)
        check_equal(plain.report.faults(), ["left-switched"], "faults")
        check("report" not in [row["ended"] for row in plain.report.coverage], "two reports")
    check_equal(shim.run([program]).status, -signal.SIGUSR1, "without signal=")
    for name, argument in (("URG", ()), ("WINCH", ()), ("CONT", ()), ("USR1", ("handler",)),
                           ("TERM", ("handler",)), ("USR1", ("ignore",)), ("TERM", ("ignore",)),
                           ("TERM", ()), ("HUP", ()), ("RTMIN", ())):
        number = getattr(signal, f"SIG{name}")
        argv = [program, int(number), *argument]
        native = shim.run(argv, on=False)
        lasting = shim.watched(argv, options=f"verbosity=1:signal={int(number)}")
        check_equal((lasting.status, lasting.out), (native.status, native.out), f"{argv}")
        check_equal(lasting.report.faults(), ["left-switched"], f"{argv}: faults")
        ended = [row["ended"] for row in lasting.report.coverage]
        goes_on = native.status == 0 and argument != ("ignore",)
        check_equal("report" in ended, goes_on, f"{argv}: a report before the end")
    # The mask before sigsuspend blocks the signal: it must not be left pending.
    program = programs.c("ends_by_signal_in_sigsuspend")
    native, result = shim.run([program], on=False), shim.run([program], options="signal=USR1")
    check_equal((native.status, native.out), (-signal.SIGUSR1, ""), "natively")
    check_equal((result.status, result.out), (native.status, native.out), "in sigsuspend")
    program = programs.c("sets_action_badly")
    native, result = shim.run([program], on=False), shim.run([program], options="signal=USR1")
    check_equal((result.status, result.out), (native.status, native.out), "structs that are not there")
    # What the host ignores interrupts nothing, and stays ignored in what it starts, watched or not.
    program = programs.c("sleeps_and_ignores")
    native, result = shim.run([program], on=False), shim.run([program], options="signal=USR1")
    check_equal((native.status, native.out), (0, "nanosleep 0, poll 0\n"), "natively")
    check_equal((result.status, result.out), (native.status, native.out), "interrupted")
    program = programs.c("hands_on_ignored_signal")
    native = shim.run([program], on=False)
    check_equal(native.status, 0, "native status")
    result = shim.run([program], options="signal=USR1:follow=0")
    check_equal((result.status, result.out), (native.status, native.out), "ignored")


@test()
def depth():
    for number in (1, 2):
        result = shim.watched([faulty()], options=f"depth={number}")
        stacks = [len(f["stack"]) for f in result.report.findings]
        check(stacks and max(stacks) <= number, f"depth={number}:", stacks)
    result = shim.watched([faulty()], options="depth=64")
    check(max(len(f["stack"]) for f in result.report.findings) > 2, "depth=64")


@test()
def follow():
    """follow=1 hands the preload on, also over a scrubbed environment; follow=0 does not."""
    script = [programs.c("ends"), "execv"]

    def images(argv, options):
        return len(shim.watched(argv, options=f"verbosity=1:{options}").report.coverage)
    check(images(script, "follow=1") > images(script, "follow=0"), "images after exec")
    scrub = ["env", "-i", "/bin/sh", "-c", "exit 0"]
    names = [os.path.basename(row["image"])
             for row in shim.watched(scrub, options="verbosity=1").report.coverage]
    check("env" in names and len(names) >= 2, "images after env -i", names)
    seen = shim.run(["env", "-i", "/usr/bin/env"], options="follow=0").out
    check("NSDRIFT" not in seen, "environment after follow=0", seen)


@test()
def color():
    plain = shim.run([faulty()]).err
    check("\x1b[" not in plain, "auto, into a pipe", plain)
    always = shim.run([faulty()], options="color=always").err
    check("\x1b[" in always, "always")
    check_equal(re.sub(r"\d+", "N", re.sub(r"\x1b\[[0-9;]*m", "", always)), re.sub(r"\d+", "N", plain),
                "the words")
    check("\x1b[" not in shim.run([faulty()], options="color=never").err, "never")

    def on_a_terminal(extra):
        leader, terminal = os.openpty()
        env = dict(shim.environment(), **extra)
        subprocess.run([faulty()], env=env, stderr=terminal, stdout=subprocess.DEVNULL)
        os.close(terminal)
        text = b""
        try:
            while piece := os.read(leader, 65536):
                text += piece
        except OSError:
            pass
        return text.decode()
    check("\x1b[" in on_a_terminal({}), "auto, on a terminal")
    check("\x1b[" not in on_a_terminal({"NO_COLOR": "1"}), "NO_COLOR")
    check("\x1b[" not in on_a_terminal({"TERM": "dumb", "NO_COLOR": "1"}), "NO_COLOR")


@test(name="help")
def help_table():
    result = shim.run(["/bin/true"], options="help=1")
    check_equal(result.status, 0, "status")
    for name in ("log_path", "json", "verbosity", "severity", "exitcode", "signal", "depth", "follow",
                 "color", "help"):
        check(re.search(rf"^\s*{name}\b", result.err, re.M), f"no {name} in\n{result.err}")
