"""nsdrift repeat: the counts, what they mean, what is ranked, and how it ends."""
import math
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test
from subjects import launcher
from subjects.command import nsdrift

RUNS = {"fast": 40, "gate": 200, "all": 1000}


def repeat(*argv, **keywords):
    temporary = settings.FOLDER / "temporary"
    temporary.mkdir(exist_ok=True)
    run = nsdrift("repeat", *argv, base=dict(os.environ, TMPDIR=str(temporary)), **keywords)
    check_equal(list(temporary.iterdir()), [], "left in TMPDIR")
    check(all(len(line.rstrip()) <= 80 for line in run.out.splitlines()), "wider than 80 columns:", run.out)
    return run


def sh(script):
    return ["--", "/bin/sh", "-c", script]


def rows(out, title):
    """(words, hits in failing, failing, hits in passing, passing) of one part of the table."""
    part = next((p for p in out.split("\n\n") if p.startswith(title)), "")
    found, words = [], []
    for line in part.splitlines()[1:]:
        counts = re.search(r"(\d+) of (\d+) +(\d+) of (\d+) *$", line)
        if counts:
            words.append(line[:counts.start()].strip())
            found.append((" ".join(filter(None, words)), *map(int, counts.groups())))
            words = []
        elif re.match(r" {6}\S", line) and found and not words and title == "findings":
            continue
        else:
            words.append(line.strip())
    return found


@test(every_build=True)
def exit_statuses():
    """0: none failed, nothing found; 1: one failed, or an error or a warning; 125: not started; 2: usage."""
    clean = repeat(3, "--", programs.c("setns_round_trip"))
    check_equal(clean.status, 0, clean.out)
    check("0 failed, 3 passed" in clean.out and "no findings" in clean.out, clean.out)
    check_equal(repeat(3, *sh("exit 1")).status, 1, "a run that fails")
    check_equal(repeat(3, *sh("kill -SEGV $$")).status, 1, "a run that dies")
    warned = repeat(3, "--", programs.c("pool_worker_skips_restore_and_idles"))
    check_equal(warned.status, 1, "a warning in runs that pass")
    check_equal(rows(warned.out, "findings")[0][1:], (0, 0, 3, 3), warned.out)
    check("warning: left-switched" in warned.out, warned.out)
    for argv in ([3, "--", "/nowhere/at-all"], [3, "--", settings.FOLDER]):
        run = repeat(*argv)
        check_equal((run.status, run.out), (125, ""), argv)
        check_equal(len(run.err.splitlines()), 1, run.err)
    for argv in ([], [3], ["0", *sh("true")], ["x", *sh("true")], ["-5", *sh("true")], sh("true"),
                 [3, "--jobs", "0", *sh("true")], [3, "--jobs", "two", *sh("true")],
                 [3, "--timeout", "soon", *sh("true")], [3, "--no-such-option", *sh("true")],
                 [3, "-o", "nothing=1", *sh("true")]):
        run = repeat(*argv)
        check_equal((run.status, run.out), (2, ""), argv)
    check("nsdrift repeat N" in repeat("--help").out, "--help")


@test()
def static_program():
    if not shutil.which("busybox"):
        raise Skip("busybox-static is not installed")
    run = repeat(3, "--", shutil.which("busybox"), "touch", settings.FOLDER / "touched")
    check_equal((run.status, run.out), (125, ""), "a static program")
    check("static" in run.err and not (settings.FOLDER / "touched").exists(), run.err)
    run = repeat(3, "--best-effort", "--", shutil.which("busybox"), "touch", settings.FOLDER / "touched")
    check_equal(run.status, 125, "--best-effort")
    check((settings.FOLDER / "touched").exists() and "not all of it: 3 runs" in run.out, run.out)


@test()
def why_runs_were_not_watched():
    """The table says why: an end that nobody saw; a static child, by --strict alone."""
    run = repeat(2, "--", programs.c("ends_by_own_instruction"), "good")
    check_equal((run.status, "  2: left no report of its end" in run.out), (125, True), run.out)
    if not shutil.which("busybox"):
        raise Skip("busybox-static is not installed")
    script = sh(f"{shutil.which('busybox')} true; true")
    check_equal(repeat(2, *script).status, 0, "a static child")
    run = repeat(2, "--strict", *script)
    check_equal((run.status, "  2: it is statically linked, and no Go" in run.out), (125, True), run.out)
    check("--strict" in repeat("--help").out and "--follow-static" in repeat("--help").out, "--help")


@test(timeout=300)
def static_children():
    """A static Go child is not watched, and the table says so, until --follow-static puts the library in."""
    faulty, script = programs.go("unlocked_setns", ldflags=(), label="static"), "{}; true"
    run = repeat(2, *sh(script.format(faulty)))
    check_equal((run.status, "a statically linked Go program" in run.out), (125, True), run.out)
    run = repeat(2, "--follow-static", *sh(script.format(faulty)))
    if "nobody could be set to follow it" in run.out + run.err:
        raise Skip("nothing may be traced here")
    check_equal((run.status, "error: unlocked-switch" in run.out), (1, True), run.out + run.err)
    check_equal(repeat(2, "--follow-static", "-o", "follow=0", *sh("true")).status, 2, "with follow=0")


@test()
def table_on_a_full_disk():
    """Nobody takes the silence of a table that could not be written for a clean series."""
    if not settings.command().exists():
        raise Skip("this build has no command")
    with open("/dev/full", "w") as full:
        done = subprocess.run([settings.command(), "repeat", "2", "--", "/bin/true"], stdout=full,
                              env=shim.environment(on=False), stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    check_equal(done.returncode, 125, done.stderr)
    check("the table could not be written: No space left on device" in done.stderr, done.stderr)


def tail(hits, runs, rate):
    """At least so many hits, by exact sums."""
    return math.fsum(math.comb(runs, k) * rate ** k * (1 - rate) ** (runs - k) for k in range(hits, runs + 1))


@test()
def failure_rate():
    """The interval holds what an exact binomial sum says; 0.5% takes 919 clean runs."""
    for failing, runs in ((1, 200), (0, 20), (3, 10), (20, 20)):
        run = repeat(runs, "--jobs", 2, *sh(f"test $NSDRIFT_RUN -gt {failing}"))
        check(f"{failing} failed, {runs - failing} passed" in run.out, run.out)
        found = re.search(r"failure rate ([\d.]+)%, 95% interval ([\d.e-]+)% to ([\d.]+)% \(Clopper-Pearson\)",
                          run.out)
        check(found, run.out)
        rate, low, high = (float(word) / 100 for word in found.groups())
        check(abs(rate - failing / runs) < 1e-3, "rate", rate)
        check(low == 0 if failing == 0 else abs(tail(failing, runs, low) - 0.025) < 2e-3, "low end", low)
        check(high == 1 if failing == runs else abs(tail(failing + 1, runs, high) - 0.975) < 2e-3, "high", high)
        if failing == 1:
            check("919 clean runs" in run.out, run.out)
        if failing == 3:
            wanted = math.ceil(math.log(0.01) / math.log(0.7))
            check(f"to trust a fix: {wanted} clean runs" in run.out, run.out)


@test()
def check_decides():
    """CMD's status counts, not the program's; it sees number and status, and not the preload."""
    run = repeat(4, "--check", 'test "$NSDRIFT_STATUS" = 3 && test -z "$LD_PRELOAD$NSDRIFT"', *sh("exit 3"))
    check_equal(run.status, 0, run.out)
    check("0 failed, 4 passed" in run.out and "by the check" in run.out, run.out)
    run = repeat(4, "--check", 'test "$NSDRIFT_STATUS" = 137', *sh("kill -KILL $$"))
    check("0 failed, 4 passed" in run.out, run.out)
    run = repeat(4, "--check", "test $NSDRIFT_RUN != 2", *sh("true"))
    check("1 failed, 3 passed" in run.out and "run 2, the first that failed" in run.out, run.out)


@test()
def jobs_at_a_time():
    """Four at a time, each number once."""
    work = settings.FOLDER
    (work / "running").mkdir()
    run = repeat(8, "-j", 4, *sh(f"echo $NSDRIFT_RUN >> {work}/numbers; touch {work}/running/$NSDRIFT_RUN; "
                                 f"sleep 0.5; ls {work}/running | wc -l >> {work}/beside; "
                                 f"rm {work}/running/$NSDRIFT_RUN"))
    check_equal(run.status, 0, run.out)
    numbers = sorted((settings.FOLDER / "numbers").read_text().split(), key=int)
    check_equal(numbers, [str(n) for n in range(1, 9)], "numbers of the runs")
    check_equal(max(map(int, (work / "beside").read_text().split())), 4, "the most at a time")


@test()
def output_of_the_first_failure():
    run = repeat(5, *sh("echo all is well; test $NSDRIFT_RUN != 3 || { echo broken by purpose >&2; exit 1; }"))
    check("run 3, the first that failed, said at its end:\n    all is well\n    broken by purpose" in run.out,
          run.out)
    check_equal(run.out.count("all is well"), 1, "output of the others")


@test()
def hanging_run():
    run = repeat(3, "--timeout", "0.5", *sh("test $NSDRIFT_RUN != 2 || { sleep 100 & sleep 100; }"))
    check("1 failed, 2 passed" in run.out and "time was up: 1" in run.out, run.out)
    check_equal(living("sleep"), [], "what is left")


def living(name):
    """Processes of this name; those that wait to be reaped by the test, the first of its namespace, are dead."""
    found = subprocess.run(["pgrep", "-r", "R,S,D", "-x", name], stdout=subprocess.PIPE, text=True)
    return found.stdout.split()


def start(*argv, **keywords):
    env = shim.environment(False, base=dict(os.environ, TMPDIR=str(settings.FOLDER)))
    return subprocess.Popen([settings.command(), "repeat", *map(str, argv)], env=env, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **keywords)


@test()
def interrupted():
    """Ctrl-C: the table so far, nothing left behind; also where the program does not mind it."""
    for script in ("sleep 0.05; test $NSDRIFT_RUN != 2", "trap '' INT; sleep 0.05; test $NSDRIFT_RUN -lt 4 || sleep 99"):
        process = start(1000, "--jobs", 2, *sh(script), stderr=subprocess.PIPE)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)  # less than what it waits for
        check(re.search(r"interrupted: \d+ runs of 1000 were not made", out), out, err)
        check("failure rate" in out, out)
        check_equal(process.returncode, 1 if "!= 2" in script else 0, "status")
        check_equal(list(settings.FOLDER.glob("nsdrift-*")), [], "left in TMPDIR")
        check_equal(living("sleep"), [], "what is left")


def on_terminal(argv, environment):
    """What a terminal shows on stderr, and on stdout."""
    ours, theirs = pty.openpty()
    env = shim.environment(False, base=dict(os.environ, **environment))
    process = subprocess.Popen([str(word) for word in argv], env=env, stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            some = os.read(ours, 65536)
        except OSError:
            break
        if not some:
            break
        shown += some
    process.wait(timeout=10)
    os.close(ours)
    return shown.decode()


@test()
def progress():
    """A bar on a terminal, plain lines elsewhere; colours on a terminal alone, and not with NO_COLOR."""
    plain = repeat(20, *sh("test $NSDRIFT_RUN != 3"))
    check("\r" not in plain.err + plain.out and "\033" not in plain.err + plain.out, plain.err)
    check("nsdrift: 10 of 20 runs, 1 failed" in plain.err, plain.err)
    argv = [settings.command(), "repeat", 20, *sh("sleep 0.03; test $NSDRIFT_RUN != 3")]
    shown = on_terminal(argv, {"TERM": "xterm", "NO_COLOR": ""})
    check(re.search(r"\r\[#+\.*\] \d+/20  \d failed", shown) and "of 20 runs," not in shown, shown)
    check("\033[1m" in shown, "colours", shown)
    shown = on_terminal(argv, {"TERM": "xterm", "NO_COLOR": "1"})
    check("\033[1m" not in shown and "19 passed" in shown, shown)


def start_script(number="$NSDRIFT_RUN", program='"$0"'):
    """One container start in folders of its own."""
    return (f"cd {settings.FOLDER} && mkdir $NSDRIFT_RUN && cd $NSDRIFT_RUN && echo hello > hello && "
            f"echo world > world && exec unshare --mount {program} $PWD/hello $PWD/world {number}")


CHECK = 'cd "$FOLDER" && test "$(cat $NSDRIFT_RUN/hello-copied)" = world; s=$?; rm -r $NSDRIFT_RUN; exit $s'


@test(timeout=3000)
def faulty_launcher():
    """All runs name it, those that pass too; the place stands in the table."""
    os.environ["FOLDER"] = str(settings.FOLDER)
    runs = RUNS[settings.LEVEL]
    run = repeat(runs, "--jobs", 2, "--check", CHECK, *sh(start_script()), programs.go("launcher"), timeout=2900)
    check_equal(run.status, 1, run.out)
    found = [row for row in rows(run.out, "findings") if "unlocked-switch" in row[0]]
    check_equal(len(found), 1, run.out)
    words, in_failing, failing, in_passing, passing = found[0]
    check_equal((in_failing, in_passing, failing + passing), (failing, passing, runs), "runs in which it is named")
    check(f"unshare in main.main launcher.go:{launcher.unshare_line()}" in run.out, run.out)


@test()
def static_go_program():
    """The library is put into it in each run."""
    run = repeat(8, "--jobs", 2, "--", programs.go("unlocked_round_trip", ldflags=(), label="static"))
    check_equal((run.status, "not watched" in run.out), (1, False), run.out + run.err)
    check_equal([row[1:] for row in rows(run.out, "findings") if "unlocked-switch" in row[0]], [(0, 0, 8, 8)],
                run.out)
    check("0 failed, 8 passed" in run.out, run.out)


def line_of(program, words):
    text = (programs.GO / f"{program}.go").read_text().splitlines()
    return next(number for number, line in enumerate(text, 1) if words in line)


@test(timeout=3000)
def migration_is_ranked_first():
    """A quarter of the runs is made to fail: what goes with that, and what made it."""
    os.environ["FOLDER"] = str(settings.FOLDER)
    runs = RUNS[settings.LEVEL]
    run = repeat(runs, "--jobs", 2, "--check", CHECK, *sh(start_script()), programs.go("launcher_sometimes"),
                 timeout=2900)
    ranked = rows(run.out, "what goes with the failures")
    check(ranked, run.out, run.err)
    unshare, mount = (line_of("launcher_sometimes", words) for words in ("syscall.Unshare", '"mount world"'))
    check_equal(ranked[0][0], f"1. goroutine 1 went on on another thread between unshare "
                f"(launcher_sometimes.go:{unshare}) and mount (launcher_sometimes.go:{mount})", run.out)
    _, in_failing, failing, in_passing, passing = ranked[0]
    # The scheduler makes choices of its own in the other runs, as it does once in some hundred.
    check(failing >= runs // 4 and in_failing >= 0.9 * failing and in_passing <= passing // 50, run.out)
    words = " ".join(row[0] for row in ranked)
    for sign in ("mount (launcher_sometimes.go:%d) on another thread than unshare" % mount,
                 "unlocked-switch, then split-sequence", "unlocked-switch, then exec-discards"):
        check(sign in words, f"{sign} is not ranked", run.out)
    check(all(row[1] * row[4] > row[3] * row[2] for row in ranked), "ranked against the counts", run.out)


@test()
def orders_of_threads():
    """Programs without goroutines: the mount by another thread, the switched thread's end before exec."""
    program = programs.c("takes_turns")
    run = repeat(24, "--jobs", 2, *sh('test $((NSDRIFT_RUN % 3)) != 0 || exec "$0" other; exec "$0" same'), program)
    ranked = rows(run.out, "what goes with the failures")
    check(ranked and ranked[0] == ("1. mount on another thread than unshare", 8, 8, 0, 16), run.out, run.err)
    run = repeat(24, "--jobs", 2, *sh('test $((NSDRIFT_RUN % 3)) != 0 || exec "$0" ended; exec "$0" same'), program)
    ranked = rows(run.out, "what goes with the failures")
    check(any("the thread of unshare had ended at execve" in row[0] and row[1:] == (8, 8, 0, 16)
              for row in ranked), run.out, run.err)


@test()
def chance_is_not_ranked():
    """What occurs in failing and passing runs alike is no clue."""
    run = repeat(20, *sh('"$0"; test $((NSDRIFT_RUN % 4)) != 0'), programs.c("pool_worker_skips_restore_and_idles"))
    check("5 failed, 15 passed" in run.out, run.out)
    check_equal([row[1:] for row in rows(run.out, "findings")], [(5, 5, 15, 15)], run.out)
    check("nothing goes with the failures more than chance would have it" in run.out, run.out)
