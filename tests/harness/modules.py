"""Go modules that others wrote: their sources come here by scripts/go-module before the tests start,
which have no network, and their programs and test suites are built dynamic or static, otherwise as
they are; a program of ours may import one."""
import os
import subprocess
import sys
from dataclasses import dataclass

from . import programs, releases, settings
from .registry import Skip, check


@dataclass
class Module:
    version: str
    packages: list  # all that is built of it
    tests: str = ""  # how the names of the tests that need it begin, if not [static_]field.MODULE.


MODULES = {
    "netns": Module("github.com/vishvananda/netns@v0.0.5", ["."]),
    "plugins": Module("github.com/containernetworking/plugins@v1.9.1",
                      ["./pkg/ns", "./pkg/ip", "./plugins/ipam/host-local",
                       *(f"./plugins/main/{name}" for name in (
                           "loopback", "ptp", "bridge", "dummy", "host-device", "ipvlan", "macvlan",
                           "tap", "vlan")),
                       *(f"./plugins/meta/{name}" for name in (
                           "bandwidth", "firewall", "portmap", "sbr", "tuning", "vrf"))]),
    "rootlesskit": Module("github.com/rootless-containers/rootlesskit/v2@v2.3.6",
                          ["./cmd/rootlesskit", "./pkg/parent"]),
    "runc": Module("github.com/opencontainers/runc@v1.4.3", ["."]),
    "namspill": Module("github.com/thediveo/namspill@v0.1.7", ["."], tests="scan.namspill"),
}
REFUSALS = (" 403 Forbidden", " 404 Not Found", " 410 Gone")  # of a proxy, as the go command tells them
missing = {}  # module -> why it is not here


def folder(name):
    return settings.CACHE / "modules" / name


def bring(tests):
    """What the tests of these names need."""
    names = {name for name, module in MODULES.items()
             for test in tests
             if test.startswith(module.tests or (f"field.{name}.", f"static_field.{name}."))}
    root = releases.root(releases.NEWEST)
    for name in sorted(names) if root else ():
        module = MODULES[name]
        done = subprocess.run([settings.ROOT / "scripts" / "go-module", module.version, root,
                               folder(name), *module.packages], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        sys.stderr.write(done.stderr)
        if done.returncode != 0:
            path = module.version.split("@")[0]
            refused = any(path in line and word in line
                          for line in done.stderr.splitlines() for word in REFUSALS)
            missing[name] = (f"the Go module proxy does not serve {path}" if refused else
                             f"{module.version} could not be brought here")
            print(f"{missing[name]}: its tests are skipped", file=sys.stderr)


def environment(release=releases.NEWEST):
    """Of the go command, also for suites that call it themselves."""
    root = programs.go_root(release)
    mine = subprocess.run([root / "bin" / "go", "env", "GOMODCACHE"], stdout=subprocess.PIPE,
                          text=True, check=True, env=dict(os.environ, GOENV="off"))
    flags = "-mod=mod" + ("" if release.startswith(("1.16", "1.17")) else " -buildvcs=false")
    return dict(os.environ, PATH=f"{root}/bin:{os.environ['PATH']}", GOENV="off", GOFLAGS=flags,
                GOTOOLCHAIN="local", GO111MODULE="on", GOROOT=str(root), GOPROXY="off",
                GOMODCACHE=mine.stdout.strip(), GOCACHE=str(settings.CACHE / "go-cache"))


def _sources(name):
    sources = folder(name)
    if not (sources / ".complete").exists():
        raise Skip(missing.get(name) or f"{MODULES[name].version} is not here")
    return sources


# How a program is linked: flags of go build, variables. "plain" is as go build itself decides.
LINKED = {
    "dynamic": ([f"-ldflags={programs.DYNAMIC}"], {}),
    "static": ([], {"CGO_ENABLED": "0"}),
    "plain": ([], {}),
    "static-cgo": (["-tags=netgo,osusergo", "-ldflags=-linkmode=external -extldflags=-static"], {}),
}


def _build(name, package, release, label, verb, linked, more_sources=()):
    sources = _sources(name)
    output = settings.CACHE / "go" / release / name / (
        label + ("" if linked == "dynamic" else f"-{linked}"))
    flags, variables = LINKED[linked]
    command = ["env", "-C", sources, programs.go_root(release) / "bin" / "go", *verb, *flags, "-o",
               output, package]
    return programs.build_once(output, [sources / ".complete", *more_sources], command,
                               dict(environment(release), **variables))


def _check_brought(name, package):
    check(package in MODULES[name].packages, package, "is not among what is brought here")


def _label(name, package):
    return package.rsplit("/", 1)[-1].strip(".") or name


def suite(name, package, release=releases.NEWEST, static=False):
    """The package's tests as a program, and the folder that it is run in."""
    _check_brought(name, package)
    label = _label(name, package)
    return (_build(name, package, release, f"{label}.test", ["test", "-c"],
                   "static" if static else "dynamic"), folder(name) / package)


def program(name, package, release=releases.NEWEST, linked="dynamic"):
    _check_brought(name, package)
    return _build(name, package, release, _label(name, package), ["build"], linked)


def importer(name, source, release=releases.NEWEST, linked="dynamic"):
    """A program of ours that imports the module: built in its folder, whose go.mod knows the rest."""
    return _build(name, source, release, source.parent.name, ["build"], linked, [source])
