"""nsdrift report: what is in recordings, in four forms, and what it says of files that are none."""
import fcntl
import http.server
import json
import os
import pty
import random
import re
import shutil
import stat
import struct
import subprocess
import termios
import threading
from collections import Counter

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test

C_HOSTS = ["pool_worker_skips_restore_and_idles", "restore_fails_and_work_goes_on",
           "main_away_while_sibling_mounts", "mount_on_another_thread",
           "restore_on_another_thread",
           "library_helper_outlives_visit", "main_switches_and_pthread_exits",
           "setns_round_trip", "thread_switches_and_returns"]
GO_HOSTS = ["unlocked_setns", "unlocked_round_trip", "restore_forgotten", "main_wedged",
            "unlocked_private_fs"]

_folders = 0


def nsdrift(*argv, **keywords):
    if not settings.command().exists():
        raise Skip("this build has no command")
    return shim.run([settings.command(), *argv], on=False, **keywords)


def recorded(argv, options="verbosity=1", **keywords):
    """Runs a host with record=; (its run, the folder of the recordings)."""
    global _folders
    _folders += 1
    folder = settings.FOLDER / f"recordings{_folders}"
    folder.mkdir()
    result = shim.run(argv, options=f"record={folder}:{options}", **keywords)
    check(any(folder.iterdir()), "nothing was recorded", result.err)
    return result, folder


def report_json(*argv, status=None):
    result = nsdrift("report", "--json", *argv)
    check_equal(result.err, "", "stderr of report")
    if status is not None:
        check_equal(result.status, status, "the status of report")
    parsed = shim.parse(result.out)
    check_equal(parsed.strangers, [], "lines that are no JSON")
    return parsed


def ours(err):
    """The lines of a host's stderr that are nsdrift's, whole reports with what is indented."""
    return [line for line in err.splitlines() if re.match(r"==\d+==nsdrift: |    ", line)]


def hold_text_of_host(program):
    run, folder = recorded([program])
    faults = any(re.match(r"==\d+==nsdrift: (error|warning): ", line) for line in ours(run.err))
    report = nsdrift("report", "--no-debug-info", folder)
    check_equal((report.status, report.err), (1 if faults else 0, ""), f"{program.name}: report")
    # Images that end at one moment may come in either order.
    check_equal(Counter(report.out.splitlines()), Counter(ours(run.err)), f"{program.name}: text")


@test(timeout=300)
def text_of_c_hosts():
    """What the host said itself is what its recording says."""
    for name in C_HOSTS:
        hold_text_of_host(programs.c(name))


@test(timeout=300)
def text_of_go_hosts():
    for name in GO_HOSTS:
        hold_text_of_host(programs.go(name))


@test(timeout=300)
def json_of_hosts():
    """The same findings and the same coverage, key by key; times to a millisecond."""
    for program in [programs.c(name) for name in C_HOSTS[:4]] + [programs.go("unlocked_setns")]:
        run, folder = recorded([program], options="json=1:verbosity=1")
        host = shim.parse("\n".join(line for line in run.err.splitlines() if line[:1] == "{"))
        report = report_json("--no-debug-info", folder)

        def plain(rows):
            return sorted(json.dumps({k: v for k, v in row.items() if k != "time"}, sort_keys=True)
                          for row in rows)
        check(host.findings, "no finding", run.err)
        check_equal(plain(report.findings), plain(host.findings), f"{program.name}: findings")
        check_equal(plain(report.coverage), plain(host.coverage), f"{program.name}: coverage")
        with_lines = report_json(folder)
        check_equal([f["fingerprint"] for f in with_lines.findings],
                    [f["fingerprint"] for f in report.findings], "lines change no fingerprint")


@test(timeout=300)
def exit_statuses():
    """0 and 1 as the recordings say; 2 for a mistake in the call."""
    _, clean = recorded([programs.c("setns_round_trip")])
    _, faulty = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    for argv, status in [([clean], 0), ([faulty], 1), ([clean, faulty], 1), ([], 2),
                         (["--no-such-option", clean], 2), (["--severity", "loud", clean], 2),
                         (["--json", "--threads", clean], 2), (["--threads", faulty], 1),
                         (["--trace", "/dev/null", faulty], 1), (["--help"], 0)]:
        result = nsdrift("report", *argv)
        check_equal(result.status, status, f"report {argv} ({result.err})")
    quiet = nsdrift("report", "--severity", "error", faulty)
    check("left-switched" not in quiet.out, "--severity", quiet.out)
    check("note: died-switched" in nsdrift("report", "--severity=note", *recorded(
        [programs.c("thread_switches_and_returns")])[1:]).out, "--severity=note")


@test()
def verbose():
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    threads = nsdrift("report", "-v", folder).out
    check(re.search(r"nsdrift: thread \d+ \(main\): home", threads), threads)
    check(re.search(r"nsdrift: thread \d+, born of \d+ at .*: away in net", threads), threads)
    check("event: tid" not in threads, threads)
    check(re.search(r"event: tid \d+: setns\(\d+, CLONE_NEWNET\) = 0", nsdrift(
        "report", "-vv", folder).out), "-vv")


# ---- the table ----

TABLE = """\
==PID==nsdrift: thread_switches_and_returns
2 threads, times since DATE UTC
TIME  THREAD  WHAT  WHERE THEN
TIME  A  thread start, made by B  home
TIME  A  unshare(CLONE_NEWNET) = 0  net NS
at thread_switches_and_returns.c:8
TIME  A  thread end  net NS
TIME  B main  exit(0)  home
"""


def normal_table(text):
    text = re.sub(r"^==\d+==", "==PID==", text, flags=re.M)
    text = re.sub(r"since \S+ \S+ UTC", "since DATE UTC", text)
    text = re.sub(r"^ +", "", text, flags=re.M)
    text = re.sub(r"^\d+\.\d{6}", "TIME", text, flags=re.M)
    text = re.sub(r"\b40\d{8}\b|#\d+\b", "NS", text)
    text = re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text)
    names = {}
    return re.sub(r"(?<=TIME  )\d+|(?<=made by )\d+",
                  lambda m: names.setdefault(m[0], chr(65 + len(names))), text)


@test()
def table_of_threads():
    """To the letter, with the numbers taken out."""
    _, folder = recorded([programs.c("thread_switches_and_returns")])
    result = nsdrift("report", "--threads", folder)
    check_equal(result.status, 0, result.err)
    check_equal(normal_table(result.out).splitlines(), TABLE.splitlines(), "the table")


@test(timeout=300)
def table_fits():
    """In 80 columns, whatever stands in it, with a time in each row that does not run backwards."""
    for program in [programs.c(name) for name in C_HOSTS] + [programs.go("visits_nested"),
                                                            programs.go("main_wedged")]:
        _, folder = recorded([program])
        out = nsdrift("report", "--threads", folder).out
        wide = [line for line in out.splitlines() if len(line) > 80]
        check(not wide, f"{program.name}: wider than 80:", wide[:3])
        check("  \n" not in out and " \n" not in out, f"{program.name}: blanks at a line's end")
        rows = {}
        for image in out.split("==nsdrift: ")[1:]:
            for time, tid in re.findall(r"^ *(\d+\.\d{6})  (\d+)", image, flags=re.M):
                check(float(time) >= rows.get((image, tid), 0), f"{program.name}: backwards\n{out}")
                rows[image, tid] = float(time)
        check(rows, f"{program.name}: no rows", out)


# ---- the trace ----

def trace_of(folder):
    path = settings.FOLDER / "trace.json"
    result = nsdrift("report", "--trace", path, folder)
    check_equal((result.out, result.err), ("", ""), "output of --trace")
    trace = json.loads(path.read_text())
    check_equal(set(trace), {"displayTimeUnit", "traceEvents"}, "keys of the trace")
    return trace["traceEvents"]


def hold_trace(events, what):
    """The form: known phases; slices of a track in order, one over the other or apart; arrows in
    pairs, from the earlier to the later, each end within a slice of its track."""
    tracks, arrows = {}, {}
    for event in events:
        check(event["ph"] in "MXisf", f"{what}: phase", event)
        check(isinstance(event["pid"], int) and isinstance(event["tid"], int), what, event)
        # Viewers keep them in 32 bits.
        check(0 < event["pid"] < 2 ** 31 and 0 < event["tid"] < 2 ** 31, what, event)
        if event["ph"] == "M":
            continue
        check(event["ts"] >= 0, f"{what}: before the beginning", event)
        if event["ph"] == "X":
            check(event["dur"] >= 0, f"{what}: ends before it begins", event)
            tracks.setdefault((event["pid"], event["tid"], event["cat"]), []).append(event)
        if event["ph"] in "sf":
            check(event["ph"] not in arrows.setdefault(event["id"], {}), f"{what}: id", event)
            arrows[event["id"]][event["ph"]] = event
    check(tracks, f"{what}: no slices")

    def span(slice_):
        return round(slice_["ts"], 3), round(slice_["ts"] + slice_["dur"], 3)
    for key, slices in tracks.items():
        for before, after in zip(slices, slices[1:]):
            check(span(before)[1] <= span(after)[0], f"{what}: {key} not in order", before, after)
    for (pid, tid, category), slices in tracks.items():
        for low in slices if category == "lock" else ():
            over = [s for s in tracks[pid, tid, "namespaces"]
                    if span(s)[0] <= span(low)[0] and span(low)[1] <= span(s)[1]]
            check(over, f"{what}: a lock outside of its place", low)
    for number, ends in arrows.items():
        check_equal(set(ends), {"s", "f"}, f"{what}: arrow {number}")
        check(ends["s"]["ts"] <= ends["f"]["ts"], f"{what}: an arrow back in time", ends)
        check_equal(ends["s"]["cat"], ends["f"]["cat"], f"{what}: arrow {number}")
        for end in ends.values():
            around = [s for s in tracks.get((end["pid"], end["tid"], "namespaces"), ())
                      if span(s)[0] <= round(end["ts"], 3) <= span(s)[1]]
            check(around, f"{what}: an arrow's end outside of every slice", end)
    return tracks, arrows


@test()
def trace_of_c_host():
    """There and back and there again, and the birth of the thread that does it."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    events = trace_of(folder)
    tracks, arrows = hold_trace(events, "C")
    worker = [s for (_, tid, _), s in tracks.items() if len(s) > 1]
    check_equal(len(worker), 1, "tracks with more than one slice")
    check_equal([re.sub(r"\d+$", "NS", s["name"]) for s in worker[0]],
                ["home", "net NS", "home", "net NS"], "slices of the worker")
    births = [a for a in arrows.values() if a["s"]["cat"] == "birth"]
    check_equal(len(births), 1, "births")
    check_equal(births[0]["f"]["tid"], worker[0][0]["tid"], "who was born")
    check([e for e in events if e["ph"] == "i" and e["name"] == "left-switched"
           and e["cat"] == "warning" and e["tid"] == worker[0][0]["tid"]], "the finding")
    names = {(e["name"], e["args"]["name"]) for e in events if "name" in e.get("args", {})}
    check(("process_name", "pool_worker_skips_restore_and_idles") in names, names)


@test(timeout=300)
def trace_of_go_hosts():
    for name in GO_HOSTS + ["visits_nested", "visits_locked"]:
        _, folder = recorded([programs.go(name)])
        tracks, _ = hold_trace(trace_of(folder), name)
        if name == "unlocked_setns":
            colours = {(s["name"].split(",")[0], s["cname"])
                       for (_, _, kind), slices in tracks.items() if kind == "lock" for s in slices}
            check(("locked", "good") in colours and ("unlocked", "terrible") in colours, colours)


@test(level="gate", timeout=600)
def trace_of_every_host():
    """And the table of each: no wider than 80, whatever the host does to itself."""
    hosts = [programs.c(path.stem) for path in sorted(programs.C.glob("*.expect"))]
    hosts += [programs.go(path.stem) for path in sorted(programs.GO.glob("*.expect"))]
    held = 0
    for program in hosts:
        try:
            _, folder = recorded([program])
        except Skip:
            continue
        hold_trace(trace_of(folder), program.name)
        out = nsdrift("report", "--threads", folder).out
        wide = [line for line in out.splitlines() if len(line) > 80 or line.endswith(" ")]
        check(out and not wide, f"{program.name}: the table:", wide[:3])
        held += 1
    check(held > len(hosts) // 2, "most hosts cannot run here")


@test()
def trace_of_a_migration():
    """The launcher that is made to go on on another thread: an arrow from the one to the other."""
    from subjects import launcher
    _, folder = recorded_by(launcher)
    tracks, arrows = hold_trace(trace_of(folder), "launcher")
    moves = [a for a in arrows.values() if a["s"]["cat"] == "migration"]
    check(moves, "no goroutine went on on another thread")
    for move in moves:
        check(move["s"]["tid"] != move["f"]["tid"], "on the same thread", move)
        check(re.fullmatch(r"goroutine \d+", move["s"]["name"]), move)


@test()
def trace_of_many_pid_namespaces():
    """The same pid in each of many namespaces that are there at once: tracks of their own."""
    folder = settings.FOLDER / "namespaces"
    folder.mkdir()
    count = 30
    inner = f'env LD_PRELOAD={settings.library()} NSDRIFT=1 NSDRIFT_OPTIONS=record={folder} "$0"; ' \
            'echo done; read line'
    running = [subprocess.Popen(["unshare", "--pid", "--fork", "/bin/sh", "-c", inner,
                                 programs.c("thread_switches_and_returns")],
                                env=shim.environment(on=False), text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
               for _ in range(count)]
    try:
        for process in running:
            while process.stdout.readline() not in ("done\n", ""):
                pass
    finally:
        for process in running:
            process.communicate(timeout=30)
    tracks, _ = hold_trace(trace_of(folder), "namespaces")
    check_equal(len({pid for pid, _, _ in tracks}), count, "processes in the trace")


def recorded_by(launcher):
    folder = settings.FOLDER / "launcher"
    folder.mkdir()

    def run(argv, **keywords):
        return shim.run(argv, options=f"record={folder}", **keywords)
    result, _ = launcher.start(programs.go("launcher_forced"), 0, runner=run)
    return result, folder


# ---- lines by debug information ----

def frames_of(folder, *options):
    finding = [f for f in report_json(*options, folder).findings if f["rule"] == "left-switched"]
    check_equal(len(finding), 1, "left-switched")
    return [(f["function"], os.path.basename(f["file"] or ""), f["line"])
            for f in finding[0]["stack"] if "wk" in f["module"] or "pool" in f["module"]]


SOURCE = "pool_worker_skips_restore_and_idles"


def lines_of_source():
    """What must be said of it, found in the text of the host."""
    lines = (programs.C / f"{SOURCE}.c").read_text().splitlines()
    at = [n for n, line in enumerate(lines, 1) if "setns(" in line and "other" in line] or \
         [n for n, line in enumerate(lines, 1) if "setns(" in line]
    return at


@test()
def lines_of_c():
    """From the program itself, with what was inlined into a function as frames of their own."""
    _, folder = recorded([programs.c(SOURCE)])
    function, file, line = frames_of(folder)[0]
    check_equal((function, file), ("visit", f"{SOURCE}.c"), "the frame of the switch")
    check(line in lines_of_source(), f"line {line}, not one of {lines_of_source()}")
    check_equal([f[1:] for f in frames_of(folder, "--no-debug-info")][0], ("", None),
                "without debug information")
    text = nsdrift("report", folder).out
    check(f"#0 visit {SOURCE}.c:{line}\n" in text, text)
    check(re.search(rf"Fix: .* {SOURCE}\.c:{line}\.", text), "the remedy's line", text)
    run = nsdrift("run", "--", programs.c(SOURCE))
    check(f"#0 visit {SOURCE}.c:{line}\n" in run.err, "nsdrift run has them as well", run.err)


@test(timeout=300)
def lines_of_other_compilers():
    """clang writes no .debug_aranges; link-time optimisation puts a function's name elsewhere."""
    built = 0
    for compiler, flags in [("clang", ("-O2", "-g")), ("musl-gcc", ("-O2", "-g")),
                            ("gcc", ("-O2", "-g", "-flto")), ("gcc", ("-O0", "-g", "-no-pie"))]:
        try:
            program = programs.c(SOURCE, compiler=compiler, flags=flags)
        except Skip:
            continue
        _, folder = recorded([program])
        function, file, line = frames_of(folder)[0]
        check_equal((function, file), ("visit", f"{SOURCE}.c"), f"{compiler} {flags}")
        check(line in lines_of_source(), f"{compiler} {flags}: line {line}")
        built += 1
    check(built >= 2, "no compilers")


def separate(name="wk"):
    """The host without its debug information, and that in a file of its own."""
    for tool in ("objcopy", "strip"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    host, debug = settings.FOLDER / name, settings.FOLDER / f"{name}.debug"
    shutil.copy(programs.c(SOURCE), host)
    subprocess.run(["objcopy", "--only-keep-debug", host, debug], check=True)
    subprocess.run(["strip", host], check=True)
    subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", host], check=True, cwd=debug.parent)
    notes = subprocess.run(["readelf", "-n", host], check=True, stdout=subprocess.PIPE, text=True)
    return host, debug, re.search(r"Build ID: ([0-9a-f]+)", notes.stdout)[1]


@test()
def lines_of_a_stripped_program():
    """By its debug link, and by its build id alone when the program is gone or is another one."""
    host, debug, build_id = separate()
    _, folder = recorded([host])
    check_equal(frames_of(folder, "--no-debug-info")[0], (None, "", None), "a stripped program")
    wanted = frames_of(folder)
    check_equal(wanted[0][:2], ("visit", f"{SOURCE}.c"), "by the debug link")
    store = settings.FOLDER / "store" / ".build-id" / build_id[:2]
    store.mkdir(parents=True)
    debug.rename(store / f"{build_id[2:]}.debug")
    check_equal(frames_of(folder)[0][1], "", "the debug file is elsewhere")
    store_path = f"--debug-path={settings.FOLDER}/store"
    check_equal(frames_of(folder, store_path), wanted, "by the build id")
    host.unlink()
    check_equal(frames_of(folder, store_path), wanted, "the program is gone")
    shutil.copy(programs.c("setns_round_trip"), host)
    check_equal(frames_of(folder, store_path), wanted, "it is another one by now")
    check_equal(frames_of(folder)[0], (None, "", None), "another one's lines were taken")
    host.unlink()
    os.mkfifo(host)
    check_equal(frames_of(folder, store_path), wanted, "it is a pipe by now")


@test()
def servers_are_asked_only_if_named():
    """No socket without DEBUGINFOD_URLS; with it the server is asked for this build id."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    host, debug, build_id = separate()
    _, folder = recorded([host])
    content = debug.read_bytes()
    debug.unlink()
    base = {k: v for k, v in os.environ.items() if not k.startswith("DEBUGINFOD")}
    base["DEBUGINFOD_CACHE_PATH"] = str(settings.FOLDER / "cache")
    trace = settings.FOLDER / "trace"
    silent = shim.run(["strace", "-f", "-e", "trace=network", "-o", trace, settings.command(),
                       "report", folder], on=False, base=base)
    check_equal(silent.status, 1, silent.err)
    check("AF_INET" not in trace.read_text(), "it went into the network", trace.read_text()[:300])

    asked = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            good = self.path == f"/buildid/{build_id}/debuginfo"
            self.send_response(200 if good else 404)
            self.send_header("Content-Length", str(len(content) if good else 0))
            self.end_headers()
            if good:
                self.wfile.write(content)

        def log_message(self, *_):
            pass
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base["DEBUGINFOD_URLS"] = f"http://127.0.0.1:{server.server_port}"
    named = shim.run([settings.command(), "report", folder], on=False, base=base)
    before = len(asked)
    run = shim.run([settings.command(), "run", "--", host], on=False, base=base)
    check_equal((run.status, len(asked)), (1, before), "a run waits for no server")
    if not asked:
        raise Skip("libdw has no debuginfod client here, or there is no loopback")
    check(f"/buildid/{build_id}/debuginfo" in asked, "what was asked", asked)
    check(f"#0 visit {SOURCE}.c:" in named.out, "the server's lines", named.out)
    server.shutdown()


# ---- a terminal ----

def on_terminal(argv, columns=80, stream="stdout", **variables):
    """Runs it with stdout (or stderr) on a terminal of its own; (status, what was shown)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    base = {k: v for k, v in shim.environment(on=False).items() if k not in ("NO_COLOR", "LESS")}
    base.update({"TERM": "xterm", "PAGER": "cat"}, **variables)
    places = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: slave}
    process = subprocess.Popen([str(a) for a in argv], env=base, stdin=subprocess.DEVNULL, **places)
    os.close(slave)
    shown = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            break
        if not more:
            break
        shown += more
    os.close(master)
    return process.wait(timeout=20), shown.decode().replace("\r\n", "\n")


@test()
def terminal():
    """Coloured and no wider than the screen there; neither in a pipe or with NO_COLOR."""
    _, folder = recorded([programs.go("unlocked_setns")])
    report = [settings.command(), "report", folder]
    status, shown = on_terminal(report)
    check_equal(status, 1, shown)
    check("\033[1;31merror\033[0m: unlocked-switch" in shown, "no colour", repr(shown))
    for columns in (80, 40, 132):
        status, shown = on_terminal(report, columns=columns)
        bare = re.sub(r"\033\[[0-9;]*m", "", shown)
        wide = [line for line in bare.splitlines() if len(line) > columns
                and " " in line.strip()[:columns - 8]]
        check(not wide, f"wider than {columns}:", wide)
        piped = nsdrift("report", folder).out
        check_equal(bare.split(), piped.split(), "the words, wrapped and not")
    check(max(len(line) for line in nsdrift("report", folder).out.splitlines()) > 80,
          "lines in a pipe are whole")
    check("\033" not in on_terminal(report, NO_COLOR="1")[1], "NO_COLOR")
    check("\033" in on_terminal(report, NO_COLOR="")[1], "an empty NO_COLOR")
    check("\033" not in on_terminal(report, TERM="dumb")[1], "TERM=dumb")
    check("\033" not in nsdrift("report", folder).out, "colour in a pipe")
    check("\033" in nsdrift("report", "--color=always", folder).out, "--color=always")
    check("\033" not in on_terminal([*report, "--color=never"])[1], "--color=never")
    check("\033" not in on_terminal([*report, "--json"])[1], "colour in JSON")
    status, shown = on_terminal([*report, "--threads"])
    check("\033[1;33mnet 40" in shown, "no colour in the table", repr(shown))
    status, shown = on_terminal([settings.command(), "run", "--", programs.go("unlocked_setns")],
                                stream="stderr")
    check("\033[1;31merror\033[0m: unlocked-switch" in shown, "no colour in a run", repr(shown))
    bare = re.sub(r"\033\[[0-9;]*m", "", shown)
    check(max(map(len, bare.splitlines())) <= 80, "wider than 80 in a run:", bare)


@test()
def pager():
    """$PAGER gets it; the status is the report's, also when the reader leaves at once."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    report = [settings.command(), "report", folder]
    status, shown = on_terminal(report, PAGER="sed 's/^/paged /'")
    check_equal(status, 1, shown)
    check(shown and all(line.startswith("paged ") for line in shown.splitlines()), shown)
    status, shown = on_terminal([*report, "--no-pager"], PAGER="sed 's/^/paged /'")
    check(status == 1 and "paged" not in shown, shown)
    check_equal(on_terminal([*report, "-vv"], PAGER="true"), (1, ""), "a reader who leaves")
    status, shown = on_terminal(report, PAGER="/nowhere/less")
    check_equal(status, 1, "a pager that is not there")
    piped = subprocess.run([settings.command(), "report", folder], stdout=subprocess.PIPE,
                           env=dict(os.environ, PAGER="touch paged"), text=True)
    check("left-switched" in piped.stdout and not os.path.exists("paged"), "a pager for a pipe")
    if shutil.which("less"):
        status, shown = on_terminal(report, PAGER="less")
        check(status == 1 and "left-switched" in shown, "less", repr(shown))


# ---- bad input ----

def hold_refusal(argv, what, words=""):
    result = nsdrift("report", *argv)
    check_equal((result.status, result.out), (125, ""), f"{what} ({result.err})")
    check_equal(len(result.err.splitlines()), 1, f"lines about {what}: {result.err}")
    check(str(argv[-1]) in result.err and words in result.err, f"{what}: {result.err}")


@test(timeout=300)
def bad_recordings():
    """One line and 125 for what cannot be read at all, whatever form was asked for."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    good = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    whole = good.read_bytes()
    bad = settings.FOLDER / "bad"

    def write(content):
        bad.write_bytes(content)
        return [bad]
    hold_refusal(["/nowhere/at/all"], "a missing file", "No such file")
    hold_refusal(write(b""), "an empty file", "empty")
    hold_refusal(write(b"#!/bin/sh\necho hello\n"), "a script")
    hold_refusal(write(b"\0" * 100000), "zeroes")
    hold_refusal(["/bin/sh"], "a program")
    hold_refusal(["/dev/null"], "a device")
    hold_refusal(write(whole[:8]), "its magic alone")
    hold_refusal(write(whole[:100]), "a tenth of a page")
    newer = bytearray(whole)
    newer[8:12] = struct.pack("I", struct.unpack_from("I", whole, 8)[0] + 1)
    hold_refusal(write(bytes(newer)), "a newer version", "newer version of nsdrift: its format is ")
    foreign = bytearray(whole)
    foreign[12:16] = bytes(reversed(whole[12:16]))
    hold_refusal(write(bytes(foreign)), "the other byte order")
    empty = settings.FOLDER / "empty"
    empty.mkdir()
    hold_refusal([empty], "an empty folder")
    os.mkfifo(settings.FOLDER / "pipe")
    hold_refusal([settings.FOLDER / "pipe"], "a pipe that nobody writes to")
    for form in ("--json", "--threads", f"--trace={settings.FOLDER}/none.json"):
        hold_refusal([form, "/nowhere/at/all"], form)
    check(not (settings.FOLDER / "none.json").exists(), "a trace of nothing was written")
    result = nsdrift("report", "--trace=/nowhere/at/all.json", good)
    check_equal((result.status, len(result.err.splitlines())), (125, 1), "a trace that cannot be")
    mixed = nsdrift("report", "/nowhere/at/all", good)
    check_equal(mixed.status, 1, "a good one beside a missing one")
    check("left-switched" in mixed.out and "No such file" in mixed.err, mixed.err)


@test()
def links_in_a_folder():
    """A link to a file is read; one to a folder is not followed, since it may lead round in a circle."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    alone = nsdrift("report", folder)
    there = settings.FOLDER / "there"
    there.mkdir()
    for name in ("a", "b", "c"):
        (there / name).symlink_to(there)
    for file in folder.iterdir():
        (there / f"link-{file.name}").symlink_to(file)
    result = nsdrift("report", there, timeout=20)
    check_equal((result.status, result.out), (alone.status, alone.out), "the report")
    check_equal(result.err.splitlines(), [f"nsdrift: {there}/{name}: a link to a folder is not followed"
                                          for name in ("a", "b", "c")], "one line for each link")
    named = settings.FOLDER / "named"
    named.symlink_to(folder)
    result = nsdrift("report", named)
    check_equal((result.status, result.out, result.err), (alone.status, alone.out, ""), "the folder by a link")


@test()
def no_permission():
    _, folder = recorded([programs.c("setns_round_trip")])
    recording = next(folder.iterdir())
    check_equal(stat.S_IMODE(recording.stat().st_mode), 0o600, "mode of a recording")
    recording.chmod(0)
    os.chmod(settings.FOLDER, 0o755)
    shutil.copy(settings.command(), settings.FOLDER / "nsdrift")
    base = dict(os.environ)

    def as_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        result = subprocess.run([settings.command(), "report", recording], env=base, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=as_nobody)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skip(f"nobody cannot be had here: {error}")
    check_equal(result.returncode, 125, result.stderr)
    check("Permission denied" in result.stderr and len(result.stderr.splitlines()) == 1,
          result.stderr)


@test(timeout=300)
def cut_recordings():
    """Cut anywhere: what is left, or one line; never a crash, never a word that is not so."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    whole = max(folder.iterdir(), key=lambda path: path.stat().st_size).read_bytes()
    bad, statuses = settings.FOLDER / "bad", Counter()
    for size in [*range(4096, len(whole), len(whole) // 20), len(whole) - 1]:
        bad.write_bytes(whole[:size])
        for form in ("--json", "--threads"):
            result = nsdrift("report", form, bad)
            check(result.status in (1, 125), f"{size} bytes, {form}: {result.status} {result.err}")
            check(result.err.startswith("nsdrift: ") and len(result.err.splitlines()) == 1,
                  f"{size} bytes, {form}: {result.err}")
        statuses[result.status] += 1
    check(statuses[1] and statuses[125], "all the same", statuses)


@test(timeout=300)
def flipped_recordings():
    """Bits turned over anywhere: an answer or one line, in every form; never a crash or a hang."""
    _, folder = recorded([programs.go("unlocked_setns")])
    whole = max(folder.iterdir(), key=lambda path: path.stat().st_size).read_bytes()
    used = [at for at in range(0, len(whole), 8) if any(whole[at:at + 8])]
    bad, trace = settings.FOLDER / "bad", settings.FOLDER / "flipped.json"
    forms = [[], ["--json"], ["--threads"], [f"--trace={trace}"], ["-vv"]]
    for seed in range({"fast": 60, "gate": 600, "all": 6000}[settings.LEVEL]):
        chance = random.Random(seed)
        content = bytearray(whole)
        for _ in range(chance.choice([1, 3, 20, 200])):
            at = min(chance.choice(used) + chance.randrange(8), len(content) - 1)
            content[at] = chance.choice([content[at] ^ 1 << chance.randrange(8), 0, 127, 255])
        bad.write_bytes(content)
        form = forms[seed % len(forms)]
        result = nsdrift("report", *form, bad, timeout=20)
        check(result.status in (0, 1, 125), f"seed {seed}, {form}: {result.status} {result.err}")
        if form == ["--json"]:
            check_equal(shim.parse(result.out).strangers, [], f"seed {seed}: lines that are no JSON")
        elif trace.exists():
            json.loads(trace.read_text())
            trace.unlink()


@test()
def hostile_strings():
    """What a recording names may hold anything; a terminal's escapes do not come through."""
    _, folder = recorded([programs.c("pool_worker_skips_restore_and_idles")])
    bad = settings.FOLDER / "bad"
    for path in folder.iterdir():
        whole = path.read_bytes()
        hostile = whole.replace(b"visit\0", b"\033[31m\0").replace(
            b"/pool_worker", b"/\033]0;pwnedd\a")
        if hostile != whole:
            bad.write_bytes(hostile)
            for form in ([], ["--json"], ["--threads"], ["--trace=-"]):
                out = nsdrift("report", "--no-debug-info", *form, bad)
                check(out.status in (0, 1), form, out.err)
                check("\033" not in out.out and "\a" not in out.out, form, repr(out.out[:2000]))
    check(bad.exists(), "nothing to make hostile")


@test()
def killed():
    """SIGKILL: what was found until then, that it did not end by itself, and when things were."""
    run, folder = recorded([programs.c("kills_itself_after_visit")])
    check_equal(run.status, -9, run.err)
    check("left-switched" not in run.err, "a killed program cannot report", run.err)
    report = report_json(folder, status=1)
    check_equal(report.faults(), ["left-switched"], "faults")
    ended = Counter(row["ended"] for row in report.coverage)
    check_equal(ended["killed"], 1, f"how the images ended: {ended}")
    text = nsdrift("report", folder).out
    check("killed" in text.lower(), "no word about the end", text)
    table = nsdrift("report", "--threads", folder).out
    check("it was killed, or has not ended" in table, table)
    times = re.findall(r"^ *(\d+\.\d{6})  ", table.split("==nsdrift: kills")[1], flags=re.M)
    check(len(set(times)) > 3, "times of a killed image", table)
    hold_trace(trace_of(folder), "killed")


# ---- findings of any length ----

DEEP = """
#include "host.h"
static int other;
static sem_t done, never;
static KEEP int visit(void) {
    int home = own_namespace("net");
    must(setns(other, CLONE_NEWNET) == 0, "setns");
    close(home);
    if (setns(home, CLONE_NEWNET) != 0)
        return -1;
    STAY();
    return 0;
}
%s
static void *worker(void *unused) {
    %s();
    must(socket(AF_INET, SOCK_DGRAM, 0) >= 0, "socket");
    post(&done);
    wait_for(&never);
    return unused;
}
int main(void) {
    sem_init(&done, 0, 0);
    sem_init(&never, 0, 0);
    other = other_network();
    start(worker, NULL);
    wait_for(&done);
    return 0;
}
"""


def deep_program(length, depth=70):
    """A host like restore_fails_and_work_goes_on, at the end of a chain of calls with long names."""
    names = [f"_ZN{number:03}" + "10basic_pathIcSt11char_traitsIcEE" * (length // 33)
             for number in range(depth)]
    chain, below = [], "visit"
    for name in names:
        chain.append(f"static KEEP int {name}(void) {{ int got = {below}(); STAY(); return got; }}")
        below = name
    source = settings.FOLDER / "deep.c"
    source.write_text(DEEP % ("\n".join(chain), below))
    done = subprocess.run(["gcc", "-O2", "-g", f"-I{programs.C}", "-D_GNU_SOURCE", "-pthread", "-o",
                           settings.FOLDER / "deep", source], stderr=subprocess.PIPE, text=True)
    check_equal(done.returncode, 0, done.stderr[-2000:])
    return settings.FOLDER / "deep", names


@test("findings_of_any_length", every_build=True)
def findings_of_any_length():
    """64 frames with names of over a thousand characters: whole in run, in report and from inside."""
    if not shutil.which("gcc"):
        raise Skip("gcc is not installed")
    program, names = deep_program(1200)
    wanted = ["visit", *names[:63]]
    inside = shim.watched([program], options="verbosity=1:depth=64")
    run = nsdrift("run", "--json", "-o", "depth=64", "--", program)
    of_run = shim.parse(run.err)
    check_equal(of_run.strangers, [], "lines that are no JSON")
    _, folder = recorded([program], "verbosity=1:depth=64:log_path=/dev/null")
    of_report = report_json("--no-debug-info", folder)
    for where, result in (("inside", inside.report), ("run", of_run), ("report", of_report)):
        finding, = (f for f in result.findings if f["rule"] == "restore-failed")
        stacks = [finding["stack"], *(r["stack"] for r in finding["related"] if r["what"] == "switched here")]
        for stack in stacks:
            check_equal([frame["function"] for frame in stack], wanted, f"{where}: the stack")
        check("left_out" not in finding, f"{where}: left out:", finding.get("left_out"))
        check([then["rule"] for then in finding["consequences"]] == ["left-switched"], finding["consequences"])
        check_equal([row.get("unnamed") for row in result.coverage], [None] * len(result.coverage), where)
    fingerprints = {f["fingerprint"] for result in (inside.report, of_run, of_report)
                    for f in result.findings}
    check_equal(len(fingerprints), 1, f"fingerprints: {fingerprints}")
    for text in (nsdrift("run", "-o", "depth=64", "--", program).err,
                 nsdrift("report", "--no-debug-info", folder).out):
        for name in names[:63]:
            check(text.count(f" {name} ") >= 2, "not in the text:", name[:40], text[:3000])
    # What the recording has no room for is counted and told.
    program, names = deep_program(1900)
    small = nsdrift("run", "-o", "depth=64:record_size=32K", "--", program)
    check("found no room in the recording" in small.err, small.err[-600:])


# ---- builds that number things otherwise ----

NAMES_AT = 56  # of the hash in struct nsd_record_file and in struct nsd_index


def with_other_names(source, target):
    data = bytearray(source.read_bytes())
    data[NAMES_AT] ^= 1
    target.write_bytes(data)
    return target


@test("other_names")
def made_by_a_build_with_other_numbers():
    """A recording whose header has another hash of names is refused by one line, and never misread."""
    _, folder = recorded([programs.c("thread_switches_and_returns")], "verbosity=1:log_path=/dev/null")
    original, = folder.iterdir()
    altered = with_other_names(original, settings.FOLDER / "altered")
    run = nsdrift("report", altered)
    check_equal((run.status, run.out, len(run.err.splitlines())), (125, "", 1), run.err)
    check(str(altered) in run.err and "numbers calls and rules otherwise" in run.err, run.err)
    check_equal(nsdrift("report", "--severity", "note", original).err, "", "the original")
    # A run's list of images, as record= keeps it.
    kept = settings.FOLDER / "kept"
    kept.mkdir()
    nsdrift("run", "-o", f"record={kept}", "--", programs.c("thread_switches_and_returns"))
    index, = kept.glob("*.index")
    run = nsdrift("report", with_other_names(index, settings.FOLDER / "index"))
    check_equal((run.status, run.out, len(run.err.splitlines())), (125, "", 1), run.err)
    # Beside a good one the good one is read, and the status still says that something was not.
    run = nsdrift("report", "--json", original, altered)
    check_equal((run.status, shim.parse(run.out).rules()), (125, ["died-switched"]), run.err)
