/*
 * Replays the recording of a process up to now, see since.h. The first switch of a kind tells which
 * namespace of that kind the process started in. Inodes are compared where the recording has them,
 * else the ledger's own numbers.
 */
#include "cli/scan/since.h"
#include "cli/scan/tasks.h"
#include "names/naming.h"
#include "record/replay.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* No recording is larger: record_size has a limit. */
#define SIZE_MOST (256l << 20)
#define SECOND 1000000000ll

struct search {
    struct nsd_since *since;
    const uint64_t *current;
    uint64_t number, pid_ns; /* the pid of the process in its own pid namespace */
    int64_t began;           /* ns since 1970 */
    uint64_t newest;         /* start of the image that `since` is about; 0: none yet */
    const char *why;
};

/* ---- which process ---- */

/*
 * The time when the process was made. A recording that is older belongs to another process with its
 * pid.
 */
static int64_t start_of(pid_t pid) {
    struct timespec now, up;
    char path[64], text[1024];
    const char *at;
    ssize_t got;
    double ticks = 0;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    at = strrchr(text, ')'); /* the process name may contain anything, also ')' */
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
        if (field == 21 && at != NULL)
            ticks = strtod(at + 1, NULL);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    return (now.tv_sec - up.tv_sec) * SECOND + (now.tv_nsec - up.tv_nsec) +
           (int64_t) (ticks / (double) sysconf(_SC_CLK_TCK) * 1e9);
}

static bool is_process(const struct search *search, const struct nsd_record_facts *facts) {
    return (uint64_t) facts->pid == search->number && facts->pid_ns == search->pid_ns &&
           facts->ended != NSD_RECORD_EXIT && facts->ended != NSD_RECORD_EXEC &&
           (int64_t) facts->start_wall >= search->began - SECOND &&
           facts->start_wall >= search->newest;
}

/* ---- one image ---- */

struct course {
    struct nsd_label *start[NSD_KINDS]; /* held */
    struct nsd_since *since;
    int32_t leader;
};

static void put_call(const struct nsd_event *event, char *to, size_t size) {
    struct nsd_place place;
    const char *file;

    snprintf(to, size, "%s (thread %d)", nsd_call_table[event->call].text, (int) event->tid);
    for (unsigned i = 0; event->frames != NULL && i < event->frames->depth; i++) {
        naming__place(event->frames->frame[i].pc, false, &place);
        if (place.function[0] == '\0' || naming__is_plumbing(&place))
            continue;
        file = strrchr(place.file, '/');
        file = file != NULL ? file + 1 : place.file;
        if (file[0] != '\0')
            snprintf(to, size, "%s in %.40s %.30s:%u (thread %d)", nsd_call_table[event->call].text,
                     place.function, file, (unsigned) place.line, (int) event->tid);
        else
            snprintf(to, size, "%s in %.50s (thread %d)", nsd_call_table[event->call].text,
                     place.function, (int) event->tid);
        return;
    }
}

static void see_event(void *context, struct nsd_replay *replay, const struct nsd_event *event,
                      const struct nsd_change *change) {
    struct course *course = context;

    (void) replay;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((change->changed & NSD_KIND_BIT(kind)) == 0)
            continue;
        if (course->start[kind] == NULL && change->before != NULL)
            course->start[kind] = label__hold(change->before[kind]);
        if (event->tid == course->leader)
            put_call(event, course->since->by[kind], sizeof course->since->by[kind]);
    }
}

static void see_gap(void *context, struct nsd_replay *replay) {
    struct course *course = context;

    (void) replay;
    course->since->gap = true;
}

static void judge(const struct search *search, struct nsd_replay *replay, struct course *course) {
    struct nsd_since *since = search->since;
    const struct nsd_thread *leader = ledger__thread(&replay->ledger, course->leader);

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        const struct nsd_identity *identity = label__identity(course->start[kind]);
        bool moved;

        if (course->start[kind] == NULL)
            continue;
        since->started[kind] = identity != NULL ? identity->inode : 0;
        if (since->started[kind] != 0 && search->current[kind] > NSD_TASK_NEW)
            moved = since->started[kind] != search->current[kind];
        else
            moved = leader != NULL && leader->label[kind] != NULL &&
                    !label__same(leader->label[kind], course->start[kind]);
        if (moved)
            since->moved = (nsd_kinds) (since->moved | NSD_KIND_BIT(kind));
    }
}

static void read_part(struct search *search, const struct nsd_part *part) {
    struct course course = {.since = search->since, .leader = part->head.facts.leader};
    struct nsd_replay_watcher watcher = {.event = see_event, .gap = see_gap, .context = &course};
    static struct nsd_replay replay;

    memset(search->since, 0, sizeof *search->since);
    search->newest = part->head.facts.start_wall;
    if (replay__run(&replay, part, &watcher))
        judge(search, &replay, &course);
    replay__end(&replay);
}

/* ---- files ---- */

static void read_recording(struct search *search, const char *bytes, size_t size) {
    struct nsd_recording recording;
    const char *why = NULL;
    struct nsd_index_view index;
    struct nsd_part part;

    /* The index of a run lies beside recordings and has nothing about threads. */
    if (index__open(&index, bytes, size, &why))
        return;
    if (!recording__open(&recording, bytes, size, &why)) {
        search->why = why;
        return;
    }
    for (unsigned i = 0; i < recording__parts(&recording); i++) {
        if (recording__part(&recording, i, &part, &why) && is_process(search, &part.head.facts))
            read_part(search, &part);
    }
}

/* Reads a copy, since the process goes on writing into its recording. */
static void read_file(struct search *search, int fd, off_t size) {
    char *bytes;
    size_t got = 0;

    if (size <= 0 || size > SIZE_MOST) {
        search->why = size <= 0 ? "the file is empty" : "the file is too large for a recording";
        return;
    }
    bytes = malloc((size_t) size);
    while (bytes != NULL && got < (size_t) size) {
        ssize_t more = read(fd, bytes + got, (size_t) size - got);

        if (more <= 0)
            break;
        got += (size_t) more;
    }
    if (bytes != NULL)
        read_recording(search, bytes, got);
    free(bytes);
}

static void read_path(struct search *search, int folder, const char *name, bool descend) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0) {
        search->why = strerror(errno);
    } else if (S_ISREG(status.st_mode)) {
        read_file(search, fd, status.st_size);
    } else if (S_ISDIR(status.st_mode) && descend) {
        DIR *list = fdopendir(fd);
        struct dirent *entry;

        while (list != NULL && (entry = readdir(list)) != NULL) {
            if (entry->d_name[0] != '.')
                read_path(search, dirfd(list), entry->d_name, false);
        }
        if (list != NULL) {
            closedir(list);
            return;
        }
    } else if (!S_ISDIR(status.st_mode)) {
        search->why = "this is no file";
    }
    if (fd >= 0)
        close(fd);
}

bool since__can_be_read(const char *path, const char **why) {
    struct search search = {.number = UINT64_MAX}; /* of no process: nothing is replayed */

    read_path(&search, AT_FDCWD, path, false);
    *why = search.why;
    return search.why == NULL;
}

bool since__read(struct nsd_since *since, const char *path, pid_t pid, const uint64_t *current,
                 const char **why) {
    struct search search = {
        .since = since,
        .current = current,
        .number = tasks__own_number(pid),
        .pid_ns = current[NSD_KIND_PID],
        .began = start_of(pid),
        .why = "there is nothing of this process",
    };

    memset(since, 0, sizeof *since);
    read_path(&search, AT_FDCWD, path, true);
    *why = search.why;
    return search.newest != 0;
}
