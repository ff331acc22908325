/*
 * Births and deaths of threads that libc makes: a start routine of ours in front of the host's, the
 * key whose destructor sees every way to die (return, pthread_exit, thrd_exit, cancel, the main
 * thread's pthread_exit), and the exits themselves for their stacks. Nothing here waits; memory for
 * threads on their way is a pool that does not grow.
 */
#include "calls/births.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/syscall.h"
#include "calls/creators.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "intake/language.h"

extern int pthread_key_create(unsigned *key, void (*destructor)(void *)) __attribute__((weak));
extern int pthread_setspecific(unsigned key, const void *value) __attribute__((weak));
extern void *pthread_getspecific(unsigned key) __attribute__((weak));

/*
 * What the key holds in a thread, as a number: how often the destructor ran, and how the thread
 * came to its end. Both libcs run destructors at most four times (PTHREAD_DESTRUCTOR_ITERATIONS),
 * round after round while one of them sets a value: ours sets it again until the last round, so
 * that what other destructors do is still seen as done by a living thread.
 */
#define ROUNDS 4u
#define ROUND 7u
#define EXITED 8u /* by pthread_exit, thrd_exit; a return and a cancellation look alike */

static unsigned key;
/* Released after `key` is written, acquired before it is read. */
static _Atomic bool key_made;

static uintptr_t mark(void) {
    return atomic_load_explicit(&key_made, memory_order_acquire)
               ? (uintptr_t) pthread_getspecific(key)
               : 0;
}

static void set_mark(uintptr_t value) {
    if (atomic_load_explicit(&key_made, memory_order_acquire))
        pthread_setspecific(key, (const void *) value);
}

static void thread_ends(void *value) {
    uintptr_t state = (uintptr_t) value;
    struct nsd_caller caller;
    struct nsd_event event;

    if (!nsd_on)
        return;
    if ((state & ROUND) < ROUNDS) {
        set_mark(state + 1);
        return;
    }
    if (!caller__is_ours(&caller, machine__thread_pointer(), 0))
        return;
    submit__prepare(&event, NSD_CALL_THREAD_DIED, caller.tid);
    language__identify(caller.tid, &event);
    event.explicit_end = (state & EXITED) != 0;
    submit__event(&event);
}

bool births__begin(void) {
    if (pthread_key_create == NULL || pthread_setspecific == NULL || pthread_getspecific == NULL ||
        pthread_key_create(&key, thread_ends) != 0)
        return false;
    atomic_store_explicit(&key_made, true, memory_order_release);
    set_mark(1);
    return true;
}

void births__adopt(int32_t tid) {
    /* Not in a thread that was cloned by hand: it has no state that libc's functions could use. */
    if (caller__is_libc_thread(machine__thread_pointer(), tid) && mark() == 0)
        set_mark(1);
}

/*
 * A thread between pthread_create and its first step: filled by the parent, given back by the
 * child.
 */
struct nsd_thread_start {
    uint64_t pool_link;
    uintptr_t routine;
    void *argument;
    uint32_t token;
    int32_t parent;
};

#define BIRTHS 1024u
_Static_assert(sizeof(struct nsd_thread_start) % 16 == 0, "the pool keeps its blocks aligned");

static struct nsd_thread_start birth_memory[BIRTHS] __attribute__((aligned(16)));
static struct nsd_pool births = {
    .memory = birth_memory, .count = BIRTHS, .size = sizeof(struct nsd_thread_start)};

/* The host's start routine and its argument, returned to the assembly in two registers. */
struct start {
    uintptr_t routine;
    void *argument;
};

/* The machine's start routine, and what it calls. */
void *births__start(void *birth) __attribute__((visibility("hidden")));
struct start births__born(struct nsd_thread_start *birth) __attribute__((visibility("hidden")));

struct start births__born(struct nsd_thread_start *birth) {
    const struct start start = {birth->routine, birth->argument};
    struct nsd_event event;
    int32_t tid = caller__tid_at_birth(machine__thread_pointer());

    submit__prepare(&event, NSD_CALL_THREAD_BORN, tid);
    event.token = birth->token;
    event.other_tid = birth->parent;
    pool__give(&births, birth);
    set_mark(1);
    if (tid != 0)
        submit__event(&event);
    else
        submit__count_lost();
    return start;
}

/*
 * Places of pthread_create's arguments; thrd_create, which has no attributes, is handed over
 * likewise.
 */
enum { ROUTINE = 2, ARGUMENT = 3 };

/*
 * Hands in the first event of a birth and puts our start routine in the place of the host's. The
 * event keeps the host's routine, by which an M of Go and a thread of a C library differ. Where the
 * pool is empty nothing is changed: the thread is then created without us.
 */
void calls__before_create(struct nsd_ongoing *ongoing) {
    struct nsd_event *event = &ongoing->event;
    struct nsd_thread_start *birth;

    ongoing->kept.birth = NULL;
    if (!calls__prepare_whole(ongoing))
        return;
    birth = pool__take(&births);
    if (birth == NULL) {
        /* More threads than the pool has places are between birth and their first step. */
        submit__count_lost();
        return;
    }
    event->arguments[0] = ongoing->argument[ROUTINE];
    /* The creator matters only once a thread has switched: before that none is away from home. */
    if (submit__any_switch())
        event->frames = creators__stack(event->frames);
    birth->routine = (uintptr_t) ongoing->argument[ROUTINE];
    birth->argument = (void *) ongoing->argument[ARGUMENT];
    birth->parent = event->tid;
    birth->token = event->token = submit__new_token();
    submit__event(event);
    ongoing->kept.birth = birth;
    ongoing->argument[ROUTINE] = (uint64_t) births__start;
    ongoing->argument[ARGUMENT] = (uint64_t) birth;
}

void calls__after_create(struct nsd_ongoing *ongoing) {
    if (ongoing->result == 0 || ongoing->kept.birth == NULL)
        return;
    pool__give(&births, ongoing->kept.birth);
    ongoing->event.call = NSD_CALL_THREAD_NOT_CREATED;
    calls__hand_in(ongoing);
}

void calls__before_thread_exit(struct nsd_ongoing *ongoing) {
    if (!calls__prepare_whole(ongoing))
        return;
    set_mark((mark() | EXITED) + (mark() == 0));
    submit__event(&ongoing->event);
}
