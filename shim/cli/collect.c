/*
 * The private folder, see collect.h: one file for each pid, appended to by every image that has had
 * that pid, also in different pid namespaces.
 */
#include "cli/collect.h"
#include "cli/command.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Options are split at colons, and % is a place in log_path. */
static bool can_be_named(const char *folder) {
    return strpbrk(folder, ":%") == NULL && folder[0] == '/';
}

bool collect__begin(struct nsd_collection *collection) {
    const char *temporary = getenv("TMPDIR");

    memset(collection, 0, sizeof *collection);
    if (temporary == NULL || !can_be_named(temporary))
        temporary = "/tmp";
    snprintf(collection->folder, sizeof collection->folder, "%s/nsdrift-XXXXXX", temporary);
    if (mkdtemp(collection->folder) != NULL)
        return true;
    command__say("no folder for the reports in %s: %s", temporary, strerror(errno));
    return false;
}

void collect__log_path(const struct nsd_collection *collection, char *path, size_t size) {
    snprintf(path, size, "%s/%%p", collection->folder);
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

static char *read_whole(int fd, size_t *size) {
    size_t room = 64 * 1024, used = 0;
    char *bytes = malloc(room);

    while (bytes != NULL) {
        ssize_t got = read(fd, bytes + used, room - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        used += (size_t) got;
        if (used == room) {
            char *grown = realloc(bytes, 2 * room);

            if (grown == NULL)
                break;
            bytes = grown;
            room *= 2;
        }
    }
    *size = used;
    return bytes;
}

static void read_file(struct nsd_collection *collection, int folder, const char *name) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    char *bytes = NULL;
    size_t size = 0;

    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        bytes = read_whole(fd, &size);
    close(fd);
    for (size_t at = 0; bytes != NULL && at < size;) {
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t length = end != NULL ? (size_t) (end - bytes) - at : size - at;
        struct nsd_line line;

        if (lines__parse(&line, bytes + at, length))
            collect__add(collection, &line);
        at += length + 1;
    }
    free(bytes);
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

void collect__read(struct nsd_collection *collection) {
    DIR *folder = opendir(collection->folder);
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            read_file(collection, dirfd(folder), entry->d_name);
    }
    closedir(folder);
    collect__sort(collection);
}

static void remove_folder(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(path);
}

void collect__end(struct nsd_collection *collection) {
    if (collection->folder[0] != '\0')
        remove_folder(collection->folder);
    for (size_t i = 0; i < collection->count; i++) {
        struct nsd_report_image *image = &collection->image[i];

        for (size_t k = 0; k < image->count; k++)
            lines__free(&image->line[k]);
        free(image->line);
    }
    free(collection->image);
    memset(collection, 0, sizeof *collection);
}
