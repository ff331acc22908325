"""Can the unit tests fail? Changes one statement at a time in shim/ledger, shim/rules, shim/record
and shim/report, builds it, and runs the unit tests that link it: a test must notice.

Statements are drawn evenly over the four rooms by a seed, then one of the changes that fit the
statement: it is deleted, a comparison or condition turned round, && and || or + and - swapped, a !
dropped, a constant made one more or less, a value replaced. What does not compile, or gives the same
machine code, is drawn again. A test that hangs or crashes has noticed.

Changes that alter nothing that can be told from outside stand in the file `equivalent` beside this
one, each with its reason; they do not count, and may be 5 in 100. A row there that fits no
statement any more is an error, and so is one that a test notices.

The last line is "noticed N of M (P%), E equivalent, survivors: S", the status 1 below the goal.
"""
import argparse
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROOMS = ["ledger", "rules", "record", "report"]
SEED = 9
GOAL = 90.0
EQUIVALENT_MOST = 5.0


def parse():
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the draw (default {SEED})")
    parser.add_argument("--count", type=int, default=300, help="changes to judge (default 300)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--room", action="append", choices=ROOMS, help="only this one; repeatable")
    parser.add_argument("--file", default="", help="only files whose path contains it")
    parser.add_argument("--function", default="", help="only functions whose name contains it")
    parser.add_argument("--every", action="store_true", help="all changes there are, none drawn")
    parser.add_argument("--list-survivors", type=Path, metavar="FILE", help="write them there")
    parser.add_argument("--list-statements", action="store_true", help="print them and end")
    parser.add_argument("--build", type=Path, help="folder of a built tree (build/gcc or build)")
    return parser.parse_args()


def fits(row, key):
    """Whether a row of the list is about this change; see the head of `equivalent`."""
    file, function, statement, change = row
    return file == key[0] and function in ("*", key[1]) and statement in ("*", key[2]) and \
        (change == key[3] or change.endswith("*") and key[3].startswith(change[:-1]))


def is_equivalent(rows, key):
    return any(fits(row, key) for row in rows)


def read_equivalent():
    """Blocks of four lines and more: file and function, statement, change, reason."""
    rows = {}
    path = HERE / "equivalent"
    for block in path.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        place = lines[0].split()
        if len(lines) < 4 or len(place) != 2:
            raise SystemExit(f"{path}: not a row:\n{block}")
        rows[(place[0], place[1], lines[1].strip(), lines[2].strip())] = " ".join(lines[3:]).strip()
    return rows


def check_equivalent(rows, statements):
    known = [statement.key(change) for statement in statements for change in statement.changes]
    stale = [row for row in rows if not any(fits(row, key) for key in known)]
    for row in stale:
        print("equivalent: no such change any more: " + " | ".join(row))
    if stale:
        raise SystemExit(2)


def draw(statements, seed):
    """Without end, but no change twice in a row of its own: as long as there are new ones."""
    generator, drawn = random.Random(seed), set()
    missed = 0
    while missed < 10000:
        statement = generator.choice(statements)
        change = generator.choice(statement.changes)
        if statement.key(change) in drawn:
            missed += 1
            continue
        missed = 0
        drawn.add(statement.key(change))
        yield statement, change


class Score:
    def __init__(self):
        self.judged = {room: [0, 0] for room in ROOMS}
        self.survivors, self.equivalent, self.wrong = [], 0, []
        self.invalid = self.same = 0

    def add(self, statement, change, answer, is_listed):
        """Whether it counts."""
        if answer == "invalid":
            self.invalid += 1
            return False
        if answer == "same":
            self.same += 1
            return False
        if is_listed:
            self.equivalent += 1
            if answer != "survived":
                self.wrong.append((statement, change, answer))
            return False
        room = self.judged[statement.file.split("/")[1]]
        room[1] += 1
        if answer == "survived":
            self.survivors.append((statement, change))
        else:
            room[0] += 1
        return True


def judge_all(house, pairs, rows, count, options):
    """In the order of the draw, whatever is done first."""
    jobs = options.jobs
    score, waiting, judged, said = Score(), [], 0, 0
    with ThreadPoolExecutor(jobs) as pool:
        while judged < count:
            while len(waiting) < 2 * jobs and (pair := next(pairs, None)) is not None:
                waiting.append((pair, pool.submit(house.judge, *pair)))
            if not waiting:
                break
            (statement, change), answer = waiting.pop(0)
            judged += score.add(statement, change, answer.result(),
                                is_equivalent(rows, statement.key(change)))
            if judged % 50 == 0 and judged > said:
                said = judged
                print(f"{judged} of {count}, {len(score.survivors)} survivors", flush=True)
                list_survivors(options, score)
        for _, answer in waiting:
            answer.cancel()
    return score


def describe(statement, change):
    return f"{statement.file}:{statement.line} {statement.function}\n" \
           f"    {statement.text}\n    {change.name}\n"


def main():
    options = parse()
    try:
        import statements as reader
    except ImportError:
        raise SystemExit("mutate: python3-clang is not installed (scripts/needs mutate)")
    from house import House

    began = time.monotonic()
    build = options.build or next(path for path in (ROOT / "build/gcc", ROOT / "build")
                                  if (path / "libunwind_own_names.a").exists() or
                                  path.name == "build")
    house = House(ROOT, build.resolve(), options.jobs)
    files = [str(path.relative_to(ROOT)) for room in ROOMS
             for path in sorted((ROOT / "shim" / room).glob("*.[ch]"))]
    everything = reader.read(ROOT, files, house.guest_flags())
    rows = read_equivalent()
    check_equivalent(rows, everything)
    rooms = options.room or ROOMS
    chosen = [statement for statement in everything if statement.file.split("/")[1] in rooms and
              options.file in statement.file and options.function in statement.function]
    if options.list_statements:
        for statement in chosen:
            print(f"{statement.file}:{statement.line}: {statement.text} "
                  f"[{', '.join(change.name for change in statement.changes)}]")
        return 0
    if not chosen:
        raise SystemExit("mutate: no statement is chosen by these options")
    print(f"seed {options.seed}: {options.count} changes among {len(chosen)} statements "
          f"({', '.join(rooms)})", flush=True)
    house.prepare()
    if not house.sandbox:
        print("bwrap is not to be had: what is changed runs without a sandbox", flush=True)
    if options.every:
        pairs = iter([(statement, change) for statement in chosen for change in statement.changes])
        count = sum(len(statement.changes) for statement in chosen)
    else:
        pairs, count = draw(chosen, options.seed), options.count
    score = judge_all(house, pairs, rows, count, options)
    return report(options, score, time.monotonic() - began)


def list_survivors(options, score):
    if options.list_survivors:
        options.list_survivors.write_text("".join(describe(*pair) + "\n"
                                                  for pair in score.survivors))


def report(options, score, seconds):
    list_survivors(options, score)
    if not options.list_survivors:
        for pair in score.survivors:
            print(describe(*pair))
    for statement, change, test in score.wrong:
        print(f"equivalent: but {test} notices it:\n{describe(statement, change)}")
    for room, (noticed, judged) in score.judged.items():
        if judged:
            print(f"{room}: noticed {noticed} of {judged} ({100 * noticed / judged:.1f}%)")
    print(f"drawn again: {score.invalid} that do not compile, {score.same} of the same machine "
          f"code; {seconds:.0f} seconds")
    noticed = sum(room[0] for room in score.judged.values())
    judged = sum(room[1] for room in score.judged.values())
    share = 100 * noticed / judged if judged else 0.0
    of_equivalent = 100 * score.equivalent / max(1, judged + score.equivalent)
    too_many = not options.every and of_equivalent > EQUIVALENT_MOST
    if too_many:
        print(f"{of_equivalent:.1f}% of what was drawn is listed as equivalent, "
              f"at most {EQUIVALENT_MOST:.0f}% may be")
    print(f"noticed {noticed} of {judged} ({share:.1f}%), {score.equivalent} equivalent, "
          f"survivors: {len(score.survivors)}")
    return 1 if share < GOAL or too_many or score.wrong else 0


sys.exit(main())
