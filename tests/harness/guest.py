"""Another kernel than this machine's, for tests that want one: a Debian kernel under qemu, in software,
with a root in memory that holds nsdrift and the files named here. It is booted once in a run of
the tests, by the first test that wants a result, and does all jobs, one after the other."""
import fcntl
import io
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from . import settings
from .registry import Failure, Skip, check

INIT = Path(__file__).with_name("guest.sh")
# release -> Debian's release that has it; the last one changes with time
KERNELS = {"6.1": "bookworm", "5.10": "bullseye", "newest": "sid"}
QEMU = "qemu-system-x86_64"
JOB_LIMIT = 200  # seconds, far more than any takes on an idle machine
BOOT_LIMIT = 900
missing = {}     # release -> why it is not here
chosen = set()   # the tests of this run, by name; a guest does their jobs alone


def _kernel(release):
    return settings.CACHE / "kernels" / release


def bring(tests):
    """The kernels that the tests of these names need."""
    for release, suite in KERNELS.items():
        if not any(test.startswith(f"kernel.{release}.") for test in tests):
            continue
        done = subprocess.run([settings.ROOT / "scripts" / "debian-kernel", suite, _kernel(release)],
                              stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            missing[release] = f"the kernel of Debian's {suite} could not be brought here"
            print(f"{missing[release]}: its tests are skipped", file=sys.stderr)


# ---- the root ----

def _interpreter(path):
    """Of an ELF file: the program that loads its libraries; None of a static one."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            return None
        start, = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for number in range(count):
            file.seek(start + number * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == 3:  # PT_INTERP
                file.seek(offset)
                return file.read(length).rstrip(b"\0").decode()
    return None


def _libraries(path):
    """As its own loader finds them: (the name that is looked for, the file)."""
    loader = _interpreter(path)
    if not loader:
        return
    yield loader, Path(loader)
    listed = subprocess.run([loader, "--list", path], stdout=subprocess.PIPE, text=True, check=True)
    for line in listed.stdout.splitlines():
        words = line.split()
        if "=>" in words and words[2].startswith("/"):
            yield words[2], Path(words[2])


class Root:
    """What the guest finds in its file system: path there -> content and mode."""

    def __init__(self):
        self.files = {}

    def put(self, there, content, mode=0o644):
        self.files[str(there)] = (content, stat.S_IFREG | mode)

    def file(self, source, there=None):
        """A file, and if it is a program, what it is loaded with."""
        source = Path(source)
        self.put(there or source, source.read_bytes(), source.stat().st_mode & 0o755)
        for name, library in _libraries(source):
            if name not in self.files:
                self.put(name, library.read_bytes(), 0o755)

    def archive(self, under):
        """In the form that the kernel unpacks (cpio, "newc"), all below that folder but the first
        program."""
        out, seen = bytearray(), set()

        def entry(name, mode, content=b""):
            nonlocal out
            words = [len(seen) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
            out += b"070701" + b"".join(b"%08X" % word for word in words) + name.encode() + b"\0"
            out += b"\0" * (-len(out) % 4) + content
            out += b"\0" * (-len(out) % 4)

        def place(path, mode, content):
            for folder in reversed(Path(path).parents):
                if str(folder) not in (".", "/") and str(folder) not in seen:
                    seen.add(str(folder))
                    entry(str(folder).lstrip("/"), stat.S_IFDIR | 0o755)
            seen.add(path)
            entry(path.lstrip("/"), mode, content)

        for path, (content, mode) in self.files.items():
            place(under + path, mode, content)
        place("/init", stat.S_IFREG | 0o755, INIT.read_bytes())
        place("/busybox", stat.S_IFREG | 0o755, Path(_needed("busybox")).read_bytes())
        entry("TRAILER!!!", 0)
        return bytes(out)


def _needed(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        raise Skip(f"{program} is not installed")
    return path


# ---- the jobs ----

@dataclass
class Job:
    """A script for the guest's shell, in a folder of its own. Each of `needs` adds files to the root."""
    script: str
    needs: tuple = ()


@dataclass
class Result:
    """What a job left on that kernel: its exit status, its output, and the files of its folder."""
    release: str
    status: int
    out: str
    err: str
    files: dict = field(default_factory=dict)  # name -> text


jobs = {}  # name -> Job, in the order in which they are done


def _folder(release):
    return settings.RUN / f"{release}-{settings.BUILD.name}"


def _run(release, folder):
    qemu, root = _needed(QEMU), Root()
    for name in ("true", "env", "cp", "cat", "sleep", "nsenter", "unshare", "setpriv"):
        root.file(f"/usr/bin/{name}")
        root.file(f"/usr/bin/{name}", f"/bin/{name}")
    root.file(os.path.realpath("/bin/sh"), "/bin/sh")
    # What glibc loads when a thread is cancelled or leaves.
    for library in ("/lib/x86_64-linux-gnu/libgcc_s.so.1", "/lib64/libgcc_s.so.1"):
        if os.path.exists(library):
            root.file(library)
    root.file(settings.library(), "/nsdrift/libnsdrift.so")
    root.file(settings.command(), "/nsdrift/nsdrift")
    root.put("/etc/passwd", b"root:x:0:0::/:/bin/sh\nsomebody:x:1000:1000::/:/bin/sh\n")
    root.put("/etc/group", b"root:x:0:\nsomebody:x:1000:\n")
    root.put("/job-limit", str(JOB_LIMIT).encode())
    for number, (name, job) in enumerate(jobs.items()):
        if f"kernel.{release}.{name}" not in chosen:
            continue
        for need in job.needs:
            need(root)
        root.put(f"/jobs/{number:03}-{name}", job.script.encode())
    (folder / "root").write_bytes(root.archive("/tree"))
    command = [qemu, "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1536",
               "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", f"file:{folder}/console", "-serial", f"file:{folder}/sent",
               "-kernel", _kernel(release) / "vmlinuz", "-initrd", folder / "root",
               "-append", "console=ttyS0 quiet panic=-1 rdinit=/init"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=BOOT_LIMIT)
        said = done.stdout
    except subprocess.TimeoutExpired:
        said = f"no end within {BOOT_LIMIT} s"
    (folder / "root").unlink()
    return said


def _unpack(folder):
    """Job -> the files it left, of what was sent: an archive a job, the last one maybe not whole."""
    left, files = (folder / "sent").read_bytes(), {}
    while left:
        inflater = zlib.decompressobj(wbits=31)  # gzip
        try:
            content = inflater.decompress(left)
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                for member in archive:
                    if member.isfile():
                        name, _, inner = member.name.partition("/")
                        files.setdefault(name.split("-", 1)[1], {})[inner] = \
                            archive.extractfile(member).read().decode(errors="backslashreplace")
        except (zlib.error, tarfile.TarError, EOFError):
            break
        left = inflater.unused_data
    return files


def _boot(release, folder):
    if release in missing:
        raise Skip(missing[release])
    if not (_kernel(release) / "vmlinuz").exists():
        raise Skip("the kernel is not here")
    said = _run(release, folder)
    return {"said": said, "results": _unpack(folder),
            "console": (folder / "console").read_text(errors="replace")[-3000:]}


def result(release, name):
    """What the job of that name left behind in the guest with that kernel."""
    folder = _folder(release)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "results.json"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            outcome = json.loads(kept.read_text())
        else:
            try:
                outcome = _boot(release, folder)
            except (Skip, Failure) as refusal:
                outcome = {"skip": isinstance(refusal, Skip), "said": str(refusal)}
            kept.write_text(json.dumps(outcome))
    if "skip" in outcome:
        raise (Skip if outcome["skip"] else Failure)(outcome["said"])
    files = outcome["results"].pop(name, None)
    check(files, f"the guest never came to the end of {name}; it did",
          len(outcome["results"]), "others;", outcome["said"], outcome["console"])
    return Result(release, int(files.pop("status")), files.pop("out"), files.pop("err"), files)
