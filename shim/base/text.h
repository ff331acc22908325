/*
 * Our own formatting: a bounded buffer that can be emptied into a sink when it is full. Called by
 * the reports, the log and the command. No libc; safe wherever its buffer is.
 */
#ifndef NSD_BASE_TEXT_H
#define NSD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nsd_text {
    char *buffer;
    size_t size;
    size_t used;
    bool cut; /* something did not fit and there was no sink */
    /* Takes everything in the buffer away (sets used to 0). NULL: what does not fit is cut. */
    void (*sink)(struct nsd_text *text, void *context);
    void *context;
};

void text__begin(struct nsd_text *text, char *buffer, size_t size);
void text__put(struct nsd_text *text, const char *string);
void text__put_bytes(struct nsd_text *text, const char *bytes, size_t size);
void text__put_char(struct nsd_text *text, char c);
void text__unsigned(struct nsd_text *text, uint64_t value);
void text__signed(struct nsd_text *text, int64_t value);
/* Lower-case hex, at least `digits` of them, no prefix. */
void text__hex(struct nsd_text *text, uint64_t value, unsigned digits);
/* A JSON string with its quotes; control characters and invalid UTF-8 escaped. */
void text__json_string(struct nsd_text *text, const char *string);
/* The string for a terminal: other control characters than \n and \t, and invalid UTF-8, as U+FFFD. */
void text__printable(struct nsd_text *text, const char *string);
/* 2026-01-01T00:00:00.000000Z from nanoseconds since 1970. */
void text__iso_time(struct nsd_text *text, uint64_t nanoseconds);
/* NUL-terminates in place (the last byte is given up if it must be) and returns the buffer. */
char *text__string(struct nsd_text *text);

/* Reads a decimal or 0x number that ends at `end`; false if it is none or does not fit. */
bool text__parse_unsigned(const char *from, const char *end, uint64_t *value);

#endif
