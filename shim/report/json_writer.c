/*
 * Keys, values and commas, see json_writer.h.
 */
#include "report/json_writer.h"
#include <stddef.h>

#define SCHEMA 1u

/* No comma follows an opening bracket or a key, and none begins a line. */
static void put_comma(struct nsd_text *text) {
    char last = text->used > 0 ? text->buffer[text->used - 1] : '\n';

    if (last != '{' && last != '[' && last != ':' && last != '\n')
        text__put_char(text, ',');
}

static void put_key(struct nsd_text *text, const char *key) {
    put_comma(text);
    if (key == NULL)
        return;
    text__put_char(text, '"');
    text__put(text, key);
    text__put(text, "\":");
}

void json__null(struct nsd_text *text, const char *key) {
    put_key(text, key);
    text__put(text, "null");
}

void json__string(struct nsd_text *text, const char *key, const char *string) {
    if (string == NULL) {
        json__null(text, key);
        return;
    }
    put_key(text, key);
    text__json_string(text, string);
}

void json__signed(struct nsd_text *text, const char *key, int64_t value) {
    put_key(text, key);
    text__signed(text, value);
}

void json__unsigned(struct nsd_text *text, const char *key, uint64_t value) {
    put_key(text, key);
    text__unsigned(text, value);
}

void json__known(struct nsd_text *text, const char *key, int64_t value) {
    if (value == 0)
        json__null(text, key);
    else
        json__signed(text, key, value);
}

void json__boolean(struct nsd_text *text, const char *key, bool value) {
    put_key(text, key);
    text__put(text, value ? "true" : "false");
}

void json__begin_object(struct nsd_text *text, const char *key) {
    put_key(text, key);
    text__put_char(text, '{');
}

void json__end_object(struct nsd_text *text) {
    text__put_char(text, '}');
}

void json__begin_list(struct nsd_text *text, const char *key) {
    put_key(text, key);
    text__put_char(text, '[');
}

void json__end_list(struct nsd_text *text) {
    text__put_char(text, ']');
}

void json__begin_line(struct nsd_text *text, const char *type) {
    json__begin_object(text, NULL);
    json__string(text, "type", type);
    json__unsigned(text, "schema", SCHEMA);
}

void json__end_line(struct nsd_text *text) {
    json__end_object(text);
    text__put_char(text, '\n');
}

void json__strings(struct nsd_text *text, const char *key, const char *const *list,
                   unsigned count) {
    json__begin_list(text, key);
    for (unsigned i = 0; i < count; i++)
        json__string(text, NULL, list[i]);
    json__end_list(text);
}

void json__leave_last(struct nsd_text *text) {
    text->buffer[0] = text->buffer[text->used - 1];
    text->used = 1;
}
