/*
 * The follower, see follow.h. It is a process of its own for two reasons: when it ends, the kernel
 * lets go of all tracees at once, and stops of tracees do not get into the command's wait for the
 * program. It prints nothing; its results are in shared memory and in the run's index.
 */
#include "cli/inject/follow.h"
#include "base/clock.h"
#include "cli/inject/obstacles.h"
#include "cli/watch/auxiliary.h"
#include "record/format.h"
#include "record/slots.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The signal by which the command tells the follower to let go, and by which the kernel tells that
 * the command is gone. Its sender is not in siginfo where no more signals may be queued
 * (RLIMIT_SIGPENDING), so that the reason is looked up.
 */
#define LET_GO SIGRTMAX
#define SYSTEM_CALL_STOP (SIGTRAP | 0x80)

struct nsd_follow_news {
    struct nsd_refusal refusal; /* of the program itself */
    bool prevented, lost;
    /*
     * The program has ended. The command stores it with release, the follower loads with acquire.
     */
    _Atomic bool over;
};

/* State of the follower's process. */
struct trace {
    struct nsd_follower *follower;
    struct nsd_index *index;
    pid_t program, command;
    bool program_has_begun;
};

/* ---- programs that cannot be watched ---- */

static void read_link(const char *link, char *to, size_t size) {
    ssize_t got = readlink(link, to, size - 1);

    to[got > 0 ? got : 0] = '\0';
}

/* The pid in the innermost of the process's pid namespaces. */
static int32_t own_pid(pid_t pid) {
    char path[64], line[256], *last;
    int32_t own = pid;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "NSpid:", 6) != 0)
            continue;
        last = strrchr(line, '\t');
        if (last != NULL)
            own = (int32_t) strtol(last, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return own;
}

static uint64_t pid_namespace(pid_t pid) {
    char path[64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int) pid);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

/* `counts`: it makes the result of the run uncertain; else the program is only listed. */
static void note_unwatched(const struct trace *trace, pid_t pid, const char *name, const char *why,
                           bool counts) {
    struct nsd_record_facts *facts = slots__claim_unwatched(trace->index);

    if (facts == NULL) {
        atomic_fetch_add_explicit(&trace->index->unseen, 1, memory_order_relaxed);
        return;
    }
    snprintf(facts->path, sizeof facts->path, "%s", name);
    slots__describe_unwatched(facts, &(struct nsd_unwatched){.pid = own_pid(pid),
                                                             .pid_ns = pid_namespace(pid),
                                                             .ticks = clock__ticks(),
                                                             .wall = clock__wall(),
                                                             .probe = "image",
                                                             .why = why,
                                                             .counts = counts});
    slots__commit(slots__of(facts));
}

/* ---- programs ---- */

static bool is_secure(pid_t pid) {
    return auxiliary__value(pid, AT_SECURE) != 0;
}

/* The library's path leads to the same file in the program's root. */
static bool has_library(const struct trace *trace, pid_t pid) {
    const struct nsd_injector *injector = &trace->follower->injector;
    char path[PATH_MAX + 64];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%d/root%s", (int) pid, injector->library);
    return stat(path, &status) == 0 && status.st_dev == injector->shim.device &&
           status.st_ino == injector->shim.inode;
}

/* Puts the library in. If that fails, the program goes on without it, or is killed. */
static void inject(struct trace *trace, pid_t pid, const char *name, const char *exe) {
    struct nsd_follower *follower = trace->follower;
    struct nsd_injector *injector = &follower->injector;
    bool is_program = pid == trace->program && !trace->program_has_begun;
    enum nsd_injection_end end = NSD_LEFT_ALONE;

    if (inject__program(injector, name, exe))
        end = inject__followed(injector, pid, is_program && !follower->best_effort);
    else if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0 && errno == ESRCH)
        refusal__take_back(&injector->refusal); /* killed meanwhile */
    if (!refusal__is_said(&injector->refusal))
        return;
    if (is_program) {
        follower->news->refusal = injector->refusal;
        follower->news->prevented = end == NSD_BROUGHT_DOWN;
    } else {
        note_unwatched(trace, pid, name, refusal__reason(&injector->refusal), true);
    }
}

/* The program is stopped at its exec and is not injected: notes why. */
static void leave(const struct trace *trace, pid_t pid, const char *name, const char *why,
                  bool counts) {
    unsigned long message;

    /* A program that was killed meanwhile never ran, so that nothing went unwatched. */
    if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message) == 0)
        note_unwatched(trace, pid, name, why, counts);
}

/* The program is stopped at its exec: injects it if it is static Go, and lets it go on. */
static void at_exec(struct trace *trace, pid_t pid) {
    char exe[64], name[PATH_MAX];
    struct nsd_elf_image image;
    bool is_static_go;

    snprintf(exe, sizeof exe, "/proc/%d/exe", (int) pid);
    is_static_go = elf_image__open(&image, exe) && elf_image__header(&image) != NULL &&
                   !elf_image__has_interpreter(&image) && elf_image__is_go(&image);
    elf_image__close(&image);
    read_link(exe, name, sizeof name);
    if (is_static_go && is_secure(pid))
        leave(trace, pid, name, "it is set-uid, set-gid, or has file capabilities", false);
    else if (is_static_go && !has_library(trace, pid))
        leave(trace, pid, name, "it runs in a root where the library is not", false);
    else if (is_static_go && obstacles__filters_of_its_own(pid))
        leave(trace, pid, name, "a seccomp filter is in force there", true);
    else if (is_static_go) {
        inject(trace, pid, name, exe);
        trace->program_has_begun |= pid == trace->program;
        return;
    }
    trace->program_has_begun |= pid == trace->program;
    ptrace(PTRACE_CONT, pid, NULL, NULL);
}

static void goes_on(struct trace *trace, pid_t pid, int status) {
    int event = status >> 16, signal = WSTOPSIG(status);

    if (event == PTRACE_EVENT_EXEC)
        at_exec(trace, pid);
    else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP)
        ptrace(PTRACE_LISTEN, pid, NULL, NULL); /* a job that was stopped, until its SIGCONT */
    else if (event != 0 || signal == SYSTEM_CALL_STOP)
        ptrace(PTRACE_CONT, pid, NULL, NULL);
    else
        ptrace(PTRACE_CONT, pid, NULL, (void *) (intptr_t) signal);
}

/* ---- the follower's process ---- */

static bool is_to_let_go(const struct trace *trace) {
    return atomic_load_explicit(&trace->follower->news->over, memory_order_acquire) ||
           getppid() != trace->command;
}

/* Until the command lets go, or no process is left. */
static void follow(struct trace *trace, const sigset_t *signals) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL | WNOHANG);

        if (pid > 0) {
            if (WIFSTOPPED(status))
                goes_on(trace, pid, status);
        } else if (pid < 0 && errno == ECHILD) {
            return;
        } else if (sigwaitinfo(signals, NULL) == LET_GO && is_to_let_go(trace)) {
            return;
        }
    }
}

static struct nsd_index *map_index(const char *folder) {
    char path[PATH_MAX + sizeof NSD_INDEX_NAME + 1];
    void *at = MAP_FAILED;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, NSD_INDEX_NAME);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        at = mmap(NULL, NSD_INDEX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    return at == MAP_FAILED ? NULL : at;
}

/* Never returns. Its first word on `tell` is whether the program is held. */
static void run(struct nsd_follower *follower, pid_t program, pid_t command, int tell) {
    struct trace trace = {.follower = follower, .program = program, .command = command};
    sigset_t all, signals;
    int error;

    /* Signals of the terminal and of process groups are not for us. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, LET_GO);
    prctl(PR_SET_PDEATHSIG, LET_GO);
    prctl(PR_SET_NAME, "nsdrift-follow");
    if (getppid() != command)
        _exit(1);
    trace.index = map_index(follower->folder);
    error = trace.index == NULL ? errno : remote__seize(&follower->injector.remote, program, true);
    if (trace.index == NULL || error != 0) {
        obstacles__explain_seize(&follower->news->refusal, error);
        _exit(1);
    }
    trace.index->followed = 1;
    /* Close everything: a reader of the program's output must not wait for us. */
    dup2(tell, 3);
    closefrom(4);
    while (write(3, "", 1) < 0 && errno == EINTR)
        ;
    closefrom(3);
    follow(&trace, &signals);
    _exit(0);
}

/* ---- the command's side ---- */

bool follow__begin(struct nsd_follower *follower, const char *library, const char *options,
                   const char *folder, const struct nsd_program *program, bool best_effort) {
    void *shared = mmap(NULL, sizeof *follower->news, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    memset(follower, 0, sizeof *follower);
    follower->folder = folder;
    follower->best_effort = best_effort;
    refusal__begin(&follower->refusal, program->path);
    if (shared == MAP_FAILED)
        return refusal__say(&follower->refusal, "%s", strerror(errno));
    follower->news = shared;
    refusal__begin(&follower->news->refusal, program->path);
    if (!obstacles__none_to_follow(&follower->refusal))
        return false;
    if (inject__begin(&follower->injector, library, options))
        return true;
    follower->refusal = follower->injector.refusal;
    return false;
}

static bool take(void *context, pid_t pid) {
    struct nsd_follower *follower = context;
    pid_t command = getpid();
    int ready[2];
    char byte;
    ssize_t got = -1;

    if (pipe2(ready, O_CLOEXEC) != 0)
        return refusal__say(&follower->refusal, "%s", strerror(errno));
    follower->pid = fork();
    if (follower->pid == 0)
        run(follower, pid, command, ready[1]);
    close(ready[1]);
    if (follower->pid > 0) {
        do {
            got = read(ready[0], &byte, 1);
        } while (got < 0 && errno == EINTR);
    }
    close(ready[0]);
    return got == 1 || refusal__say(&follower->news->refusal, "nobody could be set to follow it");
}

/* The program has ended: what it leaves behind runs on, untraced. */
static void over(void *context) {
    struct nsd_follower *follower = context;
    int status = 0;

    if (follower->pid <= 0)
        return;
    atomic_store_explicit(&follower->news->over, true, memory_order_release);
    kill(follower->pid, LET_GO);
    while (waitpid(follower->pid, &status, 0) < 0 && errno == EINTR)
        ;
    follower->news->lost = status != 0;
    follower->pid = 0;
}

void follow__holder(struct nsd_follower *follower, struct nsd_holder *holder) {
    *holder = (struct nsd_holder){.context = follower, .take = take, .over = over};
}

const char *follow__why(const struct nsd_follower *follower) {
    if (refusal__is_said(&follower->refusal))
        return follower->refusal.why;
    return follower->news != NULL && refusal__is_said(&follower->news->refusal)
               ? follower->news->refusal.why
               : NULL;
}

bool follow__prevented(const struct nsd_follower *follower) {
    return follower->news != NULL && follower->news->prevented;
}

bool follow__was_lost(const struct nsd_follower *follower) {
    return follower->news != NULL && follower->news->lost;
}

void follow__end(struct nsd_follower *follower) {
    inject__end(&follower->injector);
    if (follower->news != NULL)
        munmap(follower->news, sizeof *follower->news);
    follower->news = NULL;
}
