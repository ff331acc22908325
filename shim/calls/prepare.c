/*
 * What most rows of the table share: whether the caller's events count, the event with its
 * arguments in one form, handing it in. Called by the functions that rows name; reached from signal
 * handlers, goroutines' hook stacks and vfork children, for which nothing is prepared.
 */
#include "calls/meanings.h"

/* Copies the arguments in the form of the row (table.h), the same for every entrance. */
static void take_arguments(struct nsd_ongoing *ongoing) {
    const char *form = ongoing->meaning->arguments;

    for (unsigned i = 0; form[i] != '\0'; i++) {
        uint64_t word = ongoing->argument[i];

        if (form[i] == 'd')
            word = (uint64_t) (int64_t) (int32_t) word;
        else if (form[i] == 'u')
            word = (uint32_t) word;
        ongoing->event.arguments[i] = word;
    }
}

static inline bool prepare(struct nsd_ongoing *ongoing, enum nsd_call call) {
    if (!calls__is_ours(ongoing))
        return false;
    submit__prepare(&ongoing->event, call, ongoing->tid);
    take_arguments(ongoing);
    ongoing->entrance->describe(ongoing);
    ongoing->is_prepared = true;
    return true;
}

bool calls__prepare(struct nsd_ongoing *ongoing, enum nsd_call call) {
    return prepare(ongoing, call);
}

bool calls__prepare_whole(struct nsd_ongoing *ongoing) {
    if (!prepare(ongoing, (enum nsd_call) ongoing->meaning->event))
        return false;
    ongoing->entrance->capture(ongoing);
    return true;
}

bool calls__prepare_late(struct nsd_ongoing *ongoing) {
    return calls__is_watched((enum nsd_watch) ongoing->meaning->watch) &&
           calls__prepare_whole(ongoing);
}

void calls__prepare_event(struct nsd_ongoing *ongoing) {
    if (ongoing->entrance->keeps)
        calls__prepare_whole(ongoing);
}

void calls__record(struct nsd_ongoing *ongoing) {
    if (calls__has_event(ongoing))
        calls__hand_in(ongoing);
}
