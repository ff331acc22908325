/*
 * Births and deaths of threads that libc makes: pthread_create and thrd_create with a start routine
 * of ours in between, the key whose destructor sees every way to die (return, pthread_exit,
 * thrd_exit, cancel, the main thread's pthread_exit), and the exits themselves for their stacks.
 * Nothing here waits; memory for threads on their way is a pool that does not grow.
 */
#include "probes/libc/threads.h"

#include "base/memory.h"
#include "base/syscall.h"
#include "probes/go/go.h"
#include "calls/creators.h"
#include "host/libc/next.h"
#include "calls/observe.h"
#include "base/pool.h"
#include "host/libc/prototypes.h"
#include "host/identity.h"
#include "host/image.h"

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
    struct nsd_event event;

    if (!nsd_on)
        return;
    if ((state & ROUND) < ROUNDS) {
        set_mark(state + 1);
        return;
    }
    if (!observe__begin(&event, NSD_CALL_THREAD_DIED, NULL))
        return;
    event.explicit_end = (state & EXITED) != 0;
    submit__event(&event);
}

bool threads__begin(void) {
    if (pthread_key_create == NULL || pthread_setspecific == NULL || pthread_getspecific == NULL ||
        pthread_key_create(&key, thread_ends) != 0)
        return false;
    atomic_store_explicit(&key_made, true, memory_order_release);
    set_mark(1);
    return true;
}

void threads__adopt(int32_t tid) {
    /* Of a thread that was cloned by hand libc's functions must not be asked. */
    if (caller__is_libc_thread(machine__thread_pointer(), tid) && mark() == 0)
        set_mark(1);
}

/* A thread on its way: filled by the parent, given back by the child before it does anything. */
struct birth {
    uint64_t pool_link;
    uintptr_t routine;
    void *argument;
    uint32_t token;
    int32_t parent;
};

#define BIRTHS 1024u
_Static_assert(sizeof(struct birth) % 16 == 0, "the pool keeps its blocks aligned");

static struct birth birth_memory[BIRTHS] __attribute__((aligned(16)));
static struct nsd_pool births = {
    .memory = birth_memory, .count = BIRTHS, .size = sizeof(struct birth)};

/* What the assembly goes on with: two words, in two registers. */
struct start {
    uintptr_t routine;
    void *argument;
};

/* The machine's start routine, and what it calls. */
void *threads__start(void *birth) __attribute__((visibility("hidden")));
struct start threads__born(struct birth *birth) __attribute__((visibility("hidden")));

struct start threads__born(struct birth *birth) {
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
 * Prepares a birth and hands in its first event, which keeps the start routine: it tells an M of Go
 * from a thread of a C library. NULL: the thread is made without us.
 */
static struct birth *announce(struct nsd_event *event, const struct nsd_site *site,
                              uintptr_t routine, void *argument) {
    struct birth *birth;

    if (!observe__begin(event, NSD_CALL_THREAD_CREATE, site))
        return NULL;
    birth = pool__take(&births);
    if (birth == NULL) {
        /* More threads than the pool has places are between birth and their first step. */
        submit__count_lost();
        return NULL;
    }
    event->arguments[0] = routine;
    /* Whose thread it is matters only where its creator may be away. */
    if (submit__any_switch())
        event->frames = creators__stack(event->frames);
    birth->routine = routine;
    birth->argument = argument;
    birth->parent = event->tid;
    birth->token = event->token = submit__new_token();
    submit__event(event);
    return birth;
}

static void not_created(struct nsd_event *event, struct birth *birth, int error) {
    pool__give(&births, birth);
    event->call = NSD_CALL_THREAD_NOT_CREATED;
    event->result = -error;
    submit__event(event);
}

int pthread_create(unsigned long *thread, const void *attributes, void *(*routine)(void *),
                   void *argument) {
    struct nsd_event event;
    struct birth *birth;
    int error;

    if (!nsd_on)
        image__begin_early();
    if (nsd_on && go__library_begins((uintptr_t) __builtin_return_address(0)))
        image__learn_go(true);
    if (!nsd_on || (birth = announce(&event, NSD_SITE(), (uintptr_t) routine, argument)) == NULL)
        return NEXT(pthread_create)(thread, attributes, routine, argument);
    error = NEXT(pthread_create)(thread, attributes, threads__start, birth);
    if (error != 0)
        not_created(&event, birth, error);
    return error;
}

int thrd_create(unsigned long *thread, int (*routine)(void *), void *argument) {
    struct nsd_event event;
    struct birth *birth;
    int error;

    if (!nsd_on || (birth = announce(&event, NSD_SITE(), (uintptr_t) routine, argument)) == NULL)
        return NEXT(thrd_create)(thread, routine, argument);
    error = NEXT(thrd_create)(thread, (int (*)(void *))(void *) threads__start, birth);
    if (error != 0)
        not_created(&event, birth, error);
    return error;
}

static void thread_exits(const struct nsd_site *site) {
    struct nsd_event event;

    if (!observe__begin(&event, NSD_CALL_THREAD_EXIT, site))
        return;
    set_mark((mark() | EXITED) + (mark() == 0));
    submit__event(&event);
}

void pthread_exit(void *value) {
    if (nsd_on)
        thread_exits(NSD_SITE());
    NEXT(pthread_exit)(value);
    __builtin_unreachable();
}

void thrd_exit(int value) {
    if (nsd_on)
        thread_exits(NSD_SITE());
    NEXT(thrd_exit)(value);
    __builtin_unreachable();
}
