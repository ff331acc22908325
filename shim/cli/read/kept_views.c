/*
 * Deep copies of views, see kept_views.h: a bump allocator for arrays, and a hash table in which
 * each string stands once.
 */
#include "cli/read/kept_views.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (64u * 1024u)
#define FIRST_BUCKETS 256u

struct nsd_kept_chunk {
    struct nsd_kept_chunk *next;
    max_align_t memory[];
};

struct nsd_kept_string {
    struct nsd_kept_string *next;
    uint64_t hash;
    char text[];
};

/* ---- memory ---- */

static size_t rounded(size_t size) {
    return (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
}

static void *take(struct nsd_kept_views *kept, size_t size) {
    void *memory;

    size = rounded(size);
    if (size > kept->left) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        struct nsd_kept_chunk *chunk = malloc(sizeof *chunk + room);

        if (chunk == NULL)
            return NULL;
        chunk->next = kept->chunks;
        kept->chunks = chunk;
        kept->at = (char *) chunk->memory;
        kept->left = room;
    }
    memory = kept->at;
    kept->at += size;
    kept->left -= size;
    return memory;
}

/* Shortens the piece that was taken last; to 0, to give it back. */
static void shorten(struct nsd_kept_views *kept, void *memory, size_t size) {
    kept->left += (size_t) (kept->at - ((char *) memory + rounded(size)));
    kept->at = (char *) memory + rounded(size);
}

void kept__free(struct nsd_kept_views *kept) {
    while (kept->chunks != NULL) {
        struct nsd_kept_chunk *next = kept->chunks->next;

        free(kept->chunks);
        kept->chunks = next;
    }
    free(kept->bucket);
    memset(kept, 0, sizeof *kept);
}

/* ---- strings ---- */

static uint64_t hash_of(const char *string) {
    uint64_t hash = 0xcbf29ce484222325u;

    for (; *string != '\0'; string++)
        hash = (hash ^ (unsigned char) *string) * 0x100000001b3u;
    return hash;
}

/* Doubles the buckets. Without memory the lists only become longer. */
static void grow_buckets(struct nsd_kept_views *kept) {
    size_t buckets = kept->buckets == 0 ? FIRST_BUCKETS : 2 * kept->buckets;
    struct nsd_kept_string **grown = calloc(buckets, sizeof *grown);

    if (grown == NULL)
        return;
    for (size_t i = 0; i < kept->buckets; i++) {
        while (kept->bucket[i] != NULL) {
            struct nsd_kept_string *one = kept->bucket[i];

            kept->bucket[i] = one->next;
            one->next = grown[one->hash % buckets];
            grown[one->hash % buckets] = one;
        }
    }
    free(kept->bucket);
    kept->bucket = grown;
    kept->buckets = buckets;
}

/* Makes the printable copy; it is not in the table yet. */
static struct nsd_kept_string *make_string(struct nsd_kept_views *kept, const char *string) {
    /* Each byte can become the three bytes of U+FFFD. */
    size_t room = 3 * strlen(string) + 1;
    struct nsd_kept_string *one = take(kept, sizeof *one + room);
    struct nsd_text text;

    if (one == NULL)
        return NULL;
    text__begin(&text, one->text, room);
    text__printable(&text, string);
    text__string(&text);
    one->hash = hash_of(one->text);
    return one;
}

const char *kept__string(struct nsd_kept_views *kept, const char *string) {
    struct nsd_kept_string *made, *known;

    if (string == NULL)
        return NULL;
    if (kept->strings >= kept->buckets)
        grow_buckets(kept);
    made = kept->buckets > 0 ? make_string(kept, string) : NULL;
    if (made == NULL)
        return NULL;
    for (known = kept->bucket[made->hash % kept->buckets]; known != NULL; known = known->next) {
        if (known->hash == made->hash && strcmp(known->text, made->text) == 0) {
            shorten(kept, made, 0);
            return known->text;
        }
    }
    shorten(kept, made, sizeof *made + strlen(made->text) + 1);
    made->next = kept->bucket[made->hash % kept->buckets];
    kept->bucket[made->hash % kept->buckets] = made;
    kept->strings++;
    return made->text;
}

/* ---- views ---- */

/* Makes the pointer point to the copy. False without memory. */
static bool keep(struct nsd_kept_views *kept, const char **string) {
    const char *copy = kept__string(kept, *string);
    bool good = copy != NULL || *string == NULL;

    *string = copy;
    return good;
}

static bool keep_all(struct nsd_kept_views *kept, const char **strings, unsigned count) {
    bool good = true;

    for (unsigned i = 0; i < count; i++)
        good = keep(kept, &strings[i]) && good;
    return good;
}

static bool keep_image(struct nsd_kept_views *kept, struct nsd_view_image *image) {
    return keep(kept, &image->program);
}

static bool keep_stack(struct nsd_kept_views *kept, struct nsd_view_stack *stack) {
    struct nsd_view_frame *frames;
    bool good = true;

    if (stack->depth == 0) {
        stack->frame = NULL;
        return true;
    }
    frames = take(kept, stack->depth * sizeof *frames);
    if (frames == NULL)
        return false;
    memcpy(frames, stack->frame, stack->depth * sizeof *frames);
    for (unsigned i = 0; i < stack->depth; i++) {
        struct nsd_view_frame *frame = &frames[i];

        good = keep(kept, &frame->function) && good;
        good = keep(kept, &frame->file) && good;
        good = keep(kept, &frame->module) && good;
        good = keep(kept, &frame->build_id) && good;
    }
    stack->frame = frames;
    return good;
}

static bool keep_call(struct nsd_kept_views *kept, struct nsd_view_call *call) {
    return keep(kept, &call->name) && keep(kept, &call->arguments) && keep(kept, &call->error);
}

static bool keep_namespaces(struct nsd_kept_views *kept, struct nsd_view_namespace *list,
                            unsigned count) {
    bool good = true;

    for (unsigned i = 0; i < count; i++)
        good = keep(kept, &list[i].kind) && good;
    return good;
}

static bool keep_consequences(struct nsd_kept_views *kept, struct nsd_view_finding *view) {
    struct nsd_view_consequence *list;
    bool good = true;

    if (view->consequence_count == 0) {
        view->consequences = NULL;
        return true;
    }
    list = take(kept, view->consequence_count * sizeof *list);
    if (list == NULL)
        return false;
    memcpy(list, view->consequences, view->consequence_count * sizeof *list);
    for (unsigned i = 0; i < view->consequence_count; i++) {
        good = keep(kept, &list[i].rule) && good;
        good = keep(kept, &list[i].severity) && good;
        good = keep(kept, &list[i].message) && good;
        good = keep_stack(kept, &list[i].stack) && good;
    }
    view->consequences = list;
    return good;
}

bool kept__finding(struct nsd_kept_views *kept, struct nsd_view_finding *view) {
    bool good = keep_image(kept, &view->image);

    good = keep(kept, &view->rule) && good;
    good = keep(kept, &view->severity) && good;
    good = keep(kept, &view->message) && good;
    good = keep(kept, &view->remedy) && good;
    good = keep(kept, &view->fingerprint) && good;
    good = keep(kept, &view->time) && good;
    good = keep(kept, &view->lock) && good;
    good = keep_call(kept, &view->call) && good;
    good = keep_namespaces(kept, view->namespaces, view->namespace_count) && good;
    good = keep_stack(kept, &view->stack) && good;
    for (unsigned i = 0; i < view->related_count; i++) {
        good = keep(kept, &view->related[i].what) && good;
        good = keep_stack(kept, &view->related[i].stack) && good;
    }
    return keep_consequences(kept, view) && good;
}

bool kept__event(struct nsd_kept_views *kept, struct nsd_view_event *view) {
    return keep_image(kept, &view->image) && keep(kept, &view->time) && keep(kept, &view->lock) &&
           keep_call(kept, &view->call) && keep_all(kept, view->kinds, view->kind_count) &&
           keep_stack(kept, &view->lines);
}

bool kept__thread(struct nsd_kept_views *kept, struct nsd_view_thread *view) {
    return keep_image(kept, &view->image) && keep(kept, &view->name) && keep(kept, &view->lock) &&
           keep_stack(kept, &view->born_at) &&
           keep_namespaces(kept, view->namespaces, view->namespace_count) &&
           keep_all(kept, view->switched, view->switched_count);
}

bool kept__coverage(struct nsd_kept_views *kept, struct nsd_view_coverage *view) {
    bool good = keep_image(kept, &view->image) && keep(kept, &view->time) &&
                keep(kept, &view->path) && keep(kept, &view->go) &&
                keep(kept, &view->cross_check) && keep(kept, &view->ended) &&
                keep_all(kept, view->probes, view->probe_count);

    for (unsigned i = 0; good && i < view->missing_count; i++)
        good = keep(kept, &view->missing[i].probe) && keep(kept, &view->missing[i].why);
    return good;
}
