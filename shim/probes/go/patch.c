/*
 * Puts jumps into a Go runtime, see patch.h.
 *
 * No thread can be in the bytes that are replaced (for a runtime in a library go.c gives the
 * reason): this runs in the constructor of a preloaded object, which the loader calls before the
 * executable's entry point and constructors. None of the runtime's code has run yet, and a thread
 * that another preloaded object may have made has no reason to be there. When we patched later, a
 * blocked reader died of SIGILL as it returned into the middle of a jump.
 */
#include "probes/go/patch.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "base_machine.h"
#include "probes/go/stub.h"
#include <linux/mman.h>

#define GRANULE 0x10000u    /* step of the search for a free page */
#define LOWEST 0x10000u     /* vm.mmap_min_addr */
#define FAR_STEP 0x1000000u /* step above the program, where the heap grows */

static uint8_t *stubs; /* one page */
static unsigned prepared;
static struct nsd_go_replacement replacements[NSD_GO_SITES];

static bool take_page(uint64_t at) {
    long got = sys__mmap((void *) at, NSD_PAGE_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (SYS_IS_ERROR(got))
        return false;
    if ((uint64_t) got != at) {
        sys__munmap((void *) got, NSD_PAGE_SIZE);
        return false;
    }
    stubs = (uint8_t *) got;
    return true;
}

/*
 * Looks below the program first: above it is the heap of brk, which must be able to grow. mmap with
 * MAP_FIXED_NOREPLACE fails where something is mapped, so that /proc is not needed.
 */
bool patch__begin(const struct nsd_go_runtime *runtime) {
    uint64_t low = runtime->module->start / GRANULE * GRANULE, high = runtime->module->end;
    uint64_t lowest =
        high > NSD_GO_STUB_REACH + (uint64_t) LOWEST ? high - NSD_GO_STUB_REACH : LOWEST;

    for (unsigned tries = 0; tries < 256 && low >= lowest + GRANULE; tries++) {
        low -= GRANULE;
        if (take_page(low))
            return true;
    }
    for (high = (high + (NSD_GO_STUB_REACH / 2)) / GRANULE * GRANULE;
         high < runtime->module->start + NSD_GO_STUB_REACH; high += FAR_STEP) {
        if (take_page(high))
            return true;
    }
    return false;
}

bool patch__prepare(const struct nsd_go_site *site, const char **why) {
    if (prepared == NSD_GO_SITES || (prepared + 1) * NSD_GO_STUB_MOST > NSD_PAGE_SIZE ||
        !stub__write(site, stubs + prepared * NSD_GO_STUB_MOST, &replacements[prepared], why))
        return false;
    prepared++;
    return true;
}

/*
 * Writes through /proc/self/mem, which needs no change of protection: the text stays one mapping, is
 * not charged as writable memory, and neither MDWE nor SELinux's execmod forbids it.
 */
static bool write_through(int memory, uint64_t address, const uint8_t *bytes, size_t size) {
    return SYS4(__NR_pwrite64, memory, bytes, size, address) == (long) size;
}

static bool write_all_through(int memory) {
    for (unsigned i = 0; i < prepared; i++) {
        const struct nsd_go_replacement *replacement = &replacements[i];

        if (write_through(memory, replacement->address, replacement->after, replacement->size))
            continue;
        /* All or nothing: one hook may rely on another. */
        while (i-- > 0)
            write_through(memory, replacements[i].address, replacements[i].before,
                          replacements[i].size);
        return false;
    }
    return true;
}

/*
 * Changes the protection of the whole mapping, because /proc/self/maps would show three lines
 * instead of one after a change of one page. Never writable and executable at once.
 */
static bool write_all_by_protection(const struct nsd_go_runtime *runtime) {
    void *text = (void *) runtime->map_start;
    size_t size = runtime->map_end - runtime->map_start;

    if (sys__mprotect(text, size, PROT_READ | PROT_WRITE) != 0)
        return false;
    for (unsigned i = 0; i < prepared; i++)
        memory__copy((void *) replacements[i].address, replacements[i].after, replacements[i].size);
    return sys__mprotect(text, size, PROT_READ | PROT_EXEC) == 0;
}

/* Makes the stubs' page executable, and no longer writable. */
static bool make_executable(int memory) {
    uint8_t copy[NSD_PAGE_SIZE];
    uint64_t at = (uint64_t) stubs;
    long got;

    if (sys__mprotect(stubs, NSD_PAGE_SIZE, PROT_READ | PROT_EXEC) == 0)
        return true;
    /*
     * MDWE refuses a page that was ever writable: take a new one that never was, and fill it
     * through /proc/self/mem.
     */
    if (memory < 0)
        return false;
    memory__copy(copy, stubs, NSD_PAGE_SIZE);
    sys__munmap(stubs, NSD_PAGE_SIZE);
    stubs = NULL;
    got = sys__mmap((void *) at, NSD_PAGE_SIZE, PROT_READ | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (SYS_IS_ERROR(got))
        return false;
    stubs = (uint8_t *) got;
    return (uint64_t) got == at && write_through(memory, at, copy, NSD_PAGE_SIZE);
}

const char *patch__commit(const struct nsd_go_runtime *runtime) {
    const char *why = NULL;
    int memory;

    if (prepared == 0) {
        if (stubs != NULL)
            sys__munmap(stubs, NSD_PAGE_SIZE);
        return NULL;
    }
    memory = (int) sys__openat(AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
    if (!make_executable(memory))
        why = "the kernel allows no new code in this process";
    else if ((memory < 0 || !write_all_through(memory)) && !write_all_by_protection(runtime))
        why = "the kernel does not let its text be written";
    if (memory >= 0)
        sys__close(memory);
    if (why != NULL && stubs != NULL)
        sys__munmap(stubs, NSD_PAGE_SIZE);
    return why;
}
