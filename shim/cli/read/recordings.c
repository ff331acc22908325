/*
 * Reads files, folders of recordings and indices of runs: see recordings.h. A file that is no
 * recording is refused with a line on stderr; the parts of a recording go to replayed.c one after
 * the other.
 */
#include "cli/read/recordings.h"
#include "cli/read/replayed.h"
#include "cli/say.h"
#include "record/reader.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a file ---- */

static void refuse(struct nsd_recordings *recordings, const char *path, const char *why) {
    command__say("%s: %s", path, why);
    recordings->unreadable = true;
}

/* Reads the whole file; only its beginning if it does not begin as a recording does. */
static char *read_bytes(int fd, size_t size, size_t *got) {
    char *bytes = malloc(size > 0 ? size : 1);
    bool known = false;

    *got = 0;
    while (bytes != NULL && *got < size) {
        uint64_t magic;
        ssize_t more = read(fd, bytes + *got, known ? size - *got : 4096);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        *got += (size_t) more;
        if (!known && *got >= sizeof magic) {
            memcpy(&magic, bytes, sizeof magic);
            if (magic != NSD_RECORD_MAGIC && magic != NSD_INDEX_MAGIC)
                break;
            known = true;
        }
    }
    return bytes;
}

static void count_image(struct nsd_recordings *recordings, bool was_added) {
    if (was_added) {
        recordings->images++;
        return;
    }
    command__say("out of memory");
    recordings->unreadable = true;
}

static void add_part(struct nsd_recordings *recordings, const struct nsd_part *part) {
    count_image(recordings, replayed__read(recordings, part));
}

void recordings__add_facts(struct nsd_recordings *recordings,
                           const struct nsd_record_facts *facts) {
    count_image(recordings, replayed__add_facts(recordings, facts));
}

static void read_parts(struct nsd_recordings *recordings, const char *path,
                       const struct nsd_recording *recording) {
    unsigned parts = recording__parts(recording), read = 0;
    const char *why = NULL, *last_why = NULL;

    for (unsigned i = 0; i < parts; i++) {
        struct nsd_part part;

        if (recording__part(recording, i, &part, &why)) {
            add_part(recordings, &part);
            read++;
        } else {
            last_why = why;
        }
    }
    if (read == 0)
        refuse(recordings, path, last_why != NULL ? last_why : "nothing was recorded in it");
    else if (recording->cut)
        refuse(recordings, path, "the file has been cut short: this is what is left of it");
}

/* True if the file that the index names is beside it. */
static bool is_beside(const char *path, const char *name) {
    const char *end = strrchr(path, '/');
    int folder = end == NULL ? 0 : (int) (end - path) + 1;
    char *beside;
    bool is_there;

    if (strchr(name, '/') != NULL || asprintf(&beside, "%.*s%s", folder, path, name) < 0)
        return false;
    is_there = access(beside, F_OK) == 0;
    free(beside);
    return is_there;
}

/*
 * Adds the images that have no recording: those in which nothing happened, and those that were not
 * watched. The recordings are files that are read by themselves.
 */
static void read_index(struct nsd_recordings *recordings, const char *path,
                       const struct nsd_index_view *index) {
    struct nsd_index_slot slot;
    unsigned gone = 0;

    for (unsigned i = 0; i < index__slots(index); i++) {
        if (!index__slot(index, i, &slot))
            continue;
        if (slot.recording[0] == '\0')
            recordings__add_facts(recordings, &slot.facts);
        else if (!is_beside(path, slot.recording))
            gone++;
    }
    recordings->collection.unseen += index->head.unseen;
    recordings->collection.silent += index->head.silent;
    if (gone == 1)
        refuse(recordings, path, "a recording that it names is gone");
    else if (gone > 1)
        refuse(recordings, path, "recordings that it names are gone");
}

static bool is_index(const char *bytes, size_t size) {
    uint64_t magic = 0;

    if (size >= sizeof magic)
        memcpy(&magic, bytes, sizeof magic);
    return magic == NSD_INDEX_MAGIC;
}

/* If the version is another one: says which format the file has and which one is read here. */
static void refuse_recording(struct nsd_recordings *recordings, const char *path,
                             const struct nsd_recording *recording, const char *why) {
    char words[160];

    if (recording->file.magic == NSD_RECORD_MAGIC &&
        recording->file.version != NSD_RECORD_VERSION) {
        snprintf(words, sizeof words,
                 "%s: its format is %u, and that of nsdrift " NSD_VERSION " is %u", why,
                 recording->file.version, NSD_RECORD_VERSION);
        why = words;
    }
    refuse(recordings, path, why);
}

static void read_file(struct nsd_recordings *recordings, const char *path, int fd, size_t size) {
    struct nsd_index_view index;
    struct nsd_recording recording;
    const char *why = NULL;
    size_t got = 0;
    char *bytes = read_bytes(fd, size, &got);

    if (bytes == NULL)
        refuse(recordings, path, "out of memory");
    else if (got == 0)
        refuse(recordings, path, size == 0 ? "the file is empty" : "it cannot be read");
    else if (is_index(bytes, got) && index__open(&index, bytes, got, &why))
        read_index(recordings, path, &index);
    else if (why != NULL)
        refuse(recordings, path, why);
    else if (!recording__open(&recording, bytes, got, &why))
        refuse_recording(recordings, path, &recording, why);
    else
        read_parts(recordings, path, &recording);
    free(bytes);
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(char *const *) left, *(char *const *) right);
}

static bool read_path(struct nsd_recordings *recordings, const char *path, bool may_be_link);

/*
 * Reads every file that is not hidden, in the order of their names, and the index of a run. A link
 * to a folder is refused: it may lead back to this one.
 */
static void read_folder(struct nsd_recordings *recordings, const char *path, int fd) {
    DIR *folder = fdopendir(fd);
    char **names = NULL;
    size_t count = 0, room = 0;
    struct dirent *entry;

    if (folder == NULL) {
        close(fd);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' && strcmp(entry->d_name, NSD_INDEX_NAME) != 0)
            continue;
        if (count == room) {
            char **grown = reallocarray(names, room = room == 0 ? 64 : 2 * room, sizeof *names);

            if (grown == NULL)
                break;
            names = grown;
        }
        if (asprintf(&names[count], "%s/%s", path, entry->d_name) < 0)
            break;
        count++;
    }
    closedir(folder);
    if (count == 0)
        refuse(recordings, path, "there is no recording in this folder");
    else
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        read_path(recordings, names[i], false);
        free(names[i]);
    }
    free(names);
}

static bool is_link(const char *path) {
    struct stat status;

    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* `may_be_link`: a link to a folder is followed too, because the user named it. */
static bool read_path(struct nsd_recordings *recordings, const char *path, bool may_be_link) {
    /* O_NONBLOCK: opening a pipe that nobody writes to would wait. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    /* A process that outlived the run removes its recording when it ends without a finding. */
    if (fd < 0 && errno == ENOENT && recordings->may_be_alive)
        return false;
    if (fd < 0 || fstat(fd, &status) != 0) {
        refuse(recordings, path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return true;
    }
    if (S_ISDIR(status.st_mode) && !may_be_link && is_link(path)) {
        refuse(recordings, path, "a link to a folder is not followed");
        close(fd);
        return true;
    }
    if (S_ISDIR(status.st_mode)) {
        read_folder(recordings, path, fd);
        return true;
    }
    if (S_ISREG(status.st_mode))
        read_file(recordings, path, fd, (size_t) status.st_size);
    else
        refuse(recordings, path, "this is no file");
    close(fd);
    return true;
}

bool recordings__read(struct nsd_recordings *recordings, const char *path) {
    return read_path(recordings, path, true);
}

void recordings__end(struct nsd_recordings *recordings) {
    while (recordings->timelines != NULL) {
        struct nsd_timeline *next = recordings->timelines->next;

        timeline__free(recordings->timelines);
        recordings->timelines = next;
    }
    collect__free(&recordings->collection);
}
