/*
 * The Go probe: finds the runtime of the executable, or of the first library that has one, decodes
 * it, patches its call sites, and finds the goroutine that runs on a thread. Started by the
 * constructor, before any of the executable's code has run, and by the library's first
 * pthread_create; libc's wrappers and the report ask for the goroutine of a thread
 * (intake/language.h). Patches nothing once the runtime has a thread.
 */
#include "probes/go/go.h"
#include "base/options.h"
#include "intake/language.h"
#include "intake/submit.h"
#include "probes/go/hook.h"
#include "probes/go/hooked_call.h"
#include "probes/go/patch.h"
#include "probes/go/stackpool.h"
#include "report/report.h"
#include "stacks/capture.h"
#include <stdatomic.h>

static unsigned sites, sites_watched;

bool go__known(void) {
    return runtime__is_decoded(&nsd_go_runtime);
}

const char *go__version(void) {
    return nsd_go_runtime.version[0] != '\0' ? nsd_go_runtime.version : NULL;
}

bool go__is_newer(void) {
    return go__known() && nsd_go_runtime.newer;
}

unsigned go__sites(void) {
    return sites;
}

unsigned go__sites_watched(void) {
    return sites_watched;
}

static struct nsd_module *executable(void) {
    for (unsigned i = 0; i < modules__count(); i++) {
        struct nsd_module *module = modules__at(i);

        if (module->is_executable)
            return module;
    }
    return NULL;
}

/*
 * Whether a place is patched. In a runtime that could not be decoded only runtime.exit is, which
 * needs no knowledge of g: the report must say that the runtime is unknown. rt_sigaction is patched
 * only where signal= asks for it.
 */
static bool is_wanted(const struct nsd_go_runtime *runtime, const struct nsd_go_site *site) {
    if (site->syscall == 0)
        return false;
    if (site->kind == NSD_GO_SITE_RT_SIGACTION)
        return runtime__is_decoded(runtime) && nsd_go_signal != 0;
    return runtime__is_decoded(runtime) || site->kind == NSD_GO_SITE_EXIT;
}

static void patch(const struct nsd_go_runtime *runtime) {
    const char *prepared[NSD_GO_SITES], *why;
    unsigned count = 0;

    if (!stackpool__begin() || !patch__begin(runtime)) {
        coverage__missing("go", "no memory for its hooks within reach of its code");
        return;
    }
    for (unsigned i = 0; i < NSD_GO_SITES; i++) {
        const struct nsd_go_site *site = &runtime->site[i];

        if (!is_wanted(runtime, site))
            continue;
        sites++;
        if (patch__prepare(site, &why))
            prepared[count++] = site->function;
        else
            coverage__missing(site->function, why);
    }
    why = patch__commit(runtime);
    if (why != NULL) {
        coverage__missing("go", why);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        coverage__probe(prepared[i]);
    sites_watched = count;
}

static bool identify(int32_t tid, struct nsd_event *event) {
    struct nsd_goroutine goroutine;
    uint64_t m;

    m = goroutine__m_of_thread(&nsd_go_runtime, tid);
    if (m == 0)
        return false;
    if (goroutine__of_m(&nsd_go_runtime, m, tid, &goroutine)) {
        goroutine__into_event(&goroutine, event);
    } else {
        event->runtime = NSD_RUNTIME_GO;
        event->lock = NSD_LOCK_UNKNOWN;
    }
    return true;
}

/* Joins the goroutine's frames only if the walk through C ended in Go's text, at asmcgocall. */
static const struct nsd_frames *behind_c(int32_t tid, const struct nsd_frames *frames) {
    uint64_t last = frames->depth > 0 ? frames->frame[frames->depth - 1].pc : 0;
    struct nsd_go_call_of_c call;
    uint64_t m;

    if (last < nsd_go_runtime.text_start || last >= nsd_go_runtime.text_end)
        return frames;
    m = goroutine__m_of_thread(&nsd_go_runtime, tid);
    if (m == 0 || !goroutine__call_of_c(&nsd_go_runtime, m, &call))
        return frames;
    return capture__go_behind(frames, call.pc, call.frame_pointer, call.stack_low, call.stack_high);
}

static const struct nsd_language go_language = {identify, hook__watch_descriptors, behind_c};

bool go__begin(void) {
    struct nsd_go_runtime *runtime = &nsd_go_runtime;
    struct nsd_module *module = executable();

    if (module == NULL || !runtime__find(module, runtime))
        return false;
    module->is_go = true;
    if (!runtime->found || !runtime__decode(runtime))
        coverage__missing("go", runtime->why != NULL ? runtime->why : "unknown build");
    if (!runtime->found)
        return true;
    nsd_go_signal = (uint32_t) nsd_options.signal.number;
    hook__begin();
    patch(runtime);
    if (runtime__is_decoded(runtime))
        language__set(&go_language);
    return true;
}

/*
 * Modules that were looked at, by number: a program may make threads by the thousand. Relaxed for
 * the first look, an exchange decides which thread goes on.
 */
#define LOOKED_MOST 256u
static _Atomic bool looked[LOOKED_MOST];
/*
 * The runtime of a library was taken. Sequentially consistent exchange, so that one thread takes
 * it; the load acquires, and a thread that reads false goes on to the exchange.
 */
static _Atomic bool has_library;

/*
 * No thread can be in the bytes that are replaced in a library. The caller is the library's own
 * constructor (cgo's _cgo_sys_thread_create, called from _rt0_*_lib), on the thread that loads the
 * library and that is in our code now. The runtime's first thread is about to be made: the list of
 * Ms is still empty, and runtime.schedinit fills it before anything else. No other thread has an
 * address of the library before it is loaded, and its exported functions wait for the runtime in C
 * (_cgo_wait_runtime_init_done).
 */
static bool has_not_begun(const struct nsd_go_runtime *runtime) {
    return runtime->allm != 0 && *(const volatile uint64_t *) (uintptr_t) runtime->allm == 0;
}

bool go__library_begins(uintptr_t return_address) {
    static struct nsd_go_runtime candidate;
    struct nsd_module *module;
    uint32_t number;
    bool decoded;

    if (nsd_go_runtime.found || atomic_load_explicit(&has_library, memory_order_acquire))
        return false;
    module = modules__of(return_address);
    number = modules__number(module);
    if (number == 0 || number >= LOOKED_MOST || module->is_executable || module->is_shim ||
        atomic_load_explicit(&looked[number], memory_order_relaxed) ||
        atomic_exchange(&looked[number], true))
        return false;
    if (!module__has_go_note(module) || atomic_exchange(&has_library, true) ||
        !runtime__find(module, &candidate))
        return false;
    decoded = candidate.found && runtime__decode(&candidate);
    /* What is copied below must not say that it is decoded before all of it is there. */
    atomic_store_explicit(&candidate.decoded, false, memory_order_relaxed);
    if (decoded && !has_not_begun(&candidate)) {
        decoded = false;
        candidate.why = "it is in a library that was loaded without being seen";
    }
    if (!decoded) {
        coverage__missing("go", candidate.why != NULL ? candidate.why : "unknown build");
        nsd_go_runtime.why = candidate.why;
        return true;
    }
    nsd_go_runtime = candidate;
    atomic_store_explicit(&nsd_go_runtime.decoded, true, memory_order_release);
    nsd_go_signal = (uint32_t) nsd_options.signal.number;
    hook__begin();
    patch(&nsd_go_runtime);
    language__set(&go_language);
    if (submit__any_descriptor())
        hook__watch_descriptors();
    return true;
}
