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
    uint64_t given; /* the host's own argument */
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
        *given = pending[i].given;
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

static void hand_on(struct nsd_ongoing *ongoing) {
    uint64_t *argument = &ongoing->argument[environment_place(ongoing)];
    uintptr_t vfork_key = caller__is_vfork_child(ongoing->key) ? ongoing->key : 0;
    struct nsd_environment *environment = &ongoing->kept.environment;
    struct pending *ours = NULL;

    if (!ongoing->entrance->keeps) {
        ours = take_pending(ongoing->key);
        if (ours == NULL)
            return;
        environment = &ours->environment;
        ours->given = *argument;
    }
    environment__for_exec((char *const *) *argument, vfork_key, environment);
    if (ours != NULL && environment->list == (char **) *argument)
        give_pending(ours);
    *argument = (uint64_t) environment->list;
}

void calls__before_exec(struct nsd_ongoing *ongoing) {
    unsigned place = environment_place(ongoing);

    if (!calls__prepare_whole(ongoing) || caller__is_stranger())
        ongoing->is_ours = false;
    if (ongoing->is_ours)
        last_words__report(&ongoing->event, NSD_OCCASION_EXEC);
    hand_on(ongoing);
    unwatched__note(place == 3 ? (int) ongoing->argument[0] : AT_FDCWD,
                    (const char *) ongoing->argument[place - 2]);
}

void calls__after_exec(struct nsd_ongoing *ongoing) {
    if (ongoing->entrance->keeps)
        environment__release(&ongoing->kept.environment);
    else
        release_pending(ongoing->key, &ongoing->argument[environment_place(ongoing)]);
    unwatched__take_back();
    if (calls__is_still_ours(ongoing))
        last_words__exec_failed(ongoing->tid, ongoing->result);
}
