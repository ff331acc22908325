"""Runs programs natively and under nsdrift, and reads the reports."""
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import settings
from .registry import Skip, check

CANNOT_RUN = 77  # what the hosts of tests/programs exit with where they lack a right


@dataclass
class Report:
    """All JSON lines of one run, over all its process images."""
    findings: list = field(default_factory=list)
    coverage: list = field(default_factory=list)
    events: list = field(default_factory=list)
    threads: list = field(default_factory=list)
    other: list = field(default_factory=list)
    strangers: list = field(default_factory=list)  # lines that are no JSON of ours

    def rules(self, *severities):
        return [f["rule"] for f in self.findings if not severities or f["severity"] in severities]

    def faults(self):
        return self.rules("error", "warning")


def parse(text):
    report = Report()
    places = {"finding": report.findings, "coverage": report.coverage, "event": report.events,
              "thread": report.threads}
    for line in text.splitlines():
        try:
            row = json.loads(line)
            kind = row["type"]
        except (ValueError, TypeError, KeyError):
            report.strangers.append(line)
            continue
        places.get(kind, report.other).append(row)
    return report


@dataclass
class Run:
    status: int  # negative: died of that signal
    out: str
    err: str
    report: Report = None


def environment(on=True, options="", base=None):
    env = dict(base if base is not None else os.environ)
    for name in list(env):
        if name.startswith("NSDRIFT"):
            del env[name]
    env["LC_ALL"] = "C"
    if on:
        env["LD_PRELOAD"] = str(settings.library())
        env["NSDRIFT"] = "1"
        if options:
            env["NSDRIFT_OPTIONS"] = options
    return env


def run(argv, on=True, options="", timeout=60, before=None, base=None, cwd=None, stderr=None,
        pass_fds=()):
    """`before` is called in the child just before the exec (by a process with one thread)."""
    done = subprocess.run([str(a) for a in argv], env=environment(on, options, base), cwd=cwd,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=stderr or subprocess.PIPE, timeout=timeout, preexec_fn=before,
                          text=True, errors="backslashreplace", pass_fds=pass_fds)
    if done.returncode == CANNOT_RUN:
        raise Skip(f"{Path(str(argv[0])).name}: {(done.stderr or '').strip() or 'cannot run here'}")
    return Run(done.returncode, done.stdout, done.stderr or "")


def standing(pid):
    """Where a process and its children stand: what is to be known of one that does not end."""
    said = []
    for thread in sorted(Path(f"/proc/{pid}/task").glob("*")):
        try:
            words = [(thread / name).read_text().strip() for name in ("comm", "wchan", "syscall")]
            state = (thread / "stat").read_text().rsplit(")", 1)[1].split()[0]
            said.append(f"{pid}/{thread.name} {state} " + " ".join(words))
            for child in (thread / "children").read_text().split():
                said += standing(child)
        except OSError:
            continue
    return said


_number = 0


def watched(argv, options="verbosity=2", **keywords):
    """Under nsdrift with the report as JSON in files beside, so that stderr is the program's."""
    global _number
    _number += 1
    folder = settings.FOLDER / f"report{_number}"
    folder.mkdir()
    os.chmod(folder, 0o777)
    given = f"json=1:log_path={folder}/log.%p" + (f":{options}" if options else "")
    result = run(argv, options=given, **keywords)
    text = "".join(path.read_text(errors="backslashreplace") for path in sorted(folder.iterdir()))
    result.report = parse(text)
    return result


def watched_by_stderr(argv, options="verbosity=2", **keywords):
    """As watched, for programs that change their root: the report comes by descriptor 2."""
    result = run(argv, options="json=1" + (f":{options}" if options else ""), **keywords)
    lines = result.err.splitlines(keepends=True)
    ours = [line for line in lines if line.startswith('{"type":')]
    result.report = parse("".join(ours))
    result.err = "".join(line for line in lines if not line.startswith('{"type":'))
    return result


def recorded(argv, options="", **keywords):
    """As watched, for programs that let go of their root and of every descriptor: by a recording."""
    global _number
    _number += 1
    folder = settings.FOLDER / f"recording{_number}"
    folder.mkdir()
    result = run(argv, options=f"record={folder}" + (f":{options}" if options else ""), **keywords)
    told = run([settings.command(), "report", "--json", "-vv", folder], on=False)
    check(told.status in (0, 1, 125), "nsdrift report:", told.status, told.err)
    result.report = parse(told.out)
    return result


def check_coverage(report, cross_check=("agrees",), may_miss=()):
    """Every image is closed by a line that says: nothing missing, nothing lost, the kernel agrees.
    `may_miss`: words that stand in the reason of a probe which cannot be there."""
    check(report.coverage, "no coverage line: nothing was watched")
    check(not report.strangers, "lines that are no JSON:", report.strangers[:3])
    for row in report.coverage:
        missing = [m for m in row["missing"] if not any(words in m["why"] for words in may_miss)]
        check(not missing, "probes missing:", row)
        check(row["lost"] == 0, "records lost:", row)
        check(row["cross_check"] in cross_check, "the look at /proc does not agree:", row)


def normalised(text):
    """A text report without what differs from run to run and from machine to machine: numbers of
    processes and threads (A, B, ... in the order of their appearance), of namespaces (NS1, NS2,
    ...), offsets, lines of Go's runtime, and the frames of the C library. Which thread a goroutine
    without a lock runs on is the scheduler's choice: the main one is not told from others."""
    lines = [line for line in text.splitlines(keepends=True)
             if not re.match(r" +#\d+ (\S+ )?\(/\S*(libc|libpthread|ld-musl)\S*\)$", line)
             and not re.match(r" +#\d+ _start(_c)? ", line)]
    text = re.sub(r"==\d+==", "==PID==", "".join(lines))
    threads, namespaces = {}, {}
    text = re.sub(r"\bthread (\d+)",
                  lambda m: "thread " + threads.setdefault(m[1], chr(65 + len(threads))), text)
    text = re.sub(r" \(main\)(?= .* while it was not locked to it$)", "", text, flags=re.M)
    text = re.sub(r"\b40\d{8}\b",
                  lambda m: namespaces.setdefault(m[0], f"NS{len(namespaces) + 1}"), text)
    text = re.sub(r"[^\s(]*/(\S+?)\+0x[0-9a-f]+", r"\1+OFFSET", text)
    text = re.sub(r"\+0x[0-9a-f]+", "+OFFSET", text)
    text = re.sub(r"proc\.go:\d+", "proc.go:LINE", text)
    text = re.sub(r"Go [\d.]+: (\d+) of \1 call sites", "Go VERSION: all call sites", text)
    return re.sub(r"libc: \d+ functions", "libc: N functions", text)
