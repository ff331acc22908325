"""Can the unit tests fail? scripts/mutate changes one statement of the ledger, the rules, the recording
and the report at a time; nine of ten changes must be noticed."""
import re
import subprocess

from harness import settings
from harness.registry import check, test


@test(level="all", timeout=3600)
def four_rooms():
    done = subprocess.run([settings.ROOT / "scripts" / "mutate", "--list-survivors",
                           settings.CACHE / "survivors"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    last = done.stdout.strip().splitlines()[-1]
    print(last)
    check(done.returncode == 0 and re.match(r"noticed \d+ of \d+ ", last), done.stdout[-4000:])
