"""Namespace and mount calls of a program, once as strace tells them and once as nsdrift's events at
verbosity=3 do, in the same form: a sequence for each thread."""
import errno
import re
import shutil

from . import settings, shim
from .registry import Skip, check

CALLS = ["setns", "unshare", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount",
         "open_tree", "fsmount", "mount_setattr", "clone", "clone3"]
TRACED = [call for call in CALLS if call != "umount"] + ["vfork", "fork", "execve", "execveat"]
GIVES_DESCRIPTOR = {"open_tree", "fsmount"}

LINE = re.compile(r"^(\d+)\s+(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|\?)(?: (E[A-Z0-9]+))?", re.S)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>\s?(.*)$", re.S)


def _row(call, arguments, result, error):
    """What is compared of one call."""
    flags = sorted(set(re.findall(r"CLONE_(?:NEW\w+|FS|FILES)\b", arguments)))
    if call in ("clone", "clone3"):
        flags = [flag for flag in flags if flag.startswith("CLONE_NEW")]
        if not flags:
            return None
        call = "clone"
    elif call not in ("setns", "unshare"):
        flags = []
    if call in ("umount", "umount2"):
        call = "umount"
    if error:
        outcome = error
    else:
        outcome = "ok" if call in GIVES_DESCRIPTOR or call == "clone" else str(result)
    return (call, "|".join(flags), outcome)


def _lines(text):
    """Whole calls in the order of their ends: (tid, call, arguments, result, errno name)."""
    open_calls = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        tid, rest = int(match[1]), match[2]
        if rest.endswith("<unfinished ...>"):
            open_calls[tid] = rest[:-len("<unfinished ...>")]
            continue
        resumed = RESUMED.match(rest)
        if resumed:
            rest = open_calls.pop(tid, resumed[1] + "(") + resumed[2]
        whole = CALL.match(rest)
        if whole:
            yield tid, whole[1], whole[2], whole[3], whole[4] or ""


def by_strace(text, skip_images=()):
    """Sequences by thread. A vfork child's calls up to its exec are left out: it runs in the
    memory of its parent, and nsdrift keeps silent about it. `skip_images`: executables that
    are static or otherwise out of nsdrift's reach; their calls are left out too."""
    calls = list(_lines(text))
    vforked = set()
    for _, call, arguments, result, _ in calls:
        if call == "vfork" or (call in ("clone", "clone3") and "CLONE_VFORK" in arguments
                               and "CLONE_VM" in arguments):
            if result.isdigit() and int(result) > 0:
                vforked.add(int(result))
    unseen, rows = set(), {}
    for tid, call, arguments, result, error in calls:
        if call in ("execve", "execveat"):
            if result == "0":
                vforked.discard(tid)
                image = re.search(r'"([^"]*)"', arguments)
                unseen.discard(tid)
                if image and any(image[1].endswith(name) for name in skip_images):
                    unseen.add(tid)
            continue
        if call == "clone" and tid in unseen and result.isdigit():
            unseen.add(int(result))
        if tid in vforked or tid in unseen or call not in CALLS or result == "?":
            continue
        row = _row(call, arguments, result, error)
        if row:
            rows.setdefault(tid, []).append(row)
    return rows


def by_events(events):
    """A thread is its tid in its pid namespace; an event from before the image knew the latter
    (null) is of the one that the same image names later."""
    rows, known = {}, {}
    for event in events:
        if event.get("pid_ns"):
            known.setdefault((event["pid"], event["tid"]), event["pid_ns"])
    for event in events:
        if event["call"] not in CALLS:
            continue
        error = event.get("errno")
        if isinstance(error, int):
            error = errno.errorcode[error]
        row = _row(event["call"], event.get("arguments") or "", event["result"], error or "")
        if row:
            space = event.get("pid_ns") or known.get((event["pid"], event["tid"]))
            rows.setdefault((space, event["tid"]), []).append(row)
    return rows


def traced(argv, on=False, options="", skip_images=(), **keywords):
    """A run under strace, natively or under nsdrift (with its report): the run, and by_strace's rows.
    Under both, strace stops the program at the traced calls alone: stopped where the shim holds
    its lock, a thread keeps its siblings waiting for longer than they are willing to."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    trace = settings.FOLDER / "strace"
    argv = ["strace", "-f", "-qq", "-s", "256", "-o", trace, "-e", "trace=" + ",".join(TRACED), "-e",
            "signal=none", *(["--seccomp-bpf"] if on else []), "--", *argv]
    run = shim.watched(argv, options=options, **keywords) if on else \
        shim.run(argv, on=False, **keywords)
    return run, by_strace(trace.read_text(errors="replace"), skip_images)


def check_same(wanted, got, skip_calls=(), same_threads=True):
    """The rows of by_strace and of by_events. Where a scheduler deals the calls out to threads anew in
    each run (same_threads=False), all threads' calls are compared as one heap."""
    def sequences(rows):
        kept = [[row for row in rows[tid] if row[0] not in skip_calls] for tid in rows]
        if not same_threads:
            return [sorted(row for rows in kept for row in rows)]
        return sorted(row for row in kept if row)

    def show(rows):
        return "\n".join("  thread: " + " ".join(f"{c}({f})={r}" for c, f, r in row) for row in rows)
    check(any(sequences(wanted)), "strace shows no call at all: the comparison would prove nothing")
    check(sequences(got) == sequences(wanted),
          f"strace:\n{show(sequences(wanted))}\nnsdrift:\n{show(sequences(got))}")


def compare(argv, by_stderr=False, skip_images=(), skip_calls=(), cross_check=("agrees",),
            same_threads=True, may_miss=(), **keywords):
    """Two runs of argv, one under each; fails where the sequences differ. Returns the watched run."""
    native, wanted = traced(argv, skip_images=skip_images, **keywords)
    run = shim.watched_by_stderr if by_stderr else shim.watched
    result = run(argv, options="verbosity=3", **keywords)
    check(result.status == native.status, "status", result.status, "under strace", native.status,
          result.err)
    check_same(wanted, by_events(result.report.events), skip_calls, same_threads)
    shim.check_coverage(result.report, cross_check, may_miss)
    return result
