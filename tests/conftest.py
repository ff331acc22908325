"""How pytest runs nsdrift's tests: which tests are chosen, what is downloaded before they start, and the line
that each test prints. The last line is "N passed, N failed, N skipped"; the status is 1 if one failed
or none passed. Each test has the name subject.name; for a further build, [build] follows."""
import fcntl
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from harness import crates, guest, modules, registry, releases, settings, system
from xdist.scheduler import LoadScheduling

pytest_plugins = ["harness.sandbox"]


def pytest_addoption(parser):
    group = parser.getgroup("nsdrift")
    group.addoption("--level", choices=registry.LEVELS, default="gate",
                    help="tests of this level and of those below it")
    group.addoption("--name", action="append", default=[],
                    help="only the tests whose name contains it (may be repeated)")
    group.addoption("--build", action="append", default=[],
                    help="a folder with a build: all tests are run with the first one, those that depend on the "
                         "compiler with each (may be repeated)")


def pytest_configure(config):
    settings.LEVEL = config.option.level
    if hasattr(config, "workerinput"):
        system.die_with_parent()  # and the test with its worker, where pytest itself is killed
        settings.RUN = Path(config.workerinput["run"])
        return
    config.pluginmanager.register(Verdicts(config))
    if not config.option.collectonly:
        for build in builds(config):
            if not (build / "libnsdrift.so").exists():
                raise pytest.UsageError(f"{build}/libnsdrift.so is missing: build it first")
        (settings.CACHE / "runs").mkdir(parents=True, exist_ok=True)
        settings.RUN = Path(tempfile.mkdtemp(dir=settings.CACHE / "runs", prefix="r"))
        config.add_cleanup(lambda: shutil.rmtree(settings.RUN, ignore_errors=True))


def pytest_configure_node(node):
    node.workerinput["run"] = str(settings.RUN)


# ---- which tests ----

def builds(config):
    return [Path(path).resolve() for path in config.option.build] or [settings.ROOT / "build"]


class Subject(pytest.Module):
    """A file of tests/subjects: its tests are what it registered."""

    def collect(self):
        self.obj  # imports it
        for number, build in enumerate(builds(self.config)):
            for test in registry.tests:
                if test.subject == self.path.stem and (number == 0 or test.every_build):
                    name = test.name + (f"[{build.name}]" if number else "")
                    item = pytest.Function.from_parent(self, name=name, callobj=test.run)
                    item.build, item.plain_name = build, test.name
                    for mark in test.marks:
                        item.add_marker(mark)
                    yield item


def pytest_pycollect_makemodule(module_path, parent):
    return Subject.from_parent(parent, path=module_path)


def pytest_collection_modifyitems(config, items):
    levels = registry.LEVELS[:registry.LEVELS.index(config.option.level) + 1]
    names = config.option.name
    kept, left_out = [], []
    for item in items:
        good = any(item.get_closest_marker(level) for level in levels) and \
            (not names or any(name in item.plain_name for name in names))
        (kept if good else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


# ---- before they start ----

def pytest_collection_finish(session):
    """What the chosen tests need comes here once, as they have no network: the first worker brings it, and
    the others read what it found."""
    if session.config.option.collectonly:
        return
    names = [item.plain_name for item in session.items]
    guest.chosen.update(names)
    kept = settings.RUN / "brought.json"
    with open(settings.RUN / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            os.environ[releases.VARIABLE], modules.missing, guest.missing = json.loads(kept.read_text())
            return
        releases.bring(releases.of_level(settings.LEVEL))
        modules.bring(names)
        crates.bring(names)
        guest.bring(names)
        kept.write_text(json.dumps([os.environ[releases.VARIABLE], modules.missing, guest.missing]))


class OneByOne(LoadScheduling):
    """Gives a worker the next test when it starts its last one. LoadScheduling hands out many at once, so
    that a slow test keeps quick ones waiting."""

    def _send_tests(self, node, count):
        super()._send_tests(node, min(count, max(0, 2 - len(self.node2pending[node]))))


def pytest_xdist_make_scheduler(config, log):
    return OneByOne(config, log)


# ---- what is said ----

class Verdicts:
    """A line for each test, and the last line."""

    def __init__(self, config):
        self.config = config
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failed = []
        self.last = not config.option.collectonly

    def say(self, line):
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(line)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_teststatus(self):
        outcome = yield
        outcome.force_result((outcome.get_result()[0], "", ""))  # pytest's own line is empty

    def pytest_runtest_logreport(self, report):
        if report.passed and report.when != "call":
            return
        name, verdict = report.nodeid.split("::")[-1], report.outcome
        self.counts[verdict] += 1
        if report.skipped:
            verdict += ": " + (getattr(report, "wasxfail", "") or report.longrepr[2].removeprefix("Skipped: "))
        elif report.failed:
            self.failed.append(name)
            crash = getattr(report.longrepr, "reprcrash", None)
            verdict += ": " + (crash.message if crash else str(report.longrepr)).split("\n")[0][:200]
        self.say(f"{name:<50} {verdict} ({report.duration:.1f} s)")

    def pytest_collectreport(self, report):
        if report.failed:
            self.counts["failed"] += 1

    def pytest_internalerror(self):
        self.counts["failed"] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = 0 if self.counts["passed"] and not self.counts["failed"] else 1

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        if self.failed:
            self.say("failed: " + ", ".join(self.failed))
        if self.last:
            self.say("{passed} passed, {failed} failed, {skipped} skipped".format(**self.counts))
