"""nsdrift on kernels that are not this machine's, each in a guest: Debian's 6.1 and 5.10, which name
namespaces by inode alone and have Yama, and the newest one of Debian, for what only new kernels have.
What a job of the guest left is held here against what it should be."""
import json
import re

from harness import guest, programs, shim
from harness.expectations import Expectation
from harness.registry import Skip, check, check_equal, test

from . import launcher

OF_THE_GATE = "6.1"
OLD, NEW = ("6.1", "5.10"), ("newest",)
LAUNCHES = 3
PRELOAD = "LD_PRELOAD=/nsdrift/libnsdrift.so NSDRIFT=1"
NSDRIFT = "/nsdrift/nsdrift"


def inside(name, script, *needs, everywhere=True, kernels=OLD):
    """Registers a job, and as its test on each kernel a function that gets the job's result. Each of
    `needs` is called with the guest's root before it is booted. In the gate every kernel does what
    is wanted `everywhere`, and one does all."""
    def register(judge):
        guest.jobs[name] = guest.Job(script, needs)
        for number in kernels:
            @test(f"{number}.{name}", level="gate" if everywhere or number == OF_THE_GATE else "all",
                  timeout=guest.BOOT_LIMIT + 600)
            def judged(release=number):
                judge(guest.result(release, name))
        return judge
    return register


def c(name):
    return lambda root: root.file(programs.c(name), f"/c/{name}")


def go(name):
    return lambda root: root.file(programs.go(name), f"/go/{name}")


def static(name, ldflags=(), label=""):
    def put(root):
        program = programs.go(name, ldflags=ldflags,
                              label="-".join(filter(None, ["static-plain", label])))
        root.file(program, f"/static/{name}{label}")
    return put


def report_of(result, prefix="log"):
    return shim.parse("".join(text for name, text in sorted(result.files.items())
                              if name.startswith(prefix)))


@inside("facts", "uname -r; uname -v; cat /proc/sys/kernel/yama/ptrace_scope")
def facts(result):
    """It is the kernel that is meant."""
    check(result.out.startswith(f"{result.release}.") and "Debian" in result.out, result.out, result.err)
    check_equal(len(result.out.splitlines()), 3, "Yama is not there: " + result.err)


# ---- the hosts, each natively and watched ----

# What is no matter of the kernel, and takes longest where every instruction is translated, or wants a shell
# and a library that the guest has not.
TOO_LONG = ("many_short_threads", "children_in_namespaces", "execs_by_relative_preload")
# A vCPU that is taken away while it holds a lock makes others give up waiting, which is counted.
MAY_LOSE = ("handlers_make_calls",)


def both_ways(program, watched):
    """The script of a host: it is run natively, then as `watched` says."""
    return (f"{program} > native.out 2> native.err; echo $? > native.status\n"
            f"{watched} > watched.out 2> watched.err; echo $? > watched.status\n")


def preloaded(program, options=":log_path=$PWD/log.%p"):
    return f"env {PRELOAD} NSDRIFT_OPTIONS=json=1:verbosity=2{options} {program}"


def injected(program, log="$PWD/log"):
    return f"{NSDRIFT} run --exit-status=program --json --log {log} -o verbosity=2 -- {program}"


def hold(result, path):
    expectation, files = Expectation(path), result.files
    check("watched.status" in files, "it came to no end:", result.err)
    if int(files["native.status"]) == shim.CANNOT_RUN:
        raise Skip(f"not on this kernel: {files['native.err'].strip()}")
    check_equal((files["watched.status"], files["watched.out"]),
                (files["native.status"], files["native.out"]), "status and output")
    wanted = expectation.status if expectation.status >= 0 else 128 - expectation.status  # as a shell says it
    check_equal(int(files["native.status"]), wanted, "status: " + files["native.err"])
    report = report_of(result)
    if expectation.by_stderr:
        report = shim.parse(files["watched.err"])
        report.strangers = []
    elif expectation.same_stderr:
        check_equal(files["watched.err"], files["native.err"], "stderr")
    expectation.hold(report)
    if path.stem in MAY_LOSE:
        for row in report.coverage:
            row["lost"] = 0
    shim.check_coverage(report, expectation.cross_check)
    return report


for path in sorted(programs.C.glob("*.expect")):
    if path.stem in TOO_LONG:
        continue
    # Where the root changes no path leads to a log any more.
    where = {"options": ""} if Expectation(path).by_stderr else {}

    @inside(f"c.{path.stem}", both_ways(f"/c/{path.stem}", preloaded(f"/c/{path.stem}", **where)),
            c(path.stem), everywhere=False)
    def c_program(result, expect=path):
        hold(result, expect)

for path in sorted(programs.GO.glob("*.expect")):
    if path.stem in TOO_LONG:
        continue

    @inside(f"go.{path.stem}", both_ways(f"/go/{path.stem}", preloaded(f"/go/{path.stem}")),
            go(path.stem), everywhere=False)
    def go_program(result, expect=path):
        report = hold(result, expect)
        check(any(row["go"] for row in report.coverage), "no Go was seen:", report.coverage)

    @inside(f"static.{path.stem}", both_ways(f"/static/{path.stem}", injected(f"/static/{path.stem}")),
            static(path.stem), everywhere=False)
    def static_program(result, expect=path):
        report = hold(result, expect)
        check(any("injected" in row["probes"] for row in report.coverage), "it was not put in:",
              report.coverage)


# ---- what only new kernels have ----

EMPTY = "/c/empty_mount_namespace"


def empty(way):
    watched = preloaded(f"{EMPTY} {way}", ":verbosity=3:log_path=$PWD/log.%p")
    return "uname -r > release\n" + both_ways(f"{EMPTY} {way}", watched)


@inside("empty_mount_namespace.unshare", empty("unshare"), c("empty_mount_namespace"), kernels=NEW)
def empty_by_unshare(result):
    """UNSHARE_EMPTY_MNTNS is a switch of mnt, and is called so."""
    report = hold_empty(result)
    finding = report.findings[0]
    check_equal((finding["call"], finding["arguments"]), ("unshare", "UNSHARE_EMPTY_MNTNS"), "the switch")


@inside("empty_mount_namespace.tree", empty("tree"), c("empty_mount_namespace"), kernels=NEW)
def empty_by_tree(result):
    """The descriptor that OPEN_TREE_NAMESPACE gives is known for a namespace's."""
    report = hold_empty(result)
    calls = [e["call"] for e in report.events]
    check("open_tree" in calls and "open" in calls[calls.index("open_tree"):], "the descriptor:", calls)


def hold_empty(result):
    files = result.files
    check("watched.status" in files, "it came to no end:", result.err)
    if int(files["native.status"]) == shim.CANNOT_RUN:
        raise Skip(f"not on Linux {files['release'].strip()}: {files['native.err'].strip()}")
    check_equal((files["native.status"], files["native.out"]), ("0\n", "1 away\n"), "natively")
    check_equal((files["watched.status"], files["watched.out"]), ("0\n", "1 away\n"), "watched")
    report = report_of(result)
    check_equal(report.rules("error", "warning"), [], "faults")
    check_equal([f["rule"] for f in report.findings], ["left-switched"], "findings")
    check_equal(list(report.findings[0]["namespaces"]), ["mnt"], "its kinds")
    shim.check_coverage(report)
    return report


# ---- the launcher ----

def launches(command):
    """Each start in mounts of its own; `command` leaves its report in LOG."""
    return f"""
        for number in $(seq {LAUNCHES}); do
            mkdir start$number
            echo hello > start$number/hello
            echo world > start$number/world
            start="$PWD/start$number/hello $PWD/start$number/world" log=$PWD/log$number
            /usr/bin/unshare --mount --propagation private sh -c "{command}" > out$number 2> err$number
            echo $? > status$number
            cp start$number/hello-copied copied$number
        done
        rm -rf start*"""


def check_launches(result, kind):
    for number in range(1, LAUNCHES + 1):
        start = shim.Run(int(result.files[f"status{number}"]), result.files[f"out{number}"],
                         result.files[f"err{number}"], report_of(result, f"log{number}"))
        shim.check_coverage(start.report)
        if kind == "faulty":
            launcher.check_named(start)
        else:
            check_equal(start.report.faults(), [], "findings of the fixed launcher")
            check(launcher.right(start, result.files.get(f"copied{number}")),
                  "the fixed launcher failed:", start.status, start.err)


for kind, label in (("faulty", ""), ("fixed", "fixed")):
    flags = ("-X main.discipline=locked",) if label else ()

    def bring_dynamic(root, flags=flags, label=label):
        program = programs.go("launcher", ldflags=(programs.DYNAMIC, *flags), label=label)
        root.file(program, f"/go/launcher{label}")

    @inside(f"launcher.{kind}.dynamic",
            launches(preloaded(f"/go/launcher{label} $start", ":log_path=$log.%p")), bring_dynamic)
    def launcher_dynamic(result, which=kind):
        check_launches(result, which)

    @inside(f"launcher.{kind}.static", launches(injected(f"/static/launcher{label} $start", "$log")),
            static("launcher", flags, label))
    def launcher_static(result, which=kind):
        check_launches(result, which)


# ---- scan ----

def beside(program, script):
    """`script` is run while the program stands, which says so by "ready"; its pid is in $pid."""
    return f"""
        {program} > ready &
        pid=$!
        until grep -q ready ready; do kill -0 $pid || exit; sleep 0.1; done
        {script}
        kill -9 $pid"""


@inside("scan.astray", beside("/c/stays_away two 5", f"""
        {NSDRIFT} scan --json $pid > scan; echo $? > scan.status
        {NSDRIFT} scan --all > all; echo $? > all.status
        for task in /proc/$pid/task/*; do
            echo $(basename $task) $(readlink $task/ns/net) $(readlink $task/ns/uts)
        done > links"""), c("stays_away"))
def scan_astray(result):
    """Those that are astray by the book, and no others."""
    links = dict(line.split(" ", 1) for line in result.files["links"].splitlines())
    leader = min(links, key=int)
    away = sorted(int(task) for task in links if links[task] != links[leader])
    row = json.loads(result.files["scan"])
    check_equal((len(links), len(away), result.files["scan.status"]), (8, 2, "1\n"), "the book")
    check_equal(sorted(task["tid"] for task in row["differ"]), away, "who is astray")
    check_equal(row["unread"], [], "unread")
    check_equal(result.files["all.status"], "1\n", "scan --all")
    check("2 are not where their leaders are" in result.files["all"], result.files["all"])


# ---- Yama ----

# Without CAP_SYS_PTRACE: another user, and a root who has laid it down for good.
USER = "/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set -all --inh-caps -all"
LESSER_ROOT = "/usr/bin/setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace"


def scope(number):
    return f"echo {number} > /proc/sys/kernel/yama/ptrace_scope && cat /proc/sys/kernel/yama/ptrace_scope\n"


def touches(who, label, options="", program="/static/touches"):
    """What becomes of a program that leaves a mark when it begins and one when it ends."""
    return f"""
        {who} {NSDRIFT} run -o verbosity=1 {options} -- {program} $PWD/{label}.began $PWD/{label}.ended \\
            > {label}.out 2> {label}.err
        echo $? > {label}.status
        """


def check_watched(result, *labels, word=" watched, injected."):
    for label in labels:
        files = result.files
        check_equal(files[f"{label}.status"], "0\n", f"{label}: {files[f'{label}.err']}")
        check(word in files[f"{label}.err"], label, files[f"{label}.err"])
        check(f"{label}.began" in files and f"{label}.ended" in files, label, "did not run")


def check_refused(result, label, words):
    """125 and one line, and the program has not begun; with --best-effort it has run all the same."""
    files = result.files
    said = files[f"{label}.err"]
    check_equal((files[f"{label}.status"], len(said.splitlines())), ("125\n", 1),
                f"{label}: {said}")
    check(words in said and "touches could not be watched" in said, label, said)
    check(f"{label}.began" not in files, label, "was started")
    best = f"{label}.best"
    check_equal(files[f"{best}.status"], "125\n", f"{best}: {files[f'{best}.err']}")
    check(words in files[f"{best}.err"], best, files[f"{best}.err"])
    check(f"{best}.began" in files and f"{best}.ended" in files, best, "was not started")


def both_touches(who, label, options=""):
    return touches(who, label, options) + touches(who, f"{label}.best", f"{options} --best-effort")


TOUCHES = (static("touches"), go("touches"))

for number in (0, 1):
    @inside(f"yama.{number}", scope(number) + touches("", "root") + touches(USER, "user")
            + touches(LESSER_ROOT, "lesser") + touches("", "following", "--follow-static"), *TOUCHES)
    def yama_open(result):
        """Its own children may be traced by everybody."""
        check_watched(result, "root", "user", "lesser", "following")


WEDGED = "/static/stays wedged"
LOOK = "{who} %s scan $pid > {label}.scan 2>&1; echo $? > {label}.scanned\n" % NSDRIFT


@inside("yama.2", scope(2) + touches("", "root") + touches("", "following", "--follow-static")
        + both_touches(USER, "user") + both_touches(LESSER_ROOT, "lesser")
        + touches(USER, "dynamic", program="/go/touches"), *TOUCHES)
def yama_2(result):
    """Only CAP_SYS_PTRACE allows it; a preload needs nobody's leave."""
    check_equal(result.out, "2\n", "the scope")
    check_watched(result, "root", "following")
    check_watched(result, "dynamic", word=" watched.")
    for label in ("user", "lesser"):
        check_refused(result, label, "ptrace_scope is 2 here, which asks for CAP_SYS_PTRACE")


@inside("yama.2.scan", scope(2) + beside(f"{LESSER_ROOT} {WEDGED}",
        LOOK.format(who=LESSER_ROOT, label="lesser") + LOOK.format(who="", label="root")
        + LOOK.format(who=USER, label="user")), static("stays"))
def yama_2_scan(result):
    """Namespaces are read without tracing, memory is not; another user reads neither."""
    check_blind(result, "lesser")
    check_equal(result.files["root.scanned"], "1\n", "root: " + result.files["root.scan"])
    check("cannot be read" not in result.files["root.scan"], result.files["root.scan"])
    check_equal(result.files["user.scanned"], "125\n", "user: " + result.files["user.scan"])
    check("Permission denied" in result.files["user.scan"], result.files["user.scan"])


def check_blind(result, label):
    text = result.files[f"{label}.scan"]
    check_equal(result.files[f"{label}.scanned"], "1\n", f"{label}: {text}")
    check("the leader is not where the others are" in text, text)
    check(re.search("its memory cannot be read.*not permitted|its memory cannot be read.*denied", text),
          text)


# What follows cannot be taken back until the guest ends, so it comes last.
@inside("yama.3", scope(3) + both_touches("", "root") + both_touches(USER, "user")
        + both_touches("", "following", "--follow-static")
        + touches("", "dynamic", program="/go/touches"), *TOUCHES)
def yama_3(result):
    """Nobody may trace, not even root."""
    check_equal(result.out, "3\n", "the scope")
    for label in ("root", "user", "following"):
        check_refused(result, label, "ptrace_scope is 3 here")
        check("CAP_SYS_PTRACE" not in result.files[f"{label}.err"], result.files[f"{label}.err"])
    check_watched(result, "dynamic", word=" watched.")


@inside("yama.3.scan", beside(WEDGED, LOOK.format(who="", label="root")), static("stays"))
def yama_3_scan(result):
    check_blind(result, "root")
