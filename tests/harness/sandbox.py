"""A process for one test: its own mount, network, ipc, uts and pid namespaces, its own folder, a
limit of time. The pid namespace sees to it that nothing which the test started outlives it."""
import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from . import settings
from .registry import Failure, Skip

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 1 << 18, 0x1000
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    prepared = [a.encode() if isinstance(a, str) else os.fsencode(a) if isinstance(a, Path) else a
                for a in arguments]
    if getattr(libc, name)(*prepared) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def unshare(flags):
    call("unshare", ctypes.c_int(flags))


def mount(source, target, kind=None, flags=0, data=None):
    call("mount", source, target, kind, ctypes.c_ulong(flags), data)


def umount(target, flags=0):
    call("umount2", target, ctypes.c_int(flags))


def become_root_of_a_user_namespace():
    """Without root: the same process again, in a user namespace where it is root."""
    if os.geteuid() == 0 or os.environ.get("NSDRIFT_TEST_USERNS"):
        return
    os.environ["NSDRIFT_TEST_USERNS"] = "1"
    os.execvp("unshare", ["unshare", "--user", "--map-root-user", sys.executable] + sys.argv)


def private_mounts():
    """A mount namespace whose mounts nobody else sees: for a program that is about to be exec'd."""
    unshare(NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def _enter():
    unshare(NEWNS | NEWNET | NEWIPC | NEWUTS | NEWPID)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def _furnish():
    mount("proc", "/proc", "proc")
    mount("none", "/run", "tmpfs")


class Job:
    """One test on its way."""

    def __init__(self, test, build):
        self.test, self.build = test, build
        self.began = time.monotonic()
        base = settings.CACHE / "folders"
        base.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(dir=base, prefix="t"))
        self.status = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._middle()
            finally:
                os._exit(99)

    def _middle(self):
        os.setsid()
        settings.BUILD = self.build
        settings.FOLDER = self.folder / "work"
        settings.FOLDER.mkdir()
        alone = None
        try:
            _enter()
        except OSError as error:
            alone = str(error)
        inner = os.fork()
        if inner == 0:
            try:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
                self._inner(alone)
            finally:
                os._exit(99)
        _, status = os.waitpid(inner, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xff)

    def _inner(self, alone):
        output = os.open(self.folder / "output", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 256)
        # Who was started by a shell with & or by nohup has some ignored, and hands that on.
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        verdict, words = "passed", ""
        try:
            if alone:
                raise Skip(f"namespaces cannot be made here: {alone}")
            _furnish()
            os.chdir(settings.FOLDER)
            self.test.run()
        except Skip as skip:
            verdict, words = "skipped", str(skip)
        except Failure as failure:
            verdict, words = "failed", str(failure)
        except BaseException:
            verdict, words = "failed", traceback.format_exc()
        sys.stdout.flush()
        (self.folder / "result").write_text(json.dumps([verdict, words]))
        os._exit(0)

    def seconds(self):
        return time.monotonic() - self.began

    def over(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
            elif self.seconds() > self.test.timeout:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.status = -1
        return self.status is not None

    def result(self):
        try:
            verdict, words = json.loads((self.folder / "result").read_text())
        except (OSError, ValueError):
            verdict = "failed"
            words = (f"no end within {self.test.timeout} s" if self.status == -1
                     else f"the test itself died: status {self.status}")
        if verdict == "failed":
            try:
                words += "\n" + (self.folder / "output").read_text(errors="replace")[-4000:]
            except OSError:
                pass
        self._remove()
        return verdict, words

    def _remove(self):
        for _ in range(50):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
            time.sleep(0.02)  # the namespace's last processes are on their way out
