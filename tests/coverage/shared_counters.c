/*
 * Part of a coverage build only (coverage.cmake): lays the file NSD_COUNTERS_FILE over the counters
 * of this library or command, so that the counters of all processes are in one file at every
 * moment. A process may then be killed, exec or clear its environment without losing what it has
 * counted. Runs before any code of ours that makes a system call; no libc, no errno.
 *
 * Where the file cannot be opened (another root without it, no right to it, a file of another
 * build), the process keeps its counters to itself, and they are lost with it.
 */
#include "base/syscall.h"
#include <linux/mman.h>
#include <stdbool.h>

/* counters.ld: whole pages that hold counters and nothing else. */
extern uint64_t nsd_counters_begin[] __attribute__((visibility("hidden")));
extern uint64_t nsd_counters_end[] __attribute__((visibility("hidden")));

#define WRITABLE (PROT_READ | PROT_WRITE)

/* What was counted before the file was there. Others count at the same time: they may lose a step,
 * but nobody can take a counter back to zero. */
static bool add_to_file(int fd, size_t size) {
    long got = sys__mmap(NULL, size, WRITABLE, MAP_SHARED, fd, 0);
    uint64_t *file;

    if (SYS_IS_ERROR(got))
        return false;
    file = (uint64_t *) got;
    for (size_t i = 0; i < size / sizeof *file; i++) {
        if (nsd_counters_begin[i] != 0)
            file[i] += nsd_counters_begin[i];
    }
    sys__munmap(file, size);
    return true;
}

static void share_counters(void) {
    static bool shared;
    size_t size = (size_t) ((char *) nsd_counters_end - (char *) nsd_counters_begin);
    struct sys_stat status;
    long fd;

    if (shared)
        return;
    fd = sys__openat(AT_FDCWD, NSD_COUNTERS_FILE, O_RDWR | O_CLOEXEC, 0);
    if (SYS_IS_ERROR(fd))
        return;
    /* A shorter file would end the host by SIGBUS. */
    if (sys__fstat((int) fd, &status) == 0 && status.size == (int64_t) size &&
        add_to_file((int) fd, size))
        shared = !SYS_IS_ERROR(
            sys__mmap(nsd_counters_begin, size, WRITABLE, MAP_SHARED | MAP_FIXED, (int) fd, 0));
    sys__close((int) fd);
}

/* 101 is the first priority that is not the compiler's: ahead of the guest's own constructor. */
__attribute__((constructor(101))) static void share_counters_at_start(void) {
    share_counters();
}

#ifdef NSD_COUNTERS_INJECTED
struct nsd_injection;
uint64_t __real_nsd_injected_begin(const struct nsd_injection *block)
    __attribute__((visibility("hidden")));
uint64_t __wrap_nsd_injected_begin(const struct nsd_injection *block)
    __attribute__((visibility("hidden")));

uint64_t __wrap_nsd_injected_begin(const struct nsd_injection *block) {
    share_counters();
    return __real_nsd_injected_begin(block);
}
#endif
