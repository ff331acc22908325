/*
 * The folder of a run, see folder.h. The index lists the images: an image without a recording gets
 * its closing line from there.
 */
#include "cli/read/folder.h"
#include "base/options.h"
#include "cli/read/recordings.h"
#include "cli/read/source_lines.h"
#include "cli/say.h"
#include "cli/watch/signals.h"
#include "record/names.h"
#include "record/reader.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVALS_MOST 100

static int open_index(const struct nsd_collection *collection, int flags) {
    char path[PATH_MAX + sizeof NSD_INDEX_NAME + 1];

    snprintf(path, sizeof path, "%s/%s", collection->folder, NSD_INDEX_NAME);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool make_index(const struct nsd_collection *collection) {
    const struct nsd_index head = {
        .magic = NSD_INDEX_MAGIC,
        .version = NSD_RECORD_VERSION,
        .byte_order = NSD_RECORD_BYTE_ORDER,
        .file_size = NSD_INDEX_SIZE,
        .slot_size = sizeof(struct nsd_index_slot),
        .slots = NSD_INDEX_SLOTS,
        .names = record_names__hash(),
    };
    int fd = open_index(collection, O_RDWR | O_CREAT | O_EXCL), error;

    if (fd < 0) {
        error = errno;
    } else {
        /*
         * The images map the index: every page must have its place on the disk (see allocate() in
         * record/file.c).
         */
        error = posix_fallocate(fd, 0, (off_t) NSD_INDEX_SIZE);
        if (error == 0 && pwrite(fd, &head, sizeof head, 0) != (ssize_t) sizeof head)
            error = errno;
        close(fd);
    }
    if (error == 0)
        return true;
    command__say("no room for recordings in %s: %s", collection->folder, strerror(error));
    return false;
}

/* A colon would split the option record=FOLDER. */
static bool can_be_named(const char *folder) {
    return strchr(folder, ':') == NULL && folder[0] == '/';
}

bool folder__begin(struct nsd_collection *collection) {
    const char *temporary = getenv("TMPDIR");

    /* The reader of our report may stop in the middle: the folder is to be removed even then. */
    signals__outlive(SIGPIPE);
    memset(collection, 0, sizeof *collection);
    if (temporary == NULL || !can_be_named(temporary))
        temporary = "/tmp";
    snprintf(collection->folder, sizeof collection->folder, "%s/nsdrift-XXXXXX", temporary);
    if (mkdtemp(collection->folder) == NULL) {
        command__say("no folder for the recordings in %s: %s", temporary, strerror(errno));
        return false;
    }
    if (make_index(collection))
        return true;
    folder__end(collection);
    return false;
}

/* False if something was added to the folder meanwhile. */
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

void folder__end(struct nsd_collection *collection) {
    /* A process that outlives the run may begin one more recording meanwhile. */
    for (int i = 0; collection->folder[0] != '\0' && i < REMOVALS_MOST; i++) {
        if (remove_folder(collection->folder))
            break;
    }
    collect__free(collection);
}

void folder__keep_all(const struct nsd_collection *collection) {
    const uint32_t yes = 1;
    int fd = open_index(collection, O_WRONLY);

    if (fd < 0 || pwrite(fd, &yes, sizeof yes, offsetof(struct nsd_index, keeps_all)) < 0)
        command__say("%s: %s", collection->folder, strerror(errno));
    if (fd >= 0)
        close(fd);
}

char *folder__options(const struct nsd_collection *collection) {
    char *options = NULL;
    size_t size;
    FILE *out = open_memstream(&options, &size);

    if (out == NULL)
        return NULL;
    fprintf(out, "silent=1:record=%s", collection->folder);
#define PASS_ON(name)                                                                              \
    if (nsd_options.name.given)                                                                    \
        fprintf(out, ":" #name "=%llu", (unsigned long long) nsd_options.name.number);
    PASS_ON(record_size)
    PASS_ON(depth)
    PASS_ON(follow)
    PASS_ON(exitcode)
    PASS_ON(signal)
#undef PASS_ON
    /* With a verbosity above 0 the guest looks at the threads under /proc at every end. */
    if (nsd_options.verbosity.number > 0)
        fprintf(out, ":verbosity=%llu", (unsigned long long) nsd_options.verbosity.number);
    if (fclose(out) == 0)
        return options;
    free(options);
    return NULL;
}

/* ---- reading ---- */

/* Files that have been read. One file can hold several images, each with a slot of its own. */
struct done {
    char (*name)[NSD_INDEX_RECORDING];
    size_t count, room;
};

static bool is_done(const struct done *done, const char *name) {
    for (size_t i = done->count; i > 0; i--) {
        if (strcmp(done->name[i - 1], name) == 0)
            return true;
    }
    return false;
}

static void note_done(struct done *done, const char *name) {
    if (done->count == done->room) {
        size_t room = done->room == 0 ? 64 : 2 * done->room;
        void *grown = reallocarray(done->name, room, sizeof done->name[0]);

        if (grown == NULL)
            return;
        done->name = grown;
        done->room = room;
    }
    snprintf(done->name[done->count++], sizeof done->name[0], "%s", name);
}

/* False if there is no such file: an image without a finding removes its recording. */
static bool read_recording(struct nsd_recordings *recordings, struct done *done, const char *name) {
    char path[PATH_MAX + NSD_INDEX_RECORDING + 2];

    if (is_done(done, name))
        return true;
    snprintf(path, sizeof path, "%s/%s", recordings->collection.folder, name);
    if (strchr(name, '/') != NULL || access(path, R_OK) != 0)
        return false;
    note_done(done, name);
    return recordings__read(recordings, path);
}

/* ---- which images are the command's ---- */

static uint64_t inode_of(const char *link) {
    struct stat status;

    return stat(link, &status) == 0 ? status.st_ino : 0;
}

/*
 * The process that was started, as the image numbers itself. Where our children are in another pid
 * namespace than we are (unshare --pid without --fork), its number there is not ours.
 */
static bool is_started(const struct nsd_record_facts *facts, pid_t started) {
    const uint64_t ours = inode_of("/proc/self/ns/pid");
    const uint64_t childrens = inode_of("/proc/self/ns/pid_for_children");

    if (started == 0)
        return true;
    if (ours != childrens && childrens != 0)
        return facts->pid_ns == childrens || facts->pid_ns == 0;
    return facts->pid == started && (facts->pid_ns == ours || facts->pid_ns == 0 || ours == 0);
}

/*
 * The program enters the index before anything that it starts can: its first image has the first
 * slot. If the program is not watched, its children fill the slots, and none of these is it.
 */
static void find_command(struct nsd_collection *collection, const struct nsd_index_view *index,
                         pid_t started) {
    struct nsd_index_slot slot;

    for (unsigned i = 0; i < index__slots(index); i++) {
        if (!index__slot(index, i, &slot))
            continue;
        if (!is_started(&slot.facts, started))
            return;
        collection->command.pid = slot.facts.pid;
        collection->command.pid_ns =
            slot.facts.pid_ns != 0 ? slot.facts.pid_ns : inode_of("/proc/self/ns/pid_for_children");
        return;
    }
}

static void read_index(struct nsd_recordings *recordings, struct done *done,
                       const struct nsd_index_view *index) {
    struct nsd_index_slot slot;

    for (unsigned i = 0; i < index__slots(index); i++) {
        if (!index__slot(index, i, &slot))
            continue;
        if (slot.recording[0] == '\0' || !read_recording(recordings, done, slot.recording))
            recordings__add_facts(recordings, &slot.facts);
    }
    recordings->collection.unseen += index->head.unseen;
    recordings->collection.silent += index->head.silent;
}

/* Reads the recordings of images that found no slot. */
static void read_rest(struct nsd_recordings *recordings, struct done *done) {
    DIR *folder = opendir(recordings->collection.folder);
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            read_recording(recordings, done, entry->d_name);
    }
    closedir(folder);
}

void folder__read(struct nsd_collection *collection, pid_t started, unsigned verbosity) {
    struct nsd_recordings recordings = {.verbosity = verbosity,
                                        .debug_info = true,
                                        .may_be_alive = true,
                                        .collection = *collection};
    int fd = open_index(collection, O_RDONLY);
    struct done done = {0};
    struct stat status;
    struct nsd_index_view index;
    const char *why = "it is gone";
    void *bytes = MAP_FAILED;

    /* Lines of C code come from files on this machine: a run must not wait for a server. */
    source_lines__begin(NULL, false);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
        bytes = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes != MAP_FAILED && index__open(&index, bytes, (size_t) status.st_size, &why)) {
        find_command(&recordings.collection, &index, started);
        read_index(&recordings, &done, &index);
    } else {
        command__say("%s/%s: %s", collection->folder, NSD_INDEX_NAME, why);
        recordings.collection.index_lost = true;
    }
    if (bytes != MAP_FAILED)
        munmap(bytes, (size_t) status.st_size);
    if (fd >= 0)
        close(fd);
    read_rest(&recordings, &done);
    free(done.name);
    *collection = recordings.collection;
    collect__sort(collection);
}

/* ---- keeping ---- */

static bool copy_bytes(int from, int to, uint64_t most) {
    static char bytes[64 * 1024];
    ssize_t got;

    while ((got = read(from, bytes, most < sizeof bytes ? (size_t) most : sizeof bytes)) > 0) {
        most -= (uint64_t) got;
        for (ssize_t at = 0; at < got;) {
            ssize_t wrote = write(to, bytes + at, (size_t) (got - at));

            if (wrote < 0)
                return false;
            at += wrote;
        }
    }
    return got == 0;
}

/* Never overwrites a file and never follows a link. */
static bool copy_file(int from_folder, const char *from_name, int to_folder, const char *to_name,
                      uint64_t most) {
    int from = openat(from_folder, from_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int to = openat(to_folder, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool copied = from >= 0 && to >= 0 && copy_bytes(from, to, most);
    int error = errno;

    if (to >= 0 && close(to) != 0)
        copied = false;
    if (to >= 0 && !copied)
        unlinkat(to_folder, to_name, 0);
    if (from >= 0)
        close(from);
    errno = error;
    return copied;
}

/*
 * Copies the filled part of the index, under the name of the private folder, which is unique.
 * Images that were not watched are known from there alone.
 */
static bool copy_index(const struct nsd_collection *collection, int from_folder, int to_folder) {
    int fd = open_index(collection, O_RDONLY);
    struct nsd_index head;
    bool is_read = fd >= 0 && pread(fd, &head, sizeof head, 0) == (ssize_t) sizeof head;
    char name[NAME_MAX];

    if (fd >= 0)
        close(fd);
    if (!is_read)
        return false;
    snprintf(name, sizeof name, "%s%s", basename(collection->folder), NSD_INDEX_NAME);
    return copy_file(from_folder, NSD_INDEX_NAME, to_folder, name,
                     NSD_RECORD_PAGE + (head.claimed < head.slots ? head.claimed : head.slots) *
                                           (uint64_t) head.slot_size);
}

bool folder__can_move_to(const char *where) {
    struct stat status;
    int error = 0;

    if (stat(where, &status) != 0 || access(where, W_OK | X_OK) != 0)
        error = errno;
    else if (!S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (error != 0)
        command__say("the recordings will not be kept in %s: %s", where, strerror(error));
    return error == 0;
}

void folder__move_to(const struct nsd_collection *collection, const char *where) {
    int to = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = to < 0 ? NULL : opendir(collection->folder);
    struct dirent *entry;
    bool failed = folder == NULL;

    while (!failed && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' &&
            !copy_file(dirfd(folder), entry->d_name, to, entry->d_name, UINT64_MAX))
            failed = true;
    }
    if (!failed && !copy_index(collection, dirfd(folder), to))
        failed = true;
    if (failed)
        command__say("the recordings could not be kept in %s: %s", where, strerror(errno));
    if (folder != NULL)
        closedir(folder);
    if (to >= 0)
        close(to);
}
