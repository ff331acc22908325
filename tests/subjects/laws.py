"""The laws of a guest, held mechanically: what the object is made of, and that a host which looks
around finds itself as it is without us; for a glibc, a musl and a Go program, on this kernel and
on one that has no NS_GET_ID."""
import re
import shutil
import subprocess

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test


def tool(*command):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


@test(every_build=True)
def needs_no_library():
    dynamic = tool("readelf", "-dW", settings.library())
    check("(NEEDED)" not in dynamic, dynamic)
    check("TEXTREL" not in dynamic, "text relocations:", dynamic)
    check("(SONAME)" not in dynamic or "libnsdrift" in dynamic, dynamic)


@test(every_build=True)
def segments():
    headers = tool("readelf", "-lW", settings.library())
    check(not re.search(r"^\s+TLS\s", headers, re.M), "a TLS segment:", headers)
    for line in headers.splitlines():
        if re.match(r"\s+(LOAD|GNU_STACK)\s", line):
            rights = line.split("0x")[-2] if "GNU_STACK" in line else line
            check(not re.search(r"\bRWE\b", rights), "executable and writable:", line)
    sections = tool("readelf", "-SW", settings.library())
    check(not re.search(r"\.t(data|bss)\b", sections), "a section for TLS:", sections)


@test(every_build=True)
def undefined_symbols_are_weak():
    strong = [line for line in tool("nm", "-D", "--undefined-only", settings.library()).splitlines()
              if line.split()[-2] not in ("w", "v")]
    check_equal(strong, [], "symbols that a host may lack")


@test(every_build=True)
def exports_are_the_map():
    text = re.sub(r"/\*.*?\*/|#.*", "", (settings.BUILD / "nsdrift.map").read_text(), flags=re.S)
    named = set()
    for block in re.findall(r"global:(.*?)(?:local:|})", text, re.S):
        named |= set(re.findall(r"[\w*?]+", block))
    exported = {line.split()[-1].split("@")[0]
                for line in tool("nm", "-D", "--defined-only", settings.library()).splitlines()
                if line.split()[-2] not in "A"}

    def matches(name, pattern):
        return re.fullmatch(pattern.replace("*", ".*").replace("?", "."), name)
    stray = [name for name in exported if not any(matches(name, p) for p in named)]
    missing = [p for p in named if not any(matches(name, p) for name in exported)]
    check_equal((sorted(stray), sorted(missing)), ([], []), "exported beyond the map, and missing")


@test()
def text_of_the_guest():
    """No call of libc, no errno, no marks of unfinished work in what runs inside the host."""
    words = re.compile(r"\b(malloc|calloc|realloc|free|printf|fprintf|snprintf|getenv|fopen|strerror|"
                       r"pthread_mutex_lock|dlsym|abort)\s*\(|\berrno\b\s*=[^=]")
    found = []
    for path in sorted((settings.ROOT / "shim").rglob("*.c")):
        if "cli" in path.parts or path.name.startswith("unwind"):
            continue
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.S)
        text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        defined = set(re.findall(r"^[\w\s*()]*?\b(\w+)\([^;]*\)\s*{", text, re.M))
        for number, line in enumerate(text.splitlines(), 1):
            match = words.search(line)
            if match and match[1] not in defined:
                found.append(f"{path.name}:{number}: {line.strip()}")
    check_equal(found, [], "looks like libc in the guest")


# ------------------------------------------------------------------ a host that looks around

OURS = re.compile(r"libnsdrift\.so")
VARIABLES = ("LD_PRELOAD=", "NSDRIFT=", "NSDRIFT_OPTIONS=")
PASSING = ("SigQ:", "SigPnd:", "ShdPnd:")  # a SIGCHLD may be on its way


def looks(program, older, on, options=""):
    argv = [program]
    if older:
        argv = [programs.tool("answers_without_ids"), *argv]
    result = shim.run(argv, on=on, options=options)
    check_equal(result.status, 7, f"exit status ({result.err})")
    lines = [line for line in result.out.splitlines()
             if not line.startswith((*PASSING, *VARIABLES))]
    maps = [line for line in lines if line.startswith("map ")]
    err = [line for line in result.err.splitlines() if not options or "==nsdrift: " not in line]
    return [line for line in lines if not line.startswith("map ")], maps, err


def files(maps):
    """The lines of files: name, rights, offset, size, in order; and how many are anonymous."""
    named = [line for line in maps if line.split()[4:] and "/" in line]
    return named, len(maps) - len(named)


def identity(program, older, on_options=""):
    native, native_maps, native_err = looks(program, older, on=False)
    ours, our_maps, err = looks(program, older, on=True, options=on_options)
    check_equal(err, native_err, "stderr of a program without a fault")
    for mine, yours in zip(ours, native):
        check_equal(mine, yours, "what the host sees of itself")
    check_equal(len(ours), len(native), "lines")
    # A mapping of the host stays what it was and in one piece: ours are the object's, its
    # anonymous ones, and the files that it reads names from (mapped once, privately, unnamed to
    # the host's own list because they are read-only views of files that are mapped already).
    named, _ = files(native_maps)
    with_us, _ = files(our_maps)
    left = [line for line in with_us if not OURS.search(line)]
    missing = [line for line in named if left.count(line) < named.count(line)
               and not re.search(r"\[heap\]", line)]
    check_equal(missing, [], "mappings of the host that are gone or in pieces")


HOSTS = {
    "glibc": lambda: programs.c("looks_around"),
    "musl": lambda: programs.c("looks_around", compiler="musl-gcc"),
    "go": lambda: programs.go("looks_around"),
    "go_1.19": lambda: programs.go("looks_around", "1.19"),
}

for host_name in HOSTS:
    for old in (False, True):
        @test(f"identity.{host_name}{'.older_kernel' if old else ''}", every_build=True)
        def same(host=host_name, older=old):
            identity(HOSTS[host](), older)

        @test(f"identity_with_every_event.{host_name}{'.older_kernel' if old else ''}")
        def same_with_events(host=host_name, older=old):
            # Each event is written at once: to stderr, because a log file is a descriptor while it
            # is written to, which another thread of the host may see.
            identity(HOSTS[host](), older, "verbosity=3")

for old in (False, True):
    @test(f"no_allocation_from_the_heap{'.older_kernel' if old else ''}", every_build=True)
    def heap(older=old):
        """A host with a counting malloc counts the same."""
        for compiler in ("gcc", "musl-gcc"):
            argv = [programs.c("counts_malloc", compiler=compiler)]
            if older:
                argv.insert(0, programs.tool("answers_without_ids"))
            native = shim.run(argv, on=False)
            ours = shim.watched(argv)
            check_equal(ours.out, native.out, f"mallocs, {compiler}")
            check("mallocs" in ours.out, ours)
            shim.check_coverage(ours.report)

    @test(f"verdicts{'.older_kernel' if old else ''}", level="fast" if old else "gate")
    def verdicts(older=old):
        """Without ids from the kernel labels must still be told apart (inodes are used again at once)."""
        from harness.expectations import Expectation
        for name in ("setns_round_trip", "pool_worker_skips_restore_and_is_healed",
                     "restore_on_another_thread", "setns_by_pidfd", "library_helper_outlives_visit",
                     "thread_per_namespace", "restore_fails_and_work_goes_on"):
            argv = [programs.c(name)]
            if older:
                argv.insert(0, programs.tool("answers_without_ids"))
            result = shim.watched(argv)
            Expectation(programs.C / f"{name}.expect").hold(result.report)


# ------------------------------------------------------------------ off means off

@test(every_build=True)
def off_means_off():
    """Preloaded without NSDRIFT=1: no mapping but the object's own, no descriptor, and no output but
    a line an image where NSDRIFT_OPTIONS, or NSDRIFT with an unknown value, shows that more was wanted."""
    line = re.compile(r"==\d+==nsdrift: is loaded but off: set NSDRIFT=1$")
    for host in ("glibc", "musl", "go"):
        program = HOSTS[host]()
        native, native_maps, native_err = looks(program, False, on=False)
        base = shim.environment(on=False)
        options = {"NSDRIFT_OPTIONS": f"verbosity=3:log_path={settings.FOLDER}/log"}
        for given, is_told in ((options, True), ({"NSDRIFT": "0", **options}, False),
                               ({"NSDRIFT": "", **options}, True), ({"NSDRIFT": "2"}, True), ({}, False),
                               ({"NSDRIFT": "0"}, False)):
            env = dict(base, LD_PRELOAD=str(settings.library()), **given)
            done = subprocess.run([program], env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            told = done.stderr.splitlines()
            own = [text for text in told if line.match(text)]  # its children have one each
            check_equal(bool(told) and told[0] in own, is_told, f"{host}, {given}: {done.stderr}")
            check_equal((done.returncode, [text for text in told if text not in own]), (7, native_err),
                        f"{host}, {given}")
            lines = [line for line in done.stdout.splitlines()
                     if not line.startswith((*PASSING, *VARIABLES))]
            check_equal([line for line in lines if not line.startswith("map ")], native, host)
            maps = [line for line in lines if line.startswith("map ")]
            others = [line for line in maps if not OURS.search(line)]
            if host != "go":  # (a Go heap's arenas are the scheduler's choice)
                # The object's .bss may be a line without a name, right behind it.
                check(len(native_maps) <= len(others) <= len(native_maps) + 1,
                      f"{host}: mappings beside the object's own:\n" + "\n".join(others)
                      + "\nnative:\n" + "\n".join(native_maps))
    check_equal([p.name for p in settings.FOLDER.iterdir() if p.name.startswith("log")], [], "files")


@test()
def switched_on():
    """By each of the words; a later entry of the same name does not switch it off."""
    for value in ("1", "true", "yes", "on"):
        env = dict(shim.environment(on=False), LD_PRELOAD=str(settings.library()), NSDRIFT=value,
                   NSDRIFT_OPTIONS="verbosity=1")
        done = subprocess.run(["/bin/sh", "-c", "/bin/true; exit 3"], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check_equal((done.returncode, done.stderr.count("0 errors, 0 warnings")), (3, 2), f"{value}:\n{done.stderr}")


@test(every_build=True)
def set_uid_program():
    """AT_SECURE: always inert. A set-user-id copy, run by somebody else, with the library where the
    loader would trust it."""
    import os
    from harness import system
    program = programs.c("ends")
    folder = settings.FOLDER / "bin"
    # The file system must honour the bit, and the other user must reach it.
    system.mount("none", "/mnt", "tmpfs", 0, "mode=755")
    copied = "/mnt/ends"
    shutil.copy(program, copied)
    os.chown(copied, 0, 0)
    os.chmod(copied, 0o4755)
    shutil.copy(settings.library(), "/mnt/libnsdrift.so")
    os.chmod("/mnt/libnsdrift.so", 0o4755)
    del folder

    def somebody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    env = {"LD_PRELOAD": "/mnt/libnsdrift.so", "NSDRIFT": "1", "PATH": os.environ["PATH"],
           "NSDRIFT_OPTIONS": "verbosity=3"}
    try:
        done = subprocess.run([copied, "return"], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=somebody)
    except (subprocess.SubprocessError, PermissionError) as error:
        raise Skip(f"no second user here: {error}")
    if done.returncode == 77:
        raise Skip("the set-user-id bit has no effect here")
    check_equal(done.returncode, 3, f"status ({done.stderr})")
    check("nsdrift" not in done.stderr, "a word in a set-user-id program:", done.stderr)
    # Only a name without a slash, from a trusted folder, is preloaded then at all.
    trusted = [p for p in ("/usr/lib", "/lib/x86_64-linux-gnu") if os.path.isdir(p)][0]
    system.mount(trusted, trusted, None, system.MS_BIND | system.MS_REC)
    system.mount("none", "/opt", "tmpfs")
    os.makedirs("/opt/upper")
    os.makedirs("/opt/work")
    try:
        system.mount("overlay", trusted, "overlay", 0,
                      f"lowerdir={trusted},upperdir=/opt/upper,workdir=/opt/work".encode())
    except OSError as error:
        raise Skip(f"the trusted folder cannot be overlaid here: {error}")
    shutil.copy(settings.library(), f"{trusted}/libnsdrift.so")
    os.chmod(f"{trusted}/libnsdrift.so", 0o4755)
    env["LD_PRELOAD"] = "libnsdrift.so"
    done = subprocess.run([copied, "return"], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=somebody)
    check_equal((done.returncode, done.stderr), (3, ""), "status, stderr of a trusted preload")


@test()
def calls_the_next_preloaded_definition():
    """Another preloaded library that wraps the same names is called, and in its turn."""
    source = settings.FOLDER / "other.c"
    source.write_text("""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int setns(int fd, int kind) {
    static int (*next)(int, int);
    if (!next)
        next = (int (*)(int, int)) dlsym(RTLD_NEXT, "setns");
    if (write(1, "other\\n", 6) != 6)
        return -1;
    return next(fd, kind);
}
""")
    other = settings.FOLDER / "libother.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", other, source], check=True)
    program = programs.c("setns_round_trip")
    native = shim.run([program], on=False, base=dict(shim.environment(False), LD_PRELOAD=str(other)))
    check(native.out.count("other") == 202, "the other library does not wrap:", native)
    for order in (f"{settings.library()} {other}", f"{other}:{settings.library()}"):
        env = shim.environment(options=f"verbosity=3:json=1:log_path={settings.FOLDER}/log")
        env["LD_PRELOAD"] = order
        done = subprocess.run([program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        check_equal((done.returncode, done.stdout, done.stderr), (0, native.out, native.err), order)
        logs = list(settings.FOLDER.glob("log.*"))
        events = [e for log in logs for e in shim.parse(log.read_text()).events]
        check_equal(sum(e["call"] == "setns" for e in events), 202, f"setns events with {order}")
        for log in logs:
            log.unlink()
