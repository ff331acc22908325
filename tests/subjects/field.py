"""Programs of the field as they are: test suites of Go modules that switch threads for a living, built
dynamic, and the runtimes that Debian ships. Each does the same with nsdrift as without, is not
accused of anything, and makes the calls that strace shows."""
import json
import os
import shutil
from collections import Counter

from harness import modules, programs, sandbox, settings, shim, strace
from harness.registry import Failure, Skip, check, check_equal, test


def fresh():
    """What a suite leaves in /run/netns, the next run does not find."""
    sandbox.private_mounts()
    sandbox.mount("none", "/run", "tmpfs")


def go_results(run):
    """What `go test -v` prints of each test."""
    lines = [line.split() for line in run.out.splitlines() if line.lstrip().startswith("--- ")]
    return Counter((name, verdict.strip(":")) for _, verdict, name, *_ in lines)


def ginkgo_results(run):
    path = settings.FOLDER / "specs.json"
    check(path.exists(), "the suite left no report:", run.status, run.out[-2000:], run.err[-2000:])
    specs = json.loads(path.read_text())[0]["SpecReports"]
    path.unlink()
    return Counter((" ".join([*(spec["ContainerHierarchyTexts"] or []), spec["LeafNodeText"]]),
                    spec["State"]) for spec in specs if spec["LeafNodeType"] == "It")


def passed(results):
    return sum(results[key] for key in results if key[1] in ("PASS", "passed"))


def same_results(argv, results, at_least, same_run=True, **keywords):
    """The suite under strace, under nsdrift, and under both at once, where each thread's calls can be
    compared one by one: the runtime deals goroutines out to threads anew in each run."""
    keywords.setdefault("before", fresh)
    native, rows = strace.traced(argv, **keywords)
    wanted = results(native)
    if passed(wanted) < at_least:
        raise Skip(f"natively only {passed(wanted)} pass: {native.out[-1500:]}{native.err[-500:]}")
    ours = shim.watched(argv, options="verbosity=3", **keywords)
    hold("under nsdrift", ours, native, results(ours), wanted)
    strace.check_same(rows, strace.by_events(ours.report.events), same_threads=False)
    if same_run:
        both, rows = strace.traced(argv, on=True, options="verbosity=3", **keywords)
        hold("under nsdrift and strace", both, native, results(both), wanted)
        strace.check_same(rows, strace.by_events(both.report.events))
    return ours


def hold(how, run, native, got, wanted):
    differ = [f"{name}: {state}" for name, state in (got - wanted)]
    check(got == wanted, f"{how} they end otherwise than natively:", differ, run.out[-3000:])
    check_equal(run.status, native.status, f"status {how}")
    faults = [f for f in run.report.findings if f["severity"] != "note"]
    check(not faults, f"faults {how}:", faults)
    try:
        shim.check_coverage(run.report)
    except Failure as failure:
        raise Failure(f"{how}: {failure}")


for go in programs.GO_RELEASES:
    @test(f"netns.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
    def netns(release=go):
        suite, folder = modules.suite("netns", ".", release)
        same_results([suite, "-test.v"], go_results, 3, cwd=folder)


def need(*names):
    for name in names:
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")


def cni(package, at_least, release=programs.NEWEST, timeout=120, **keywords):
    suite, folder = modules.suite("plugins", package, release)
    base = modules.environment(release)
    host_local = modules.program("plugins", "./plugins/ipam/host-local", release)
    base["PATH"] = f"{host_local.parent}:{base['PATH']}"
    argv = [suite, "--ginkgo.no-color", "--ginkgo.seed=1",
            f"--ginkgo.json-report={settings.FOLDER}/specs.json"]
    return same_results(argv, ginkgo_results, at_least, cwd=folder, base=base, timeout=timeout,
                        **keywords)


@test("plugins.ns", timeout=300)
def cni_ns():
    """ns.Do, nested, and namespaces that are made and removed."""
    cni("./pkg/ns", 13)


@test("plugins.ip", level="gate", timeout=300)
def cni_ip():
    cni("./pkg/ip", 22)


@test("plugins.loopback", level="gate", timeout=300)
def cni_loopback():
    """Builds the plugin itself, and runs it as CNI's users do."""
    cni("./plugins/main/loopback", 14)
