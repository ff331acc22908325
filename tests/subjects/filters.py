"""Programs that are started under a seccomp filter: one that kills for a call of ours must not be
killed because of us."""
import re
from pathlib import Path

from harness import programs, settings, shim
from harness.registry import check, check_equal, test

from .calls import number_of

# What the guest never makes on its own account, and what the probe cannot ask.
NOT_ASKED = {
    "exit_group": "the copy ends by it",
    "exit": "the end of a thread that the host ends",
    "clone": "the probe itself begins with it",
    "wait4": "the probe itself ends with it",
}
TOLD = "nsdrift: not watched: the seccomp filter"


def asked():
    text = (settings.SHIM / "start" / "filter_probe.c").read_text()
    return re.findall(r"^    X\((\w+)\)", text, re.M)


@test()
def table_is_whole():
    """Each system call that the guest's source makes stands in the table of the probe."""
    made = set()
    for path in settings.SHIM.rglob("*.[ch]"):
        if "cli" not in path.relative_to(settings.SHIM).parts and path.name != "filter_probe.c":
            made |= set(re.findall(r"SYS\d\(\s*__NR_(\w+)", path.read_text()))
    check(len(made) > 40, "calls in the source:", sorted(made))
    check_equal(sorted(made - set(asked()) - set(NOT_ASKED)), [], "calls that are not asked about")
    check_equal(sorted(set(asked()) - made), [], "calls that nobody makes")


def under_filter(number, answer, program, on):
    words = [f"LD_PRELOAD={settings.library()}", "NSDRIFT=1", "NSDRIFT_OPTIONS=verbosity=1"] if on else []
    return shim.run([programs.c("starts_under_filter"), number, answer, "/usr/bin/env", *words, program],
                    on=False)


@test(every_build=True, timeout=300)
def killed_for_each_call():
    """The host ends as natively, whichever call its filter kills for; where it lives, we say that it is
    not watched, or watch it."""
    program = programs.c("drifts_where_a_call_is_refused")
    hit = 0
    for name in asked():
        for answer in ("kill", "trap"):
            native = under_filter(number_of(name), answer, program, on=False)
            run = under_filter(number_of(name), answer, program, on=True)
            check_equal((run.status, run.out), (native.status, native.out), f"{name}, {answer}: {run.err}")
            if native.status == 0:
                hit += 1
                check(TOLD in run.err or name == "write", f"{name}, {answer}: not told:", run.err)
    print(f"{hit} of {2 * len(asked())} (call x answer) leave the host alive")
    check(hit > 40, "the host survives so few filters:", hit)


@test()
def refused_calls_do_not_keep_us_away():
    """A filter that answers with an error, as those of containers do."""
    program = programs.c("drifts_where_a_call_is_refused")
    run = under_filter(number_of("renameat2"), "1", program, on=True)
    check_equal(run.status, 0, run.err)
    check("left-switched" in run.err, "the fault:", run.err)


@test()
def the_probe_leaves_nothing():
    """No child that the host would meet in a wait, and no core file."""
    program = programs.c("has_no_children")
    before = set(Path.cwd().iterdir())
    for answer in ("kill", "trap", "1"):
        run = under_filter(number_of("process_vm_readv"), answer, program, on=True)
        check_equal((run.status, run.out), (0, "wait: no child\n"), f"{answer}: {run.err}")
    check_equal(set(Path.cwd().iterdir()) - before, set(), "files")


@test()
def first_child_of_a_pid_namespace():
    """unshare -p without -f: the first process of the new namespace is the program's child, not the probe."""
    words = [programs.c("starts_under_filter"), number_of("acct"), "1", "/usr/bin/unshare", "-p", "/usr/bin/env"]
    program = programs.c("first_child_is_init")
    native = shim.run([*words, program], on=False)
    run = shim.run([*words, f"LD_PRELOAD={settings.library()}", "NSDRIFT=1", program], on=False)
    check_equal((native.status, native.out), (0, "pid 1\n"), f"natively: {native.err}")
    check_equal((run.status, run.out), (native.status, native.out), run.err)
