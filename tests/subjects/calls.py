"""The table of calls (shim/calls/table.h): each row, made by each entrance that has it, gives the same
events. Rows, functions and kinds are read from the tables themselves; a row without a case fails."""
import re
import shutil
import subprocess

from harness import programs, recordings, settings, shim
from harness.registry import check, check_equal, test

SHIM = settings.ROOT / "shim"
ARGUMENTS = {"d": int, "u": int, "w": int, "p": None}
KINDS = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user",
         "uts", "fs", "files"]
ALL = KINDS[:10]
# Of words that stand for a descriptor or an address: whether there is one.
NUMBER = re.compile(r"-?\d+$|0x[0-9a-f]+$")


def table(path, macro):
    """The rows of an X-macro: its text without comments, from the name to the next #."""
    text = (SHIM / path).read_text()
    text = text[text.index(f"#define {macro}"):].split("#endif")[0]
    return re.sub(r"/\*.*?\*/|\\\n", " ", text, flags=re.S)


def rows():
    """name -> (has a number, event, arguments, moments)."""
    found = re.findall(r"\b(KERNEL|OLD|LIBRARY)\((\w+), (\w+), \"(\w*)\", (\w+),",
                       table("calls/table.h", "NSD_TABLE_OF_CALLS"))
    return {name: (kind != "LIBRARY", event, form, moments) for kind, name, event, form, moments in found}


def functions():
    """row -> names of the libc functions that mean it."""
    text = table("host/libc/function_table.h", "NSD_FUNCTION_TABLE")
    found = {}
    for part in re.split(r"\bX\(", text)[1:]:
        name = re.match(r"[^(]*?(?:\(\(\w+\)\) )?[\w ]+?\*?,\s*(\w+),", part)
        row = re.search(r"(\w+),\s*(?:CALL|OWN|NONE)\)\s*$", part.strip())
        check(name and row, "cannot read", part)
        found.setdefault(row[1], []).append(name[1])
    for name in rows():
        if name.startswith("nsdrift_"):
            found[name] = [name]
    return found


def number_of(name):
    text = "".join(path.read_text() for path in map(settings.Path, (
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"))
        if path.exists())
    return int(re.search(rf"#define __NR_{name} (\d+)", text)[1])


# Row -> cases: the arguments of the call, the kinds that the event names (None: the row's own), and
# where a function takes others than its system call, those.
def case(*arguments, kinds=None, **functions_with_others):
    return arguments, kinds, functions_with_others


UTS, USER, PATH = 0x04000000, 0x10000000, "s:/proc/self/ns/net"
SPAWN = ("buffer", "s:/bin/true", 0, 0, "list", "environment")
CASES = {
    "setns": [case("other:uts", UTS, kinds=["uts"]), case("other:uts", 0, kinds=["uts"]),
              case("pidfd", UTS, kinds=["uts"]), case("ns:net", UTS, kinds=["uts"]),
              case(-1, UTS, kinds=["uts"]), case("fd", 0, kinds=[])],
    "unshare": [case(UTS, kinds=["uts"]), case(0x200, kinds=["fs"]), case(0x400, kinds=["files"]),
                case(0x20000, kinds=["mnt", "fs"]), case(0x08020400, kinds=["ipc", "mnt", "fs", "files"]),
                case(USER, kinds=["user", "fs"]), case(0x20000000, kinds=["pid_for_children"]),
                case(0x00100000, kinds=["mnt", "fs"]), case(0x00200000, kinds=[])],
    "mount": [case("s:none", "s:/nonexistent", "s:tmpfs", 6, 0, kinds=["mnt"])],
    "umount": [case("s:/nonexistent", kinds=["mnt"])],
    "umount2": [case("s:/nonexistent", 2, kinds=["mnt"])],
    "pivot_root": [case("s:/nonexistent", "s:/nonexistent", kinds=["mnt"])],
    "chroot": [case("s:/nonexistent", kinds=["mnt"])],
    "move_mount": [case(-100, "s:/nonexistent", -100, "s:/nonexistent", 0, kinds=["mnt"])],
    "mount_setattr": [case(-100, "s:/nonexistent", 0, "buffer", 32, kinds=["mnt"])],
    "open_tree": [case(-100, "s:/proc", 0x80000, kinds=["mnt"])],
    "fsmount": [case(-1, 1, 2, kinds=["mnt"])],
    "socket": [case(2, 2, 0, kinds=["net"]), case(1, 2, 0, kinds="no event")],
    "sethostname": [case("s:name", 4, kinds=["uts"]), case("s:name", -1, kinds=["uts"])],
    "setdomainname": [case("s:name", 4, kinds=["uts"])],
    "shmget": [case(0, 4096, 0o600, kinds=["ipc"])],
    "semget": [case(0, 1, 0o600, kinds=["ipc"]), case(0, -1, 0o600, kinds=["ipc"])],
    "msgget": [case(0, 0o600, kinds=["ipc"])],
    "mq_open": [case("s:nonexistent", 0, 0, 0, kinds=["ipc"], mq_open=("s:/nonexistent", 0, 0, 0),
                     __mq_open_2=("s:/nonexistent", 0))],
    "open": [case(PATH, 0, kinds=["net"]), case("s:/proc/self/ns/pid", 0, kinds=["pid"]),
             case("s:/dev/null", 0, kinds="no event")],
    "openat": [case(-100, PATH, 0, kinds=["net"])],
    "openat2": [case(-100, PATH, "buffer", 24, kinds=["net"])],
    "dup": [case("ns:net", kinds=[])],
    "dup2": [case("ns:net", 200, kinds=[])],
    "dup3": [case("ns:net", 200, 0, kinds=[])],
    "fcntl": [case("ns:net", 0, 100, kinds=[]), case("ns:net", 1, kinds="no event")],
    "close": [case("ns:net", kinds=[])],
    "close_range": [case(500, 600, 0, kinds=[]), case(500, 600, 4, kinds="no event")],
    "fork": [case(kinds=ALL)],
    "vfork": [case(kinds=ALL)],
    "clone": [case(17, 0, 0, 0, 0, kinds=ALL, clone=("child", "stack", 17, 0, 0, 0))],
    "clone3": [case("clone_arguments", 88, kinds=ALL)],
    "posix_spawn": [case(*SPAWN, kinds=ALL)],
    "system": [case("s:exit 0", kinds=ALL)],
    "popen": [case("s:exit 0", "s:r", kinds=ALL)],
    "execve": [case("s:/bin/true", "list", "environment", kinds=ALL, fexecve=(-1, "list", "environment"),
                    execl=("s:/bin/true", "s:true", 0), execlp=("s:/bin/true", "s:true", 0),
                    execle=("s:/bin/true", "s:true", 0, "environment"))],
    "execveat": [case(-100, "s:/bin/true", "list", "environment", 0, kinds=ALL)],
    "exit_group": [case(3, kinds=[])],
    "exit_by_handlers": [case(3, kinds=[])],
    "quick_exit": [case(3, kinds=[])],
    "runtime_exit": [case(3, kinds=[])],
    "runtime_raise": [case(15, kinds=[])],
    "exit": [case(0, kinds=[])],
    "pthread_create": [case("thread", 0, "routine", 0, kinds=[], thrd_create=("thread", "routine", 0))],
    "pthread_exit": [case(0, kinds=[])],
    "prctl": [case(38, 0, 0, 0, 0, kinds="no event")],
    "seccomp": [case(99, 0, 0, kinds="no event")],
    "rt_sigaction": [case(12, 0, 0, 8, kinds="no event", signal=(12, 0), bsd_signal=(12, 0),
                          ssignal=(12, 0), sysv_signal=(12, 0), __sysv_signal=(12, 0),
                          sigaction=(12, 0, 0), __sigaction=(12, 0, 0))],
    "nsdrift_thread_pin": [case(kinds=[])],
    "nsdrift_thread_unpin": [case(kinds=[])],
    "nsdrift_report": [case(kinds=[])],
}
# Rows that are no system call of package syscall: how the Go host has the runtime make the call.
BY_RUNTIME = {"runtime_exit": "os.Exit", "runtime_raise": "runtime.raise"}
# Entrances that have the row, and at which the host cannot make the call.
NOT_BY = {
    ("vfork", "go"): "the child of a raw vfork would write over the goroutine's stack",
}
def entrances(row):
    """Those that have it: (entrance, what is called there)."""
    numbered, _, _, moments = rows()[row]
    for name in functions().get(row, []):
        yield "symbol", name
        if shutil.which("musl-gcc"):
            yield "musl", name
    if numbered:
        yield "syscall", number_of(row)
    if moments != "NEVER" and (row, "go") not in NOT_BY:
        yield "go", number_of(row) if numbered else BY_RUNTIME[row]


def events_of(entrance, called, arguments):
    """What the calling thread told from its first mark to its second, or to its end."""
    if entrance == "go":
        argv = [programs.go("makes_every_call"), called]
    else:
        compiler = "musl-gcc" if entrance == "musl" else "gcc"
        program = programs.c("makes_every_call", compiler=compiler, flags=("-O2", "-g", "-ldl"))
        argv = [program, "syscall" if entrance == "syscall" else "symbol", called]
    folder = settings.FOLDER / f"{entrance}-{called}-{len(list(settings.FOLDER.iterdir()))}"
    folder.mkdir()
    done = shim.run([*argv, *map(str, arguments)], options=f"record={folder}:signal=10")
    check(done.out.count(" ") == 1, entrance, called, done.status, done.out, done.err)
    pid, tid = map(int, done.out.split())
    told = []
    for path in sorted(folder.iterdir()):
        if f".{pid}." in path.name and path.name.startswith("makes_every_cal"):
            told += recordings.whole_events(path.read_bytes())
    told = [event for event in told if event["tid"] == tid and event["call"] != "IDENTITY"]
    marks = [i for i, event in enumerate(told) if event["call"] == "UNSHARE" and not event["arguments"][0]
             and event["kinds"] == 0]
    check(marks, "no mark:", entrance, called, told)
    return told[marks[0] + 1:marks[1] if len(marks) > 1 else None]


def plain(event, form, arguments):
    """Without what is the run's own: numbers of processes and descriptors, addresses, inodes."""
    words = [word - (1 << 64) if word >> 63 else word for word in event["arguments"]]
    for i, kind in enumerate(form):
        given = str(arguments[i]) if i < len(arguments) else "0"
        if kind == "p":
            words[i] = words[i] != 0
        elif not NUMBER.match(given):
            words[i] = "descriptor" if 0 <= words[i] < 1 << 31 else words[i]
    if event["call"] in ("OPEN", "CLOSE") and words[0] < 500:
        words[0] = words[1] = "descriptor"
    if event["call"] in ("THREAD_CREATE",):
        words[0] = words[0] != 0
    return (event["call"], tuple(words), min(event["result"], 0),
            tuple(kind for bit, kind in enumerate(KINDS) if event["kinds"] >> bit & 1),
            tuple(KINDS[kind] for kind in event["identities"]), event["from_descriptor"],
            event["explicit_end"], event["path_owner"], event["other_tid"] > 0)


def same_by_all(row, cases):
    _, event, form, _ = rows()[row]
    for arguments, kinds, others in cases:
        first = None
        for entrance, called in entrances(row):
            given = others.get(called, arguments) if entrance in ("symbol", "musl") else arguments
            told = [plain(one, form, arguments) for one in events_of(entrance, called, given)]
            where = f"{row}{given} by {entrance} {called}"
            if called == "fexecve":  # of a descriptor that is none: the exec comes back
                told = [one for one in told if one[0] != "EXEC_FAILED"]
            if kinds == "no event" or event == "NONE":
                check_equal(told, [], where)
                continue
            check(told, "no event:", where)
            check_equal(told[0][0], event, where)
            check_equal(sorted(told[0][3]), sorted(kinds), where + ": kinds")
            if first is None:
                first = told, where
            check_equal(told, first[0], f"{where}, and {first[1]}")


@test()
def every_row_has_a_case():
    """And every entrance has calls: what is not made stands in NOT_BY with its reason."""
    check_equal(sorted(CASES), sorted(rows()), "rows with a case, and rows")
    named = {name for names in functions().values() for name in names}
    check_equal(sorted(name for name in functions() if name != "NONE" and name not in rows()), [],
                "functions of rows that are not there")
    check({"setns", "open64", "pthread_create", "thrd_exit", "vfork", "mq_open"} <= named, sorted(named))
    for row in rows():
        check(list(entrances(row)) or (row, "go") in NOT_BY, row, "is made by no entrance")


# What arm64's asm/unistd.h wants of the list that newer machines share.
WANTED = ("NEW_STAT", "RENAMEAT", "SET_GET_RLIMIT", "SYS_CLONE3", "TIME32_SYSCALLS")


@test()
def machine_without_old_calls():
    """On a machine that lacks open, dup2, fork and vfork the table and the meanings compile: their rows have no
    number. Built with this machine's other headers, and not run."""
    folder = settings.FOLDER / "machine"
    (folder / "asm").mkdir(parents=True)
    (folder / "asm" / "unistd.h").write_text(
        "".join(f"#define __ARCH_WANT_{name}\n" for name in WANTED) + "#include <asm-generic/unistd.h>\n")
    for path in SHIM.glob(f"*/{settings.MACHINE}/*_machine.h"):
        shutil.copy(path, folder)
    header = folder / "calls_machine.h"
    here, there = ("NSD_OLD_CALL(KERNEL, LIBRARY) " + word for word in ("KERNEL", "LIBRARY"))
    check(here in header.read_text(), "the machine's word about old calls")
    header.write_text(header.read_text().replace(here, there))
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-isystem", folder, f"-I{folder}", f"-I{SHIM}",
               f"-I{settings.ROOT}/include"]
    for source in sorted((SHIM / "calls").glob("*.c")):
        done = subprocess.run([*command, "-fsyntax-only", source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        check(done.returncode == 0, source.name, done.stdout[-2000:])
    text = subprocess.run([*command, "-E", "-P", SHIM / "calls" / "rows.c"], stdout=subprocess.PIPE, text=True).stdout
    none = sorted(re.findall(r"\[NSD_ROW_(dup2|fork|openat|open|vfork)\] = \{[^}]*\.number = 512", text))
    check_equal(none, ["dup2", "fork", "open", "vfork"], "rows without a number")


@test(every_build=True)
def unknown_flag_of_unshare():
    """The kernel is asked what a flag has changed that the table does not know. A library behind ours is
    the kernel of tomorrow: it takes two flags for new uts and ipc namespaces."""
    source = settings.FOLDER / "tomorrow.c"
    source.write_text("""
/* Not by syscall(), which would be seen. */
int unshare(int flags) {
    long result = 272, first = (flags & 0x1000000) ? 0x0c000000 : flags;
    __asm__ volatile("syscall" : "+a"(result) : "D"(first) : "rcx", "r11", "memory");
    return result < 0 ? -1 : 0;
}
""")
    library = settings.FOLDER / "libtomorrow.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    folder = settings.FOLDER / "recording"
    folder.mkdir()
    env = shim.environment(options=f"record={folder}")
    env["LD_PRELOAD"] = f"{settings.library()} {library}"
    program = programs.c("makes_every_call", flags=("-O2", "-g", "-ldl"))
    done = subprocess.run([program, "symbol", "unshare", "0x1000200"], env=env, stdout=subprocess.PIPE)
    check_equal(done.returncode, 0, "status")
    told = [e for path in folder.iterdir() for e in recordings.whole_events(path.read_bytes())
            if e["arguments"][0] == 0x1000200]
    check_equal([[kind for bit, kind in enumerate(KINDS) if e["kinds"] >> bit & 1] for e in told],
                [["ipc", "uts", "fs"]], "kinds")


for name in CASES:
    @test(name, timeout=300)
    def same(row=name):
        same_by_all(row, CASES[row])
