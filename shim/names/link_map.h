/*
 * The loader's list of what is loaded, as debuggers read it (<link.h>; the same in glibc and musl):
 * where it is, and a walk over it. Called by the module table and by the look-up of libc functions
 * before that table stands. Takes no lock of the loader; a walk may meet a list that another
 * thread is changing.
 */
#ifndef NSD_NAMES_LINK_MAP_H
#define NSD_NAMES_LINK_MAP_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct link_map: the part that debuggers rely on. */
struct nsd_link {
    uintptr_t base; /* load bias */
    const char *path;
    const Elf64_Dyn *dynamic;
    const struct nsd_link *next, *previous;
};

/* struct r_debug. */
struct nsd_link_list {
    int version;
    const struct nsd_link *first;
    uintptr_t breakpoint;
    int state; /* 0: consistent; 1, 2: being added to, being taken from */
    uintptr_t loader;
};

/* By DT_DEBUG of the main program, whose headers these are; NULL if it is static. */
const struct nsd_link_list *link_map__of_program(const Elf64_Phdr *headers, unsigned count,
                                                 uintptr_t base);
/* By the name that the loader exports; NULL without a loader. */
const struct nsd_link_list *link_map__of_loader(void);

/* Copies memory of the loader; false if it is not there. */
typedef bool nsd_link_read(void *to, const void *from, size_t size);

/* Plain loads: only for what stays loaded. */
bool link_map__load(void *to, const void *from, size_t size);

struct nsd_link_walk {
    nsd_link_read *read;
    const struct nsd_link *at; /* the node that the last step came to */
    struct nsd_link node;      /* its contents */
    const struct nsd_link *next;
    unsigned length;
    bool broken; /* the walk ended at memory that is not there, or the list has no end */
};

/* False, and `broken`, if the list's head cannot be read. */
bool link_walk__begin(struct nsd_link_walk *walk, const struct nsd_link_list *list,
                      nsd_link_read *read);
/* To the next node; false at the end. */
bool link_walk__step(struct nsd_link_walk *walk);

#endif
