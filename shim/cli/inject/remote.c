/*
 * Work in a stopped child, see remote.h. System calls are made by an instruction that stands in the
 * child's own code, so that its memory need not be changed for them; the kernel stops the child
 * before and after each call.
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

/* False if the child has ended. */
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
 * Goes on until the stop that is wanted. Every signal is blocked but SIGSTOP, which is passed on:
 * the job is then stopped for everybody but us, until a SIGCONT. False if the child has ended or
 * its own code raised a signal.
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

static bool get_registers(const struct nsd_remote *remote, nsd_registers *registers) {
    struct iovec place = {registers, sizeof *registers};

    return request(remote, PTRACE_GETREGSET, NT_PRSTATUS, (uintptr_t) &place) == 0;
}

static bool set_registers(const struct nsd_remote *remote, nsd_registers *registers) {
    struct iovec place = {registers, sizeof *registers};

    registers__leave_call(registers);
    return request(remote, PTRACE_SETREGSET, NT_PRSTATUS, (uintptr_t) &place) == 0;
}

static bool keep_extended(struct nsd_remote *remote) {
    static const int kinds[] = NSD_EXTENDED_REGISTERS;

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

    if (remote->stays) /* a child in this state must not outlive us */
        request(remote, PTRACE_SETOPTIONS, 0, PTRACE_O_EXITKILL | OPTIONS_TO_STAY);
    /* The exec has not returned yet: the kernel would write its result over our registers. */
    return request(remote, PTRACE_GETSIGMASK, sizeof remote->signal_mask,
                   (uintptr_t) &remote->signal_mask) == 0 &&
           request(remote, PTRACE_SETSIGMASK, sizeof all, (uintptr_t) &all) == 0 &&
           go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) &&
           get_registers(remote, &remote->registers) &&
           keep_extended(remote);
}

int64_t remote__call(struct nsd_remote *remote, long number, uint64_t a, uint64_t b, uint64_t c,
                     uint64_t d, uint64_t e, uint64_t f) {
    const uint64_t arguments[] = {a, b, c, d, e, f};
    nsd_registers registers = remote->registers;

    registers__set_call(&registers, remote->system_call, number, arguments);
    if (remote->gone || !set_registers(remote, &registers) ||
        !go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) ||
        !go_on(remote, PTRACE_SYSCALL, SYSTEM_CALL_STOP) ||
        !get_registers(remote, &registers))
        return -ENOSYS;
    return (int64_t) registers__result(&registers);
}

bool remote__is_error(int64_t answer) {
    return answer < 0 && answer >= -4095;
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
    nsd_registers registers = remote->registers;

    registers__set_entry(&registers, entry, high, low, argument);
    *signal = 0;
    if (!set_registers(remote, &registers))
        return false;
    if (!go_on(remote, PTRACE_CONT, SIGTRAP)) {
        *signal = remote->gone ? (WIFSIGNALED(remote->status) ? WTERMSIG(remote->status) : 0)
                               : WSTOPSIG(remote->status);
        return false;
    }
    if (!get_registers(remote, &registers))
        return false;
    *result = registers__result(&registers);
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
           /* A child that was stopped by SIGSTOP reports whether it still is. */
           (!remote->stays || !remote->was_stopped ||
            request(remote, PTRACE_INTERRUPT, 0, 0) == 0) &&
           request(remote, remote->stays ? PTRACE_CONT : PTRACE_DETACH, 0, 0) == 0;
}

void remote__kill(struct nsd_remote *remote) {
    uint64_t mask;

    if (remote->gone)
        return;
    /* A child that was killed already is no longer stopped. */
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
