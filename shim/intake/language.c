/*
 * The language that was made known (language.h). Reached from every probe: one load, then the
 * language's own function.
 */
#include "intake/language.h"
#include <stdatomic.h>
#include <stddef.h>

/*
 * Release and acquire: a Go library makes itself known while other threads run, and they must see
 * the decoded runtime behind the pointer.
 */
static const struct nsd_language *_Atomic known;

static const struct nsd_language *language(void) {
    return atomic_load_explicit(&known, memory_order_acquire);
}

void language__set(const struct nsd_language *language) {
    atomic_store_explicit(&known, language, memory_order_release);
}

bool language__is_known(void) {
    return language() != NULL;
}

bool language__identify(int32_t tid, struct nsd_event *event) {
    const struct nsd_language *asked = language();

    return asked != NULL && asked->identify(tid, event);
}

void language__watch_descriptors(void) {
    const struct nsd_language *asked = language();

    if (asked != NULL)
        asked->watch_descriptors();
}

const struct nsd_frames *language__behind_c(int32_t tid, const struct nsd_frames *frames) {
    const struct nsd_language *asked = language();

    return asked != NULL && frames != NULL ? asked->behind_c(tid, frames) : frames;
}
