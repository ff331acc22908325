/*
 * The pieces that JSON lines are made of: keys with values, objects, lists, with the commas between
 * them. Called by json.c, and by the command for lines of its own. No libc; safe wherever the text
 * buffer is.
 */
#ifndef NSD_REPORT_JSON_WRITER_H
#define NSD_REPORT_JSON_WRITER_H

#include "base/text.h"

/*
 * Objects and lists. `key` is NULL in a list and for the line itself. Whether a comma is due is
 * told by the last character in the buffer: a sink that empties the buffer within a line must leave
 * that character there (json__leave_last).
 */
void json__begin_object(struct nsd_text *text, const char *key);
void json__end_object(struct nsd_text *text);
void json__begin_list(struct nsd_text *text, const char *key);
void json__end_list(struct nsd_text *text);
/* A whole line: begins with the keys type and schema, ends with a newline. */
void json__begin_line(struct nsd_text *text, const char *type);
void json__end_line(struct nsd_text *text);

/* NULL becomes null. */
void json__string(struct nsd_text *text, const char *key, const char *string);
void json__signed(struct nsd_text *text, const char *key, int64_t value);
void json__unsigned(struct nsd_text *text, const char *key, uint64_t value);
/* 0 becomes null: it stands for unknown inodes, tids and goroutines. */
void json__known(struct nsd_text *text, const char *key, int64_t value);
void json__boolean(struct nsd_text *text, const char *key, bool value);
void json__null(struct nsd_text *text, const char *key);
void json__strings(struct nsd_text *text, const char *key, const char *const *list, unsigned count);

/* Called by a sink that has written everything but the last character. */
void json__leave_last(struct nsd_text *text);

#endif
