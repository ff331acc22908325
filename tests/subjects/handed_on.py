"""The preload is handed on to a child only where it can be loaded and does no harm there: nothing of
the loader's is ever on a child's stderr, and what was not handed on is said."""
import os
import shutil
import subprocess

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test


def same(argv, says=None, **keywords):
    """Status, output and stderr as natively; the reason stands in the coverage."""
    native = shim.run(argv, on=False, **keywords)
    watched = shim.watched(argv, options="verbosity=1", **keywords)
    check_equal((watched.status, watched.out, watched.err), (native.status, native.out, native.err), argv)
    reasons = [m["why"] for row in watched.report.coverage for m in row["missing"] if m["probe"] == "exec"]
    if says:
        check(any(says in why for why in reasons), f"{says!r} is not said:", reasons)
    else:
        check_equal(reasons, [], "said to be missing")
    return watched


def images(result):
    return [os.path.basename(row["image"]) for row in result.report.coverage]


def program_of_32_bits():
    """Says hello without a C library, and has a loader all the same."""
    source, output = settings.FOLDER / "hello.c", settings.FOLDER / "hello32"
    source.write_text("""
static int call(int number, int a, const void *b, int c) {
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}
void _start(void) { call(4, 1, "hello\\n", 6); call(1, 9, 0, 0); }
""")
    built = subprocess.run(["gcc", "-m32", "-nostdlib", "-fPIE", "-pie", "-o", output, source],
                           stderr=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Skip(f"no program of 32 bits can be made here: {built.stderr.strip()[-200:]}")
    return output


@test(every_build=True)
def to_another_class():
    program = program_of_32_bits()
    if shim.run([program], on=False).status != 9:
        raise Skip("a program of 32 bits does not run here")
    same(["/bin/sh", "-c", f"{program}; exit $?"], "another class")
    script = settings.FOLDER / "script"
    script.write_text(f"#!{program} -x\n")
    script.chmod(0o755)
    same(["/bin/sh", "-c", f"exec {script}"], "another class")


@test(every_build=True)
def from_a_mount_without_execution():
    """The library's mount becomes noexec, in a mount namespace of its own."""
    folder = settings.FOLDER / "mount"
    folder.mkdir()
    command = (f"mount -t tmpfs none {folder} && cp {settings.library()} {folder}/libnsdrift.so && "
               f"LD_PRELOAD={folder}/libnsdrift.so NSDRIFT=1 exec /bin/sh -c "
               f"'mount -o remount,noexec {folder} && /bin/echo done'")
    done = shim.run(["unshare", "-m", "/bin/sh", "-c", command], on=False)
    check_equal((done.status, done.out, done.err), (0, "done\n", ""), "a child behind noexec")


def landlock(*paths):
    """In the child before exec: only what lies under these paths may be read or executed."""
    import ctypes
    import struct
    libc = ctypes.CDLL(None, use_errno=True)
    EXECUTE, READ, READ_FOLDER = 1, 4, 8
    rules = libc.syscall(444, struct.pack("Q", EXECUTE | READ | READ_FOLDER), 8, 0)
    if rules < 0:
        os._exit(shim.CANNOT_RUN)
    for path in paths:
        fd = os.open(path, os.O_PATH)
        rights = EXECUTE | READ | (READ_FOLDER if os.path.isdir(path) else 0)
        libc.syscall(445, rules, 1, struct.pack("=Qi", rights, fd), 0)
        os.close(fd)
    libc.prctl(38, 1, 0, 0, 0)
    if libc.syscall(446, rules, 0) != 0:
        os._exit(shim.CANNOT_RUN)


@test(every_build=True)
def out_of_a_sandbox():
    """Landlock lets the child read the system's folders and nothing else."""
    script = """
import os, sys
sys.path.insert(0, %r)
from subjects import handed_on
handed_on.landlock("/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/dev")
os.execv("/bin/echo", ["echo", "done"])
""" % str(settings.PROGRAMS.parent)
    result = same(["/usr/bin/python3", "-B", "-c", script], "may not read the library")
    check_equal(result.out, "done\n", "output")


@test(every_build=True)
def to_another_user():
    """The library is root's alone; the child is somebody else's, who still has every capability until
    it execs."""
    private = settings.FOLDER / "private"
    private.mkdir()
    library = private / "libnsdrift.so"
    shutil.copy(settings.library(), library)
    private.chmod(0o700)
    if os.geteuid() != 0:
        raise Skip("needs root")
    for keep in ("", "libc.prctl(8, 1, 0, 0, 0); "):
        script = f"import os, ctypes; libc = ctypes.CDLL(None); {keep}os.setuid(65534); " \
                 "os.execv('/bin/echo', ['echo', 'done'])"
        env = dict(shim.environment(False), LD_PRELOAD=str(library), NSDRIFT="1")
        done = subprocess.run(["/usr/bin/python3", "-c", script], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        check_equal((done.returncode, done.stdout, done.stderr), (0, "done\n", ""), keep)


@test(every_build=True)
def from_another_folder():
    """A preload by a relative path, after the program has gone elsewhere: by the absolute one."""
    shutil.copy(settings.library(), settings.FOLDER / "relative.so")
    script = "cd /; /bin/echo $LD_PRELOAD; cd - >/dev/null; /usr/bin/env | grep ^LD_PRELOAD"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=settings.FOLDER, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          env=dict(shim.environment(False), LD_PRELOAD="./relative.so", NSDRIFT="1"))
    check_equal((done.stdout, done.stderr), ("./relative.so\nLD_PRELOAD=./relative.so\n", ""), "output")
    script = "cd /; exec /usr/bin/env"
    env = dict(shim.environment(False), LD_PRELOAD="libm.so.6:./relative.so libdl.so.2", NSDRIFT="1")
    done = subprocess.run(["/bin/sh", "-c", script], cwd=settings.FOLDER, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=env)
    value = next(line for line in done.stdout.splitlines() if line.startswith("LD_PRELOAD="))
    check_equal((value, done.stderr),
                (f"LD_PRELOAD={settings.FOLDER}/./relative.so:libm.so.6:libdl.so.2", ""), "the list")


@test(every_build=True)
def from_a_folder_with_a_blank():
    """LD_PRELOAD cannot name the absolute path: the relative one is taken out where it leads nowhere."""
    folder = settings.FOLDER / "a blank"
    folder.mkdir()
    shutil.copy(settings.library(), folder / "relative.so")
    for elsewhere, value in ((".", "LD_PRELOAD=./relative.so\n"), ("/", "")):
        script = f"cd {elsewhere}; exec /usr/bin/env"
        done = subprocess.run(["/bin/sh", "-c", script], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env=dict(shim.environment(False), LD_PRELOAD="./relative.so", NSDRIFT="1"))
        left = "".join(line for line in done.stdout.splitlines(True) if line.startswith("LD_PRELOAD="))
        check_equal((left, done.stderr), (value, ""), f"in {elsewhere}")


def program_with_asan():
    """Linked against AddressSanitizer's shared runtime; prints its ASAN_OPTIONS, status 3."""
    program, source = settings.FOLDER / "san", settings.FOLDER / "san.c"
    source.write_text('#include <stdio.h>\n#include <stdlib.h>\nint main(void) {\n'
                      '    puts(getenv("ASAN_OPTIONS") ? getenv("ASAN_OPTIONS") : "");\n    return 3;\n}\n')
    built = subprocess.run(["gcc", "-fsanitize=address", "-o", program, source], stderr=subprocess.PIPE)
    if built.returncode != 0:
        raise Skip("gcc has no AddressSanitizer here")
    return program


@test(every_build=True)
def to_a_child_with_asan():
    """A program with AddressSanitizer's shared runtime, started by a shell."""
    program = program_with_asan()
    for before, after in (("", "verify_asan_link_order=0"),
                          ("detect_leaks=0", "detect_leaks=0:verify_asan_link_order=0"),
                          ("verify_asan_link_order=0", "verify_asan_link_order=0")):
        setting = f"ASAN_OPTIONS={before} " if before else ""
        result = shim.watched(["/bin/sh", "-c", f"{setting}{program}; exit $?"], options="verbosity=1")
        check_equal((result.status, result.out, result.err), (3, f"{after}\n", ""), before)
        check("san" in images(result), "the child is not watched:", images(result))


BY_SPAWN = "import os; print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp('san', ['san'], os.environ), 0)[1]))"


@test(every_build=True)
def to_a_program_that_libc_finds():
    """By its name alone, which libc looks for in PATH: the first program of that name counts."""
    program_with_asan()
    (settings.FOLDER / "nothing").mkdir()
    (settings.FOLDER / "nothing" / "san").mkdir()
    path = f"{settings.FOLDER}/nothing:{settings.FOLDER}:/usr/bin:/bin"
    for argv, status, out in ((["/usr/bin/env", f"PATH={path}", "san"], 3, ""),
                              (["/usr/bin/env", f"PATH={path}", "/usr/bin/python3", "-c", BY_SPAWN], 0, "3\n")):
        result = shim.watched(argv, options="verbosity=1")
        check_equal((result.status, result.out, result.err), (status, f"verify_asan_link_order=0\n{out}", ""), argv)
        check("san" in images(result), "the child is not watched:", images(result))


@test(every_build=True)
def behind_a_preloaded_asan():
    """AddressSanitizer's runtime is in LD_PRELOAD: the library goes behind it, as the runtime demands."""
    program_with_asan()
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE, text=True).stdout.strip()
    runtime = os.path.realpath(runtime)
    for value in (runtime, f"$LD_PRELOAD:{runtime}", f"{runtime}:$LD_PRELOAD"):
        result = shim.watched(["/bin/sh", "-c", f"LD_PRELOAD={value} /usr/bin/env"], options="verbosity=1")
        left = [line for line in result.out.splitlines() if line.startswith("LD_PRELOAD=")]
        check_equal((result.status, result.err, left),
                    (0, "", [f"LD_PRELOAD={runtime}:{settings.library()}"]), value)
        check("env" in images(result), "the child is not watched:", images(result))


LONGEST = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_STACK, (512 * 1024, resource.RLIM_INFINITY))
def fits(size):
    arguments = ["true"] + ["x" * 1023] * (size // 1024) + ["x" * (size % 1024)]
    child = os.fork()
    if child == 0:
        try:
            os.execve("/bin/true", arguments, {"A": "b"})
        finally:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
low, high = 1024, 200 * 1024
while high - low > 1:
    middle = (low + high) // 2
    low, high = (middle, high) if fits(middle) else (low, middle)
print(low)
"""


@test(every_build=True)
def as_long_as_the_kernel_takes():
    """The longest list of arguments is as long as natively; the child is then not watched."""
    native = shim.run(["/usr/bin/python3", "-c", LONGEST], on=False)
    check_equal(shim.run(["/usr/bin/python3", "-c", LONGEST]).out, native.out, "bytes of arguments")
    check_equal(shim.run([programs.c("longest_list"), "syscall"]).out,
                shim.run([programs.c("longest_list"), "syscall"], on=False).out, "by syscall()")
    check_equal(shim.run([programs.c("longest_list"), "spawn"]).out,
                shim.run([programs.c("longest_list"), "spawn"], on=False).out, "by posix_spawn")
