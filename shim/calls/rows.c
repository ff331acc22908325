/*
 * The table of calls (table.h) as data: by row, and by system call number. Constant.
 */
#include "calls/meanings.h"

#include "calls_machine.h"

#define NUMBER_KERNEL(name) __NR_##name
#define NUMBER_LIBRARY(name) NSD_CALL_NUMBERS

#define ROW(numbered, id, call, form, when, condition, first, last)                                \
    [NSD_ROW_##id] = {                                                                             \
        .row = NSD_ROW_##id,                                                                       \
        .number = NUMBER_##numbered(id),                                                           \
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
    NSD_TABLE_OF_CALLS(KERNEL, LIBRARY, NSD_OLD_CALL(KERNEL, LIBRARY))
#undef KERNEL
#undef LIBRARY
};

const uint8_t nsd_row_of_number[NSD_CALL_NUMBERS] = {
#define KERNEL(name, ...) [__NR_##name] = NSD_ROW_##name,
#define LIBRARY(...)
    NSD_TABLE_OF_CALLS(KERNEL, LIBRARY, NSD_OLD_CALL(KERNEL, LIBRARY))
#undef KERNEL
#undef LIBRARY
};
