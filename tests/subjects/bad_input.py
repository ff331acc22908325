"""Whatever is wrong around it: one clear line at most, and the host runs on unchanged."""
import os
import shutil
import struct
import subprocess

from harness import programs, settings, shim, system
from harness.registry import Skip, check, check_equal, test


def lines(err):
    return [line for line in err.splitlines() if line]


def one_line(result, native, *words):
    """At most one line more than natively, which holds the words; the rest as it was."""
    check_equal((result.status, result.out), (native.status, native.out), "status and output")
    said = lines(result.err)
    check_equal(len(said), 1 if words else 0, f"lines on stderr: {result.err!r}")
    for word in words:
        check(word in said[0], f"no {word!r} in {said[0]!r}")
    if words:
        check("nsdrift" in said[0], f"who speaks? {said[0]!r}")


def clean():
    return programs.c("setns_round_trip")


for name, given, expected in (
        ("unknown_option", "no_such_thing=1", ("no_such_thing",)),
        ("number_that_is_none", "depth=many", ("depth", "many")),
        ("number_out_of_range", "depth=100000", ("depth", "100000")),
        ("negative_number", "verbosity=-1", ("verbosity",)),
        ("flag_that_is_none", "json=perhaps", ("json", "perhaps")),
        ("unknown_severity", "severity=fatal", ("severity", "fatal")),
        ("unknown_signal", "signal=NOTHING", ("signal", "NOTHING")),
        ("option_without_value", "verbosity", ("verbosity",)),
        ("empty_options", ":::", ())):
    @test(name)
    def option(options=given, words=expected):
        native = shim.run([clean()], on=False)
        one_line(shim.run([clean()], options=options), native, *words)


@test()
def others_survive_a_bad_option():
    program = programs.c("pool_worker_skips_restore_and_idles")
    result = shim.run([program], options=f"bad=1:log_path={settings.FOLDER}/log:worse")
    check(any("left-switched" in p.read_text() for p in settings.FOLDER.glob("log*")), "the log")
    check_equal(len(lines(result.err)), 1, f"one line at most: {result.err!r}")


for name, path in (("folder_missing", "/nowhere/at/all"), ("folder_itself", "/proc/"),
                   ("read_only", "/proc/version")):
    @test(f"log_path_{name}")
    def unwritable(where=path):
        program = programs.c("pool_worker_skips_restore_and_idles")
        native = shim.run([program], on=False)
        result = shim.run([program], options=f"log_path={where}{'%p' if where != '/nowhere/at/all' else ''}")
        check_equal((result.status, result.out), (native.status, native.out), "status and output")
        complaints = [line for line in lines(result.err) if where in line]
        check_equal(len(complaints), 1, f"complaints in {result.err!r}")


for name, command, why in (("is_folder", "mkdir", "EISDIR"), ("is_fifo", "mkfifo", "ENXIO"),
                           ("is_link", "ln -s /dev/null", "ELOOP")):
    @test(f"log_path_{name}")
    def log_is_no_file(make=command, error=why):
        """What stands there when the program starts: one line, and the report on stderr."""
        program = programs.c("pool_worker_skips_restore_and_idles")
        native = shim.run([program], on=False)
        folder = settings.FOLDER / "logs"
        folder.mkdir()
        result = shim.run(["sh", "-c", f'{make} {folder}/log.$$; exec "$0"', program],
                          options=f"log_path={folder}/log")
        check_equal((result.status, result.out), (native.status, native.out), "status and output")
        told = lines(result.err)
        check_equal(sum(f"({error}): {folder}/log" in line for line in told), 1, f"{told}")
        check("left-switched" in result.err, "the report:", result.err)


def go_program(edit, name="visits_locked"):
    """A copy of a Go host with its bytes changed."""
    program = programs.go(name)
    data = bytearray(program.read_bytes())
    edit(data)
    copy = settings.FOLDER / name
    copy.write_bytes(data)
    copy.chmod(0o755)
    return program, copy


def sections(data):
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    table = rows[names][4]
    found = {}
    for row in rows:
        end = data.index(0, table + row[0])
        found[bytes(data[table + row[0]:end]).decode()] = row
    return found


def unknown_go(edit):
    """A Go that cannot be read: it runs as ever; one line says so, and the coverage does."""
    program, copy = go_program(edit)
    native = shim.run([copy], on=False)
    check_equal(native.status, 0, f"the changed program runs natively ({native.err[:200]})")
    result = shim.run([copy])
    check_equal((result.status, result.out), (native.status, native.out), "status and output")
    check(len(lines(result.err)) <= 1, f"more than one line: {result.err!r}")
    report = shim.watched([copy], options="verbosity=1").report
    check(report.coverage and any(row["missing"] for row in report.coverage),
          "the coverage does not say that something is missing:", report.coverage)


@test()
def pclntab_with_another_magic():
    def edit(data):
        at = sections(data)[".gopclntab"][4]
        data[at:at + 4] = b"\x12\x34\x56\x78"
    # The runtime itself checks its table, so it cannot run with a wrong magic: what must hold is
    # that it dies in the same way.
    program, copy = go_program(edit)
    native, result = shim.run([copy], on=False), shim.run([copy])
    check_equal(result.status, native.status, f"status ({result.err[:300]})")


@test()
def pclntab_with_names_of_another_program():
    """The functions that the probe looks for are not there."""
    def edit(data):
        row = sections(data)[".gopclntab"]
        start, size = row[4], row[5]
        part = data[start:start + size]
        for name in (b"runtime/internal/syscall.Syscall6", b"internal/runtime/syscall/linux.Syscall6",
                     b"internal/runtime/syscall.Syscall6", b"syscall.rawVforkSyscall"):
            part = part.replace(name + b"\0", b"x" * len(name) + b"\0")
        data[start:start + size] = part
    unknown_go(edit)


@test()
def pclntab_cut_short():
    """Numbers of functions and offsets far beyond the table: no read outside, no crash."""
    def edit(data):
        at = sections(data)[".gopclntab"][4]
        for word in range(3, 8):
            struct.pack_into("<Q", data, at + word * 8, 0x7fffffffffff)
    program, copy = go_program(edit)
    native, result = shim.run([copy], on=False), shim.run([copy])
    check_equal((result.status < 0), (native.status < 0), f"died: {result.status}, {native.status}")
    check_equal(result.status, native.status, "status")


@test()
def machine_code_of_an_unknown_build():
    """Syscall6 looks different: nothing is patched, and the report says so."""
    pattern = bytes.fromhex("4989f24889fa4889ce4889df0f05483d01f0ffff7615")

    def edit(data):
        at = data.find(pattern)
        check(at >= 0, "Syscall6 is not where it is expected")
        # mov r10,rsi; mov rdx,rdi; mov rsi,rcx; mov rdi,rbx in another order
        data[at:at + 12] = bytes.fromhex("4989f24889fa4889ce4889df")
        data[at + 12:at + 20] = bytes.fromhex("0f05483d01f0ffff")
        # cmp rax, imm32 by its other encoding: 48 81 f8 needs one byte more; the last jump moves.
        data[at + 20:at + 22] = data[at + 20:at + 22]
    program, copy = go_program(edit)
    check_equal(shim.run([copy]).status, 0, "status")


@test()
def no_section_headers():
    def edit(data):
        struct.pack_into("<Q", data, 0x28, 0)
        struct.pack_into("<HHH", data, 0x3A, 0, 0, 0)
    program, copy = go_program(edit)
    native, result = shim.run([copy], on=False), shim.run([copy])
    check_equal((result.status, result.out), (native.status, native.out), "Go")
    check(len(lines(result.err)) <= 1, f"more than one line: {result.err!r}")
    program = programs.c("pool_worker_skips_restore_and_idles")
    data = bytearray(program.read_bytes())
    edit(data)
    bare = settings.FOLDER / "bare"
    bare.write_bytes(data)
    bare.chmod(0o755)
    result = shim.watched([bare])
    check_equal(result.status, 0, "C")
    check_equal(result.report.faults(), ["left-switched"], "faults of a C program without sections")


@test()
def faulty_go_without_section_headers_is_named():
    def edit(data):
        struct.pack_into("<Q", data, 0x28, 0)
        struct.pack_into("<HHH", data, 0x3A, 0, 0, 0)
    program, copy = go_program(edit, "unlocked_round_trip")
    result = shim.watched([copy], options="verbosity=1")
    check_equal(result.status, 0, "status")
    check_equal(result.report.faults(), ["unlocked-switch"], "faults")


@test()
def proc_not_mounted():
    def without_proc():
        system.private_mounts()
        system.umount("/proc", 2)
    for program in (programs.c("thread_switches_and_returns"), programs.go("unlocked_without_effect")):
        native = shim.run([program], on=False, before=without_proc)
        result = shim.run([program], before=without_proc)
        check_equal((result.status, result.out), (native.status, native.out), program.name)
        extra = [line for line in lines(result.err) if line not in lines(native.err)]
        check(len(extra) <= 1, f"more than one line: {extra}")
    result = shim.watched([programs.c("thread_switches_and_returns")], before=without_proc)
    check_equal(result.report.rules(), ["died-switched"], "findings")
    check_equal([row["cross_check"] for row in result.report.coverage], ["impossible"], "cross_check")


@test()
def stderr_closed():
    """Descriptor 2 closed by the host: nothing is written; with log_path the report is there."""
    program = programs.c("stderr_closed")
    result = shim.run([program])
    check_equal((result.status, result.out, result.err), (4, "done\n", ""), "status, stdout, stderr")
    result = shim.watched([program])
    check_equal((result.status, result.report.faults()), (4, ["left-switched"]), "status, faults")


@test()
def stderr_reused():
    """Descriptor 2 is a file of the host's by now: not a byte of ours in it."""
    program = programs.c("stderr_closed")
    result = shim.run([program, "reused"])
    check_equal((result.status, result.out), (4, "done\n"), "status and output")
    check_equal((settings.FOLDER / "data").read_text(), "mine", "the host's file")


@test()
def stderr_closed_from_the_start():
    def closed():
        os.close(2)
    done = subprocess.run([programs.c("pool_worker_skips_restore_and_idles")],
                          env=shim.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          preexec_fn=closed)
    check_equal((done.returncode, done.stdout), (0, b"done\n"), "status and output")


@test()
def all_descriptors_closed():
    """A host that closes everything: no descriptor of ours was missed, none is in its way."""
    def none():
        os.closerange(0, 3)
    program = programs.c("thread_switches_and_returns")
    native = subprocess.run([program], env=shim.environment(on=False), preexec_fn=none)
    ours = subprocess.run([program], env=shim.environment(), preexec_fn=none)
    check_equal(ours.returncode, native.returncode, "status")


@test()
def options_as_long_as_execve_allows():
    """131,071 bytes with the variable's name: parsed to the end."""
    room = 131071 - len("NSDRIFT_OPTIONS=") - 1
    for filler in (":", "bad=1:"):
        tail = "severity=note"
        options = (filler * (room // len(filler)))[:room - len(tail) - 1] + ":" + tail
        native = shim.run([programs.c("thread_switches_and_returns")], on=False)
        result = shim.run([programs.c("thread_switches_and_returns")], options=options)
        check_equal((result.status, result.out), (native.status, native.out), "status and output")
        check("note: died-switched" in result.err, f"the last option was lost: {result.err[-300:]!r}")
    value = "x" * (room - len("log_path=/"))
    result = shim.run([programs.c("setns_round_trip")], options=f"log_path=/{value}")
    check_equal(result.status, 0, "status")
    check(len(lines(result.err)) <= 1, f"more than one line: {result.err[:300]!r}")


@test()
def seccomp_filters():
    """From the moment the host has a filter, no call that it does not make itself."""
    program = programs.c("seccomp_kills_strangers")
    for arguments in ((), ("prctl",)):
        native = shim.run([program, *arguments], on=False)
        check_equal(native.status, 0, "native status")
        result = shim.run([program, *arguments])
        check_equal((result.status, result.out), (native.status, native.out), arguments)
        result = shim.run([program, *arguments], options="verbosity=3")
        check_equal((result.status, result.out), (native.status, native.out), (arguments, "verbosity=3"))


@test()
def refused_calls_are_told():
    """A filter that answers a call of ours with EPERM costs the finding at most, never the 125."""
    program = programs.c("drifts_where_a_call_is_refused")
    for number in (5, 16, 186, 310):  # fstat, ioctl, gettid, process_vm_readv
        for arguments in ((str(number),), (str(number), "before")):
            check_equal(shim.run([program, *arguments], on=False).status, 0, "native status")
            run = subprocess.run([settings.BUILD / "nsdrift", "run", "--exit-status=findings", "--", program,
                                  *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            found = "left-switched" in run.stderr
            check_equal(run.returncode, 1 if found else 125, (arguments, run.stderr))


@test(every_build=True)
def filter_holds_before_the_call_returns():
    """Whoever calls between the kernel's answer and our look at it, we are silent already."""
    behind = programs.c("calls_at_once_under_its_filter", flags=("-O2", "-shared", "-fPIC"), folder=programs.TOOLS)
    program = programs.c("forks_under_filter")
    for options in ("", "verbosity=3", f"record={settings.FOLDER}"):
        env = shim.environment(options=options)
        env["LD_PRELOAD"] += f":{behind}"
        ours = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check_equal(ours.returncode, 0, options)


@test(every_build=True)
def api_under_a_filter():
    """The functions of nsdrift.h make no system call either."""
    for options in ("", "verbosity=3", f"record={settings.FOLDER}"):
        result = shim.run([programs.c("asks_under_filter")], options=options)
        check_equal((result.status, result.out), (0, "alive\n"), options)


@test()
def children_under_a_filter():
    """A fork child of a filtered program is as quiet as its parent; strict mode takes the clock away, too."""
    program = programs.c("forks_under_filter")
    for arguments in ((), ("strict",)):
        native = shim.run([program, *arguments], on=False)
        check_equal(native.status, 3 if arguments else 0, "native status")
        for options in ("", "verbosity=3", f"record={settings.FOLDER}"):
            result = shim.run([program, *arguments], options=options)
            check_equal((result.status, result.out), (native.status, native.out), (arguments, options))


@test()
def library_gone_by_exec():
    """The library's path leads nowhere in the new root: the loader must have nothing to complain of."""
    if not shutil.which("busybox"):
        raise Skip("busybox is not installed")
    root = settings.FOLDER / "root"
    (root / "bin").mkdir(parents=True)
    program = programs.c("looks_around", flags=("-O2", "-static"))
    shutil.copy(program, root / "bin" / "looks")
    libraries = subprocess.run(["ldd", "/usr/bin/env"], stdout=subprocess.PIPE, text=True).stdout
    for word in ["/usr/bin/env", *(w for w in libraries.split() if w.startswith("/"))]:
        target = root / word.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(word, target)
    result = shim.run(["chroot", root, "/usr/bin/env"])
    check_equal(result.status, 0, result.err)
    check("ld.so" not in result.err and "LD_PRELOAD" not in result.out, result.err, result.out)
