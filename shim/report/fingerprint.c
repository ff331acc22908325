/*
 * Computes fingerprints, see fingerprint.h. Their input is part of the contract: another order or
 * another word would give every known finding a new fingerprint.
 */
#include "report/fingerprint.h"
#include "base/memory.h"

/* The NUL is hashed too, so that "ab","c" and "a","bc" differ. */
static uint64_t add_string(uint64_t hash, const char *string) {
    return hash__bytes(hash, string, string__length(string) + 1);
}

static uint64_t add_stack(uint64_t hash, const struct nsd_view_stack *stack) {
    for (unsigned i = 0; i < stack->depth; i++) {
        const struct nsd_view_frame *frame = &stack->frame[i];
        uint8_t offset[8];

        if (frame->function != NULL) {
            hash = add_string(hash, frame->function);
            continue;
        }
        for (unsigned k = 0; k < sizeof offset; k++)
            offset[k] = (uint8_t) (frame->offset >> (8 * k));
        hash = add_string(hash, frame->module != NULL ? string__base_name(frame->module) : "");
        /* Without a module the offset is an address, which differs from run to run. */
        if (frame->module != NULL)
            hash = hash__bytes(hash, offset, sizeof offset);
    }
    return hash__bytes(hash, "", 1);
}

uint64_t fingerprint__of(const char *rule, const char *program, const struct nsd_view_stack *stack,
                         const struct nsd_view_stack *switch_stack) {
    uint64_t hash = HASH_START;

    hash = add_string(hash, rule);
    hash = add_string(hash, program != NULL ? program : "");
    hash = add_stack(hash, stack);
    if (switch_stack != NULL)
        hash = add_stack(hash, switch_stack);
    return hash;
}
