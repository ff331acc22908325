"""What must not break a Go program, nor be broken by one: long mixtures of hooked calls under the
garbage collector, the profiler and preemption; children in every way; Go's own tests. What the program
counts itself is what nsdrift must have counted."""
import re
import subprocess

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test
from harness.releases import NEWEST, RELEASES

OLDEST = RELEASES[0]
SOAKED = [OLDEST, "1.20.14", "1.22.12", NEWEST]
BY_LEVEL = {"fast": 0, "gate": 1, "all": 2}
BROKEN = re.compile(r"fatal error|panic|SIG[A-Z]+:|runtime: |WARNING: DATA RACE|checkptr")


def of_level(*values):
    """The value for the level that runs: fast, gate, all."""
    return values[BY_LEVEL[settings.LEVEL]]


def own_clones(release):
    """os/exec tries once whether pidfds work, with a clone of its own (os/pidfd_linux.go)."""
    minor, patch = (int(n) for n in re.match(r"1\.(\d+)(?:\.(\d+))?", release).groups("0"))
    return 1 if (minor, patch) >= (23, 4) else 0


def hold_image(run, name, events):
    check_equal(run.status, 0, f"{name}: {run.err[-3000:]}")
    check(not BROKEN.search(run.err), run.err[-3000:])
    rows = [row for row in run.report.coverage if row["image"].endswith("/" + name)]
    # Up to 1.19 a child in a user namespace is a copy of the process until it execs.
    copies = [row for row in rows if row["ended"] == "exec"]
    check_equal({row["lost"] for row in copies} | {0}, {0}, "lost by copies")
    check(len(rows) == len(copies) + 1, "images:", rows)
    row = next(row for row in rows if row["ended"] != "exec")
    check_equal((row["lost"], row["missing"]), (0, []), "lost, missing")
    check_equal(row["cross_check"], "agrees", "the look at /proc")
    check_equal(row["events"], events, f"events; the program says {run.out}")
    check(not run.report.faults(), "findings in a correct program:", run.report.findings[:3])


def soak(release, seconds, label="", extra=(), **variables):
    program = programs.go("soak", release, label=label, extra=extra)
    base = {"PATH": "/usr/bin:/bin", **variables}
    run = shim.watched([program, seconds], options="verbosity=1", timeout=seconds * 4 + 60, base=base)
    made = {key: int(n) for key, n in re.findall(r"(\w+) (\d+)", run.out)}
    calls = ("setns", "unshare", "mount", "socket", "spawn", "failed")
    check(all(made.get(call) for call in (*calls, "threads")), run.out, run.err[-3000:])
    # Its exit is one more.
    hold_image(run, program.name, sum(made[call] for call in calls) + own_clones(release) + 1)


for release_ in SOAKED:
    fast = release_ in (OLDEST, NEWEST)

    @test(f"soak.{release_}", level="fast" if fast else "gate", timeout=1300, every_build=fast)
    def soaked(release=release_):
        soak(release, of_level(5, 20, 300))

for release_ in (OLDEST, NEWEST):
    @test(f"soak.strict_collector.{release_}", level="gate", timeout=300)
    def soaked_strictly(release=release_):
        soak(release, of_level(3, 8, 60), GODEBUG="clobberfree=1,gccheckmark=1")

    @test(f"soak.race.{release_}", level="gate", timeout=300)
    def soaked_with_race_detector(release=release_):
        soak(release, of_level(3, 8, 60), "race", ("-race",))

    @test(f"soak.checkptr.{release_}", level="gate", timeout=300)
    def soaked_with_pointer_checks(release=release_):
        soak(release, of_level(3, 8, 60), "checkptr", ("-gcflags=all=-d=checkptr",))


def children_program(release, ldflags=programs.DYNAMIC, label=""):
    root = programs.go_root(release)
    folder = settings.PROGRAMS / "go_children"
    output = settings.CACHE / "go" / release / f"children{label}"
    files = sorted(folder.glob("*.go"))
    # By its folder, so that the files' build constraints hold.
    env = programs.go_environment(root, PWD=str(folder))
    return programs.build_once(output, files, [root / "bin" / "go", "build", "-o", output,
                                               f"-ldflags={ldflags}", "."], env, cwd=folder)


def children(release, prefix=()):
    program = children_program(release)
    count = of_level(100, 1000, 10000)
    run = shim.watched([*prefix, program, count], options="verbosity=1", timeout=60 + count // 10)
    check(run.status == 0, run.status, run.err[-2000:])
    check(re.match(rf"started {count} in \d+ ways\n$", run.out), run.out)
    hold_image(run, "children", count + own_clones(release) + 1)
    images = [row for row in run.report.coverage if row["image"].endswith("/true")]
    check_equal((len(images), {row["lost"] for row in images}), (count, {0}), "children's own reports")


for release_ in RELEASES:
    ends = release_ in (OLDEST, NEWEST)

    @test(f"children.{release_}", level="fast" if ends else "gate", timeout=1800, every_build=ends)
    def children_of_every_way(release=release_):
        children(release)

for release_ in (OLDEST, "1.19", NEWEST):
    @test(f"children_of_pid_1.{release_}", level="fast" if release_ == NEWEST else "gate",
          timeout=1800)
    def children_of_pid_1(release=release_):
        """Parent and CLONE_NEWPID child are both pid 1, each in its own namespace."""
        children(release, ["unshare", "--pid", "--fork", "--mount-proc"])


# Each makes its children from itself, looks at its descriptors, signals, environment and threads.
OWN_TESTS = ["os/exec", "syscall", "os/signal", "runtime"]
OWN_RESULT = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+)", re.M)


def own_tests_program(release, package):
    root = programs.go_root(release)
    if not any((root / "src" / package).glob("*_test.go")):
        raise Skip(f"the toolchain of {release} comes without the tests of {package}")
    output = settings.CACHE / "go" / release / (package.replace("/", "-") + ".test")
    return programs.build_once(output, [root / "bin" / "go"],
                               [root / "bin" / "go", "test", "-c", "-ldflags=" + programs.DYNAMIC, "-o",
                                output, package], programs.go_environment(root))


def own_results(program, folder, root, on):
    base = {"PATH": f"{root}/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "GOROOT": str(root),
            "GOCACHE": str(settings.CACHE / "go-cache"), "GOENV": "off", "GO111MODULE": "off",
            "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    # With follow=1 its children would have our variables too, which some of the tests count.
    try:
        run = shim.run([program, "-test.short", "-test.v"], on=on, options="follow=0", base=base,
                       cwd=folder, timeout=300)
    except subprocess.TimeoutExpired as expired:
        # Seen natively; a run of ours that hangs is like none that was seen.
        return ("hung under nsdrift" if on else "hung", {}, str(expired.stdout)[-3000:])
    found = {}
    for result, name in OWN_RESULT.findall(run.out):
        found[name] = result
    return run.status, found, run.out[-3000:] + run.err[-3000:]


def own_tests(release, package):
    program, root = own_tests_program(release, package), programs.go_root(release)
    folder = root / "src" / package
    status, native, said = own_results(program, folder, root, on=False)
    if status == "hung":
        status, native, said = own_results(program, folder, root, on=False)
    check(len(native) > 5, "hardly a test ran natively:", said)
    natively, with_us = [(status, native)], []
    for attempt in range(4):
        watched_status, watched, said = own_results(program, folder, root, on=True)
        with_us.append((watched_status, watched))
        if any(result in natively for result in with_us):
            return
        # Some fail now and then, natively too: then both are asked again.
        status, native, _ = own_results(program, folder, root, on=False)
        natively.append((status, native))
        if any(result in natively for result in with_us):
            return
    differs = {name: (native.get(name), watched.get(name)) for name in {*native, *watched}
               if native.get(name) != watched.get(name)}
    check(False, f"natively {status}, under nsdrift {watched_status}; differ: {differs}\n{said}")


for release_ in (OLDEST, NEWEST):
    for package_ in OWN_TESTS:
        @test(f"own_tests.{package_}.{release_}", level="all" if package_ == "runtime" else "gate",
              timeout=1800)
        def go_tests_itself(release=release_, package=package_):
            own_tests(release, package)
