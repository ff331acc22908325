/* Breaks lines, see wrap.h: a line is kept until it is complete, then written in parts. */
#include "cli/show/wrap.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CONTINUED 4 /* columns further in */

struct wrap {
    FILE *out;
    unsigned width;
    char *line;
    size_t used, room;
};

/* The bytes of the next character (one column) or escape sequence for a colour (no column). */
static size_t step_of(const char *at, const char *end, unsigned *columns) {
    const char *next = at + 1;

    if (*at == '\033' && next < end && *next == '[') {
        *columns = 0;
        for (next++; next < end && (*next < '@' || *next > '~'); next++)
            ;
        return (size_t) (next - at) + (next < end);
    }
    *columns = 1;
    while (next < end && ((unsigned char) *next & 0xc0) == 0x80)
        next++;
    return (size_t) (next - at);
}

/* The end of the part that begins at `at` and has `room` columns. */
static const char *end_of_part(const char *at, const char *end, unsigned room) {
    const char *blank = NULL;
    unsigned column = 0;
    bool begun = false; /* a line is not broken at its leading blanks */

    while (at < end) {
        unsigned columns;
        size_t size = step_of(at, end, &columns);

        if (*at == ' ' && begun)
            blank = at;
        begun = begun || *at != ' ';
        column += columns;
        if (column > room && blank != NULL)
            return blank;
        at += size;
    }
    return end;
}

static void put_line(struct wrap *wrap, const char *line, const char *end) {
    unsigned indent = 0, room = wrap->width;
    const char *at = line;

    while (line + indent < end && line[indent] == ' ')
        indent++;
    indent += CONTINUED;
    if (indent > wrap->width / 2)
        indent = CONTINUED;
    while (at < end) {
        const char *part = end_of_part(at, end, room);

        if (at != line)
            fprintf(wrap->out, "%*s", (int) indent, "");
        fwrite(at, 1, (size_t) (part - at), wrap->out);
        fputc('\n', wrap->out);
        at = part;
        while (at < end && *at == ' ')
            at++;
        room = wrap->width - indent;
    }
    if (line == end)
        fputc('\n', wrap->out);
}

static bool keep(struct wrap *wrap, const char *bytes, size_t size) {
    if (size > wrap->room - wrap->used) {
        size_t room = 2 * (wrap->used + size) + 256;
        char *grown = realloc(wrap->line, room);

        if (grown == NULL)
            return false;
        wrap->line = grown;
        wrap->room = room;
    }
    memcpy(wrap->line + wrap->used, bytes, size);
    wrap->used += size;
    return true;
}

static ssize_t wrap_write(void *cookie, const char *bytes, size_t size) {
    struct wrap *wrap = cookie;
    const char *at = bytes, *end = bytes + size, *newline;

    while (at < end && (newline = memchr(at, '\n', (size_t) (end - at))) != NULL) {
        if (!keep(wrap, at, (size_t) (newline - at)))
            return -1;
        put_line(wrap, wrap->line, wrap->line + wrap->used);
        wrap->used = 0;
        at = newline + 1;
    }
    return keep(wrap, at, (size_t) (end - at)) && !ferror(wrap->out) ? (ssize_t) size : -1;
}

static int wrap_close(void *cookie) {
    struct wrap *wrap = cookie;

    if (wrap->used > 0)
        put_line(wrap, wrap->line, wrap->line + wrap->used);
    fflush(wrap->out);
    free(wrap->line);
    free(wrap);
    return 0;
}

FILE *wrap__open(FILE *out, unsigned width) {
    cookie_io_functions_t functions = {.write = wrap_write, .close = wrap_close};
    struct wrap *wrap = calloc(1, sizeof *wrap);
    FILE *stream;

    if (wrap == NULL)
        return NULL;
    wrap->out = out;
    wrap->width = width < 20 ? 20 : width;
    wrap->room = 256;
    wrap->line = malloc(wrap->room);
    stream = wrap->line != NULL ? fopencookie(wrap, "w", functions) : NULL;
    if (stream == NULL) {
        free(wrap->line);
        free(wrap);
    }
    return stream;
}
