/*
 * Formatting into a buffer of the caller: numbers, JSON strings, times. When the buffer is full it
 * is either emptied by a sink, so that a text of any length fits, or the text is cut. Called by the
 * reports, the log and the command. No libc, no allocation: safe anywhere, by one thread at a time
 * for one text.
 */
#ifndef NSD_BASE_TEXT_H
#define NSD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_text {
    char *buffer; /* the caller's */
    size_t size;
    size_t used;
    bool cut; /* a part did not fit and was left out */
    /* Writes out the first `used` bytes of the buffer and sets `used` to 0. NULL: none. */
    void (*sink)(struct nsd_text *text, void *context);
    void *context; /* handed to the sink */
};

/* An empty text without a sink. */
void text__begin(struct nsd_text *text, char *buffer, size_t size);
void text__put(struct nsd_text *text, const char *string);
void text__put_bytes(struct nsd_text *text, const char *bytes, size_t size);
void text__put_char(struct nsd_text *text, char c);
void text__unsigned(struct nsd_text *text, uint64_t value);
void text__signed(struct nsd_text *text, int64_t value);
/* Lower-case hexadecimal, at least `digits` digits, no prefix. */
void text__hex(struct nsd_text *text, uint64_t value, unsigned digits);
/* A JSON string with its quotes. Control characters are escaped; invalid UTF-8 becomes \ufffd. */
void text__json_string(struct nsd_text *text, const char *string);
/* The string for a terminal: other control characters than \n and \t, and invalid UTF-8, as U+FFFD.
 */
void text__printable(struct nsd_text *text, const char *string);
/* 2026-01-01T00:00:00.000000Z from nanoseconds since 1970. */
void text__iso_time(struct nsd_text *text, uint64_t nanoseconds);
/* Adds a NUL, over the last byte if the buffer is full, and returns the buffer. */
char *text__string(struct nsd_text *text);

/* Reads the decimal or 0x number from..end; false if it is no number or needs above 64 bits. */
bool text__parse_unsigned(const char *from, const char *end, uint64_t *value);

#endif
