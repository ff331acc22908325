/*
 * Work in a stopped child, see remote.h. Its own system call instruction is used, so that nothing
 * of its memory is changed for it: the kernel stops before and after each call.
 */
#include "cli/inject/remote.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSTEM_CALL_STOP (SIGTRAP | 0x80)

static long request(const struct nsd_remote *remote, int what, uintptr_t address, uintptr_t data) {
    return ptrace((enum __ptrace_request) what, remote->pid, (void *) address, (void *) data);
}

#define OPTIONS (PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)
#define OPTIONS_TO_STAY (OPTIONS | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

int remote__seize(struct nsd_remote *remote, pid_t pid, bool stays) {
    memset(remote, 0, sizeof *remote);
    remote->pid = pid;
    remote->stays = stays;
    return request(remote, PTRACE_SEIZE, 0,
                   stays ? OPTIONS_TO_STAY : PTRACE_O_EXITKILL | OPTIONS) == 0
               ? 0
               : errno;
}

void remote__adopt(struct nsd_remote *remote, pid_t pid) {
    memset(remote, 0, sizeof *remote);
    remote->pid = pid;
    remote->stays = true;
}

/* False: it came to its end. */
static bool wait_for_stop(struct nsd_remote *remote) {
    int status;

    while (waitpid(remote->pid, &status, __WALL) < 0) {
        if (errno != EINTR) {
            remote->gone = true;
            return false;
        }
    }
    if (WIFSTOPPED(status)) {
        remote->status = status;
        return true;
    }
    remote->gone = true;
    remote->status = status;
    return false;
}

static int event(const struct nsd_remote *remote) {
    return remote->status >> 16;
}

bool remote__wait_for_exec(struct nsd_remote *remote) {
    while (wait_for_stop(remote)) {
        int stopped_by = WSTOPSIG(remote->status);

        if (event(remote) == PTRACE_EVENT_EXEC)
            return true;
        if (event(remote) == PTRACE_EVENT_STOP && stopped_by != SIGTRAP)
            request(remote, PTRACE_LISTEN, 0, 0); /* a job that was stopped, until its SIGCONT */
        else
            request(remote, PTRACE_CONT, 0,
                    event(remote) == 0 && stopped_by != SYSTEM_CALL_STOP ? (uintptr_t) stopped_by
                                                                         : 0);
    }
    return false;
}

/*
 * Goes on until the stop that is wanted. Only SIGSTOP can come between, since nothing else is let
 * in: the job is stopped from then on for everybody but us, until a SIGCONT, and both in the order
 * in which they came. False at the end of the child, or with a signal that its own code made.
 */
static bool go_on(struct nsd_remote *remote, int how, int wanted) {
    for (uintptr_t signal = 0;;) {
        if (request(remote, how, 0, signal) != 0) {
            if (errno == ESRCH) /* killed: that ends a stop */
                wait_for_stop(remote);
            return false;
        }
        if (!wait_for_stop(remote))
            return false;
        signal = 0;
        if (event(remote) != 0)
            continue;
        if (WSTOPSIG(remote->status) == wanted)
            return true;
        if (WSTOPSIG(remote->status) != SIGSTOP)
            return false;
        signal = SIGSTOP;
        remote->was_stopped = true;
    }
}

static bool keep_extended(struct nsd_remote *remote) {
    static const int kinds[] = {NT_X86_XSTATE, NT_PRFPREG};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct iovec place = {remote->extended, sizeof remote->extended};

        if (request(remote, PTRACE_GETREGSET, (uintptr_t) kinds[i], (uintptr_t) &place) == 0 &&
            place.iov_len < sizeof remote->extended) {
            remote->extended_kind = kinds[i];
            remote->extended_size = place.iov_len;
            return true;
        }
    }
    return false;
}

bool remote__begin(struct nsd_remote *remote) {
    uint64_t all = UINT64_MAX;

    if (remote->stays) /* who is half done must not outlive us */
        request(remote, PTRACE_SETOPTIONS, 0, PTRACE_O_EXITKILL | OPTIONS_TO_STAY);
    /* The stop of the exec is inside its system call, which would write its result over ours. */
    return request(remote, PTRACE_GETSIGMASK, sizeof remote->signal_mask,
                   (uintptr_t) &remote->signal_mask) == 0 &&
           request(remote, PTRACE_SETSIGMASK, sizeof all, (uintptr_t) &all) == 0 &&
           go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) &&
           request(remote, PTRACE_GETREGS, 0, (uintptr_t) &remote->registers) == 0 &&
           keep_extended(remote);
}

static bool set_registers(struct nsd_remote *remote, struct user_regs_struct *registers) {
    registers->orig_rax = UINT64_MAX; /* no system call: nothing to restart */
    return request(remote, PTRACE_SETREGS, 0, (uintptr_t) registers) == 0;
}

int64_t remote__call(struct nsd_remote *remote, long number, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d, uint64_t e, uint64_t f) {
    struct user_regs_struct registers = remote->registers;

    registers.rip = remote->system_call;
    registers.rax = (uint64_t) number;
    registers.rdi = a;
    registers.rsi = b;
    registers.rdx = c;
    registers.r10 = d;
    registers.r8 = e;
    registers.r9 = f;
    if (remote->gone || !set_registers(remote, &registers) ||
        !go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) ||
        !go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) ||
        request(remote, PTRACE_GETREGS, 0, (uintptr_t) &registers) != 0)
        return -ENOSYS;
    return (int64_t) registers.rax;
}

bool remote__is_error(int64_t answer) {
    return answer < 0 && answer >= -4095;
}

uint64_t remote__auxiliary(pid_t pid, uint64_t type) {
    Elf64_auxv_t vector[64];
    char path[64];
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/auxv", (int) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd >= 0 ? read(fd, vector, sizeof vector) : -1;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; size > 0 && i < (size_t) size / sizeof vector[0]; i++) {
        if (vector[i].a_type == type)
            return vector[i].a_un.a_val;
    }
    return 0;
}

/* Word by word, where the kernel was built without process_vm_readv and its sister. */
static bool peek(struct nsd_remote *remote, uint64_t from, unsigned char *to, size_t size) {
    for (size_t done = 0; done < size; done += sizeof(long)) {
        size_t part = size - done < sizeof(long) ? size - done : sizeof(long);
        long word;

        errno = 0;
        word = request(remote, PTRACE_PEEKDATA, from + done, 0);
        if (errno != 0)
            return false;
        memcpy(to + done, &word, part);
    }
    return true;
}

static bool poke(struct nsd_remote *remote, uint64_t to, const unsigned char *from, size_t size) {
    for (size_t done = 0; done < size; done += sizeof(long)) {
        size_t part = size - done < sizeof(long) ? size - done : sizeof(long);
        long word = 0;

        if (part < sizeof word && !peek(remote, to + done, (unsigned char *) &word, sizeof word))
            return false;
        memcpy(&word, from + done, part);
        if (request(remote, PTRACE_POKEDATA, to + done, (uintptr_t) word) != 0)
            return false;
    }
    return true;
}

bool remote__read(struct nsd_remote *remote, uint64_t from, void *to, size_t size) {
    struct iovec here = {to, size}, there = {(void *) (uintptr_t) from, size};

    return process_vm_readv(remote->pid, &here, 1, &there, 1, 0) == (ssize_t) size ||
           peek(remote, from, to, size);
}

bool remote__write(struct nsd_remote *remote, uint64_t to, const void *from, size_t size) {
    struct iovec here = {(void *) (uintptr_t) from, size}, there = {(void *) (uintptr_t) to, size};

    return size == 0 || process_vm_writev(remote->pid, &here, 1, &there, 1, 0) == (ssize_t) size ||
           poke(remote, to, from, size);
}

bool remote__run(struct nsd_remote *remote, uint64_t entry, uint64_t low, uint64_t high,
                 uint64_t argument, uint64_t *result, int *signal) {
    struct user_regs_struct registers = remote->registers;

    registers.rip = entry;
    registers.rsp = high;
    registers.fs_base = low;
    registers.rdi = argument;
    *signal = 0;
    if (!set_registers(remote, &registers))
        return false;
    if (!go_on(remote, PTRACE_CONT, SIGTRAP)) {
        *signal = remote->gone ? (WIFSIGNALED(remote->status) ? WTERMSIG(remote->status) : 0)
                               : WSTOPSIG(remote->status);
        return false;
    }
    if (request(remote, PTRACE_GETREGS, 0, (uintptr_t) &registers) != 0)
        return false;
    *result = registers.rax;
    return true;
}

bool remote__let_go(struct nsd_remote *remote) {
    struct iovec place = {remote->extended, remote->extended_size};

    return !remote->gone && set_registers(remote, &remote->registers) &&
           request(remote, PTRACE_SETREGSET, (uintptr_t) remote->extended_kind,
                   (uintptr_t) &place) == 0 &&
           request(remote, PTRACE_SETSIGMASK, sizeof remote->signal_mask,
                   (uintptr_t) &remote->signal_mask) == 0 &&
           (!remote->stays || request(remote, PTRACE_SETOPTIONS, 0, OPTIONS_TO_STAY) == 0) &&
           /* One that was stopped and stays ours shows whether it still is. */
           (!remote->stays || !remote->was_stopped ||
            request(remote, PTRACE_INTERRUPT, 0, 0) == 0) &&
           request(remote, remote->stays ? PTRACE_CONT : PTRACE_DETACH, 0, 0) == 0;
}

void remote__kill(struct nsd_remote *remote) {
    uint64_t mask;

    if (remote->gone)
        return;
    /* Who has been killed already does not stand still. */
    remote->was_ours =
        request(remote, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t) &mask) == 0 || errno != ESRCH;
    kill(remote->pid, SIGKILL);
    while (!remote->gone)
        wait_for_stop(remote);
}

bool remote__was_killed(const struct nsd_remote *remote) {
    return remote->gone && !remote->was_ours && WIFSIGNALED(remote->status) &&
           WTERMSIG(remote->status) == SIGKILL;
}
