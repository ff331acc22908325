"""Static Go: put in at exec by `nsdrift run`, seen as the dynamic build of the same source is seen, and
not to be noticed by the program."""
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness import programs, releases, settings, shim, system
from harness.expectations import Expectation
from harness.registry import Failure, Skip, check, check_equal, test

from . import launcher

RUNS = {"fast": 20, "gate": 200, "all": 1000}
INJECTIONS = {"fast": 20, "gate": 500, "all": 10000}
HOSTS = sorted(programs.GO.glob("*.expect"))
LETTERS = sorted(programs.GO.glob("*.text"))
STRIPPED = ("-s", "-w")

# How a program comes to be static: flags of the linker, further flags of go build.
WAYS = {
    "plain": ((), ()),
    "stripped": (STRIPPED, ()),
    "netgo": ((), ("-tags=netgo,osusergo",)),
    "cgo": (("-linkmode=external", "-extldflags=-static"), ()),
    "pie": (("-linkmode=external", '"-extldflags=-static-pie"'), ("-buildmode=pie",)),
}


def static(name, release=programs.NEWEST, way="plain", ldflags=(), label=""):
    flags, extra = WAYS[way]
    return programs.go(name, release, (*ldflags, *flags), "-".join(filter(None, ["static", way, label])),
                       extra)


def nsdrift(*argv, **keywords):
    if not settings.command().exists():
        raise Skip("this build has no command")
    return shim.run([settings.command(), *argv], on=False, **keywords)


_number = 0


def watched(argv, options="", **keywords):
    """As shim.watched, by the command: the program's own status, and the report as JSON."""
    global _number
    _number += 1
    log = settings.FOLDER / f"injected{_number}"
    given = [word for option in options.split(":") if option for word in ("-o", option)]
    result = nsdrift("run", "--exit-status=program", "--json", "--log", log, *given, "--", *argv,
                     **keywords)
    if not log.exists():
        raise Failure(f"nsdrift run {' '.join(map(str, argv))}: {result.status}\n{result.err}")
    result.report = shim.parse(log.read_text(errors="backslashreplace"))
    return result


def check_injected(report, program):
    rows = [row for row in report.coverage if row["image"].endswith(program.name)]
    check(rows and all("injected" in row["probes"] for row in rows), "it was not put in:",
          report.coverage)
    for row in rows:
        check(not row["missing"] and row["lost"] == 0 and row["go"], "coverage:", row)
    return rows


def start(program, number, before=system.private_mounts):
    folder = settings.FOLDER / f"start{number}"
    folder.mkdir(exist_ok=True)
    (folder / "hello").write_text("hello\n")
    (folder / "world").write_text("world\n")
    (folder / "hello-copied").unlink(missing_ok=True)
    result = watched([program, folder / "hello", folder / "world"], before=before)
    copied = folder / "hello-copied"
    check_injected(result.report, program)
    return result, copied.read_text() if copied.exists() else None


for go in programs.GO_RELEASES:
    fast = go in releases.of_level("fast")

    @test(f"faulty.{go}", level="fast" if fast else "gate", timeout=1200,
          every_build=go == programs.NEWEST)
    def faulty(release=go):
        program = static("launcher", release)
        for number in range(RUNS[settings.LEVEL]):
            launcher.check_named(start(program, number % 10)[0])

    @test(f"fixed.{go}", level="fast" if fast else "gate", timeout=1200)
    def fixed(release=go):
        program = static("launcher", release, ldflags=("-X main.discipline=locked",), label="fixed")
        for number in range(RUNS[settings.LEVEL]):
            result, copied = start(program, number % 10)
            check_equal(result.report.faults(), [], "findings of the fixed launcher")
            check(launcher.right(result, copied), "the fixed launcher failed:", result.status,
                  result.err)

    for way in WAYS:
        @test(f"built.{way}.{go}", level="fast" if fast else "gate", timeout=300)
        def built(release=go, kind=way):
            """Static in every way that go build knows."""
            if kind in ("pie", "cgo") and not shutil.which("gcc"):
                raise Skip("gcc is not installed")
            for name in ("visits_locked", "unlocked_round_trip", "restore_forgotten"):
                program = static(name, release, kind)
                expectation = Expectation(programs.GO / f"{name}.expect")
                result = watched([program])
                check_equal(result.status, expectation.status, f"{name}'s status")
                expectation.hold(result.report)
                check_injected(result.report, program)

for path in HOSTS:
    for go in programs.GO_RELEASES:
        @test(f"host.{path.stem}.{go}", level="fast" if go == programs.NEWEST else "gate", timeout=300)
        def host(expect=path, release=go):
            """As the dynamic host is held against its expectation, and nothing else changes."""
            expectation, program = Expectation(expect), static(expect.stem, release)
            native = shim.run([program], on=False)
            result = watched([program], options="verbosity=2")
            check_equal((result.status, result.out), (native.status, native.out), "status and output")
            if expectation.same_stderr:
                check_equal(result.err, native.err, "stderr")
            expectation.hold(result.report)
            for row in check_injected(result.report, program):
                check(row["go"].startswith(release) and row["cross_check"] in expectation.cross_check,
                      "coverage:", row)


def same_name(program, name):
    """A copy that is called as the dynamic host is: the fingerprint holds the program's name."""
    folder = settings.FOLDER / program.parent.name / program.name
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(program, folder / name))


for path in LETTERS:
    @test(f"text.{path.stem}")
    def text_to_the_letter(wanted=path):
        """Word for word what is reported of the dynamic build, but for the one word."""
        run = nsdrift("run", "--", same_name(static(wanted.stem), wanted.stem))
        check(" watched, injected." in run.err, "the word is missing:", run.err)
        text = shim.normalised(run.err.replace(" watched, injected.", " watched."))
        check_equal(text.splitlines(), wanted.read_text().splitlines(), "the text")


def essence(report):
    """What is said, without threads, which are the scheduler's choice, and the runtime's lines."""
    def plain(text):
        return re.sub(r"proc\.go:\d+", "proc.go", re.sub(r"\bthread \d+( \(main\))?", "thread N", text))
    return sorted((f["rule"], f["severity"], plain(f["message"]), plain(f["remedy"] or ""),
                   f["fingerprint"], f["call"], f["arguments"], f["locked"],
                   tuple((frame["function"], frame["line"]) for frame in f["stack"]
                         if not (frame["function"] or "").startswith("runtime.")))
                  for f in report.findings if f["severity"] != "note")


for name in ("unlocked_private_fs", "unlocked_setns", "restore_forgotten", "unlocked_round_trip",
             "main_wedged", "restore_failed"):
    @test(f"as_dynamic.{name}")
    def as_dynamic(host=name):
        """The same findings with the same fingerprints as of the dynamic build of the same source."""
        dynamic = watched([same_name(programs.go(host), host)])
        result = watched([same_name(static(host), host)])
        check(essence(dynamic.report), "the dynamic one has no finding")
        check_equal(essence(result.report), essence(dynamic.report), "findings")


def natively_and_injected(argv, **keywords):
    return shim.run(argv, on=False, **keywords), watched(argv, **keywords)


def ignore_sigtrap():
    signal.signal(signal.SIGTRAP, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def block_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTRAP, signal.SIGTERM, signal.SIGUSR2])


for name, way in (("plain", "plain"), ("cgo", "cgo"), ("pie", "pie")):
    for label, before in (("", None), (".ignores_sigtrap", ignore_sigtrap), (".blocks", block_signals)):
        @test(f"cannot_tell.{name}{label}")
        def cannot_tell(kind=way, prepare=before):
            """auxv, stack, brk, signals, capabilities, descriptors, mappings, environment, tracer."""
            program = same_name(static("shows_itself", way=kind), "shows_itself")
            native, result = natively_and_injected([program, "an argument"], before=prepare,
                                                   base={"PATH": "/usr/bin:/bin", "MARK": "1"})
            check(len(native.out.splitlines()) > 30 and "TracerPid: 0]" in native.out, native.out)
            difference = set(native.out.splitlines()) ^ set(result.out.splitlines())
            check(not difference, "what it sees:", sorted(difference))
            check_injected(result.report, program)


@test("many", timeout=3600)
def injections_in_a_row():
    """Each one starts, is watched and ends; the tool leaves nothing behind."""
    program = static("visits_locked")
    log = settings.FOLDER / "log"
    for number in range(INJECTIONS[settings.LEVEL]):
        run = nsdrift("run", "-o", "verbosity=1", "--", program)
        check(run.status == 0 and " watched, injected." in run.err, f"number {number}:", run.status,
              run.err)


@test(timeout=300)
def fuzzed_headers():
    """A copy with a damaged header is started and watched, or an error is told; never a crash."""
    import random
    source = static("visits_locked").read_bytes()
    random.seed(20)
    seen = {}
    copy = settings.FOLDER / "copy"
    for number in range({"fast": 60, "gate": 600, "all": 6000}[settings.LEVEL]):
        data = bytearray(source[:4096])
        for _ in range(random.randint(1, 4)):
            data[random.randrange(16, 64 + 56 * 7)] = random.choice([0, 1, 255, random.randrange(256)])
        copy.write_bytes(bytes(data) + source[4096:])
        copy.chmod(0o755)
        run = nsdrift("run", "--exit-status=findings", "--", copy, timeout=60)
        check(run.status in (0, 1, 125), f"number {number}: the command ended with", run.status, run.err)
        check(run.status != 125 or "nsdrift: " in run.err, "no word about", number, run.err)
        seen[run.status] = seen.get(run.status, 0) + 1
    check(seen.get(125), "nothing was refused:", seen)
    print(seen)


@test(timeout=300)
def cut_files():
    """A file that ends early, as a copy that was interrupted."""
    source = static("visits_locked").read_bytes()
    copy = settings.FOLDER / "copy"
    for size in (64, 100, 1000, 4096, 5000, len(source) // 3, len(source) // 2):
        copy.write_bytes(source[:size])
        copy.chmod(0o755)
        run = nsdrift("run", "--", copy, timeout=60)
        check_equal(run.status, 125, f"of {size} bytes: {run.err}")
        check("nsdrift: " in run.err, "no word:", run.err)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "it never came to that")
        time.sleep(0.01)


def mortal():
    """The environment of a command that will be killed: its private folder goes with the test's."""
    return shim.environment(False, base=dict(os.environ, TMPDIR=str(settings.FOLDER)))


@test(timeout=120)
def killed_afterwards():
    """SIGKILL of the command when the program runs: the program lives on, and nobody traces it."""
    tool = subprocess.Popen([settings.command(), "run", "--", static("stays"), "home"],
                            stdout=subprocess.PIPE, env=mortal())
    check_equal(tool.stdout.readline(), b"ready\n", "its first word")
    with open(f"/proc/{tool.pid}/task/{tool.pid}/children") as file:
        pid = int(file.read())
    tool.kill()
    tool.wait()
    time.sleep(0.2)
    check(alive(pid), "the program died with the command")
    with open(f"/proc/{pid}/status") as file:
        check("TracerPid:\t0\n" in file.read(), "it is traced")
    os.kill(pid, signal.SIGKILL)


def kill_at_any_moment(times, *argv):
    """The command, with a program that makes one file at first and another at last, is killed while
    that starts: it runs wholly or has never begun."""
    seen = {True: 0, False: 0}
    for number in range(times):
        began, ended = settings.FOLDER / f"began{number}", settings.FOLDER / f"ended{number}"
        tool = subprocess.Popen([settings.command(), *argv, static("touches"), began, ended],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, env=mortal())
        time.sleep(number % 60 * 0.0003)
        tool.kill()
        tool.wait()
        if began.exists() or (time.sleep(0.02) or began.exists()):
            wait_until(ended.exists)
        seen[began.exists()] += 1
    check(all(seen.values()), "it was never killed early, or always:", seen)
    print(seen)


@test(timeout=600)
def killed_at_any_moment():
    kill_at_any_moment({"fast": 60, "gate": 400, "all": 4000}[settings.LEVEL], "run", "--")


@test()
def status_and_signals():
    """The program's own status, and a signal that ends it, as without the command."""
    run = subprocess.Popen([settings.command(), "run", "--exit-status=program", "--",
                            static("stays"), "home"], stdout=subprocess.PIPE,
                           env=shim.environment(False))
    run.stdout.readline()
    run.terminate()
    check_equal(run.wait(20), 128 + signal.SIGTERM, "status after SIGTERM")


def child_of(tool):
    """The program's pid, as soon as there is one; None if the command is over first."""
    children = ""
    while not children and tool.poll() is None:
        try:
            with open(f"/proc/{tool.pid}/task/{tool.pid}/children") as file:
                children = file.read()
        except OSError:
            pass
    return int(children.split()[0]) if children else None


def send_at_any_moment(send):
    """Sends the program something while the library is being put in; the command's word and status."""
    for number in range({"fast": 60, "gate": 400, "all": 4000}[settings.LEVEL]):
        began, ended = settings.FOLDER / f"began{number}", settings.FOLDER / f"ended{number}"
        tool = subprocess.Popen([settings.command(), "run", "--exit-status=program", "--", static("touches"),
                                 began, ended], stderr=subprocess.PIPE, text=True, env=mortal())
        pid = child_of(tool)
        time.sleep(number % 60 * 0.00005)
        try:
            if pid is not None:
                send(pid)
        except ProcessLookupError:
            pass
        yield tool.communicate(timeout=20)[1], tool.returncode, ended.exists()


@test(timeout=600)
def program_killed_at_any_moment():
    """SIGKILL of the program while it starts: that is how it ended, and nothing stood in the way."""
    seen = set()
    for err, status, ended in send_at_any_moment(lambda pid: os.kill(pid, signal.SIGKILL)):
        if "cannot be traced" in err:  # it was gone before anybody could take hold of it
            continue
        check("could not be watched" not in err, err)
        check(status == 128 + signal.SIGKILL or (status == 0 and ended), "it ended with", status, err)
        seen.add(status)
    check(128 + signal.SIGKILL in seen, "it was never killed:", seen)


@test(timeout=600)
def program_stopped_at_any_moment():
    """SIGSTOP and SIGCONT while it starts: it goes on."""
    def stop_and_go(pid):
        for _ in range(10):
            os.kill(pid, signal.SIGSTOP)
            os.kill(pid, signal.SIGCONT)

    for err, status, ended in send_at_any_moment(stop_and_go):
        check_equal((err, status, ended), ("", 0, True), "it")


def refused(*argv, words, touched=None, **keywords):
    """125 and one line; the program has not run, and runs unwatched with --best-effort."""
    run = nsdrift("run", "--", *argv, **keywords)
    check_equal((run.status, len(run.err.splitlines())), (125, 1), f"refused: {run.err}")
    check(words in run.err, f"no {words!r} in:", run.err)
    if touched:
        check(not touched.exists(), "it was started")
        run = nsdrift("run", "--best-effort", "--", *argv, **keywords)
        check_equal(run.status, 125, f"--best-effort: {run.err}")
        check(touched.exists(), "it was not started with --best-effort:", run.err)


def touching():
    touched = settings.FOLDER / "touched"
    return [static("touches"), touched, settings.FOLDER / "touched-at-end"], touched


PR_SET_MDWE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 65, 38, 22
BPF_LOAD, BPF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
RET_ERRNO, RET_KILL, RET_ALLOW = 0x50000, 0x80000000, 0x7fff0000


def filter_answers(number, answer):
    """A seccomp filter that answers one system call so, for what is exec'd next."""
    import ctypes
    import struct
    program = b"".join(struct.pack("=HBBI", *row) for row in (
        (BPF_LOAD, 0, 0, 0), (BPF_EQUAL, 0, 1, number), (BPF_RETURN, 0, 0, answer),
        (BPF_RETURN, 0, 0, RET_ALLOW)))
    buffer = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", 4, ctypes.addressof(buffer)))
    system.call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    system.call("prctl", PR_SET_SECCOMP, 2, head, 0, 0)


PTRACE, PROCESS_VM_WRITEV, PROCESS_VM_READV = 101, 311, 310

for label, answer in (("refuses", RET_ERRNO | 1), ("kills", RET_KILL)):
    @test(f"filter.{label}_ptrace")
    def filter_of_ptrace(how=answer):
        argv, touched = touching()
        refused(*argv, words="seccomp filter", touched=touched,
                before=lambda: filter_answers(PTRACE, how))


@test("filter.refuses_process_vm")
def filter_of_memory():
    """Where the quick way to write into another process is closed, the slow one does."""
    program = static("visits_locked")
    result = watched([program], before=lambda: filter_answers(PROCESS_VM_WRITEV, RET_ERRNO | 1))
    check_equal(result.status, 0, "status")
    check_injected(result.report, program)


@test()
def memory_deny_write_execute():
    argv, touched = touching()

    def deny():
        if system.libc.prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0:
            os._exit(shim.CANNOT_RUN)
    refused(*argv, words="MDWE", touched=touched, before=deny)


def noexec():
    folder = settings.FOLDER / "noexec"
    folder.mkdir()
    system.mount("none", folder, "tmpfs", 8)  # MS_NOEXEC
    return folder


@test()
def library_on_noexec():
    argv, touched = touching()
    folder = noexec()
    shutil.copy(settings.library(), folder / "libnsdrift.so")
    run = subprocess.run(["env", f"NSDRIFT_LIBRARY={folder}/libnsdrift.so", settings.command(), "run",
                          "--", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=shim.environment(False))
    check_equal((run.returncode, len(run.stderr.splitlines())), (125, 1), run.stderr)
    check("it cannot map the library" in run.stderr and not touched.exists(), run.stderr)


@test()
def executable_on_noexec():
    folder = noexec()
    program = shutil.copy(static("touches"), folder / "touches")
    for argv in ((), ("--best-effort",)):
        run = nsdrift("run", *argv, "--", program, settings.FOLDER / "a", settings.FOLDER / "b")
        check_equal((run.status, len(run.err.splitlines())), (125, 1), run.err)
        check("is not executable" in run.err, run.err)


VFS_CAP_REVISION_2, EFFECTIVE, NET_ADMIN = 0x02000000, 1, 1 << 12


def with_capabilities(program):
    import struct
    os.setxattr(program, "security.capability",
                struct.pack("<5I", VFS_CAP_REVISION_2 | EFFECTIVE, NET_ADMIN, 0, 0, 0))


def with_set_uid(program):
    program.chmod(0o4755)


for label, prepare, words in (("file_capabilities", with_capabilities, "given capabilities by its file"),
                              ("set_uid", with_set_uid, "set-uid")):
    @test(f"privileged.{label}")
    def privileged(give=prepare, why=words):
        """A program that may do what its user may not: a tracer would take that from it."""
        folder = Path("/run/everybody")  # a file system of the test's own
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        program, began, ended = folder / "touches", folder / "began", folder / "ended"
        for source in (settings.command(), settings.library()):
            shutil.copy(source, folder)
        shutil.copy(static("touches"), program)
        give(program)

        def become_nobody():
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        for more, starts in (((), False), (("--best-effort",), True)):
            run = subprocess.run([folder / settings.command().name, "run", *more, "--", program, began, ended],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=dict(shim.environment(False), TMPDIR=str(folder)),
                                 preexec_fn=become_nobody)
            check_equal((run.returncode, len(run.stderr.splitlines()), ended.exists()),
                        (125, 1, starts), run.stderr)
            check(why in run.stderr, run.stderr)


@test()
def own_entry():
    """The library run as a program says what it is."""
    done = subprocess.run([settings.library()], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check_equal(done.returncode, 127, "status")
    check(b"nsdrift run" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)


@test()
def damaged_library():
    """A library that is not whole is refused, whatever is wrong with it; the program never runs."""
    import random
    argv, touched = touching()
    source = settings.library().read_bytes()
    random.seed(21)
    library = settings.FOLDER / "libnsdrift.so"
    for number in range(60):
        data = bytearray(source[:4096])
        for _ in range(3):
            data[random.randrange(16, 64 + 56 * 9)] = random.randrange(256)
        library.write_bytes(bytes(data) + source[4096:])
        run = subprocess.run(["env", f"NSDRIFT_LIBRARY={library}", settings.command(), "run", "--", *argv],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                             env=shim.environment(False))
        check(run.returncode in (0, 125), f"number {number}:", run.returncode, run.stderr)
        check(run.returncode == 0 or not touched.exists(), f"number {number}: it was started and",
              run.stderr)
        touched.unlink(missing_ok=True)


@test()
def dynamic_children():
    """A dynamic child of an injected program has the preload by its environment."""
    program = static("children_in_namespaces")
    result = watched([program], options="verbosity=1")
    others = [row for row in result.report.coverage if not row["image"].endswith(program.name)]
    check(others and all("libc" in row["probes"] and "injected" not in row["probes"] for row in others),
          "its children:", result.report.coverage)


@test()
def scripts():
    """A static Go program as the interpreter of a script."""
    script = settings.FOLDER / "script"
    script.write_text(f"#!{static('visits_locked')}\n")
    script.chmod(0o755)
    result = watched([script])
    check_equal(result.status, 0, f"status: {result.err}")
    check_injected(result.report, static("visits_locked"))


for parent in ("dynamic", "static"):
    for how in ("child", "exec", "child.cgo"):
        @test(f"unwatched.go.{parent}_{how}")
        def static_go_children(build=parent, how=how):
            """A static Go program that a watched one executes is named, and gives 125; also where
            gcc has linked it, whose notes come before Go's."""
            program = static("executes") if build == "static" else programs.go("executes")
            way, _, linked = how.partition(".")
            child = static("visits_locked", way=linked or "plain")
            run = nsdrift("run", "--", program, way, child)
            check_equal(run.status, 125, f"status: {run.err}")
            check_equal(run.err.count("not watched"), 1, f"how often it is named: {run.err}")
            check(f"not watched: {child}: it is a statically linked Go program" in run.err, run.err)

    for how in ("child", "exec"):
        @test(f"unwatched.c.{parent}_{how}")
        def static_c_children(build=parent, way=how):
            """A static C program is listed, and judged by --strict alone."""
            if not shutil.which("busybox"):
                raise Skip("busybox-static is not installed")
            program = static("executes") if build == "static" else programs.go("executes")
            argv = ["--", program, way, shutil.which("busybox"), "true"]
            run = nsdrift("run", *argv)
            check_equal((run.status, run.err.count(": it is statically linked, and no Go."),
                         len(run.err.splitlines())), (0, 1, 1), f"by default: {run.err}")
            run = nsdrift("run", "-o", "verbosity=1", *argv)
            check(run.err.count(": it is statically linked, and no Go.") == 1, run.err)
            run = nsdrift("run", "--strict", *argv)
            check_equal((run.status, run.err.count(": it is statically linked, and no Go.")), (125, 1),
                        f"--strict: {run.err}")


@test("unwatched.from_c")
def static_children_of_c():
    """By a shell, which execs in a fork or vfork child; and by posix_spawn, as Python does."""
    child = static("visits_locked")
    for argv in (["/bin/sh", "-c", f"{child}; true"], ["/bin/sh", "-c", f"exec {child}"],
                 ["/usr/bin/env", child]):
        run = nsdrift("run", "--", *argv)
        check_equal((run.status, run.err.count("not watched")), (125, 1), f"{argv}: {run.err}")
        check(str(child) in run.err, run.err)


@test("unwatched.not_executed")
def exec_that_fails():
    """What could not be executed is no child."""
    text = settings.FOLDER / "no-rights"
    shutil.copy(static("visits_locked"), text)
    text.chmod(0o644)
    for program in (static("executes"), programs.go("executes")):
        run = nsdrift("run", "--", program, "fails", text)
        check_equal((run.status, run.err), (0, ""), "the report")
