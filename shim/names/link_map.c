/*
 * The loader's list, see link_map.h.
 */
#include "names/link_map.h"

#include "base/memory.h"
#include "names/elf.h"

/* A list that is longer than this is no list. */
#define LIST_MOST 4096u
#define DYNAMIC_MOST 4096u

/* glibc's ld.so exports the first name, musl's the second. */
extern const struct nsd_link_list _r_debug __attribute__((weak));
extern const struct nsd_link_list *const _dl_debug_addr __attribute__((weak));

const struct nsd_link_list *link_map__of_loader(void) {
    if (&_r_debug != NULL)
        return &_r_debug;
    return &_dl_debug_addr != NULL ? _dl_debug_addr : NULL;
}

const struct nsd_link_list *link_map__of_program(const Elf64_Phdr *headers, unsigned count,
                                                 uintptr_t base) {
    for (unsigned i = 0; i < count; i++) {
        if (headers[i].p_type == PT_DYNAMIC)
            return (const struct nsd_link_list *) elf__dynamic_value(
                (const Elf64_Dyn *) (base + headers[i].p_vaddr), DYNAMIC_MOST, DT_DEBUG);
    }
    return NULL;
}

bool link_map__load(void *to, const void *from, size_t size) {
    memory__copy(to, from, size);
    return true;
}

bool link_walk__begin(struct nsd_link_walk *walk, const struct nsd_link_list *list,
                      nsd_link_read *read) {
    walk->read = read;
    walk->at = NULL;
    walk->length = 0;
    walk->broken = list == NULL || !read(&walk->next, &list->first, sizeof walk->next);
    return !walk->broken;
}

bool link_walk__step(struct nsd_link_walk *walk) {
    if (walk->broken || walk->next == NULL)
        return false;
    walk->broken = walk->length++ == LIST_MOST ||
                   !walk->read(&walk->node, walk->next, sizeof walk->node);
    if (walk->broken)
        return false;
    walk->at = walk->next;
    walk->next = walk->node.next;
    return true;
}
