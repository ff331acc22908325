/*
 * Lines sorted by the images that they are about, see collect.h, and the making and removing of a
 * private folder.
 */
#include "cli/read/collect.h"
#include "cli/command.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVALS_MOST 100

/* Options are split at colons. */
static bool can_be_named(const char *folder) {
    return strchr(folder, ':') == NULL && folder[0] == '/';
}

bool collect__begin(struct nsd_collection *collection) {
    const char *temporary = getenv("TMPDIR");

    /* Whoever reads our report may stop in the middle: the folder is to be removed all the same. */
    command__outlive(SIGPIPE);
    memset(collection, 0, sizeof *collection);
    if (temporary == NULL || !can_be_named(temporary))
        temporary = "/tmp";
    snprintf(collection->folder, sizeof collection->folder, "%s/nsdrift-XXXXXX", temporary);
    if (mkdtemp(collection->folder) != NULL)
        return true;
    command__say("no folder for the recordings in %s: %s", temporary, strerror(errno));
    return false;
}

static struct nsd_report_image *new_image(struct nsd_collection *collection,
                                          const struct nsd_line *line) {
    struct nsd_report_image *image;

    if (collection->count == collection->room) {
        size_t room = collection->room == 0 ? 16 : 2 * collection->room;
        void *grown = reallocarray(collection->image, room, sizeof *collection->image);

        if (grown == NULL)
            return NULL;
        collection->image = grown;
        collection->room = room;
    }
    image = &collection->image[collection->count++];
    memset(image, 0, sizeof *image);
    image->pid = line->pid;
    image->pid_ns = line->pid_ns;
    image->closing = -1;
    image->order = collection->count;
    return image;
}

static bool is_same_process(const struct nsd_report_image *image, const struct nsd_line *line) {
    return image->pid == line->pid &&
           (image->pid_ns == line->pid_ns || image->pid_ns == 0 || line->pid_ns == 0);
}

/* The image that a line belongs to: the last one of its process, or a new one when that has ended.
 */
static struct nsd_report_image *image_of(struct nsd_collection *collection,
                                         const struct nsd_line *line) {
    for (size_t i = collection->count; i > 0; i--) {
        struct nsd_report_image *image = &collection->image[i - 1];

        if (!is_same_process(image, line))
            continue;
        /* What follows an exec's report is its failure, or the next image. */
        if (line->type == NSD_LINE_EXEC_FAILED || !image->ended)
            return image;
        break;
    }
    return new_image(collection, line);
}

static bool ends_image(const struct nsd_line *line) {
    struct nsd_view_coverage view;

    lines__coverage(line, &view);
    return view.ended == NULL || strcmp(view.ended, "report") != 0;
}

void collect__add(struct nsd_collection *collection, struct nsd_line *line) {
    struct nsd_report_image *image = image_of(collection, line);

    if (image != NULL && image->count == image->room) {
        size_t room = image->room == 0 ? 8 : 2 * image->room;
        void *grown = reallocarray(image->line, room, sizeof *image->line);

        if (grown != NULL) {
            image->line = grown;
            image->room = room;
        }
    }
    if (image == NULL || image->count == image->room) {
        lines__free(line);
        return;
    }
    image->line[image->count] = *line;
    if (image->pid_ns == 0)
        image->pid_ns = line->pid_ns;
    if (line->type == NSD_LINE_COVERAGE) {
        image->closing = (int) image->count;
        image->ended = ends_image(line);
        image->came_back = false;
    } else if (line->type == NSD_LINE_EXEC_FAILED) {
        image->ended = false;
        image->came_back = true;
    }
    image->count++;
}

static const char *time_of(const struct nsd_report_image *image) {
    struct nsd_view_coverage view;

    if (image->closing < 0)
        return "~"; /* after every date */
    lines__coverage(&image->line[image->closing], &view);
    return view.time;
}

static int by_time(const void *left, const void *right) {
    const struct nsd_report_image *a = left, *b = right;
    int order = strcmp(time_of(a), time_of(b));

    if (order != 0)
        return order;
    return a->order < b->order ? -1 : 1;
}

void collect__sort(struct nsd_collection *collection) {
    if (collection->count > 1)
        qsort(collection->image, collection->count, sizeof *collection->image, by_time);
}

/* False: it was not empty any more. */
static bool remove_folder(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL)
        return true;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    return rmdir(path) == 0 || (errno != ENOTEMPTY && errno != EEXIST);
}

void collect__end(struct nsd_collection *collection) {
    /* What outlives the run may begin one more recording meanwhile. */
    for (int i = 0; collection->folder[0] != '\0' && i < REMOVALS_MOST; i++) {
        if (remove_folder(collection->folder))
            break;
    }
    for (size_t i = 0; i < collection->count; i++) {
        struct nsd_report_image *image = &collection->image[i];

        for (size_t k = 0; k < image->count; k++)
            lines__free(&image->line[k]);
        free(image->line);
    }
    free(collection->image);
    memset(collection, 0, sizeof *collection);
}
