/*
 * Reading a list of NAME=VALUE that the host hands to an exec. Every byte of it comes by the copy
 * that cannot fault, because the kernel answers EFAULT for such a list where a plain load would end
 * the host. Where sys__is_forbidden() plain loads have to do. Called by environment.c, also in
 * vfork children and on hook stacks.
 */
#ifndef NSD_HOST_HOST_LIST_H
#define NSD_HOST_HOST_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The variables that the shim may have to change. */
enum nsd_variable {
    NSD_VARIABLE_OTHER,
    NSD_VARIABLE_SWITCH,  /* NSDRIFT= */
    NSD_VARIABLE_OPTIONS, /* NSDRIFT_OPTIONS= */
    NSD_VARIABLE_PRELOAD, /* LD_PRELOAD= */
    NSD_VARIABLE_ASAN,    /* ASAN_OPTIONS= */
    NSD_VARIABLES,
};

/* "NAME=" of a variable; its length counts the equals sign. */
const char *host_list__name(enum nsd_variable variable);
size_t host_list__name_length(enum nsd_variable variable);

/* Entries that are read at once. Small, because hooks run on small stacks. */
#define HOST_LIST_PIECE 32u
struct nsd_list_piece {
    const char *entry[HOST_LIST_PIECE];
    enum nsd_variable variable[HOST_LIST_PIECE];
    unsigned count;
    bool is_last; /* the list's NULL comes after these */
};

/* Reads the next entries of the list from `at` on. False where the kernel would answer EFAULT. */
bool host_list__read(char *const *at, struct nsd_list_piece *piece);

/* Copies `size` bytes of the host's; false if they are not all there. */
bool host_list__copy(void *to, const void *from, size_t size);

/* Reads a string of the host's, character by character. */
struct nsd_host_string {
    const char *next; /* what stands behind `piece` */
    unsigned used, have;
    bool has_failed; /* the string runs into memory that is not there */
    char piece[128];
};
void host_string__begin(struct nsd_host_string *string, const char *from);
/* The next character; NUL at the end, and where the string cannot be read on. */
char host_string__next(struct nsd_host_string *string);

#endif
