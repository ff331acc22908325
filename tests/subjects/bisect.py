"""git bisect over a repository whose third of eight commits takes the launcher's lock away: nsdrift's exit
status finds it, though each start that it makes would most likely have worked."""
import re
import shutil
import subprocess

from harness import programs, settings, shim
from harness.registry import Skip, check, check_equal, test

# What is committed beside the launcher: it builds and starts what it finds, as a project's script would.
START = """#!/bin/sh
set -e
cd "$(dirname "$0")"
go build -o launcher -ldflags=-linkmode=external launcher.go
echo hello > hello
echo world > world
exec unshare --mount ./launcher "$PWD/hello" "$PWD/world"
"""
COMMITS = ["the launcher", "say what is mounted", "tidy up", "a note on nsenter", "names", "usage", "words",
           "a newer note"]
BROKEN = 2  # "tidy up" drops the lock


def source_of(number):
    """The launcher at a commit: with the lock until the third, and a comment more with each."""
    source = (programs.GO / "launcher.go").read_text()
    lock = re.search(r"\tif discipline == \"locked\" \{\n\t\truntime.LockOSThread\(\)\n\t\}\n", source)
    kept = "\truntime.LockOSThread()\n" if number < BROKEN else ""
    source = source[:lock.start()] + kept + source[lock.end():]
    if not kept:
        source = source.replace('\t"runtime"\n', "")
    source = source.replace("var discipline string\n", "")
    return source + "".join(f"\n// {words}\n" for words in COMMITS[1:number + 1])


def git(*argv, **keywords):
    done = subprocess.run(["git", *argv], cwd=settings.FOLDER / "project", env=environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **keywords)
    check_equal(done.returncode, 0, f"git {' '.join(map(str, argv))}:\n{done.stdout}")
    return done.stdout


def environment():
    root = programs.go_root(programs.NEWEST)
    env = shim.environment(False)
    env.update(PATH=f"{settings.BUILD}:{root}/bin:{env['PATH']}", HOME=str(settings.FOLDER), GOENV="off",
               GOFLAGS="", GOTOOLCHAIN="local", GO111MODULE="off", GOROOT=str(root),
               GOCACHE=str(settings.CACHE / "go-cache"), GOPATH=str(settings.CACHE / "go-path"),
               GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a",
               GIT_COMMITTER_EMAIL="a@b")
    return env


def make_repository():
    if not shutil.which("git"):
        raise Skip("git is not installed")
    folder = settings.FOLDER / "project"
    folder.mkdir()
    git("init", "-q", "-b", "main")
    (folder / ".gitignore").write_text("launcher\nhello*\nworld\n")
    (folder / "start-container").write_text(START)
    (folder / "start-container").chmod(0o755)
    commits = []
    for number, words in enumerate(COMMITS):
        (folder / "launcher.go").write_text(source_of(number))
        git("add", "-A")
        git("commit", "-q", "-m", words)
        commits.append(git("rev-parse", "HEAD").strip())
    return commits


@test(timeout=300)
def finds_the_commit_that_drops_the_lock():
    commits = make_repository()
    git("bisect", "start", commits[-1], commits[0])
    said = git("bisect", "run", "nsdrift", "run", "--exit-status=findings", "--", "./start-container", timeout=250)
    check(f"{commits[BROKEN]} is the first bad commit" in said, said)
    check("unlocked-switch" in said, "the report of the bad ones", said)
    log = git("bisect", "log")
    tried = set(re.findall(r"^git bisect (?:good|bad) (\w+)", log, re.M)) - {commits[0], commits[-1]}
    check(2 <= len(tried) <= 4, "commits that were tried", log)


@test(timeout=300)
def skips_what_cannot_be_watched():
    """125: a commit that makes what cannot be watched is neither good nor bad."""
    if not shutil.which("busybox"):
        raise Skip("busybox-static is not installed")
    commits = make_repository()
    git("bisect", "start", commits[-1], commits[0])
    done = subprocess.run(["git", "bisect", "run", "nsdrift", "run", "--exit-status=findings", "--", "busybox", "true"],
                          cwd=settings.FOLDER / "project", env=environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    check("There are only 'skip'ped commits left to test" in done.stdout, done.stdout)
