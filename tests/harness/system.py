"""System calls that Python has no function for: namespaces, mounts, prctl. Called by the sandbox and by
tests, also between fork and exec."""
import ctypes
import os
import signal
from pathlib import Path

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


def private_mounts():
    """A mount namespace whose mounts no other process sees: for a program that is about to be exec'd."""
    unshare(NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def become_root():
    """Not root becomes root of a user namespace."""
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        unshare(NEWUSER)
        for name, words in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            Path("/proc/self", name).write_text(words)


def enter_namespaces():
    """New ones of those kinds that tests change."""
    become_root()
    unshare(NEWNET | NEWIPC | NEWUTS | NEWPID)
    private_mounts()


def die_with_parent():
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
