"""Reads NAME.expect, which stands beside each host, and holds a report against it.

    clean                    no finding at all but the notes that "may" allows
    error RULE [xN]          exactly these, N times (once) over all process images
    warning RULE, note RULE  the same; several lines of one rule add up
    may note RULE            may be there or not
    consequence RULE         must stand among the consequences of a finding
    may consequence RULE     may stand there; others must not, where one is named
    function RULE NAME       the first frame of the finding's stack
    kinds RULE KIND...       the namespaces that the finding names
    status N                 the program's exit status, 0 if not given
    stderr differs: WHY      its stderr is not compared with the native one
    root changes: WHY        the report is read from descriptor 2: no path leads to a log any more
    proc differs: WHY        /proc cannot be read, so the last look at it may be impossible
    threads vary: WHY        which thread makes a call is the scheduler's choice in each run
    uncounted: WHY           several findings of one rule count as one
"""
import os
from collections import Counter

from .registry import check, check_equal
from .shim import normalised


class Expectation:
    def __init__(self, path):
        self.wanted, self.may = Counter(), set()
        self.consequences, self.may_follow = [], set()
        self.functions, self.kinds = [], []
        self.status, self.same_stderr = 0, True
        self.by_stderr, self.cross_check = False, ("agrees",)
        self.counted, self.same_threads = True, True
        for line in path.read_text().splitlines():
            words = line.split()
            if not words or line.startswith("#") or words == ["clean"]:
                continue
            match words:
                case [("error" | "warning" | "note") as severity, rule, *times]:
                    count = int(times[0][1:]) if times else 1
                    self.wanted[severity, rule] += count
                case ["may", ("note" | "warning") as severity, rule]:
                    self.may.add((severity, rule))
                case ["consequence", rule]:
                    self.consequences.append(rule)
                case ["may", "consequence", rule]:
                    self.may_follow.add(rule)
                case ["function", rule, name]:
                    self.functions.append((rule, name))
                case ["kinds", rule, *kinds]:
                    self.kinds.append((rule, sorted(kinds)))
                case ["status", number]:
                    self.status = int(number)
                case ["stderr", "differs:", *_]:
                    self.same_stderr = False
                case ["root", "changes:", *_]:
                    self.by_stderr = True
                case ["proc", "differs:", *_]:
                    self.cross_check = ("agrees", "impossible")
                case ["threads", "vary:", *_]:
                    self.same_threads = False
                case ["uncounted:", *_]:
                    self.counted = False
                case _:
                    raise ValueError(f"{path}: {line}")

    def has_faults(self):
        return any(severity != "note" for severity, _ in self.wanted)

    def hold(self, report):
        def show(finding):
            stack = " < ".join(frame.get("function") or "?" for frame in finding["stack"])
            follow = [c["rule"] for c in finding.get("consequences", [])]
            return f"{finding['severity']} {finding['rule']}: {finding['message']} [{stack}] {follow}"
        shown = "\n  ".join(["reported:"] + [show(finding) for finding in report.findings])
        got = Counter((f["severity"], f["rule"]) for f in report.findings)
        for key in set(got) | set(self.wanted):
            if key in self.may:
                continue
            same = got[key] == self.wanted[key] if self.counted else \
                bool(got[key]) == bool(self.wanted[key])
            check(same, f"{key[0]} {key[1]}: wanted {self.wanted[key]}, got {got[key]}\n{shown}")
        followed = [c["rule"] for f in report.findings for c in f.get("consequences", [])]
        for rule in self.consequences:
            check(rule in followed, f"consequence {rule} is missing\n{shown}")
        allowed = self.may_follow | set(self.consequences)
        for rule in followed:
            check(not allowed or rule in allowed, f"consequence {rule} is not expected\n{shown}")
        for rule, name in self.functions:
            tops = [f["stack"][0].get("function") if f["stack"] else None
                    for f in report.findings if f["rule"] == rule]
            check(tops and all(top == name for top in tops),
                  f"{rule} must begin in {name}, begins in {tops}\n{shown}")
        for rule, kinds in self.kinds:
            named = [sorted(f["namespaces"]) for f in report.findings if f["rule"] == rule]
            check(named and all(row == kinds for row in named), f"{rule} must name {kinds}: {named}")


def hold_text(expectation, native_err, err, what):
    """The text report on stderr at its defaults: silent when there is no fault, else it names each;
    to the letter where NAME.text stands beside the host."""
    if not expectation.has_faults():
        if expectation.same_stderr:
            check(err == native_err, f"{what} is not quiet:\n{err}")
        check("nsdrift" not in err, f"{what} is not quiet:\n{err}")
        return
    for severity, rule in expectation.wanted:
        if severity != "note":
            check(f"nsdrift: {severity}: {rule}:" in err, f"{what} does not name {rule}:\n{err}")
    check("==nsdrift: " in err, f"{what} has no summary:\n{err}")


def hold_letters(path, err):
    """NSDRIFT_TEST_ACCEPT=1 writes what is reported now; read it before it is committed."""
    text = normalised(err)
    if os.environ.get("NSDRIFT_TEST_ACCEPT"):
        path.write_text(text)
    if path.exists():
        check_equal(text.splitlines(), path.read_text().splitlines(), f"the text of {path.name}")
