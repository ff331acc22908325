"""scripts/bench is run by hand, so that what it needs could break unseen: here it runs one round of some
of its workloads. No figure is looked at, only that each is there."""
import json
import subprocess
import sys

from harness import settings
from harness.registry import check, check_equal, test

ROWS = {"thread_create_join": {"native", "nsdrift", "before"}, "setns_trip_c": {"native", "nsdrift", "before"}}


@test(level="gate", timeout=400)
def one_round():
    output = settings.FOLDER / "bench.json"
    done = subprocess.run([sys.executable, settings.ROOT / "tests/bench/bench.py", "--build", settings.BUILD, "--output",
                           output, "--before", settings.library(), "--rounds", "1", *ROWS],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # 1: one round on a busy machine may well be above a bound.
    check(done.returncode in (0, 1) and output.is_file(), f"status {done.returncode}: {done.stdout[-2000:]}")
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    for workload, subjects in ROWS.items():
        there = {row["subject"] for row in rows if row["workload"] == workload and row["ratio"] > 0}
        check_equal(sorted(subjects - there), [], f"missing rows of {workload}: {done.stdout[-2000:]}")


@test()
def another_build_that_is_not_there():
    done = subprocess.run([sys.executable, settings.ROOT / "tests/bench/bench.py", "--before", "/nonexistent.so"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check_equal(done.returncode, 2, "status")
    check(done.stderr.endswith("--before /nonexistent.so: no such file\n"), done.stderr)
