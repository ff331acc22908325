"""Every release of Go, built in every way: tests/programs/go_matrix makes each watched call by a locked
and by an unlocked goroutine, and says on the line of the call what is expected there. A cell holds
goroutine, lock, function, file and line of each event against that, and births and deaths of threads."""
import os
import re
import shutil
import subprocess

from harness import programs, releases, settings, shim
from harness.registry import Failure, check, check_equal, test
from harness.releases import NEWEST, RELEASES

SOURCES = settings.PROGRAMS / "go_matrix"
OLDEST = RELEASES[0]
LOCKS = {"locked": (True, None), "unlocked": (False, None), "runtime": (True, "by the runtime"),
         "cgo": (True, "during this cgo call")}


def marks(files):
    """name -> call, lock, file, line, function: from the lines that carry //@."""
    found = {}
    for file in files:
        function = None
        for number, line in enumerate((SOURCES / file).read_text().splitlines(), 1):
            begins = re.match(r"func (\w+)\(", line)
            function = begins[1] if begins else function
            mark = re.search(r"//@ (\w+) (\w+) (\w+)$", line)
            if mark:
                check(mark[1] not in found, "two marks", mark[1])
                found[mark[1]] = (mark[2], LOCKS[mark[3]], file, number, function)
    return found


class Build:
    """A column of the matrix: how `go build` is called, and what else is done."""

    def __init__(self, name, files=("calls.go", "main.go"), flags=(), linker=(), cgo=True,
                 libc=True, after=None, program=None):
        self.name, self.files, self.flags, self.linker = name, files, flags, linker
        self.cgo, self.libc, self.after, self.program = cgo, libc, after, program

    def make(self, release):
        """The command that runs it, built once and kept."""
        root = programs.go_root(release)
        suffix = ".so" if self.program else ""
        output = settings.CACHE / "go" / release / f"matrix-{self.name}{suffix}"
        env = programs.go_environment(root, CGO_ENABLED="1" if self.cgo else "0")
        command = [root / "bin" / "go", "build", "-o", output, *self.flags]
        if self.linker:
            command.append("-ldflags=" + " ".join(self.linker))
        sources = [SOURCES / file for file in self.files]
        programs.build_once(output, sources, [*command, *sources], env, after=self.after)
        return self.program(release, output) if self.program else [output]


def without_build_information(path):
    """As if its section had been stripped: nothing finds it any more."""
    data = path.read_bytes()
    at = data.find(b"\xff Go buildinf:")
    check(at > 0, "no build information in", path)
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(bytes(32))


def loader(late):
    def make(release, library):
        output = settings.CACHE / "go" / release / f"matrix-loader-{'late' if late else 'linked'}"
        flags = ["-DLATE", "-ldl"] if late else [library, f"-Wl,-rpath,{library.parent}"]
        programs.build_once(output, [SOURCES / "load.c", library],
                       ["gcc", "-O2", "-o", output, SOURCES / "load.c", "-pthread", *flags], None)
        return [output, library] if late else [output]
    return make


EXTERNAL = "-linkmode=external"
PIE = "-buildmode=pie"
BUILDS = [
    Build("external", linker=[EXTERNAL]),
    Build("stripped", linker=[EXTERNAL, "-s", "-w"]),
    Build("pie-internal", flags=[PIE], linker=["-linkmode=internal"], libc=False),
    Build("pie-external", flags=[PIE], linker=[EXTERNAL]),
    Build("pie-stripped", flags=[PIE], linker=[EXTERNAL, "-s", "-w"]),
    Build("pie-without-cgo", flags=[PIE], cgo=False, libc=False),
    Build("cgo", files=("calls.go", "main.go", "through_c.go")),
    Build("race", flags=["-race"]),
    Build("unoptimised", flags=["-gcflags=all=-N -l"], linker=[EXTERNAL]),
    Build("trimpath", flags=["-trimpath"], linker=[EXTERNAL]),
    Build("anonymous", linker=[EXTERNAL], after=without_build_information),
    Build("shared", files=("calls.go", "shared.go"), flags=["-buildmode=c-shared"],
          program=loader(False)),
    Build("shared-late", files=("calls.go", "shared.go"), flags=["-buildmode=c-shared"],
          program=loader(True)),
]
SHARED = ("shared", "shared-late")


def level(release, build):
    both = release in (OLDEST, NEWEST)
    if build.name in ("external", "stripped"):
        return "fast" if both else "gate"
    if release == NEWEST and build.name in ("pie-without-cgo", "cgo", "shared-late"):
        return "fast"
    return "gate" if both else "all"


def said(output):
    """name -> goroutine, tid, of the lines that the program prints."""
    return {name: (int(goroutine), int(tid)) for name, goroutine, tid in
            re.findall(r"^(\w+) (\d+) (\d+)$", output, re.M)}


def hold_calls(events, output, expected):
    notes = said(output)
    for name, (call, lock, file, line, function) in expected.items():
        check(name in notes, f"the program did not come to {name}:\n{output}")
        goroutine, tid = notes[name]
        got = []
        for event in events:
            frames = [(frame["function"], os.path.basename(frame["file"] or ""), frame["line"])
                      for frame in event["lines"]]
            if event["call"] == call and any(
                    f[0].split(".")[1] == function and f[1:] == (file, line)
                    for f in frames if f[0].startswith("main.")):
                got.append(event)
        check(len(got) == 1, f"{name}: {len(got)} events of {call} at {file}:{line}; of that call:",
              [e for e in events if e["call"] == call])
        event = got[0]
        check_equal((event["goroutine"], event["locked"], event["lock"]), (goroutine, *lock), name)
        if lock[0]:
            check_equal(event["tid"], tid, f"the thread of {name}")


def hold_threads(events, output, leader):
    """Who makes a call was born before; the thread that ends with its goroutine is seen to end."""
    alive = {leader}
    for event in events:
        if event["call"] == "thread start":
            alive.add(event["tid"])
        check(event["tid"] in alive, "a thread without a birth:", event)
        if event["call"] == "thread end":
            alive.discard(event["tid"])
    ends = [event["tid"] for event in events if event["call"] == "thread end"]
    check(said(output)["thread"][1] in ends, "the locked goroutine's thread was not seen to end:", ends)


def hold_image(row, release, build):
    check_equal((row["lost"], row["cross_check"]), (0, "agrees"), "lost, look at /proc")
    missing = [m for m in row["missing"] if m["probe"] != "libc" or build.libc]
    check(not missing, "missing:", row["missing"])
    check(row["go_sites"] == row["go_sites_watched"] > 3, "call sites:", row)
    if build.name == "anonymous":
        check(row["go"] is None, "its release should not be known:", row["go"])
    else:
        check(row["go"] and row["go"].startswith(release), "the release:", row["go"])


def cell(release, build):
    argv = build.make(release)
    native = shim.run(argv, on=False)
    check_equal((native.status, native.err), (0, ""), "natively")
    run = shim.watched(argv, options="verbosity=3")
    check_equal((run.status, run.err), (0, ""), "status and stderr")
    check_equal(sorted(said(run.out)), sorted(said(native.out)), "what it did")
    name = os.path.basename(str(argv[0]))
    events = [event for event in run.report.events if event["program"] == name]
    check(events, "no events:", run.report.coverage)
    own = [row for row in run.report.coverage if row["image"].endswith("/" + name)]
    check(own, "no coverage:", run.report.coverage)
    hold_image(own[-1], release, build)
    hold_calls(events, run.out, marks(file for file in build.files if file != "shared.go"))
    hold_threads(events, run.out, own[-1]["pid"])
    check(not run.report.faults(), "findings in a correct program:", run.report.findings)


for release_ in RELEASES:
    for build_ in BUILDS:
        @test(f"{build_.name}.{release_}", level=level(release_, build_), timeout=400,
              every_build=release_ == NEWEST)
        def matrix(release=release_, build=build_):
            cell(release, build)

for release_ in RELEASES:
    @test(f"leaves_in_c.{release_}", level="fast" if release_ == NEWEST else "gate" if release_ == OLDEST else "all",
          timeout=400)
    def comes_back_from_c_elsewhere(release=release_):
        """A C call is a lock for as long as it lasts: what it leaves behind is an unlocked switch."""
        build = next(build for build in BUILDS if build.name == "cgo")
        run = shim.watched([*build.make(release), "leave"])
        check_equal(run.status, 0, "status " + run.err)
        check_equal([(f["severity"], f["rule"]) for f in run.report.findings
                     if f["severity"] != "note"], [("error", "unlocked-switch")], "findings")
        finding = next(f for f in run.report.findings if f["rule"] == "unlocked-switch")
        check_equal(finding["call"], "unshare", "call")
        functions = [frame["function"] for frame in finding["stack"]]
        check("_Cfunc_leave" in functions[0] and "main.leavesInC" in functions, functions)
        check(finding["goroutine"] == 1, finding)
        line = next(frame for frame in finding["stack"] if frame["function"] == "main.leavesInC")
        check(f"before the C call at through_c.go:{line['line']}," in finding["remedy"], finding["remedy"])


class Toolchain:
    """A release with a changed runtime: a GOROOT of links, but for the files of package runtime."""

    def __init__(self, label, changes):
        self.label, self.changes = label, changes

    def root(self):
        original = programs.go_root(NEWEST)
        root = settings.CACHE / "go-roots" / self.label
        done, wanted = root / "done", f"{original} {self.changes}"
        if done.exists() and done.read_text() == wanted:
            return root
        shutil.rmtree(root, ignore_errors=True)
        (root / "src").mkdir(parents=True)
        for entry in original.iterdir():
            if entry.name != "src":
                (root / entry.name).symlink_to(entry)
        for entry in (original / "src").iterdir():
            if entry.name != "runtime":
                (root / "src" / entry.name).symlink_to(entry)
        shutil.copytree(original / "src" / "runtime", root / "src" / "runtime",
                        ignore=shutil.ignore_patterns("*_test.go", "testdata"))
        for name, before, after in self.changes:
            file = root / "src" / "runtime" / name
            file.chmod(0o644)
            text = file.read_text()
            check(text.count(before) == 1, f"{NEWEST}: {name} has not exactly one {before!r}")
            file.write_text(text.replace(before, after))
        done.write_text(wanted)
        return root

    def program(self):
        root = self.root()
        output = settings.CACHE / "go" / NEWEST / f"matrix-{self.label}"
        sources = [SOURCES / "calls.go", SOURCES / "main.go"]
        return programs.build_once(output, [*sources, root / "done"],
                                   [root / "bin" / "go", "build", "-ldflags=" + EXTERNAL, "-o",
                                    output, *sources], programs.go_environment(root))


# A field before those that matter, in m and in g: everything behind it is elsewhere.
MOVED = [("runtime2.go", "\tlockedg         guintptr\n",
          "\tadded           [3]uintptr\n\tlockedg         guintptr\n"),
         ("runtime2.go", "\tatomicstatus atomic.Uint32\n", "\tadded uint64\n\tatomicstatus atomic.Uint32\n")]
# And the instruction that tells the counts of locks is another one.
UNREADABLE = [*MOVED, ("proc.go", "\tgp.m.lockedInt--\n\tdounlockOSThread()\n",
                       "\tgp.m.lockedInt += minusOne\n\tdounlockOSThread()\n"),
              ("proc.go", "func badunlockosthread() {\n\tthrow(",
               "var minusOne = ^uint32(0)\n\nfunc badunlockosthread() {\n\tthrow(")]


def like_a_later_release(path):
    """The same program as a release would say that is not known yet."""
    data = path.read_bytes()
    at = data.find(b"\xff Go buildinf:")
    version = f"go{NEWEST}".encode()
    check(at > 0 and data[at + 33:at + 33 + len(version)] == version, "no version in", path)
    copy = path.with_name(path.name + "-later")
    copy.write_bytes(data[:at + 33] + b"go1.99." + b"9" * (len(version) - 7) + data[at + 33 + len(version):])
    copy.chmod(0o755)
    return copy


def hold_changed(program, release, newer):
    run = shim.watched([program], options="verbosity=3")
    check_equal((run.status, run.err), (0, ""), "status and stderr")
    events = [event for event in run.report.events if event["program"] == program.name]
    row = [row for row in run.report.coverage if row["image"].endswith("/" + program.name)][-1]
    hold_image(row, release, BUILDS[0])
    check_equal(row["go_newer"], newer, "go_newer")
    hold_calls(events, run.out, marks(["calls.go", "main.go"]))
    hold_threads(events, run.out, row["pid"])


@test(level="gate", timeout=600)
def fields_moved():
    """The runtime's own instructions are believed, not the release's row."""
    program = Toolchain("moved", MOVED).program()
    hold_changed(program, NEWEST, False)
    later = like_a_later_release(program)
    hold_changed(later, "1.99.", True)
    said_so = shim.run([later], options="verbosity=1").err
    check("Go 1.99." in said_so and "newer than what nsdrift was tested with" in said_so, said_so)


@test(level="gate", timeout=600)
def fields_moved_and_unreadable():
    """What cannot be read is unknown: no lock state, no finding, no change for the program."""
    program = Toolchain("unreadable", UNREADABLE).program()
    for one in (program, like_a_later_release(program)):
        native = shim.run([one, "exit"], on=False)
        run = shim.watched([one, "exit"], options="verbosity=3")
        check_equal((run.status, run.err, sorted(said(run.out))),
                    (native.status, native.err, sorted(said(native.out))), "what it does")
        row = [row for row in run.report.coverage if row["image"].endswith("/" + one.name)][-1]
        check(row["go_unknown"] and [m for m in row["missing"] if m["probe"] == "go"], row)
        check(not run.report.faults(), run.report.findings)
        locks = [event["locked"] for event in run.report.events if event["program"] == one.name]
        check(locks and set(locks) == {None}, locks)
        check("not known to nsdrift" in shim.run([one, "exit"]).err, "it does not say so")


for release_ in RELEASES:
    @test(f"all_threads.{release_}", level="fast" if release_ in (OLDEST, NEWEST) else "gate",
          timeout=400)
    def all_threads_move(release=release_):
        """Without cgo, where the runtime does it."""
        program = programs.go("all_threads_move", release, label="pie", ldflags=(), extra=[PIE],
                              CGO_ENABLED="0")
        run = shim.watched([program])
        check_equal((run.status, run.out), (0, "done\n"), run.err)
        check(not run.report.findings, run.report.findings)
        row = [row for row in run.report.coverage if row["image"].endswith("/" + program.name)][-1]
        check_equal((row["cross_check"], row["lost"]), ("agrees", 0), row)
