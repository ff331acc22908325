#!/usr/bin/env python3
"""Measures what nsdrift costs, beside native and beside the tools that people use instead.

usage: bench.py [--build FOLDER] [--before LIBRARY] [--rounds N] [--output FILE] [workload...]

In each round every subject of a workload runs once, in turns, so that what disturbs the machine
disturbs all of them. A ratio is the median over the rounds of (subject / native of the same round);
low and high bound that median with 95% confidence (order statistics). The status is 1 if a row's low is
above its bound in tests/bench/bounds.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import programs, releases, settings, system  # noqa: E402
from harness.registry import Skip  # noqa: E402


def c(name):
    return programs.c(name, flags=("-O2",), folder=HERE)


def go(name, ldflags=(programs.DYNAMIC,)):
    return programs.go(name, ldflags=ldflags, folder=HERE)


# Another build of the library, for the rows "before": what a change costs, in one run.
BEFORE = None


def environment(on):
    """`on`: whether nsdrift is preloaded, or which build of it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NSDRIFT", "LD_PRELOAD"))}
    if on:
        env.update(LD_PRELOAD=str(settings.library() if on is True else on), NSDRIFT="1")
    return env


def before(argv):
    return {"before": lambda: number(argv, on=BEFORE)} if BEFORE else {}


def number(argv, on=False, prefix=(), timeout=600, options=None):
    """What the program prints, with a tool in front if there is a prefix."""
    env = environment(on)
    if options:
        env["NSDRIFT_OPTIONS"] = options
    done = subprocess.run([str(word) for word in (*prefix, *argv)], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout)
    found = re.findall(r"^\d+(?:\.\d+)?$", done.stdout, re.M)
    if done.returncode != 0 or not found:
        raise Skip(f"{Path(str(argv[0])).name}: status {done.returncode} {done.stderr.strip()[-200:]}")
    return float(found[-1])


def confidence(values):
    """Median, and the order statistics that hold it with 95% confidence."""
    values = sorted(values)
    n = len(values)
    reach = max(0, int(n / 2 - 0.98 * n ** 0.5))
    middle = values[n // 2] if n % 2 else (values[n // 2 - 1] + values[n // 2]) / 2
    return middle, values[reach], values[n - 1 - reach]


class Table:
    def __init__(self, output, rounds):
        self.output, self.rounds, self.rows = output, rounds, []
        self.bounds = {}
        for line in (HERE / "bounds").read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                workload, subject, bound = line.split()
                self.bounds[workload, subject] = float(bound)

    def add(self, workload, subject, ratio, low, high, unit):
        row = {"workload": workload, "subject": subject, "ratio": round(ratio, 4),
               "low": round(low, 4), "high": round(high, 4), "unit": unit}
        self.rows.append(row)
        bound = self.bounds.get((workload, subject))
        verdict = ""
        if bound is not None:
            verdict = f"bound {bound:g}" + (": MISSED" if low > bound else "")
        print(f"{workload:20} {subject:16} {ratio:12.3f}  [{low:.3f}, {high:.3f}] {unit:22} {verdict}",
              flush=True)
        with open(self.output, "w") as file:
            file.writelines(json.dumps(r) + "\n" for r in self.rows)

    def say(self, workload, subject, why):
        print(f"{workload:20} {subject:16} {'-':>12}  {why}", flush=True)

    def missed(self):
        return [r for r in self.rows
                if r["low"] > self.bounds.get((r["workload"], r["subject"]), float("inf"))]

    def ratios(self, workload, subjects, slow=(), base="native", against=None):
        """subjects: name -> function that measures once. `against`: name -> its base, if not native."""
        against = against or {}
        found = {name: [] for name in subjects}
        dead = {}
        for turn in range(self.rounds):
            for name, measure in subjects.items():
                if name in dead or (name in slow and turn >= 3):
                    continue
                try:
                    found[name].append(measure())
                except (Skip, OSError, subprocess.SubprocessError) as error:
                    dead[name] = str(error)
        if not found[base]:
            self.say(workload, base, dead.get(base, "no figure"))
            return
        shown = confidence(found[base])[0]
        self.add(workload, base, 1, 1, 1, f"x of {shown:.0f} ns")
        for name in subjects:
            if name == base:
                continue
            if name in dead or not found[name]:
                self.say(workload, name, dead.get(name, "no figure"))
                continue
            beside = found[against.get(name, base)]
            pairs = [mine / other for mine, other in zip(found[name], beside)]
            if pairs:
                self.add(workload, name, *confidence(pairs), f"x {base}")


def tools(argv, slow_argv, probe):
    """The tools beside: strace and bpftrace on the same program, with fewer operations."""
    found = {}
    if shutil.which("strace"):
        found["strace"] = lambda: number(slow_argv, prefix=("strace", "-f", "-o", "/dev/null"))
        found["strace -k"] = lambda: number(slow_argv, prefix=("strace", "-f", "-k", "-o", "/dev/null"))
    if shutil.which("bpftrace") and os.geteuid() == 0:
        for name, action in (("bpftrace", 'printf("%d %d\\n", tid, args->ret);'),
                             ("bpftrace ustack", 'printf("%d %s\\n", tid, ustack);')):
            found[name] = lambda action=action: by_bpftrace(slow_argv, probe, action)
    return found


# Where nobody has mounted it, bpftrace finds no tracepoints: in a mount namespace of its own it does.
WITH_TRACEFS = ("unshare", "--mount", "sh", "-c",
                "mount -t tracefs none /sys/kernel/tracing 2> /dev/null;"
                " mount -t debugfs none /sys/kernel/debug 2> /dev/null; exec \"$@\"", "sh")


def by_bpftrace(argv, probe, action):
    """bpftrace starts the program itself (-c), so that its own start is not measured."""
    script = f"tracepoint:syscalls:sys_exit_{probe} {{ {action} }}"
    done = subprocess.run([*WITH_TRACEFS, "bpftrace", "-o", "/dev/null", "-e", script, "-c",
                           " ".join(map(str, argv))],
                          env=environment(False), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    found = re.findall(r"^\d+(?:\.\d+)?$", done.stdout, re.M)
    if done.returncode != 0 or not found:
        why = next((line for line in done.stdout.splitlines()
                    if "ERROR" in line and "RLIMIT_MEMLOCK" not in line), "no figure")
        raise Skip(f"bpftrace cannot attach here: {why[:90]}")
    return float(found[-1])


def setns_trip_c(table):
    program = c("setns_trip")
    table.ratios("setns_trip_c", {
        "native": lambda: number([program, 20000]),
        "nsdrift": lambda: number([program, 20000], on=True),
        **before([program, 20000]),
        "asking": lambda: number([program, 20000, "identity"]),
        "nsdrift_own": lambda: number([program, 20000], on=True),
        **tools([program, 20000], [program, 1000], "setns"),
    }, slow=("strace", "strace -k", "bpftrace", "bpftrace ustack"), against={"nsdrift_own": "asking"})


def setns_trip_go(table):
    program = go("go_calls")
    table.ratios("setns_trip_go", {
        "native": lambda: number([program, "setns", 20000]),
        "nsdrift": lambda: number([program, "setns", 20000], on=True),
        **before([program, "setns", 20000]),
        "asking": lambda: number([program, "identity", 20000]),
        "nsdrift_own": lambda: number([program, "setns", 20000], on=True),
        **tools([program, "setns", 20000], [program, "setns", 1000], "setns"),
    }, slow=("strace", "strace -k", "bpftrace", "bpftrace ustack"), against={"nsdrift_own": "asking"})


def recording_added(table):
    """What a recording adds to the ratios of the two round trips above."""
    for workload, argv in (("setns_trip_c", [c("setns_trip"), 20000]),
                           ("setns_trip_go", [go("go_calls"), "setns", 20000])):
        added = []
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(table.rounds):
                native = number(argv)
                without = number(argv, on=True)
                recorded = number(argv, on=True, options=f"record={folder}")
                added.append((recorded - without) / native)
                files = os.listdir(folder)
                if not files:
                    raise Skip("nothing was recorded")
                for name in files:
                    os.unlink(os.path.join(folder, name))
        table.add(workload, "recording_added", *confidence(added), "x native more")


def thread_create_join(table):
    program = c("thread_create_join")
    table.ratios("thread_create_join", {
        "native": lambda: number([program, 20000]),
        "nsdrift": lambda: number([program, 20000], on=True),
        **before([program, 20000]),
        "strace": lambda: number([program, 1000], prefix=("strace", "-f", "-o", "/dev/null")),
    }, slow=("strace",))


def unrelated_call_go(table):
    program = go("go_calls")
    table.ratios("unrelated_call_go", {
        "native": lambda: number([program, "getppid", 1000000]),
        "nsdrift": lambda: number([program, "getppid", 1000000], on=True),
        **before([program, "getppid", 1000000]),
        **{k: v for k, v in tools([], [program, "getppid", 20000], "getppid").items()
           if k in ("strace", "bpftrace")},
        "strace --seccomp-bpf": lambda: number([program, "getppid", 200000], prefix=(
            "strace", "-f", "--seccomp-bpf", "-e", "trace=setns", "-o", "/dev/null")),
    }, slow=("strace", "bpftrace"))


def visit_go(table):
    """lock, setns, setns, unlock, with identity and stacks."""
    program = go("go_calls")
    table.ratios("visit_go", {
        "native": lambda: number([program, "visit", 20000]),
        "nsdrift": lambda: number([program, "visit", 20000], on=True),
        **before([program, "visit", 20000]),
        "asking": lambda: number([program, "visit-identity", 20000]),
        "nsdrift_own": lambda: number([program, "visit", 20000], on=True),
    }, against={"nsdrift_own": "asking"})


def pipe_ping_pong_go(table):
    """Two goroutines, two pipes: four system calls that nobody watches, and the scheduler."""
    program = go("go_calls")
    table.ratios("pipe_ping_pong_go", {
        "native": lambda: number([program, "pipe", 100000]),
        "nsdrift": lambda: number([program, "pipe", 100000], on=True),
        **before([program, "pipe", 100000]),
    })


def process_start(table):
    starts = c("starts")

    def subjects(program, count):
        return {
            "native": lambda: number([starts, count, "-", program]),
            "nsdrift": lambda: number([starts, count, settings.library(), program]),
            **({"before": lambda: number([starts, count, BEFORE, program])} if BEFORE else {}),
            "strace": lambda: number([starts, max(count // 10, 3), "-", "/usr/bin/strace", "-f", "-o",
                                      "/dev/null", program]),
        }
    table.ratios("process_start_c", subjects(c("nothing"), 200), slow=("strace",))
    table.ratios("process_start_go", subjects(big_go_program(), 50), slow=("strace",))
    for name, program in (("process_start_c", c("nothing")), ("process_start_go", big_go_program())):
        instructions(table, name, program)


def static_go(table):
    """A static Go program: its start by the command, and unrelated work after that."""
    starts, big = c("starts"), big_go_program("big-static", ldflags=())
    calls = programs.go("go_calls", ldflags=(), label="static", folder=HERE)
    run = [settings.command(), "run", "--exit-status=program", "--"]

    def started(*prefix, count=30):
        return lambda: number([starts, count, "-", *prefix, big])
    subjects = {"native": started(), "env": started("/usr/bin/env"), "nsdrift_run": started(*run)}
    if shutil.which("strace"):
        subjects["strace -e none"] = started(shutil.which("strace"), "-f", "-e", "trace=none", "-o",
                                             "/dev/null", count=10)
    table.ratios("static_start_go", subjects, base="env")
    table.ratios("static_unrelated_go", {
        "native": lambda: number([calls, "getppid", 1000000]),
        "nsdrift_run": lambda: number([calls, "getppid", 1000000], prefix=run),
        **{k: v for k, v in tools([], [calls, "getppid", 20000], "getppid").items()
           if k in ("strace", "bpftrace")},
    }, slow=("strace", "bpftrace"))
    table.ratios("static_ping_pong_go", {
        "native": lambda: number([calls, "pipe", 100000]),
        "nsdrift_run": lambda: number([calls, "pipe", 100000], prefix=run),
    })


def follow_static(table):
    """What --follow-static costs those that are followed: starts, and what is neither fork nor exec."""
    starts, big = c("starts"), big_go_program("big-static", ldflags=())
    calls = programs.go("go_calls", ldflags=(), label="static", folder=HERE)
    run = [settings.command(), "run", "--exit-status=program"]
    follow = [*run, "--follow-static"]
    strace = [shutil.which("strace"), "-f", "-e", "trace=none", "-o", "/dev/null"]

    def started(program, *prefix, count=100):
        return lambda: number([starts, count, "-", program], prefix=prefix)
    for name, program in (("follow_start_static_go", big), ("follow_start_c", c("nothing"))):
        subjects = {"native": started(program), "nsdrift_run": started(program, *run, "--"),
                    "follow_static": started(program, *follow, "--")}
        if strace[0]:
            subjects["strace -e none"] = started(program, *strace, count=20)
        table.ratios(name, subjects)
    for name, what, count in (("follow_unrelated_go", "getppid", 1000000),
                              ("follow_ping_pong_go", "pipe", 100000)):
        table.ratios(name, {
            "native": lambda what=what, count=count: number([calls, what, count]),
            "follow_static": lambda what=what, count=count: number([calls, what, count],
                                                                   prefix=[*follow, "--"]),
        })
    threads = c("thread_create_join")
    table.ratios("follow_thread_create", {
        "native": lambda: number([threads, 20000]),
        "follow_static": lambda: number([threads, 20000], prefix=[*follow, "--"]),
    })


def instructions(table, workload, program):
    """Instructions that the program executes from its first to its last, by callgrind; else by the
    processor's counter."""
    def count(on):
        if shutil.which("valgrind"):
            done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                   program], env=environment(on), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=300)
            found = re.search(r"Collected : (\d+)", done.stderr)
            if found and done.returncode == 0:
                return int(found[1])
        if shutil.which("perf"):
            done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", program],
                                  env=environment(on), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
            found = re.search(r"^(\d+),", done.stderr, re.M)
            if found:
                return int(found[1])
        return None
    native, ours = count(False), count(True)
    if native is None or ours is None:
        table.say(workload, "instructions", "neither callgrind nor a hardware counter can run it here")
        return
    table.add(workload, "native instructions", native, native, native, "instructions")
    table.add(workload, "nsdrift added", ours - native, ours - native, ours - native, "instructions")


def process_start_go_stripped(table):
    """What a start costs more, by the size of the executable: names are looked for in its tables."""
    starts = c("starts")
    found = {"5 MB": stripped(big_go_program("big5", packages=6)), "50 MB": stripped(big_go_program())}

    def taken(program, on):
        return number([starts, 40, settings.library() if on else "-", program])
    extra = {name: [] for name in found}
    for name, program in found.items():
        pairs = []
        for _ in range(table.rounds):
            native, ours = taken(program, False), taken(program, True)
            pairs.append(ours / native)
            extra[name].append(ours - native)
        table.add("process_start_go", f"{name} stripped", *confidence(pairs), "x native")
    table.add("process_start_go", "50 MB for 5 MB", *confidence(
        [big / small for big, small in zip(extra["50 MB"], extra["5 MB"])]), "x what it adds")


def stripped(program):
    output = program.with_name(program.name + "-stripped")
    return programs.build_once(output, [program], ["strip", "-o", output, program])


def big_go_program(name="big", packages=60, functions=900, ldflags=(programs.DYNAMIC,)):
    """A Go program of some 50 MB, most of it functions: generated once, cached."""
    output = settings.CACHE / "go" / name
    if output.exists():
        return output
    folder = settings.CACHE / "go" / f"{name}.source"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module big\n\ngo 1.19\n")
    for package in range(packages):
        inside = folder / f"part{package}"
        inside.mkdir()
        body = [f"package part{package}\n\nimport \"fmt\"\n\nvar Table []func(int, string) string\n"]
        for number_ in range(functions):
            body.append(f"""
func worker{number_}(n int, s string) string {{
	m := map[string]int{{"a": n, "b": n * {number_ + 3}}}
	for i := 0; i < n%{number_ + 5}; i++ {{
		m[fmt.Sprint(s, i, {number_})] += i * {package + 7}
	}}
	return fmt.Sprintf("%d %s %v", len(m), s, m)
}}
""")
        body.append("\nfunc init() {\n")
        body.append("\tif len(Table) == 0 {\n\t\tTable = table[:]\n\t}\n}\n\nvar table = [...]func(int, string) string{\n")
        body.extend(f"\tworker{n},\n" for n in range(functions))
        body.append("}\n")
        (inside / "part.go").write_text("".join(body))
    imports = "".join(f'\t"big/part{n}"\n' for n in range(packages))
    uses = "".join(f"\t\tfor _, f := range part{n}.Table {{\n\t\t\tprintln(f(len(os.Args), os.Args[0]))\n\t\t}}\n"
                   for n in range(packages))
    (folder / "main.go").write_text(f"package main\n\nimport (\n\t\"os\"\n{imports})\n\n"
                                    f"func main() {{\n\tif len(os.Args) > 5 {{\n{uses}\t}}\n}}\n")
    root = programs.go_root(programs.NEWEST)
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GOENV": "off", "GOFLAGS": "",
           "GOTOOLCHAIN": "local", "GO111MODULE": "on", "GOROOT": str(root), "GOPROXY": "off",
           "GOCACHE": str(settings.CACHE / "go-cache"), "GOPATH": str(settings.CACHE / "go-path")}
    subprocess.run([root / "bin" / "go", "build", "-o", output, "-ldflags=" + " ".join(ldflags), "."],
                   cwd=folder, env=env, check=True)
    print(f"(the big Go program has {output.stat().st_size / 1e6:.0f} MB)")
    return output


def memory(table):
    program = c("memory")
    process, thread = [], []
    for _ in range(max(3, table.rounds // 2)):
        figures = {(on, count): number([program, count], on=on) for on in (False, True)
                   for count in (0, 1000)}
        process.append((figures[True, 0] - figures[False, 0]) / 1024)
        thread.append(((figures[True, 1000] - figures[True, 0])
                       - (figures[False, 1000] - figures[False, 0])) / 1000)
    table.add("memory_process", "nsdrift", *confidence(process), "KiB more than native")
    table.add("memory_thread", "nsdrift", *confidence(thread), "bytes more than native")


def scan_1000_threads(table):
    """One look at a process of 1,001 threads, two of them astray; the yardstick shows the links and no
    verdict."""
    process = subprocess.Popen([programs.c("stays_away"), "two", "998"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        if not any(line == "ready\n" for line in process.stdout):
            raise Skip("its threads cannot be sent astray here")

        def took(argv, status):
            began = time.perf_counter_ns()
            done = subprocess.run(argv, env=environment(False), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode != status:
                raise Skip(f"{argv[0]}: status {done.returncode}")
            return time.perf_counter_ns() - began
        table.ratios("scan_1000_threads", {
            "ls -l": lambda: took(["sh", "-c", f"ls -l /proc/{process.pid}/task/*/ns"], 0),
            "nsdrift": lambda: took([settings.command(), "scan", str(process.pid)], 1),
            "nsdrift --json": lambda: took([settings.command(), "scan", "--json", str(process.pid)], 1),
        }, base="ls -l")
    finally:
        process.kill()
        process.wait()


def report_full_recording(table):
    """A recording whose ring has gone round, of eight threads without pause; the yardstick takes
    the C library apart."""
    libc = next((line.split()[-1] for line in open("/proc/self/maps") if "/libc.so" in line), None)
    if not libc:
        raise Skip("no libc.so here to be read")
    folder = settings.FOLDER / "recording"
    folder.mkdir()
    process = subprocess.Popen([programs.c("switches_without_pause"), "0"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(environment(True), NSDRIFT_OPTIONS=f"record={folder}"))
    time.sleep(2)
    process.kill()
    process.wait()
    recording = max(folder.iterdir(), key=lambda path: path.stat().st_size, default=None)
    if not recording:
        raise Skip("it cannot switch here")

    def took(argv):
        began = time.perf_counter_ns()
        done = subprocess.run(argv, env=environment(False), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode not in (0, 1, 125):  # 125: it was killed while threads were away
            raise Skip(f"{argv[0]}: status {done.returncode}")
        return time.perf_counter_ns() - began
    report = [settings.command(), "report", recording]
    table.ratios("report_full_recording", {
        "readelf -a": lambda: took(["readelf", "-a", libc]),
        "nsdrift": lambda: took(report),
        "nsdrift --threads": lambda: took([*report, "--threads"]),
        "nsdrift --trace": lambda: took([*report, "--trace", settings.FOLDER / "trace.json"]),
    }, base="readelf -a")


WORKLOADS = [setns_trip_c, setns_trip_go, recording_added, visit_go, thread_create_join, unrelated_call_go,
             pipe_ping_pong_go, process_start, process_start_go_stripped, memory,
             static_go, follow_static, scan_1000_threads, report_full_recording]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=lambda p: Path(p).resolve(), default=settings.ROOT / "build")
    parser.add_argument("--before", type=lambda p: Path(p).resolve(), default=None,
                        help="another build of libnsdrift.so, measured beside this one")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("workload", nargs="*")
    args = parser.parse_args()
    global BEFORE
    BEFORE = args.before
    if BEFORE and not BEFORE.is_file():
        parser.error(f"--before {BEFORE}: no such file")
    settings.BUILD = args.build
    releases.bring([releases.NEWEST])
    system.become_root()
    system.private_mounts()
    settings.FOLDER = settings.CACHE / "folders" / f"bench{os.getpid()}"
    settings.FOLDER.mkdir(parents=True)
    output = args.output or settings.ROOT / "build" / "bench.json"
    try:
        table = Table(output, args.rounds)
        for workload in WORKLOADS:
            if not args.workload or any(name in workload.__name__ for name in args.workload):
                try:
                    workload(table)
                except Skip as skip:
                    table.say(workload.__name__, "", f"skipped: {skip}")
        missed = table.missed()
        for row in missed:
            bound = table.bounds[row["workload"], row["subject"]]
            print(f"missed: {row['workload']} {row['subject']}: {row['ratio']:g} where {bound:g} is allowed")
        print(f"{len(table.rows)} rows in {output}")
        return 1 if missed or not table.rows else 0
    finally:
        shutil.rmtree(settings.FOLDER, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
