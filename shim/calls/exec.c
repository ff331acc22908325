/*
 * The exec family. The image may end here, so the report is made before the call. The environment
 * is completed for the next image (follow=1), also where a vfork child execs, for which nothing
 * else is done. Only a failed exec returns; everything is put back then.
 */
#include "base/syscall.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "host/unwatched.h"
#include "intake/last_words.h"
#include <stdatomic.h>
#include <stddef.h>

/*
 * Environments made for an exec of an entrance that keeps nothing across the call, by the
 * entrance's key. When the exec fails, the list is unmapped and the host gets its own argument
 * back. environment.c unmaps the list of a vfork child, in the parent. The key is 0 in a free
 * entry; it is taken with acquire and cleared with release, since the thread with this key owns the
 * rest of the entry meanwhile.
 */
#define PENDING 32u

static struct pending {
    _Atomic uintptr_t key;
    struct nsd_environment environment;
} pending[PENDING];

static struct pending *take_pending(uintptr_t key) {
    for (unsigned i = 0; i < PENDING; i++) {
        uintptr_t nobody = 0;

        if (atomic_compare_exchange_strong_explicit(&pending[i].key, &nobody, key,
                                                    memory_order_acquire, memory_order_relaxed))
            return &pending[i];
    }
    return NULL;
}

static void give_pending(struct pending *ours) {
    atomic_store_explicit(&ours->key, 0, memory_order_release);
}

/* Unmaps what was made for this key, and puts the host's own argument into *given. */
static void release_pending(uintptr_t key, uint64_t *given) {
    for (unsigned i = 0; i < PENDING; i++) {
        if (atomic_load_explicit(&pending[i].key, memory_order_acquire) != key)
            continue;
        *given = (uint64_t) pending[i].environment.given;
        environment__release(&pending[i].environment);
        give_pending(&pending[i]);
    }
}

void exec__reclaim(uintptr_t key) {
    uint64_t unused;

    if (key != 0)
        release_pending(key, &unused);
}

/* Which argument is the environment: of execve the third, of execveat the fourth. */
static unsigned environment_place(const struct nsd_ongoing *ongoing) {
    return ongoing->meaning->number == __NR_execveat ? 3 : 2;
}

static void hand_on(struct nsd_ongoing *ongoing, const struct nsd_next_image *next) {
    uint64_t *argument = &ongoing->argument[environment_place(ongoing)];
    uintptr_t vfork_key = caller__is_vfork_child(ongoing->key) ? ongoing->key : 0;
    struct nsd_environment *environment = &ongoing->kept.environment;
    struct pending *ours = NULL;

    if (!ongoing->entrance->keeps) {
        ours = take_pending(ongoing->key);
        if (ours == NULL)
            return;
        environment = &ours->environment;
    }
    environment__for_exec((char *const *) *argument, vfork_key, next, environment);
    if (ours != NULL && environment->list == (char **) *argument)
        give_pending(ours);
    *argument = (uint64_t) environment->list;
}

void calls__before_exec(struct nsd_ongoing *ongoing) {
    unsigned place = environment_place(ongoing);
    int folder = place == 3 ? (int) ongoing->argument[0] : AT_FDCWD;
    const char *path = (const char *) ongoing->argument[place - 2];
    struct nsd_next_image next;

    environment__look(folder, path, &next);
    if (!calls__prepare_whole(ongoing) || caller__is_stranger())
        ongoing->is_ours = false;
    if (ongoing->is_ours)
        last_words__report(&ongoing->event, NSD_OCCASION_EXEC);
    hand_on(ongoing, &next);
    unwatched__note(path, &next);
}

/*
 * An entrance that makes its call itself (Go's, syscall()) cannot make it again with the host's own
 * list, so it is made again here: in the host's stead, as the host would have made it, also under a
 * seccomp filter. Libc's functions are called again by their wrappers.
 */
static void try_given(struct nsd_ongoing *ongoing, char *const *changed) {
    const uint64_t *word = ongoing->argument;
    char *const *given = (char *const *) word[environment_place(ongoing)];

    if (word[environment_place(ongoing) - 2] != 0 &&
        environment__was_too_long(ongoing->result, given, changed))
        SYS5(ongoing->meaning->number, word[0], word[1], word[2], word[3], word[4]);
}

void calls__after_exec(struct nsd_ongoing *ongoing) {
    uint64_t *argument = &ongoing->argument[environment_place(ongoing)];
    char *const *changed = (char *const *) *argument;

    if (ongoing->entrance->keeps) {
        *argument = (uint64_t) ongoing->kept.environment.given;
        environment__release(&ongoing->kept.environment);
    } else {
        release_pending(ongoing->key, argument);
    }
    try_given(ongoing, changed);
    unwatched__take_back();
    if (calls__is_still_ours(ongoing))
        last_words__exec_failed(ongoing->tid, ongoing->result);
}
