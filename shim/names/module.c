/*
 * What a module's own headers say about it, see module.h. Called by modules.c while it fills a
 * module in, and by the Go finder.
 */
#include "names/module.h"

#include "base/memory.h"
#include "base_machine.h"
#include "names/loader_memory.h"

/* How far below its dynamic section a library's ELF header is looked for, in pages. */
#define SEARCHED_PAGES 1024u

static bool read_address(const void *context, uint64_t at, void *to, size_t size) {
    (void) context;
    return loader_memory__read(to, (const void *) (uintptr_t) at, size);
}

bool module__read_headers(struct nsd_module *module, uintptr_t at, const Elf64_Dyn *dynamic,
                          Elf64_Phdr *headers) {
    Elf64_Ehdr elf;
    unsigned count = elf__read_headers(read_address, NULL, at, &elf, headers,
                                       NSD_MODULE_HEADERS_MOST);

    for (unsigned i = 0; dynamic != NULL && i < count; i++) {
        if (headers[i].p_type == PT_DYNAMIC &&
            module->base + headers[i].p_vaddr != (uintptr_t) dynamic)
            return false;
    }
    if (count == 0)
        return false;
    module->header_count = count;
    return true;
}

bool module__find_headers(struct nsd_module *module, const Elf64_Dyn *dynamic,
                          Elf64_Phdr *headers) {
    uintptr_t page = (uintptr_t) dynamic & ~(NSD_PAGE_SIZE - 1);

    if (module__read_headers(module, module->base, dynamic, headers))
        return true;
    for (unsigned i = 0; loader_memory__is_safe() && i < SEARCHED_PAGES && page > NSD_PAGE_SIZE;
         i++, page -= NSD_PAGE_SIZE) {
        if (module__read_headers(module, page, dynamic, headers))
            return true;
    }
    return false;
}

/* Memory of a module that the loader may be about to take away. */
static bool read_linked(const void *context, uint64_t at, void *to, size_t size) {
    const struct nsd_module *module = context;
    uintptr_t from = module->base + at;

    return from >= module->start && from <= module->end && size <= module->end - from &&
           loader_memory__read(to, (const void *) from, size);
}

bool module__describe(struct nsd_module *module) {
    uintptr_t low = UINTPTR_MAX, high = 0, text_low = UINTPTR_MAX, text_high = 0;
    struct nsd_elf notes = {NULL, 0, false, read_linked, module};

    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];
        uintptr_t from = module->base + header->p_vaddr;
        uintptr_t to = from + header->p_memsz;

        if (header->p_type == PT_LOAD) {
            low = from < low ? from : low;
            high = to > high ? to : high;
            if (header->p_flags & PF_X) {
                text_low = from < text_low ? from : text_low;
                text_high = to > text_high ? to : text_high;
            }
        } else if (header->p_type == PT_DYNAMIC) {
            module->dynamic = (const Elf64_Dyn *) from;
        } else if (header->p_type == PT_GNU_EH_FRAME) {
            module->eh_frame_header = (const uint8_t *) from;
            module->eh_frame_header_size = header->p_memsz;
        } else if (header->p_type == PT_NOTE) {
            notes.headers = notes.headers == NULL ? header : notes.headers;
            notes.header_count = (unsigned) (header - notes.headers) + 1;
        }
    }
    if (high == 0)
        return false;
    module->start = low;
    module->end = high;
    if (text_high != 0) {
        module->text_start = text_low;
        module->text_end = text_high;
    }
    module->build_id_size = (uint8_t) elf__build_id(&notes, module->build_id, NSD_BUILD_ID_MOST);
    return true;
}

/* Memory of a module that is loaded, as far as its file fills a segment that can be read. */
static bool read_segment(const void *context, uint64_t at, void *to, size_t size) {
    const struct nsd_module *module = context;

    for (unsigned i = 0; i < module->header_count; i++) {
        const Elf64_Phdr *header = &module->headers[i];

        if (header->p_type == PT_LOAD && (header->p_flags & PF_R) != 0 &&
            at >= header->p_vaddr && size <= header->p_filesz &&
            at - header->p_vaddr <= header->p_filesz - size) {
            memory__copy(to, (const void *) (module->base + at), size);
            return true;
        }
    }
    return false;
}

bool module__has_go_note(const struct nsd_module *module) {
    struct nsd_elf elf = {module->headers, module->header_count, false, read_segment, module};

    return elf__has_go_note(&elf);
}
