/*
 * A small matcher of instruction bytes: not a disassembler, it looks for a few encodings within one
 * function and hands out the number that stands in them. Called by instructions.c at start.
 */
#ifndef NSD_GORUNTIME_X86_64_CODE_H
#define NSD_GORUNTIME_X86_64_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of one function. */
struct nsd_code {
    const uint8_t *start;
    size_t size;
};

struct nsd_match {
    size_t at, after; /* offsets from code->start */
    const uint8_t *byte;
    int32_t value;   /* of the d8 or d32 in the pattern */
    uint64_t target; /* where a d32 leads that is relative to the instruction's end */
};

/*
 * The first match at or after `from`. A pattern is a list of bytes: "ff" this one, "88/f8" one
 * whose bits under the mask are these, "??" any, "d8" and "d32" the number to hand out (signed,
 * little endian). At most 24 bytes.
 */
bool code__next(const struct nsd_code *code, size_t from, const char *pattern,
                struct nsd_match *match);

#endif
