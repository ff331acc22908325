/*
 * Which unwind table stands for a module. Called for every frame of a stack that was not seen
 * before.
 */
#include "stacks/unwind_tables.h"

#include <stddef.h>

const uint8_t *unwind_tables__of(const struct nsd_module *module) {
    if (!modules__is_loaded(module))
        return NULL;
    return module->eh_frame_header;
}
