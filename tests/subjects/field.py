"""Programs of the field as they are: test suites of Go modules that switch threads for a living, built
dynamic, and the runtimes that Debian ships. Each does the same with nsdrift as without, is not
accused of anything, and makes the calls that strace shows."""
import json
import os
import shutil
import re
import subprocess
from collections import Counter
from pathlib import Path

from harness import crates, modules, programs, settings, shim, strace, system
from harness.registry import Failure, Skip, check, check_equal, test

from . import static


def fresh():
    """What a suite leaves in /run/netns, the next run does not find."""
    system.private_mounts()
    system.mount("none", "/run", "tmpfs")


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


def is_whole(report):
    """Every image that told of an event has its closing line, and none of them lost any."""
    closed = {(row["pid"], row["lost"]) for row in report.coverage}
    return {(event["pid"], 0) for event in report.events} <= closed


def under_both(argv, **keywords):
    """A thread that strace has stopped while it held the shim's lock (for a signal, or because it is
    new) stays stopped until strace gets a processor, and its siblings do not wait for it: on a
    busy machine a report may then be missing. Such a run proves nothing and is made again."""
    for _ in range(5):
        both, rows = strace.traced(argv, on=True, options="verbosity=3", **keywords)
        if is_whole(both.report):
            break
        for path in settings.FOLDER.glob("specs.json"):
            path.unlink()
    else:
        raise Failure("under strace no report of five was whole")
    return both, rows


def same_results(argv, results, at_least, same_run=True, **keywords):
    """The suite under strace, under nsdrift, and under both at once, where each thread's calls can be
    compared one by one: the runtime deals goroutines out to threads anew in each run."""
    keywords.setdefault("before", fresh)
    native, rows = strace.traced(argv, **keywords)
    wanted = results(native)
    if passed(wanted) == 0 and "operation not supported" in native.out:
        raise Skip("kernel has no such device: natively no spec passes")
    check(passed(wanted) >= at_least, f"natively only {passed(wanted)} pass:", native.out[-3000:],
          native.err[-1000:])
    ours = shim.watched(argv, options="verbosity=3", **keywords)
    hold("under nsdrift", ours, native, results(ours), wanted)
    strace.check_same(rows, strace.by_events(ours.report.events), same_threads=False)
    if same_run:
        both, rows = under_both(argv, **keywords)
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


# The module itself wants Go 1.17.
NETNS_LEVELS = {programs.NEWEST: "fast", "1.17.13": "gate", "1.19": "gate"}
for go in programs.GO_RELEASES:
    if go.startswith("1.16."):
        continue

    @test(f"netns.{go}", level=NETNS_LEVELS.get(go, "all"), timeout=600)
    def netns(release=go):
        suite, folder = modules.suite("netns", ".", release)
        same_results([suite, "-test.v"], go_results, 3, cwd=folder)


def static_suite(name, package, results, at_least, *options):
    """As `go test` builds it without cgo, under `nsdrift run`."""
    suite, folder = modules.suite(name, package, static=True)
    native = shim.run([suite, *options], on=False, cwd=folder, before=fresh)
    wanted = results(native)
    check(passed(wanted) >= at_least, f"natively only {passed(wanted)} pass:", native.out[-3000:])
    ours = static.watched([suite, *options], cwd=folder, before=fresh)
    check_equal((ours.status, results(ours)), (native.status, wanted), "status and results")
    check_equal(ours.report.faults(), [], "faults")
    static.check_injected(ours.report, suite)


@test("netns.static", timeout=600)
def netns_static():
    static_suite("netns", ".", go_results, 3, "-test.v")


@test("plugins.ns_static", level="gate", timeout=600)
def cni_ns_static():
    static_suite("plugins", "./pkg/ns", ginkgo_results, 13, "--ginkgo.json-report",
                 settings.FOLDER / "specs.json")


def need(*names):
    for name in names:
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")


def last_line(text):
    return (text.strip().splitlines() or ["it says nothing"])[-1]


def cni(package, at_least, release=programs.NEWEST, timeout=120, **keywords):
    suite, folder = modules.suite("plugins", package, release)
    base = modules.environment(release)
    host_local = modules.program("plugins", "./plugins/ipam/host-local", release)
    base["PATH"] = f"{host_local.parent}:{base['PATH']}"
    argv = [suite, "--ginkgo.no-color", "--ginkgo.seed=1",
            f"--ginkgo.json-report={settings.FOLDER}/specs.json"]
    return same_results(argv, ginkgo_results, at_least, cwd=folder, base=base, timeout=timeout,
                        **keywords)


@test("plugins.ns", timeout=600)
def cni_ns():
    """ns.Do, nested, and namespaces that are made and removed."""
    cni("./pkg/ns", 13)


@test("plugins.ip", level="gate", timeout=600)
def cni_ip():
    cni("./pkg/ip", 22)


@test("plugins.loopback", level="gate", timeout=600)
def cni_loopback():
    """Builds the plugin itself, and runs it as CNI's users do."""
    cni("./plugins/main/loopback", 14)


@test("plugins.ptp", level="gate", timeout=600)
def cni_ptp():
    """Veth pairs, addresses by host-local, masquerading by nft and iptables, ping."""
    need("iptables", "nft", "ping")
    cni("./plugins/main/ptp", 56, timeout=250, same_run=False)


@test("plugins.bridge", level="gate", timeout=600)
def cni_bridge():
    """Spec by spec as natively, where a kernel without VLAN filtering fails some of them."""
    need("iptables", "nft", "ping")
    cni("./plugins/main/bridge", 1, timeout=250, same_run=False)


# What of these passes natively depends on the kernel's devices.
OTHERS = {"gate": ["main/tap", "main/host-device", "meta/bandwidth", "meta/portmap", "meta/firewall",
                   "meta/tuning", "meta/vrf"],
          "all": ["main/dummy", "main/ipvlan", "main/macvlan", "main/vlan", "meta/sbr"]}
for depth, packages in OTHERS.items():
    for package in packages:
        @test(f"plugins.{package.rsplit('/', 1)[-1]}", level=depth, timeout=600)
        def cni_other(name=package):
            need("iptables", "nft", "ping")
            cni(f"./plugins/{name}", 0)


def without_times(text):
    return re.sub(r'time="[^"]*"', 'time="TIME"', text)


# It asks for a range of user ids that root does not have, and for a state folder.
@test("rootlesskit.run", level="gate", timeout=300)
def rootlesskit():
    """A parent, a child that is the same program in namespaces of its own, and nsenter beside. (With
    --detach-netns it fails natively in half of the runs, by a race of its own: left out.)"""
    need("newuidmap", "newgidmap", "getsubids", "ip", "nsenter")
    program = modules.program("rootlesskit", "./cmd/rootlesskit")
    for name in ("subuid", "subgid"):
        (settings.FOLDER / name).write_text("root:100000:65536\n")

    def furnished():
        fresh()
        for name in ("subuid", "subgid"):
            system.mount(settings.FOLDER / name, f"/etc/{name}", None, system.MS_BIND)
    for options in ([], ["--copy-up=/etc"], ["--net=none", "--utsns", "--ipcns", "--cgroupns"],
                    ["--net=none", "--pidns", "--reaper=true"]):
        argv = [program, f"--state-dir={settings.FOLDER}/state", *options, "sh", "-c",
                "echo inside; id -u; exit 5"]
        native, rows = strace.traced(argv, before=furnished)
        if "newuidmap" in native.err or "uid_map" in native.err:
            raise Skip(f"user ids cannot be mapped here: {last_line(native.err)}")
        check_equal((native.status, native.out), (5, "inside\n0\n"), "natively")
        ours = shim.watched(argv, options="verbosity=3", before=furnished)
        check_equal((ours.status, ours.out, without_times(ours.err)),
                    (native.status, native.out, without_times(native.err)), "status, stdout, stderr")
        check(not ours.report.faults(), "faults:", ours.report.findings)
        # In a pid namespace of its own a child finds itself in its parent's /proc no more.
        shim.check_coverage(ours.report, ("agrees", "impossible") if "--pidns" in options else
                            ("agrees",))
        strace.check_same(rows, strace.by_events(ours.report.events), same_threads=False)
        quiet = shim.run(argv, before=furnished)
        check_equal((quiet.status, quiet.out, without_times(quiet.err)),
                    (native.status, native.out, without_times(native.err)), "at the defaults")


@test("rootlesskit.suite", level="gate", timeout=300)
def rootlesskit_suite():
    suite, folder = modules.suite("rootlesskit", "./pkg/parent")
    argv = [suite, "-test.v"]
    native, ours = shim.run(argv, on=False, cwd=folder), shim.watched(argv, cwd=folder)
    check(passed(go_results(native)) >= 2, "natively:", native.out)
    hold("under nsdrift", ours, native, go_results(ours), go_results(native))


def root(folder):
    """Of a container in which there is a static busybox, and nothing else."""
    need("busybox")
    (folder / "bin").mkdir(parents=True)
    shutil.copy(Path(shutil.which("busybox")), folder / "bin" / "busybox")
    os.symlink("busybox", folder / "bin" / "sh")
    for name in ("proc", "dev", "sys", "tmp", "usr", "etc", "run", "var"):
        (folder / name).mkdir()
    (folder / "etc" / "os-release").write_text("ID=nothing\n")
    return folder


def bundle(runtime):
    """For a runtime that has a `spec` command."""
    need(runtime)
    folder = settings.FOLDER / "bundle"
    root(folder / "rootfs")
    subprocess.run([runtime, "spec"], cwd=folder, check=True)
    config = json.loads((folder / "config.json").read_text())
    config["process"].update(terminal=False, args=["sh", "-c", "echo inside; exit 5"])
    (folder / "config.json").write_text(json.dumps(config))
    return folder


# What stands in the coverage of the image that becomes the container's process.
UNREACHABLE = ("the library cannot be reached from the caller's root",)


def same_by_recording(argv, status):
    """For what closes every descriptor and leaves every path behind."""
    native, rows = strace.traced(argv, before=fresh)
    if native.status != status:
        raise Skip(f"{argv[0]} does not run natively here: {last_line(native.err)}")
    plain = shim.run(argv, on=False, before=fresh)
    for run in shim.run(argv, before=fresh), shim.recorded(argv, before=fresh):
        check_equal((run.status, run.out, run.err), (plain.status, plain.out, plain.err),
                    "status, stdout, stderr")
    check(not run.report.findings, "findings:", run.report.findings)
    shim.check_coverage(run.report, ("agrees", "impossible"), UNREACHABLE)
    strace.check_same(rows, strace.by_events(run.report.events))


@test(timeout=300)
def runc():
    """Go, but its C constructor makes the namespaces before Go starts: `runc init` is started with
    seven variables, copies itself by a mount that it detaches, re-execs that copy by a
    descriptor, and makes two more of itself with CLONE_PARENT, the last of which starts Go in
    its new namespaces, changes the root and becomes the container. All of them are watched,
    to the exec of what is static and in a root where the library is not."""
    folder = bundle("runc")
    argv = ["runc", "--root", "/run/runc", "run", "--bundle", folder, "box"]
    native, rows = strace.traced(argv, before=fresh)
    if native.status != 5:
        raise Skip(f"runc does not run natively here: {last_line(native.err)}")
    plain = shim.run(argv, on=False, before=fresh)
    quiet = shim.run(argv, before=fresh)
    ours = shim.watched_by_stderr(argv, options="verbosity=3", before=fresh)
    for run, how in ((quiet, "at the defaults"), (ours, "with the report by descriptor 2")):
        check_equal((run.status, run.out, run.err), (plain.status, plain.out, plain.err), how)
    check(not ours.report.findings, "findings:", ours.report.findings)
    shim.check_coverage(ours.report, may_miss=UNREACHABLE)
    check_equal([row["ended"] for row in ours.report.coverage if row["go"]].count("exec"), 2,
                "runc's images that exec: init's first, and the container's own")
    strace.check_same(rows, strace.by_events(ours.report.events))


@test(level="gate", timeout=300)
def lxc_start():
    """Clones with five new namespaces, mounts by descriptors (open_tree, move_mount), closes all."""
    need("lxc-start")
    folder = root(settings.FOLDER / "rootfs")
    (settings.FOLDER / "state").mkdir()
    (settings.FOLDER / "config").write_text(f"""lxc.rootfs.path = dir:{folder}
lxc.uts.name = box
lxc.net.0.type = empty
lxc.apparmor.profile = unchanged
lxc.mount.auto = proc:mixed
""")
    same_by_recording(["lxc-start", "-n", "box", "-F", "-f", settings.FOLDER / "config", "-P",
                       settings.FOLDER / "state", "--", "/bin/sh", "-c", "echo inside; exit 5"], 0)


@test(level="gate", timeout=300)
def systemd_nspawn():
    """Its mounts are made inside a library that it is linked with."""
    need("systemd-nspawn")
    folder = root(settings.FOLDER / "rootfs")
    same_by_recording(["systemd-nspawn", "-q", "-D", folder, "--register=no", "--keep-unit", "--pipe",
                       "/bin/sh", "-c", "echo inside; exit 5"], 5)


@test()
def filter_after_root_change():
    """What sandboxes do: change the root, set a filter, exec. The loader has nothing to complain of."""
    program = programs.c("filter_after_root_change")
    native, ours = shim.run([program], on=False), shim.run([program])
    check_equal((ours.status, ours.out, ours.err), (native.status, native.out, native.err),
                "status, stdout, stderr")


@test(level="gate")
def firejail():
    """Set-uid: where that means other rights the loader ignores the preload, and nothing is watched;
    for root it does not. The container's part is under filters."""
    need("firejail")
    argv = ["firejail", "--quiet", "--noprofile", "--private-tmp", "--seccomp", "sh", "-c",
            "echo inside; exit 5"]
    native = shim.run(argv, on=False, before=fresh)
    if native.status != 5:
        raise Skip(f"firejail does not run natively here: {last_line(native.err)}")
    ours = shim.watched(argv, before=fresh)
    check_equal((ours.status, ours.out, ours.err), (native.status, native.out, native.err), "report")
    check_equal(ours.report.findings, [], "findings")


@test(level="gate")
def catatonit():
    """Static: the loader is not there to heed the preload. It is said, and nothing changes."""
    need("catatonit")
    argv = ["catatonit", "--", "sh", "-c", "echo inside; exit 5"]
    native, ours = shim.run(argv, on=False), shim.watched(argv)
    check_equal((ours.status, ours.out, ours.err), (native.status, native.out, native.err), "report")
    check(not any(row["image"].endswith("catatonit") for row in ours.report.coverage), "watched?")
    said = shim.run([settings.command(), "run", "--", *argv], on=False)
    check_equal(said.status, 125, "nsdrift run")
    check("statically linked" in said.err, "nsdrift run says:", said.err)


# The rule and severity, or None where nothing may be said.
RUST = {"task_migrates_in_visit": ("warning", "split-sequence"),
        "visits_on_threads_of_their_own": None, "moves_before_its_threads": None}
for host, fault in RUST.items():
    @test(f"rust.{host}", level="gate", timeout=300)
    def rust(name=host, wanted=fault):
        """nix's calls, std's threads, tokio's pool."""
        program = crates.program(name)
        native, rows = strace.traced([program])
        ours = shim.watched([program], options="verbosity=3")
        check_equal((ours.status, ours.out), (native.status, native.out), "status and stdout")
        faults = [(f["severity"], f["rule"]) for f in ours.report.findings if f["severity"] != "note"]
        check_equal(faults, [wanted] if wanted else [], f"faults of {ours.report.findings}")
        shim.check_coverage(ours.report)
        strace.check_same(rows, strace.by_events(ours.report.events), same_threads=False)


PYROUTE2 = """
import threading
from pyroute2 import IPRoute, NetNS, netns

def visit():
    netns.pushns("blue")
    with IPRoute() as route:
        print(len(route.get_links()))
    netns.popns()

over = threading.Event()
other = threading.Thread(target=over.wait)
other.start()
netns.create("blue")
print(netns.listnetns())
visit()
with NetNS("blue") as blue:
    print([link.get_attr("IFLA_IFNAME") for link in blue.get_links()])
for _ in range(3):
    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
netns.remove("blue")
print(netns.listnetns())
over.set()
other.join()
"""


@test(level="gate")
def pyroute2():
    """A netlink library that enters namespaces by ctypes, in the caller's thread and in children."""
    script = settings.FOLDER / "work.py"
    script.write_text(PYROUTE2)
    argv = ["/usr/bin/python3", script]
    native, rows = strace.traced(argv, before=fresh)
    if "No module named" in native.err:
        raise Skip("python3-pyroute2 is not installed")
    check_equal((native.status, native.err), (0, ""), "natively")
    ours = shim.watched(argv, options="verbosity=3", before=fresh)
    check_equal((ours.status, ours.out, ours.err), (0, native.out, ""), "status, stdout, stderr")
    check(not ours.report.faults(), "faults:", ours.report.findings)
    shim.check_coverage(ours.report)
    strace.check_same(rows, strace.by_events(ours.report.events))
