"""Programs that nobody here wrote: same output and status as native, findings as expected, and the
events that strace shows. What is out of reach is named with its reason."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness import programs, settings, shim, strace, system
from harness.registry import Skip, check, check_equal, test


def need(*names):
    for name in names:
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")


def same(argv, faults=(), by_stderr=True, **keywords):
    """Native and under nsdrift: status, output, stderr but for our JSON lines, and the verdict."""
    native = shim.run(argv, on=False, **keywords)
    run = shim.watched_by_stderr if by_stderr else shim.watched
    ours = run(argv, **keywords)
    check_equal((ours.status, ours.out, ours.err), (native.status, native.out, native.err),
                "status, stdout, stderr")
    check_equal(sorted(ours.report.faults()), sorted(faults), f"faults: {ours.report.findings}")
    quiet = shim.run(argv, **keywords)
    if not faults:
        check_equal((quiet.status, quiet.out, quiet.err), (native.status, native.out, native.err),
                    "status, stdout, stderr at the defaults")
    return ours


UNSHARE = {
    "mount": ["--mount"], "net": ["--net"], "many": ["--mount", "--uts", "--ipc", "--net", "--cgroup"],
    "pid": ["--pid", "--fork", "--mount-proc"], "fork": ["--uts", "--fork"],
    "user": ["--user", "--map-root-user"], "time": ["--time", "--boottime", "100"],
}
for name in UNSHARE:
    @test(f"unshare.{name}")
    def util_linux_unshare(options=UNSHARE[name]):
        need("unshare")
        argv = ["unshare", *options, "sh", "-c", "echo inside; exit 5"]
        same(argv)
        # With a pid namespace's own /proc over the old one, the parent finds itself there no more.
        proc = ("agrees", "impossible") if "--mount-proc" in options else ("agrees",)
        strace.compare(argv, by_stderr=True, cross_check=proc)


@test("nsenter")
def util_linux_nsenter():
    need("nsenter", "unshare")
    holder = subprocess.Popen(["unshare", "--mount", "--net", "--uts", "sleep", "60"],
                              stdin=subprocess.DEVNULL)
    try:
        own = os.stat("/proc/self/ns/net").st_ino
        while os.stat(f"/proc/{holder.pid}/ns/net").st_ino == own or \
                Path(f"/proc/{holder.pid}/comm").read_text() != "sleep\n":
            check(holder.poll() is None, "unshare ended")
        for options in (["--mount"], ["--net", "--uts"], ["--net", "--no-fork"], ["--all"]):
            argv = ["nsenter", "-t", holder.pid, *options, "sh", "-c", "echo inside; exit 5"]
            same(argv)
            strace.compare(argv, by_stderr=True)
        gone = ["nsenter", "-t", 999999, "--mount", "true"]
        same(gone)
    finally:
        holder.kill()
        holder.wait()


@test()
def ip_netns():
    """add, exec and delete; /run/netns is a tmpfs of the test's own."""
    need("ip")
    os.makedirs("/run/netns", exist_ok=True)
    for argv in (["ip", "netns", "add", "blue"], ["ip", "netns", "exec", "blue", "sh", "-c",
                                                 "ip -o link | wc -l; exit 5"],
                 ["ip", "netns", "list"], ["ip", "netns", "delete", "blue"]):
        def fresh(verb=argv[2]):
            system.private_mounts()
            system.mount("none", "/run", "tmpfs")
            if verb != "add":
                subprocess.run(["ip", "netns", "add", "blue"], check=True)
        same(argv, before=fresh)
        if argv[2] != "list":
            strace.compare(argv, by_stderr=True, before=fresh)


# What stands in the coverage where a program execs in a root that the library is not in.
UNREACHABLE = ("the library cannot be reached from the caller's root",)

BWRAP = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]


@test()
def bubblewrap():
    """Its child is pid 1 in a root of its own and clears the environment on demand."""
    need("bwrap")
    for options in ([], ["--unshare-net", "--unshare-uts", "--unshare-ipc"], ["--unshare-pid"],
                    ["--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]):
        argv = [*BWRAP, *options, "sh", "-c", "echo inside; exit 5"]
        same(argv)
        strace.compare(argv, by_stderr=True, cross_check=("agrees", "impossible"), may_miss=UNREACHABLE)


def bundle():
    need("crun", "busybox")
    folder = settings.FOLDER / "bundle"
    (folder / "rootfs" / "bin").mkdir(parents=True)
    busybox = Path(shutil.which("busybox"))
    shutil.copy(busybox, folder / "rootfs" / "bin" / "busybox")
    os.symlink("busybox", folder / "rootfs" / "bin" / "sh")
    for name in ("proc", "dev", "sys", "tmp"):
        (folder / "rootfs" / name).mkdir()
    subprocess.run(["crun", "spec"], cwd=folder, check=True)
    config = folder / "config.json"
    text = config.read_text().replace('"terminal": true', '"terminal": false')
    text = text.replace('"sh"\n', '"sh", "-c", "echo inside; exit 5"\n', 1)
    config.write_text(text)
    return folder


@test(timeout=300)
def crun():
    """crun run of a bundle with a static busybox. It clears its environment, re-execs itself from a
    sealed copy by execveat, closes all descriptors, and becomes the container's process, which
    is static and in a root where the library is not: that image, alone, is out of reach."""
    folder = bundle()

    def cgroups():
        system.private_mounts()
        if os.path.isdir("/sys/fs/cgroup/unified"):  # v1 with v2 beside it, which crun refuses
            system.umount("/sys/fs/cgroup/unified", 2)
    argv = ["crun", "--root", "/run/crun", "run", "--bundle", folder, "box"]
    try:
        native = shim.run(argv, on=False, before=cgroups)
    except subprocess.SubprocessError:
        raise Skip("the cgroup hierarchies here are not what crun takes, and cannot be unmounted")
    if native.status != 5:
        raise Skip(f"crun does not run natively here: {native.err.strip()}")
    same(argv, before=cgroups)
    strace.compare(argv, by_stderr=True, before=cgroups, cross_check=("agrees", "impossible"),
                   may_miss=UNREACHABLE, skip_images=("/bin/sh", "busybox", "sh"))


PYTHON = """
import ctypes, os, threading
libc = ctypes.CDLL("libc.so.6", use_errno=True)
NEWUTS = 0x04000000
def work():
    %s
def errand():
    assert libc.unshare(NEWUTS) == 0
for function in [work, %s]:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
print("done")
"""
PYTHON_VISIT = """home = os.open("/proc/thread-self/ns/uts", os.O_RDONLY)
    assert libc.unshare(NEWUTS) == 0
    assert libc.setns(home, NEWUTS) == 0
    os.close(home)"""

# In an interpreter all functions call from one C stack: that a visit came home does not mean that
# another function's errand was to.
for name, body, then, notes in (
        ("visit", PYTHON_VISIT, "work", []),
        ("errand", "assert libc.unshare(NEWUTS) == 0", "print", ["died-switched"]),
        ("visit_then_errand", PYTHON_VISIT, "errand", ["died-switched"])):
    @test(f"python_ctypes.{name}")
    def python_ctypes(work=body, second=then, wanted=notes):
        """ctypes.CDLL("libc.so.6").setns goes by dlsym on a handle, round every preloaded name."""
        script = settings.FOLDER / "work.py"
        script.write_text(PYTHON % (work, second))
        python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
        ours = same([python, script])
        # Python's join() may return before the thread's last steps: then it is still there.
        notes = [rule.replace("left-", "died-") for rule in ours.report.rules("note")]
        check_equal(notes, wanted, "notes")
        strace.compare([python, script], by_stderr=True)


@test()
def ordinary_programs_are_left_alone():
    """Programs that have nothing to do with namespaces: not a byte differs, and nothing is said."""
    for argv in (["ls", "/"], ["sh", "-c", "echo $0; exit 4"], ["env", "true"], ["cat", "/nowhere"],
                 ["bash", "-c", "for i in 1 2 3; do (echo $i | cat); done; wait"],
                 ["perl", "-e", "print 1+1; exit 3"], ["git", "--version"], ["xz", "--version"],
                 ["tar", "--version"], ["gcc", "--version"]):
        if shutil.which(argv[0]):
            same(argv)


@test()
def set_uid_and_static_programs():
    """Where a preload is ignored by the loader, nothing changes and nothing is said."""
    need("busybox")
    same(["busybox", "echo", "static"])
    if shutil.which("su"):
        same(["su", "--version"])


@test(level="gate", timeout=300)
def go_tool():
    """The Go command itself, a large program with many threads and children."""
    root = programs.go_root(programs.NEWEST)
    env = dict(os.environ, GOENV="off", GOFLAGS="", GOTOOLCHAIN="local", GOROOT=str(root),
               HOME=str(settings.FOLDER), GOCACHE=str(settings.FOLDER / "cache"))
    same([root / "bin" / "go", "version"], base=env)
