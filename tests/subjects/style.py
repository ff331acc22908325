"""The project's own .clang-format and .clang-tidy hold. What clang-tidy found nothing in is not looked at
again until it, a header that it includes, its command or the checks change."""
import hashlib
import json
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import settings
from harness.registry import Skip, check, check_equal, test

CLEAN = settings.CACHE / "tidy"  # an empty file for each of what is known to be clean, named by its hash


def tool(name):
    if not shutil.which(name):
        raise Skip(f"{name} is not installed")
    return name


def run(command, **keywords):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", **keywords)


@test("format")
def formatted():
    files = sorted(path for room in ("shim", "include", "tests") for kind in ("*.c", "*.h")
                   for path in (settings.ROOT / room).rglob(kind))
    done = run([tool("clang-format"), "--dry-run", "-Werror", *files])
    off = sorted(set(re.findall(rf"^{re.escape(str(settings.ROOT))}/(\S+?):\d+:\d+: error", done.stdout, re.M)))
    check_equal(off, [], "files that clang-format would change")
    check(done.returncode == 0, done.stdout[-2000:])


def commands():
    """Source -> its command, of the first target that it belongs to."""
    database = settings.BUILD / "compile_commands.json"
    if not database.exists():
        raise Skip("the build has no compile_commands.json")
    found = {}
    for row in json.loads(database.read_text()):
        if row["file"].endswith(".c"):
            found.setdefault(row["file"], row)
    return found


def key_of(row):
    """A hash of all that the result depends on."""
    words = shlex.split(row["command"])
    headers = run([*words[:words.index("-o")], "-MM", "-MF", "-", row["file"]], cwd=row["directory"])
    check(headers.returncode == 0, headers.stdout)
    summary = hashlib.sha256((row["command"] + run(["clang-tidy", "--version"]).stdout).encode())
    for path in [settings.ROOT / ".clang-tidy", *headers.stdout.replace("\\\n", " ").split()[1:]]:
        summary.update(Path(path).read_bytes())
    return summary.hexdigest()


@test(level="gate", timeout=1500)
def tidy():
    tool("clang-tidy")
    CLEAN.mkdir(parents=True, exist_ok=True)
    rows = commands()
    (settings.FOLDER / "compile_commands.json").write_text(json.dumps(list(rows.values())))

    def complaints(row):
        key = CLEAN / key_of(row)
        if key.exists():
            return []
        done = run(["clang-tidy", "--quiet", "-p", settings.FOLDER, row["file"]])
        found = re.findall(r"^\S+:\d+:\d+: (?:warning|error): .*", done.stdout, re.M)
        if done.returncode != 0 and not found:
            found = [f"{row['file']}: {done.stdout[-500:]}"]
        if not found:
            key.touch()
        return found

    with ThreadPoolExecutor(2) as pool:
        found = sorted({line for lines in pool.map(complaints, rows.values()) for line in lines})
    check(not found, f"{len(found)} complaints:\n" + "\n".join(found).replace(f"{settings.ROOT}/", ""))
