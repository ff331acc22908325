"""Where changed sources are built and tested: objects of the guest made once, one changed file at
a time compiled into a folder of its own, the unit tests that link it linked again and run. The tree
itself is never written to.
"""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NOT_LINKED = ("cli", "start", "probes/libc")  # folders that no unit test needs
MACHINE = os.uname().machine
MEMORY_MOST = 4 << 30  # of a test that runs wild
FILE_MOST = 256 << 20
SLEEP_MOST = 60


def unwind_headers():
    found = sorted(Path("/usr/lib").glob("llvm-*/include/libunwind.h"), reverse=True)
    return found[0].parent if found else Path("/usr/include/libunwind")


def run(command, **more):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **more)


class Test:
    def __init__(self, source):
        self.source = source
        self.name = source.stem
        self.links = set()  # objects of the guest, by name
        self.cost = 0.0  # seconds of processor time, as the tree is
        self.limit = 60.0  # of them


class House:
    def __init__(self, root, build, jobs):
        self.root = root
        self.shim = root / "shim"
        self.jobs = jobs
        self.work = root / "build" / "mutate"
        self.objects = self.work / "objects"
        self.unwind = build / "libunwind_own_names.a"
        self.sandbox = self.find_sandbox()
        self.tests = []

    def flags(self, *before):
        machine = [f"-I{folder}" for folder in sorted(self.shim.rglob(MACHINE))]
        return ["-std=gnu17", "-O1", "-w", "-D_GNU_SOURCE", *before, f"-I{self.shim}", *machine,
                f"-I{self.root}/include", f"-I{self.root}/tests/unit", "-fno-strict-aliasing",
                "-ffunction-sections", "-fno-omit-frame-pointer", "-fno-builtin",
                "-DNSDRIFT_IMPLEMENTATION", '-DNSD_VERSION="0"']

    def guest_flags(self, *before):
        return [*self.flags(*before), "-ffreestanding", "-fno-stack-protector",
                "-fasynchronous-unwind-tables", f"-I{unwind_headers()}"]

    # -- once --

    def sources(self):
        """Of the guest; what is of a machine lies in a folder with its name."""
        other = [path.name for path in self.shim.rglob("*") if path.is_dir() and
                 path.name in ("x86_64", "aarch64") and path.name != MACHINE]
        found = [path for path in self.shim.rglob("*.[cS]")
                 if not str(path.relative_to(self.shim)).startswith(NOT_LINKED) and
                 path.parent.name not in other]
        return sorted(found)

    def name_of(self, source):
        return "-".join(source.relative_to(self.shim).with_suffix(".o").parts)

    def prepare(self):
        """Builds what is there, and runs each test once over it."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.objects.mkdir(parents=True)
        if not self.unwind.exists():
            raise SystemExit(f"mutate: {self.unwind} is not there: build the tree first")
        with ThreadPoolExecutor(self.jobs) as pool:
            for failed in pool.map(self.compile_original, self.sources()):
                if failed:
                    raise SystemExit(f"mutate: {failed}")
            self.archive = self.work / "parts.a"
            run(["ar", "rc", self.archive, *sorted(self.objects.glob("*.o"))])
            self.users = self.read_users()
            # Races are for the thread sanitizer: as they are, what these say is left to chance.
            tests = [Test(path) for path in sorted((self.root / "tests/unit").glob("*_test.c"))
                     if not path.name.endswith("_race_test.c")]
            self.tests = sorted((test for test in pool.map(self.try_test, tests) if test),
                                key=lambda test: test.cost)

    def compile_original(self, source):
        target = self.objects / self.name_of(source)
        # By its bare name, in its folder: an object keeps the name it was compiled by.
        done = run(["gcc", *self.guest_flags(), "-MMD", "-c", "-o", target, source.name],
                   cwd=source.parent)
        return done.stdout if done.returncode else None

    def read_users(self):
        """Of each header, the objects that are made with it."""
        users = {}
        for path in self.objects.glob("*.d"):
            for word in path.read_text().split():
                if word.endswith(".h"):
                    users.setdefault(word, set()).add(path.with_suffix(".o").name)
        return users

    def try_test(self, test):
        folder = self.work / "tests"
        folder.mkdir(exist_ok=True)
        test.object, test.binary = folder / f"{test.name}.o", folder / test.name
        done = run(["gcc", *self.flags(), "-fbuiltin", "-c", "-o", test.object, test.source])
        if done.returncode:
            raise SystemExit(f"mutate: {done.stdout}")
        map_file = folder / f"{test.name}.map"
        done = self.link(test, test.binary, [], f"-Wl,-Map={map_file}")
        if done.returncode:
            raise SystemExit(f"mutate: {done.stdout}")
        test.links = set(re.findall(r"parts\.a\(([^)]+\.o)\)", map_file.read_text()))
        answer, test.cost = self.run_test(test, test.binary, folder)
        test.limit = 4 * test.cost + 2
        if answer == 0:
            return test
        print(f"not used: {test.name} (ends with {answer} as the tree is)", file=sys.stderr)
        return None

    def link(self, test, output, objects, *more):
        return run(["gcc", "-o", output, test.object, *objects, self.archive, self.unwind,
                    "-Wl,--gc-sections", "-Wl,--export-dynamic", "-pthread", "-lm", *more])

    # -- a run of a test --

    def find_sandbox(self):
        """What is changed may write anywhere: all but one folder is read-only to it."""
        if not shutil.which("bwrap"):
            return None
        command = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs",
                   "/tmp", "--unshare-pid", "--die-with-parent", "--new-session"]
        if os.geteuid() == 0:
            command += ["--cap-add", "ALL"]
        return command if run([*command, "true"]).returncode == 0 else None

    def run_test(self, test, binary, folder):
        """Its status, None if it took too long, and the processor time that it took. The limit is
        one of processor time, so that a busy machine kills nothing; who sleeps for good is killed
        a minute later."""
        command = [str(binary)]
        if self.sandbox:
            command = [*self.sandbox, "--ro-bind", str(folder), str(folder), "--chdir", "/tmp",
                       *command]
        seconds = int(test.limit) + 1

        def limit():
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MOST, FILE_MOST))

        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 stdin=subprocess.DEVNULL, cwd=folder, preexec_fn=limit)
        end = time.monotonic() + SLEEP_MOST + 10 * test.limit
        while time.monotonic() < end:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                child.returncode = os.waitstatus_to_exitcode(status)
                return child.returncode, usage.ru_utime + usage.ru_stime
            time.sleep(0.005)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return None, test.limit

    # -- a change --

    def judge(self, statement, change):
        """"invalid", "same", "survived", or the name of the test that noticed it."""
        with tempfile.TemporaryDirectory(dir=self.work, prefix="one-") as name:
            folder = Path(name)
            changed, problem = self.compile_changed(statement, change, folder)
            if problem:
                return problem
            for test in self.tests:
                linked = [path for path in changed if path.name in test.links]
                if not linked:
                    continue
                binary = folder / test.name
                if self.link(test, binary, linked).returncode != 0:
                    return "invalid"
                if self.run_test(test, binary, folder)[0] != 0:
                    return test.name
                binary.unlink()
            return "survived"

    def compile_changed(self, statement, change, folder):
        original = self.root / statement.file
        text = original.read_bytes()
        text = text[:change.start] + change.text.encode() + text[change.end:]
        relative = original.relative_to(self.shim)
        path = folder / "shim" / relative
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
        if path.suffix == ".c":
            sources = [path]
        else:
            names = self.users.get(str(original), set())
            sources = [source for source in self.sources() if self.name_of(source) in names]
        changed = []
        for source in sources:
            base = folder / "shim" if source == path else self.shim
            target = folder / "-".join(source.relative_to(base).with_suffix(".o").parts)
            done = run(["gcc", *self.guest_flags(f"-I{folder}/shim"), "-c", "-o", target,
                        source.name], cwd=source.parent)
            if done.returncode != 0:
                return [], "invalid"
            if target.read_bytes() != (self.objects / target.name).read_bytes():
                changed.append(target)
        return changed, None if changed else "same"
