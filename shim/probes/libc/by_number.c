/*
 * The variadic syscall(): real programs reach pivot_root, clone, clone3, the new mount calls and
 * exits through it. The machine's assembly asks the table of calls by number and jumps here only
 * for a row of it; all else goes on untouched. A call whose child would return through a frame of
 * ours goes to children.c instead.
 */
#include "host/libc/errno.h"
#include "probes/libc/entrance.h"

long syscall__decode(long number, long a, long b, long c, long d, long e, long f)
    __attribute__((visibility("hidden")));
void *syscall__next(void) __attribute__((visibility("hidden")));

/* Called as syscall() itself would be, from the caller's own frame. */
long syscall__decode(long number, long a, long b, long c, long d, long e, long f) {
    enum nsd_row row = (enum nsd_row) nsd_row_of_number[number];
    struct nsd_ongoing ongoing;
    const uint64_t *word = ongoing.argument;

    if (!calls__is_watched((enum nsd_watch) nsd_call_meanings[row].watch))
        return NEXT(syscall)(number, a, b, c, d, e, f);
    NSD_BEGIN_ROW(&ongoing, row, NSD_SITE(), a, b, c, d, e, f);
    calls__before(&ongoing);
    if (ongoing.is_answered) {
        if (ongoing.result >= 0)
            return (long) ongoing.result;
        host__set_errno((int) -ongoing.result);
        return -1;
    }
    return entrance__after(
        &ongoing, NEXT(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]));
}

void *syscall__next(void) {
    return next__of(NSD_FUNCTION_syscall);
}
