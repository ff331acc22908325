"""Programs of the field as their users get them: linked statically by a plain `go build`, under
`nsdrift run`; and runc, which go build links dynamically for its C code, and its makers statically.
They do what they do natively, make the calls that strace shows, and are judged as field.py judges
the dynamic builds."""
import json
import os
import re
import shutil
import subprocess

from harness import modules, settings, shim, strace, system
from harness.registry import Skip, check, check_equal, test

from . import field, static


def without_chance(text):
    """Hardware addresses and the names of the host's ends are drawn by lot."""
    text = re.sub(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC", text)
    return re.sub(r"\bveth[0-9a-f]{8}\b", "VETH", text)


def hold_clean(run, program, native, may_miss=()):
    """No fault, and of the program itself every call seen."""
    check_equal((run.status, without_chance(run.out)), (native.status, without_chance(native.out)),
                "status and stdout")
    check_equal(run.report.faults(), [], f"faults of {run.report.findings}")
    rows = [row for row in run.report.coverage if row["image"].endswith(program.name)]
    check(rows, "the program itself was not watched:", run.report.coverage)
    for row in rows:
        missing = [m for m in row["missing"] if not any(words in m["why"] for words in may_miss)]
        check(not missing and row["lost"] == 0 and row["go"], "coverage:", row)
    return rows


def without_scheduler(text):
    """The runtime of a program with C in it starts one goroutine more; threads are dealt out."""
    return re.sub(r"\bgoroutine \d+", "goroutine N", text.replace("thread N (main)", "thread N"))


for way, faults in (("right", []), ("unlocked", ["unlocked-switch"]),
                    ("forgotten", ["unlocked-while-switched"])):
    @test(f"netns.{way}", timeout=600)
    def netns(how=way, wanted=faults):
        """A program that visits by package netns: the findings of its dynamic build."""
        source = settings.PROGRAMS / "go_netns" / "main.go"
        found = []
        for linked in ("dynamic", "static"):
            program = static.same_name(modules.importer("netns", source, linked=linked), "go_netns")
            native, rows = strace.traced([program, how], before=field.fresh)
            check_equal(native.status, 0, f"natively: {native.err}")
            ours = static.watched([program, how], options="verbosity=3", before=field.fresh)
            check_equal((ours.status, ours.out, ours.err), (0, native.out, ""), "what it does")
            if linked == "static":
                static.check_injected(ours.report, program)
            strace.check_same(rows, strace.by_events(ours.report.events), same_threads=False)
            check_equal(ours.report.faults(), wanted, f"{linked}: {ours.report.findings}")
            found.append(without_scheduler(repr(static.essence(ours.report))))
        check_equal(found[1], found[0], "static and dynamic")


def need_devices():
    """The kernel's part in what the plugins do."""
    field.need("ip")
    made = subprocess.run(["ip", "link", "add", "try0", "type", "veth", "peer", "name", "try1"],
                          stderr=subprocess.PIPE, text=True)
    if made.returncode != 0:
        raise Skip(f"kernel has no such device: {made.stderr.strip()}")
    subprocess.run(["ip", "link", "del", "try0"], check=True)


IPAM = {"type": "host-local", "subnet": "10.89.1.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
PLUGINS = {
    "loopback": {},
    "ptp": {"mtu": 1400, "ipam": IPAM},
    "bridge": {"bridge": "cni9", "isGateway": True, "ipam": IPAM},
}


def state(name):
    """The container's network as `ip` tells it."""
    told = subprocess.run(["ip", "-n", name, "-j", "addr"], stdout=subprocess.PIPE, text=True,
                          check=True)
    return [(link["ifname"], link["mtu"], "UP" in link["flags"],
             sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]
                    if a["scope"] != "link"))
            for link in json.loads(told.stdout)]


class Container:
    """A network namespace by name, and the way in which a CNI runtime calls a plugin for it."""

    def __init__(self, plugin, folder):
        self.plugin, self.folder = plugin, folder
        subprocess.run(["ip", "netns", "add", "box"], check=True)
        data = settings.FOLDER / "leases"
        shutil.rmtree(data, ignore_errors=True)
        config = {"cniVersion": "1.0.0", "name": "net", "type": plugin, **PLUGINS[plugin]}
        if "ipam" in config:
            config["ipam"] = {**config["ipam"], "dataDir": str(data)}
        self.config = settings.FOLDER / "config"
        self.config.write_text(json.dumps(config))

    def call(self, run, verb, **keywords):
        """What run gives, and the container's network afterwards."""
        base = dict(os.environ, CNI_COMMAND=verb, CNI_CONTAINERID="box", CNI_PATH=str(self.folder),
                    CNI_NETNS="/run/netns/box",
                    CNI_IFNAME="lo" if self.plugin == "loopback" else "eth0")
        given = run([self.folder / self.plugin], base=base,
                    before=lambda: os.dup2(os.open(self.config, os.O_RDONLY), 0), **keywords)
        return given, state("box")

    def remove(self):
        subprocess.run(["ip", "netns", "del", "box"], check=True)
        subprocess.run(["ip", "link", "del", "cni9"], stderr=subprocess.DEVNULL)


def plugins(*linked):
    """A folder as CNI_PATH, with the programs called as they are in one."""
    folder = settings.FOLDER / "plugins"
    folder.mkdir()
    for package, how in linked:
        program = modules.program("plugins", package, linked=how)
        shutil.copy(program, folder / package.rsplit("/", 1)[-1])
    return folder


for plugin, ipam in (("loopback", None), ("ptp", "static"), ("ptp", "dynamic"), ("bridge", "static")):
    name = plugin + (".dynamic_ipam" if ipam == "dynamic" else "")

    @test(f"plugins.{name}", level="fast" if name == "ptp" else "gate", timeout=600)
    def cni(name=plugin, linked=ipam):
        """ADD and DEL for a namespace. host-local, which ptp and bridge execute, is named as not
        watched where it is static too, and is watched where it is dynamic."""
        need_devices()
        folder = plugins((f"./plugins/main/{name}", "static"),
                         *([("./plugins/ipam/host-local", linked)] if linked else []))
        native, wanted, rows = {}, {}, {}
        container = Container(name, folder)
        for verb in ("ADD", "DEL"):
            (native[verb], rows[verb]), wanted[verb] = container.call(strace.traced, verb)
            said = native[verb].out
            if native[verb].status != 0 and "not supported" in said:
                raise Skip(f"kernel has no such device: {said}")
            check_equal(native[verb].status, 0, f"{verb} natively: {said}")
        container.remove()
        check(wanted["ADD"] != wanted["DEL"], "natively ADD does nothing:", wanted)
        container = Container(name, folder)
        for verb in ("ADD", "DEL"):
            got, after = container.call(static.watched, verb, options="verbosity=3")
            hold_clean(got, folder / name, native[verb])
            check_equal(got.err, native[verb].err, "stderr")
            static.check_injected(got.report, folder / name)
            check_equal(after, wanted[verb], f"the network after {verb}")
            strace.check_same(rows[verb], strace.by_events(got.report.events), same_threads=False)
            children = [row for row in got.report.coverage if row["image"].endswith("/host-local")]
            check_equal([bool(row["missing"]) for row in children],
                        {"static": [True], "dynamic": [False]}.get(linked, []),
                        f"{verb}: whether host-local is missing: {children}")
        container.remove()


@test("rootlesskit.static", level="gate", timeout=600)
def rootlesskit():
    """It executes itself in new namespaces, and that child is static Go too: the parent is
    watched, and the child named."""
    field.need("newuidmap", "newgidmap", "getsubids", "ip", "nsenter")
    program = modules.program("rootlesskit", "./cmd/rootlesskit", linked="static")
    for name in ("subuid", "subgid"):
        (settings.FOLDER / name).write_text("root:100000:65536\n")

    def furnished():
        field.fresh()
        for name in ("subuid", "subgid"):
            system.mount(settings.FOLDER / name, f"/etc/{name}", None, system.MS_BIND)
    for options in ([], ["--copy-up=/etc"], ["--net=none", "--utsns", "--ipcns", "--cgroupns"],
                    ["--net=none", "--pidns", "--reaper=true"]):
        argv = [program, f"--state-dir={settings.FOLDER}/state", *options, "sh", "-c",
                "echo inside; id -u; exit 5"]
        native = shim.run(argv, on=False, before=furnished)
        if "newuidmap" in native.err or "uid_map" in native.err:
            raise Skip(f"user ids cannot be mapped here: {field.last_line(native.err)}")
        check_equal((native.status, native.out), (5, "inside\n0\n"), "natively")
        ours = static.watched(argv, before=furnished)
        check_equal(field.without_times(ours.err), field.without_times(native.err), "stderr")
        hold_clean(ours, program, native)
        static.check_injected(ours.report, program)


for way in ("plain", "static-cgo"):
    @test(f"runc.{way}", level="gate", timeout=600)
    def runc(linked=way):
        """Runs a container. Of the static one `runc run` is watched, and `runc init`, which is a static
        child, is named."""
        program = modules.program("runc", ".", linked=linked)
        folder = field.bundle(program)
        argv = [program, "--root", "/run/runc", "run", "--bundle", folder, "box"]
        native = shim.run(argv, on=False, before=field.fresh)
        if native.status != 5:
            raise Skip(f"runc does not run natively here: {field.last_line(native.err)}")
        ours = static.watched(argv, options="verbosity=3", before=field.fresh)
        check_equal((ours.out, ours.err), (native.out, native.err), "stdout, stderr")
        hold_clean(ours, program, native, field.UNREACHABLE)
        if linked == "plain":
            static_child = [row for row in ours.report.coverage if row["image"] == "/bin/sh"]
            ours.report.coverage = [row for row in ours.report.coverage if row not in static_child]
            check_equal(len(static_child), 1, "the container's own process is static, and no Go")
            shim.check_coverage(ours.report, may_miss=field.UNREACHABLE)
            check([row["ended"] for row in ours.report.coverage if row["go"]].count("exec") >= 1,
                  "no image of runc's execs:", ours.report.coverage)
            _, rows = strace.traced(argv, before=field.fresh)
            strace.check_same(rows, strace.by_events(ours.report.events))
        else:
            static.check_injected(ours.report, program)
            check([row for row in ours.report.coverage if row["missing"]],
                  "runc init is not named:", ours.report.coverage)
