"""Builds the hosts, each once: C with gcc or musl-gcc, Go with any of the releases."""
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from . import releases, settings
from .registry import Failure, Skip
from .releases import NEWEST
from .releases import RELEASES as GO_RELEASES

C = settings.PROGRAMS / "c"
GO = settings.PROGRAMS / "go"
TOOLS = settings.PROGRAMS / "tools"


def build_once(output, sources, command, env=None, after=None, cwd=None):
    """Runs command, which leaves `output`, unless that is newer than its sources; `after` is called
    with what was built."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{output}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        newest = max(source.stat().st_mtime for source in sources)
        if output.exists() and output.stat().st_mtime >= newest:
            return output
        done = subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600)
        if done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))}:\n{done.stdout}")
        if after:
            after(output)
    return output


def c(name, compiler="gcc", flags=("-O2", "-g"), folder=C):
    source = folder / f"{name}.c"
    standard = "-std=gnu17"
    if not source.exists():
        source, standard = folder / f"{name}.cc", "-std=gnu++17"
        compiler = compiler.replace("gcc", "g++")
    if not shutil.which(compiler):
        raise Skip(f"{compiler} is not installed")
    output = settings.CACHE / "c" / (compiler + "".join(flags)) / name
    return build_once(output, [source, C / "host.h"],
                  [compiler, standard, *flags, "-Wall", "-o", output, source, "-pthread"])


def tool(name):
    return c(name, flags=("-O2",), folder=TOOLS)


def go_root(release):
    folder = releases.root(release)
    if not folder:
        raise Skip(f"Go {release} is not here")
    return Path(folder)


def go_environment(root, **more):
    """For `go build` with the toolchain of that GOROOT: nothing of the user's own settings."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GOENV": "off",
            "GOFLAGS": "", "GOTOOLCHAIN": "local", "GO111MODULE": "off", "GOROOT": str(root),
            "GOCACHE": str(settings.CACHE / "go-cache"), "GOPATH": str(settings.CACHE / "go-path"),
            **more}


DYNAMIC = "-linkmode=external"


def go(name, release=NEWEST, ldflags=(DYNAMIC,), label="", extra=(), folder=GO, **more):
    """A dynamic program unless ldflags say otherwise; `label` tells variants apart."""
    root = go_root(release)
    sources = [folder / f"{name}.go"]
    if folder == GO and not name.startswith("launcher"):
        sources.append(GO / "host.go")
    output = settings.CACHE / "go" / release / (name + (f"-{label}" if label else ""))
    command = [root / "bin" / "go", "build", "-o", output]
    if ldflags:
        command.append("-ldflags=" + " ".join(ldflags))
    return build_once(output, sources, [*command, *extra, *sources],
                      go_environment(root, **more))
