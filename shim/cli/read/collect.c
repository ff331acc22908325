/* The collection of images and their views, see collect.h. */
#include "cli/read/collect.h"
#include <stdlib.h>
#include <string.h>

/* Room for one more at the end of a list. NULL without memory. */
static void *room_for_one(void *list, size_t count, size_t *room, size_t size) {
    size_t wanted = *room == 0 ? 8 : 2 * *room;
    void *grown;

    if (count < *room)
        return list;
    grown = reallocarray(list, wanted, size);
    if (grown != NULL)
        *room = wanted;
    return grown;
}

struct nsd_report_image *collect__image(struct nsd_collection *collection) {
    struct nsd_report_image *image =
        room_for_one(collection->image, collection->count, &collection->room, sizeof *image);

    if (image == NULL) {
        collection->cut = true;
        return NULL;
    }
    collection->image = image;
    image = &collection->image[collection->count++];
    memset(image, 0, sizeof *image);
    image->order = collection->count;
    return image;
}

/*
 * Defines collect__finding and the like: appends a copy of the view to the image's list, then makes
 * its strings the collection's own.
 */
#define ADD(what)                                                                                  \
    void collect__##what(struct nsd_collection *collection, struct nsd_report_image *image,        \
                         const struct nsd_view_##what *view) {                                     \
        struct nsd_view_##what *list =                                                             \
            room_for_one(image->what, image->what##s, &image->what##s_room, sizeof *list);         \
                                                                                                   \
        if (list != NULL) {                                                                        \
            image->what = list;                                                                    \
            list[image->what##s] = *view;                                                          \
            if (kept__##what(&collection->kept, &list[image->what##s])) {                          \
                image->what##s++;                                                                  \
                return;                                                                            \
            }                                                                                      \
        }                                                                                          \
        collection->cut = true;                                                                    \
    }
ADD(finding)
ADD(event)
ADD(thread)
#undef ADD

void collect__coverage(struct nsd_collection *collection, struct nsd_report_image *image,
                       const struct nsd_view_coverage *view) {
    image->coverage = *view;
    if (!kept__coverage(&collection->kept, &image->coverage)) {
        memset(&image->coverage, 0, sizeof image->coverage);
        collection->cut = true;
    }
    image->process.pid = view->image.pid;
    image->process.pid_ns = view->image.pid_ns;
    image->ended = view->ended == NULL || strcmp(view->ended, "report") != 0;
}

/* Images without a time come last. */
static int by_time(const void *left, const void *right) {
    const struct nsd_report_image *a = left, *b = right;
    const char *time_a = a->coverage.time, *time_b = b->coverage.time;
    int order = strcmp(time_a != NULL ? time_a : "~", time_b != NULL ? time_b : "~");

    if (order != 0)
        return order;
    return a->order < b->order ? -1 : 1;
}

void collect__sort(struct nsd_collection *collection) {
    if (collection->count > 1)
        qsort(collection->image, collection->count, sizeof *collection->image, by_time);
}

void collect__free(struct nsd_collection *collection) {
    for (size_t i = 0; i < collection->count; i++) {
        free(collection->image[i].event);
        free(collection->image[i].finding);
        free(collection->image[i].thread);
    }
    free(collection->image);
    kept__free(&collection->kept);
    memset(collection, 0, sizeof *collection);
}

/* ---- questions ---- */

/* An image without /proc does not know its pid namespace: then the pid alone decides. */
bool collect__is_command(const struct nsd_collection *collection,
                         const struct nsd_report_image *image) {
    const struct nsd_process *command = &collection->command;

    if (command->pid == 0 || image->process.pid != command->pid)
        return false;
    return image->process.pid_ns == command->pid_ns || image->process.pid_ns == 0 ||
           command->pid_ns == 0;
}

static bool misses(const struct nsd_view_coverage *view, const char *probe) {
    return view->missing_count > 0 && strcmp(view->missing[0].probe, probe) == 0;
}

bool image__is_hidden(const struct nsd_report_image *image) {
    return misses(&image->coverage, "folder");
}

bool image__is_unwatched(const struct nsd_report_image *image) {
    return misses(&image->coverage, "image") || image__is_hidden(image);
}
