"""A pytest plugin: each test runs in a process with its own mount, network, ipc, uts and pid namespaces and
its own folder; the end of the pid namespace ends whatever the test started. Its reports come back in
a file. pytest-timeout's limit ends it. Without root, it is root of its own user namespace."""
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from . import settings, system


def _fork(function, *arguments):
    pid = os.fork()
    if pid == 0:
        try:
            function(*arguments)
        except BaseException:
            traceback.print_exc()
        os._exit(99)
    return pid


def _outside(item, folder):
    """The parent of the test, which is the first process of the new pid namespace."""
    os.setsid()
    try:
        system.enter_namespaces()
        refusal = None
    except OSError as error:
        refusal = f"namespaces cannot be made here: {error}"
    system.die_with_parent()
    inner = _fork(_inside, item, folder, refusal)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) & 0xff)


def _inside(item, folder, refusal):
    system.die_with_parent()
    output = os.open(folder / "output", os.O_WRONLY)
    for number, file in enumerate((os.open("/dev/null", os.O_RDONLY), output, output)):
        os.dup2(file, number)
    os.closerange(3, 256)
    # A shell's & and nohup start a process with some of these ignored, and an exec keeps that.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    settings.FOLDER, settings.BUILD = folder / "work", item.build
    settings.FOLDER.mkdir()
    os.chdir(settings.FOLDER)
    if refusal:
        item.add_marker(pytest.mark.skip(reason=refusal))
    else:
        system.mount("proc", "/proc", "proc")
        system.mount("none", "/run", "tmpfs")
    reports = [item.config.hook.pytest_report_to_serializable(config=item.config, report=report)
               for report in runtestprotocol(item, log=False)]
    (folder / "reports").write_text(json.dumps(reports, ensure_ascii=False), errors="replace")
    sys.stdout.flush()
    os._exit(0)


def _reports(item, folder):
    (folder / "output").touch(0o600)
    began, pid = time.monotonic(), _fork(_outside, item, folder)
    try:
        words = f"the test itself died: status {os.waitpid(pid, 0)[1]}"
    except pytest.fail.Exception:  # pytest-timeout raises it
        words = f"no end within {item.get_closest_marker('timeout').args[0]} s"
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)  # the limit is for the test, not for what follows
    try:
        reports = [item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
                   for data in json.loads((folder / "reports").read_text())]
    except (OSError, ValueError):
        reports = [pytest.TestReport(item.nodeid, item.location, dict.fromkeys(item.keywords, 1), "failed",
                                     words, "call", duration=time.monotonic() - began)]
    for report in reports:
        if report.skipped and isinstance(report.longrepr, list):
            report.longrepr = tuple(report.longrepr)  # JSON has no tuple
        if report.failed and (output := (folder / "output").read_text(errors="replace")):
            report.sections.append(("Captured stdout call", output[-4000:]))
    return reports


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    # What cannot be removed yet goes with RUN: after a limit of time, processes may still be ending.
    with tempfile.TemporaryDirectory(dir=settings.RUN, prefix="t", ignore_cleanup_errors=True) as folder:
        for report in _reports(item, Path(folder)):
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
