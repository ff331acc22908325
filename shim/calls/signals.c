/*
 * The option signal=: our handler is installed in the kernel, and the host's own action is kept
 * here. The handler writes the report and then does what the host's action says: it calls the
 * host's handler, ends the process as the default does, or does nothing where the default ignores
 * the signal. The handler runs on whatever stack the host gave it. A signal that the host ignores
 * is left to the kernel.
 */
#include "calls/signals.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/syscall.h"
#include "calls/exits.h"
#include "calls/meanings.h"
#include "host/caller.h"
#include "host/image.h"
#include "intake/last_words.h"
#include "intake/submit.h"
#include <asm/errno.h>
#include <stdatomic.h>
#include <stdint.h>

/* The kernel's flags, from <asm/signal.h>, which libc's headers would contradict. */
#define FLAG_SIGINFO 0x00000004ul
#define FLAG_RESTORER 0x04000000ul
#define FLAG_ONSTACK 0x08000000ul
#define FLAG_RESTART 0x10000000ul
#define FLAG_RESETHAND 0x80000000ul
#define SIGNAL_KILL 9

void signals__return(void);

/*
 * The host's own action, as four words that any thread may read while another one writes them.
 *
 *     write   version becomes odd, by a compare and swap that only one writer wins; the words;
 *             version becomes even, with release
 *     read    version with acquire; the words; a fence; the same version again, or nothing was read
 *
 * A writer that a handler of the same thread interrupts would be waited for in vain, so nobody
 * waits: tries are bounded, and the handler then calls no handler of the host.
 */
#define ACTION_WORDS 4u
_Static_assert(sizeof(struct nsd_kernel_action) == ACTION_WORDS * sizeof(uint64_t), "four words");
#define TRIES 1000u
/* Relaxed: the version and the fences order them. */
static _Atomic uint64_t host[ACTION_WORDS];
static _Atomic uint32_t host_version;

static bool read_host(struct nsd_kernel_action *action) {
    uint64_t words[ACTION_WORDS];

    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint32_t version = atomic_load_explicit(&host_version, memory_order_acquire);

        for (unsigned i = 0; i < ACTION_WORDS; i++)
            words[i] = atomic_load_explicit(&host[i], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if ((version & 1) == 0 &&
            atomic_load_explicit(&host_version, memory_order_relaxed) == version) {
            __builtin_memcpy(action, words, sizeof words);
            return true;
        }
        machine__pause();
    }
    return false;
}

/* False: another writer does not end; its wish stands. */
static bool write_host(const struct nsd_kernel_action *action) {
    uint64_t words[ACTION_WORDS];

    __builtin_memcpy(words, action, sizeof words);
    for (unsigned tries = 0; tries < TRIES; tries++) {
        uint32_t version = atomic_load_explicit(&host_version, memory_order_relaxed);

        if ((version & 1) == 0 &&
            atomic_compare_exchange_strong_explicit(&host_version, &version, version + 1,
                                                    memory_order_acquire, memory_order_relaxed)) {
            atomic_thread_fence(memory_order_release);
            for (unsigned i = 0; i < ACTION_WORDS; i++)
                atomic_store_explicit(&host[i], words[i], memory_order_relaxed);
            atomic_store_explicit(&host_version, version + 2, memory_order_release);
            return true;
        }
        machine__pause();
    }
    return false;
}

/* What the kernel has for our signal. */
static long read_kernel_action(struct nsd_kernel_action *action) {
    return disposition__read((int) nsd_options.signal.number, action);
}

/* ---- our handler ---- */

static void on_signal(int number, void *info, void *context);

static void install_as_wished(void) {
    struct nsd_kernel_action ours, wished;

    memory__fill(&ours, 0, sizeof ours);
    ours.handler = (void (*)(int))(void *) on_signal;
    ours.restorer = signals__return;
    ours.flags = FLAG_SIGINFO | FLAG_RESTORER;
    if (!read_host(&wished) || wished.handler == NSD_HANDLER_DEFAULT) {
        ours.flags |= FLAG_RESTART | FLAG_ONSTACK;
    } else if (wished.handler == NSD_HANDLER_IGNORE) {
        /* A handler would interrupt nanosleep, poll and the like, and is not ignored by a child. */
        ours = wished;
    } else {
        ours.flags |= wished.flags & ~FLAG_RESETHAND;
        ours.mask = wished.mask;
    }
    disposition__set((int) nsd_options.signal.number, &ours);
}

/*
 * Again if the host's action has changed meanwhile: the thread that changed it may have called the
 * kernel first, and an older wish would stay there (ignored, although the host has a handler).
 */
static void install(void) {
    uint32_t version;
    unsigned tries = 0;

    do {
        version = atomic_load_explicit(&host_version, memory_order_acquire);
        install_as_wished();
    } while (++tries < TRIES &&
             atomic_load_explicit(&host_version, memory_order_acquire) != version);
}

static void report(int number, bool ends) {
    struct nsd_caller caller;
    struct nsd_event event;

    if (!caller__is_ours(&caller, image__has_libc() ? machine__thread_pointer() : 0, 0))
        return;
    submit__prepare(&event, ends ? NSD_CALL_RAISE : NSD_CALL_REPORT, caller.tid);
    event.arguments[0] = (uint64_t) number;
    if (ends)
        exits__report(&event);
    else
        last_words__report(&event, NSD_OCCASION_SIGNAL);
}

static void on_signal(int number, void *info, void *context) {
    struct nsd_kernel_action action;
    bool is_known = read_host(&action);
    bool ends =
        is_known && action.handler == NSD_HANDLER_DEFAULT && disposition__default_ends(number);

    report(number, ends);
    if (ends)
        disposition__end_by(number);
    /* It may be ignored by now: another thread's wish. */
    if (!is_known || action.handler == NSD_HANDLER_DEFAULT || action.handler == NSD_HANDLER_IGNORE)
        return;
    if ((action.flags & FLAG_RESETHAND) != 0) {
        struct nsd_kernel_action none = action;

        none.handler = NSD_HANDLER_DEFAULT; /* as the kernel does (kernel/signal.c, get_signal) */
        write_host(&none);
    }
    ((void (*)(int, void *, void *))(void *) action.handler)(number, info, context);
}

bool signals__is_ours(int number, uintptr_t key) {
    /* A vfork child's wishes are for the next image; the kernel keeps them apart from ours. */
    return nsd_on && number != 0 && number == (int) nsd_options.signal.number &&
           !caller__is_vfork_child(key);
}

void signals__begin(void) {
    struct nsd_kernel_action action;

    if (nsd_options.signal.number == 0)
        return;
    /* The action that the image was started with (nohup: ignored) is the host's first one. */
    if (read_kernel_action(&action) == 0)
        write_host(&action);
    install();
}

void signals__host_action(const struct nsd_kernel_action *set, struct nsd_kernel_action *old) {
    struct nsd_kernel_action wished, before;

    /* Both are the host's and may be one; read first, because a read may fault. */
    if (set != NULL)
        wished = *set;
    if (!read_host(&before))
        memory__fill(&before, 0, sizeof before);
    if (set != NULL) {
        write_host(&wished);
        install();
    }
    if (old != NULL)
        *old = before;
}

/*
 * The kernel tells whether the host's two structs are there, as it would have told the host: it
 * reads the new action before it refuses SIGKILL, and it writes the old one (kernel/signal.c,
 * SYSCALL_DEFINE4(rt_sigaction)).
 */
static long answer(const struct nsd_kernel_action *set, struct nsd_kernel_action *old) {
    struct nsd_kernel_action before;

    if (set != NULL && disposition__set(SIGNAL_KILL, set) == -EFAULT)
        return -EFAULT;
    signals__host_action(set, &before);
    if (old == NULL)
        return 0;
    if (read_kernel_action(old) == -EFAULT)
        return -EFAULT;
    *old = before;
    return 0;
}

/* For our signal the answer is given here. */
void calls__before_sigaction(struct nsd_ongoing *ongoing) {
    if (!signals__is_ours((int) ongoing->argument[0], ongoing->key))
        return;
    ongoing->is_answered = true;
    if (ongoing->argument[3] != sizeof(((struct nsd_kernel_action *) 0)->mask)) {
        ongoing->result = -EINVAL;
        return;
    }
    ongoing->result = answer((const struct nsd_kernel_action *) ongoing->argument[1],
                             (struct nsd_kernel_action *) ongoing->argument[2]);
}
