/*
 * The table of calls as data, and what all rows share: who calls, the event, its arguments in one
 * form, handing it in. Called by the entrances around every watched call.
 */
#include "calls/meanings.h"

#define NUMBER_KERNEL(name) __NR_##name
#define NUMBER_LIBRARY(name) NSD_CALL_NUMBERS

#define ROW(numbered, row, call, form, when, condition, first, last)                               \
    [NSD_ROW_##row] = {                                                                            \
        .name = #row,                                                                              \
        .number = NUMBER_##numbered(row),                                                          \
        .event = NSD_CALL_##call,                                                                  \
        .moments = NSD_MOMENT_##when,                                                              \
        .watch = NSD_WATCH_##condition,                                                            \
        .arguments = form,                                                                         \
        .before = (first),                                                                         \
        .after = (last),                                                                           \
    },

const struct nsd_call_meaning nsd_call_meanings[NSD_ROWS] = {
#define KERNEL(name, ...) ROW(KERNEL, name, __VA_ARGS__)
#define LIBRARY(name, ...) ROW(LIBRARY, name, __VA_ARGS__)
    NSD_TABLE_OF_CALLS(KERNEL, LIBRARY)
#undef KERNEL
#undef LIBRARY
};

const uint8_t nsd_row_of_number[NSD_CALL_NUMBERS] = {
#define KERNEL(name, ...) [__NR_##name] = NSD_ROW_##name,
#define LIBRARY(...)
    NSD_TABLE_OF_CALLS(KERNEL, LIBRARY)
#undef KERNEL
#undef LIBRARY
};

/* The same words whichever register or variable they came in: see `arguments` in table.h. */
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

void calls__prepare_event(struct nsd_ongoing *ongoing) {
    if (ongoing->entrance->keeps)
        calls__prepare_whole(ongoing);
}

void calls__record(struct nsd_ongoing *ongoing) {
    if (calls__has_event(ongoing))
        calls__hand_in(ongoing);
}
