/*
 * A finding that is longer than anything a host has room for: 64 frames with names of over a
 * thousand characters, and a thousand consequences. In the command all of it is shown and the copy
 * that the collection keeps is the same; in a host what finds no room is counted, in both forms,
 * and the line is JSON all the same. Names are made up here: naming is stood in for.
 */
#include "cli/read/kept_views.c"
#include "names/naming.h"
#include "names/recorded.h"
#include "report/compose.h"
#include "report/fingerprint.h"
#include "report/json.h"
#include "report/json_writer.h"
#include "report/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 1200u
#define CONSEQUENCES 1000u

static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

/* ---- names ---- */

static void name_of(uint64_t pc, char *name) {
    int used = sprintf(name, "_ZN4long%06llu", (unsigned long long) pc);

    memset(name + used, 'x', NAME_SIZE - (size_t) used);
    name[NAME_SIZE] = '\0';
}

void naming__place(uint64_t pc, bool exact, struct nsd_place *place) {
    (void) exact;
    memset(place, 0, sizeof *place);
    name_of(pc, place->function);
    place->offset = pc;
}

bool naming__uses_recorded(void) {
    return false;
}

bool naming__is_plumbing(const struct nsd_place *place) {
    (void) place;
    return false;
}

static const struct nsd_frames *stack_from(uint64_t pc) {
    struct nsd_frames *frames =
        calloc(1, sizeof *frames + NSD_DEPTH_MOST * sizeof frames->frame[0]);

    frames->depth = NSD_DEPTH_MOST;
    for (unsigned i = 0; i < NSD_DEPTH_MOST; i++)
        frames->frame[i].pc = pc + i;
    return frames;
}

/* ---- the finding ---- */

static struct nsd_finding finding = {.rule = NSD_RULE_RESTORE_FAILED,
                                     .severity = NSD_SEVERITY_ERROR,
                                     .message = "%t went astray at %l and %s",
                                     .remedy = "Fix: look at %l.",
                                     .count = 1,
                                     .tid = 7,
                                     .call = NSD_CALL_SETNS,
                                     .related_count = NSD_RELATED_MOST};

static void make_finding(void) {
    finding.frames = stack_from(1000);
    finding.switch_frames = stack_from(2000);
    for (unsigned i = 0; i < NSD_RELATED_MOST; i++) {
        finding.related[i].what = "used here";
        finding.related[i].tid = 8;
        finding.related[i].frames = stack_from(3000 + 100 * i);
    }
    for (unsigned i = 0; i < CONSEQUENCES; i++) {
        struct nsd_finding *then = calloc(1, sizeof *then);

        then->rule = NSD_RULE_LEFT_SWITCHED;
        then->message = "%t was left at %l";
        then->frames = stack_from(10000 + 100 * i);
        then->next = finding.consequences;
        finding.consequences = then;
    }
}

static const struct nsd_image image = {.pid = 7, .leader = 7, .program = "host"};

/* ---- a line of any length ---- */

static char *line;
static size_t line_size, line_room;

/* The room doubles: ASan's realloc() copies each time, and a line has many thousand parts. */
static void append(const char *bytes, size_t size) {
    if (line_size + size + 1 > line_room) {
        line_room = 2 * (line_size + size + 1);
        line = realloc(line, line_room);
    }
    memcpy(line + line_size, bytes, size);
    line_size += size;
    line[line_size] = '\0';
}

static void keep_part(struct nsd_text *text, void *context) {
    (void) context;
    append(text->buffer, text->used - 1);
    json__leave_last(text);
}

/* A small buffer, so that it is emptied many times within the line. */
static void print(const struct nsd_view_finding *view, bool json) {
    char buffer[64];
    struct nsd_text text;

    line_size = 0;
    text__begin(&text, buffer, sizeof buffer);
    text.sink = keep_part;
    if (json)
        as_json__finding(&text, view);
    else
        as_text__finding(&text, view, false);
    append(text.buffer, text.used);
}

/* Brackets that close what was opened, commas between values and nowhere else. */
static bool is_json(const char *at) {
    char open[16], before = '{';
    unsigned depth = 0;
    bool in_string = false;

    for (; *at != '\0' && *at != '\n'; at++) {
        if (in_string) {
            if (*at == '\\')
                at++;
            else if (*at == '"')
                in_string = false;
            continue;
        }
        if (strchr(",]}", *at) != NULL && (before == ',' || before == ':'))
            return false;
        if (*at == '"') {
            if (before == '"')
                return false;
            in_string = true;
        } else if (*at == '{' || *at == '[') {
            if (depth == sizeof open)
                return false;
            open[depth++] = *at == '{' ? '}' : ']';
        } else if (*at == '}' || *at == ']') {
            if (depth == 0 || open[--depth] != *at)
                return false;
        }
        before = *at;
    }
    return depth == 0 && !in_string && at[0] == '\n' && at[1] == '\0';
}

static unsigned occurrences(const char *words) {
    unsigned count = 0;

    for (const char *at = line; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* ---- in a host: so much memory and no more ---- */

static void folds_and_counts(void) {
    static char memory[NSD_COMPOSE_LEAST] __attribute__((aligned(16)));
    struct nsd_scratch scratch = {.memory = memory, .size = sizeof memory};
    struct nsd_compose compose = {.scratch = &scratch, .image = &image};
    struct nsd_view_finding view;
    unsigned related = 0;
    char words[64];

    compose__finding(&compose, &finding, &view);
    CHECK(view.stack.depth == NSD_DEPTH_MOST && view.stack.left_out == 0);
    CHECK(view.message[0] != '\0' && view.remedy != NULL && view.fingerprint != NULL);
    for (unsigned i = 0; i < view.related_count; i++) {
        related += view.related[i].stack.left_out;
        CHECK(view.related[i].stack.depth + view.related[i].stack.left_out == NSD_DEPTH_MOST);
    }
    CHECK(related > 0);
    CHECK(view.consequences_left_out > 0);
    CHECK(view.consequence_count + view.consequences_left_out == CONSEQUENCES);
    print(&view, true);
    CHECK(is_json(line));
    sprintf(words, "\"consequences\":%u}}\n", view.consequences_left_out);
    CHECK(occurrences("\"left_out\":{\"frames\":") == 1 && occurrences(words) == 1);
    print(&view, false);
    sprintf(words, "      and %u more consequences.\n", view.consequences_left_out);
    CHECK(occurrences(words) == 1);
    CHECK(occurrences(" more frame") >= 1);
}

/* ---- in the command: as much as it takes ---- */

static void *take_more(struct nsd_scratch *scratch, size_t size) {
    size_t room = size > 1u << 20 ? size : 1u << 20;

    scratch->memory = malloc(room);
    scratch->size = room;
    scratch->used = size;
    return scratch->memory;
}

static void shows_all(const char *fingerprint) {
    struct nsd_scratch scratch = {.grow = take_more};
    struct nsd_compose compose = {.scratch = &scratch, .image = &image};
    struct nsd_kept_views kept = {0};
    struct nsd_view_finding view;
    char name[NAME_SIZE + 1], *first;

    compose__finding(&compose, &finding, &view);
    CHECK(view.stack.left_out == 0 && view.consequences_left_out == 0);
    CHECK(view.consequence_count == CONSEQUENCES);
    CHECK(strcmp(view.fingerprint, fingerprint) == 0);
    print(&view, true);
    CHECK(is_json(line) && occurrences("left_out") == 0);
    CHECK(occurrences("\"rule\":\"left-switched\"") == CONSEQUENCES);
    for (unsigned i = 0; i < NSD_DEPTH_MOST; i++) {
        name_of(3200 + i, name);
        CHECK(occurrences(name) == 1);
    }
    first = strdup(line);
    CHECK(kept__finding(&kept, &view));
    print(&view, true);
    CHECK(strcmp(line, first) == 0);
    print(&view, false);
    CHECK(occurrences("      Then: left-switched: ") == CONSEQUENCES);
    free(first);
    kept__free(&kept);
}

static void words_of_strangers(void) {
    struct nsd_kept_views kept = {0};
    const char *first = kept__string(&kept, "a\033[31mb\x7f\xff\xc3\xa9\n");

    CHECK(strcmp(first, "a\xef\xbf\xbd[31mb\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\n") == 0);
    CHECK(kept__string(&kept, "a\033[31mb\x7f\xff\xc3\xa9\n") == first);
    CHECK(kept__string(&kept, NULL) == NULL);
    for (unsigned i = 0; i < 5000; i++) {
        char name[NAME_SIZE + 1];

        name_of(i, name);
        CHECK(strcmp(kept__string(&kept, name), name) == 0);
    }
    CHECK(kept.strings == 5001);
    kept__free(&kept);
}

int main(void) {
    static char memory[NSD_COMPOSE_LEAST] __attribute__((aligned(16)));
    struct nsd_scratch scratch = {.memory = memory, .size = sizeof memory};
    struct nsd_compose compose = {.scratch = &scratch, .image = &image};
    struct nsd_view_finding view;

    make_finding();
    folds_and_counts();
    compose__finding(&compose, &finding, &view);
    shows_all(view.fingerprint);
    words_of_strangers();
    return failures != 0;
}
