/*
 * Obstacles, see obstacles.h: Yama, seccomp, capabilities, PR_SET_DUMPABLE, MDWE.
 */
#include "cli/inject/obstacles.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#define CAPABILITY_PTRACE 19
#define OWN_STATUS "/proc/self/status"

uint64_t obstacles__number(const char *path, const char *word, int base) {
    FILE *file = fopen(path, "re");
    uint64_t number = 0;
    char line[256];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, word, strlen(word)) == 0) {
            number = strtoull(line + strlen(word), NULL, base);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
    return number;
}

/* A process's number means the same there as to us. */
static bool proc_is_ours(void) {
    char self[16] = {0};

    return readlink("/proc/self", self, sizeof self - 1) > 0 && atoi(self) == (int) getpid();
}

/* A filter that came before us may answer ptrace, or kill for it: a child tries. */
static bool filter_lets_trace(void) {
    void (*before)(int) = signal(SIGCHLD, SIG_DFL); /* ignored, it would tell us nothing */
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        signal(SIGSYS, SIG_DFL);
        _exit(syscall(SYS_ptrace, 0L /* PTRACE_TRACEME */, 0L, 0L, 0L) == 0 ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    signal(SIGCHLD, before);
    return pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static bool may_trace(void) {
    return (obstacles__number(OWN_STATUS, "CapEff:", 16) >> CAPABILITY_PTRACE & 1) != 0;
}

/*
 * Root regains by an exec what it has laid down, but not under a tracer that may not trace anybody
 * (cap_bprm_creds_from_file, security/commoncap.c).
 */
static bool would_lose_capabilities(void) {
    uint64_t permitted = obstacles__number(OWN_STATUS, "CapPrm:", 16);
    uint64_t bounding = obstacles__number(OWN_STATUS, "CapBnd:", 16);

    return geteuid() == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && !may_trace() &&
           (bounding & ~permitted) != 0;
}

bool obstacles__none(struct nsd_refusal *refusal) {
    int protection = prctl(PR_GET_MDWE, 0, 0, 0, 0);

    if (!proc_is_ours())
        return refusal__say(refusal, "/proc is not mounted here, or from another pid namespace");
    if (protection > 0 && (protection & 1) != 0)
        return refusal__say(refusal, "memory may not become executable here (MDWE)");
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1 && geteuid() != 0)
        return refusal__say(refusal,
                            "nsdrift runs with PR_SET_DUMPABLE 0, and its children cannot be "
                            "traced");
    if (would_lose_capabilities())
        return refusal__say(refusal,
                            "without CAP_SYS_PTRACE it would be started with fewer capabilities "
                            "than it has otherwise");
    if (obstacles__number(OWN_STATUS, "Seccomp:", 10) == 2 && !filter_lets_trace())
        return refusal__say(refusal, "the seccomp filter in force here allows no ptrace");
    return true;
}

bool obstacles__none_to_follow(struct nsd_refusal *refusal) {
    if (proc_is_ours() && !may_trace())
        return refusal__say(refusal,
                            "--follow-static needs CAP_SYS_PTRACE, without which set-uid programs "
                            "that it starts would not get their rights");
    return obstacles__none(refusal);
}

bool obstacles__explain_seize(struct nsd_refusal *refusal, int error) {
    uint64_t scope = obstacles__number("/proc/sys/kernel/yama/ptrace_scope", "", 10);
    uint64_t tracer = obstacles__number(OWN_STATUS, "TracerPid:", 10);

    if (tracer != 0 && error == EPERM) /* who traces us has our children as well, mostly */
        return refusal__say(refusal, "nsdrift itself is traced, by process %u", (unsigned) tracer);
    if (scope >= 2)
        return refusal__say(refusal, "ptrace_scope is %u here%s", (unsigned) scope,
                            scope == 2 ? ", which asks for CAP_SYS_PTRACE" : "");
    return refusal__say(refusal, "it cannot be traced: %s", strerror(error));
}

/* Counted since Linux 5.9; before that, any filter of the program counts as one of its own. */
bool obstacles__filters_of_its_own(pid_t pid) {
    char path[64];
    uint64_t own = obstacles__number(OWN_STATUS, "Seccomp_filters:", 10);

    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    return obstacles__number(path, "Seccomp:", 10) == 2 &&
           (own == 0 || obstacles__number(path, "Seccomp_filters:", 10) != own);
}
