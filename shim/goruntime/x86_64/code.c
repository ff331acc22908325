/*
 * The matcher. A pattern is read into bytes and masks once and compared at every offset, because
 * where an x86 instruction begins is only known after all instructions before it were decoded. A
 * match is a candidate: instructions.c asks that several of them agree.
 */
#include "code.h"

#define PATTERN_MOST 24

struct pattern {
    uint8_t value[PATTERN_MOST], mask[PATTERN_MOST];
    unsigned size;
    unsigned number_at, number_size; /* 0: hands out nothing */
};

static unsigned digit(char c) {
    return c >= 'a' ? (unsigned) (c - 'a') + 10 : (unsigned) (c - '0');
}

static uint8_t byte_of(const char *text) {
    return (uint8_t) (digit(text[0]) << 4 | digit(text[1]));
}

static bool pattern__parse(struct pattern *pattern, const char *text) {
    *pattern = (struct pattern){.size = 0};
    while (*text) {
        bool number = text[0] == 'd' && (text[1] == '8' || text[1] == '3') &&
                      (text[2] == ' ' || text[2] == 0 || text[2] == '2');
        unsigned wide = number ? (text[1] == '8' ? 1 : 4) : 1;

        if (pattern->size + wide > PATTERN_MOST)
            return false;
        /* "d8" is a number here, never the byte 0xd8. */
        if (number) {
            pattern->number_at = pattern->size;
            pattern->number_size = wide;
            pattern->size += wide;
            text += wide == 1 ? 2 : 3;
        } else if (*text == '?') {
            pattern->size++;
            text += 2;
        } else {
            pattern->value[pattern->size] = byte_of(text);
            pattern->mask[pattern->size] = 0xff;
            text += 2;
            if (*text == '/') {
                pattern->mask[pattern->size] = byte_of(text + 1);
                text += 3;
            }
            pattern->size++;
        }
        while (*text == ' ')
            text++;
    }
    return pattern->size != 0;
}

static bool pattern__fits(const struct pattern *pattern, const uint8_t *at) {
    for (unsigned i = 0; i < pattern->size; i++)
        if ((at[i] & pattern->mask[i]) != pattern->value[i])
            return false;
    return true;
}

bool code__next(const struct nsd_code *code, size_t from, const char *text,
                struct nsd_match *match) {
    struct pattern pattern;

    if (!pattern__parse(&pattern, text))
        return false;
    for (size_t at = from; at + pattern.size <= code->size; at++) {
        const uint8_t *bytes = code->start + at;

        if (!pattern__fits(&pattern, bytes))
            continue;
        *match = (struct nsd_match){at, at + pattern.size, bytes, 0, 0};
        if (pattern.number_size == 4)
            __builtin_memcpy(&match->value, bytes + pattern.number_at, 4);
        else if (pattern.number_size == 1)
            match->value = (int32_t) (int8_t) bytes[pattern.number_at];
        match->target =
            (uint64_t) (uintptr_t) bytes + pattern.size + (uint64_t) (int64_t) match->value;
        return true;
    }
    return false;
}
