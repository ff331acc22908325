/*
 * Reads /proc/PID/task/TID/ns, see tasks.h, with ten readlinks a thread: the text of a link has the
 * inode. Links are not opened, because an open descriptor keeps a namespace alive.
 */
#include "cli/scan/tasks.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKS_MOST 4

static bool is_gone(int error) {
    return error == ENOENT || error == ESRCH;
}

/* ---- one thread ---- */

/* The inode in "net:[4026531840]"; 0, with errno, if the link cannot be read. */
static uint64_t read_link(int folder, const char *name) {
    char text[64];
    ssize_t got = readlinkat(folder, name, text, sizeof text - 1);
    const char *bracket;

    if (got < 0)
        return 0;
    text[got] = '\0';
    bracket = strchr(text, '[');
    errno = EIO;
    return bracket != NULL ? strtoull(bracket + 1, NULL, 10) : 0;
}

/*
 * False if the thread has ended. A zombie has given up its namespaces except user and pid
 * (exit_task_namespaces in kernel/nsproxy.c). Its mnt namespace, which every kernel has, tells it
 * from a living thread.
 */
static bool read_task(struct nsd_task *task, int tasks_folder, const char *tid) {
    char path[64];
    int folder, missing = 0;

    memset(task, 0, sizeof *task);
    task->tid = (pid_t) strtol(tid, NULL, 10);
    snprintf(path, sizeof path, "%.16s/ns", tid);
    folder = openat(tasks_folder, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        task->error = errno;
        task->unread = NSD_ALL_KINDS;
        return !is_gone(errno);
    }
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        task->inode[kind] = read_link(folder, kinds__name((enum nsd_kind) kind));
        if (task->inode[kind] != 0)
            continue;
        if (is_gone(errno)) {
            missing++;
            continue;
        }
        if (task->error == 0)
            task->error = errno;
        task->unread = (nsd_kinds) (task->unread | NSD_KIND_BIT(kind));
    }
    if (missing > 0 && (task->unread & NSD_KIND_BIT(NSD_KIND_MNT)) == 0) {
        task->inode[NSD_KIND_MNT] = read_link(folder, kinds__name(NSD_KIND_MNT));
        if (task->inode[NSD_KIND_MNT] == 0 && is_gone(errno)) {
            close(folder);
            return false;
        }
        if (task->inode[NSD_KIND_PID] != 0 && task->inode[NSD_KIND_PID_FOR_CHILDREN] == 0 &&
            (task->unread & NSD_KIND_BIT(NSD_KIND_PID_FOR_CHILDREN)) == 0)
            task->inode[NSD_KIND_PID_FOR_CHILDREN] = NSD_TASK_NEW;
    }
    close(folder);
    /* proc_ns_readlink in fs/proc/namespaces.c answers EACCES also for a thread that is gone. */
    return task->error == 0 || faccessat(tasks_folder, tid, F_OK, 0) == 0;
}

/* A field of /proc/PID/status; "" if it is not there. */
static void status_field(pid_t pid, const char *field, char *value, size_t size) {
    char path[64], line[256];
    size_t length = strlen(field);
    FILE *file;

    value[0] = '\0';
    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, length) != 0 || line[length] != ':')
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(value, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
        break;
    }
    fclose(file);
}

pid_t tasks__process_of(pid_t tid) {
    char value[32];

    status_field(tid, "Tgid", value, sizeof value);
    return (pid_t) strtol(value, NULL, 10);
}

uint64_t tasks__own_number(pid_t pid) {
    char value[256];
    const char *last;

    status_field(pid, "NSpid", value, sizeof value);
    last = strrchr(value, '\t');
    if (value[0] == '\0')
        return (uint64_t) pid;
    return strtoull(last != NULL ? last : value, NULL, 10);
}

void tasks__name(pid_t pid, pid_t tid, char *name, size_t size) {
    char path[64];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int) pid, (int) tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, name, size - 1);
        close(fd);
    }
    name[got > 0 ? got : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* ---- the process ---- */

static void read_program(struct nsd_tasks *tasks) {
    char path[64], program[PATH_MAX];
    ssize_t got;

    snprintf(path, sizeof path, "/proc/%d/exe", (int) tasks->pid);
    got = readlink(path, program, sizeof program - 1);
    if (got > 0) {
        program[got] = '\0';
        snprintf(tasks->name, sizeof tasks->name, "%.40s", basename(program));
    } else {
        tasks__name(tasks->pid, tasks->pid, tasks->name, sizeof tasks->name);
    }
}

static struct nsd_task *new_task(struct nsd_tasks *tasks) {
    if (tasks->count == tasks->room) {
        size_t room = tasks->room == 0 ? 64 : 2 * tasks->room;
        void *grown = reallocarray(tasks->task, room, sizeof *tasks->task);

        if (grown == NULL)
            return NULL;
        tasks->task = grown;
        tasks->room = room;
    }
    return &tasks->task[tasks->count];
}

static int leader_first(const void *left, const void *right, void *pid) {
    pid_t a = ((const struct nsd_task *) left)->tid, b = ((const struct nsd_task *) right)->tid;
    pid_t leader = *(const pid_t *) pid;

    if ((a == leader) != (b == leader))
        return a == leader ? -1 : 1;
    return a < b ? -1 : a > b;
}

static bool same_places(const struct nsd_task *a, const struct nsd_task *b) {
    return memcmp(a->inode, b->inode, sizeof a->inode) == 0;
}

static int read_once(struct nsd_tasks *tasks, int folder_fd, DIR *folder) {
    struct nsd_task again;
    struct dirent *entry;
    char leader[16];

    tasks->count = tasks->ended = 0;
    rewinddir(folder);
    while ((entry = readdir(folder)) != NULL) {
        struct nsd_task *task = new_task(tasks);

        if (task == NULL)
            return ENOMEM;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        if (read_task(task, folder_fd, entry->d_name))
            tasks->count++;
        else
            tasks->ended++;
    }
    if (tasks->count == 0)
        return 0;
    qsort_r(tasks->task, tasks->count, sizeof *tasks->task, leader_first, &tasks->pid);
    tasks->has_leader = tasks->task[0].tid == tasks->pid;
    snprintf(leader, sizeof leader, "%d", (int) tasks->pid);
    tasks->unsettled = tasks->has_leader && read_task(&again, folder_fd, leader) &&
                       !same_places(&again, &tasks->task[0]);
    return 0;
}

int tasks__read(struct nsd_tasks *tasks, pid_t pid) {
    bool anything = false;
    char path[64];
    DIR *folder;
    int error = 0;

    memset(tasks, 0, sizeof *tasks);
    tasks->pid = pid;
    snprintf(path, sizeof path, "/proc/%d/task", (int) pid);
    folder = opendir(path);
    if (folder == NULL)
        return is_gone(errno) ? ESRCH : errno;
    read_program(tasks);
    /* If the leader moves meanwhile, all others seem to differ: the process is read again. */
    for (int look = 0; look == 0 || (tasks->unsettled && look < LOOKS_MOST); look++) {
        error = read_once(tasks, dirfd(folder), folder);
        if (error != 0)
            break;
    }
    closedir(folder);
    if (error != 0)
        return error;
    if (tasks->count == 0)
        return ESRCH;
    for (size_t i = 0; i < tasks->count; i++) {
        const struct nsd_task *task = &tasks->task[i];

        for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
            if (task->inode[kind] != NSD_TASK_UNKNOWN)
                tasks->kinds = (nsd_kinds) (tasks->kinds | NSD_KIND_BIT(kind));
        }
        anything = anything || task->unread != NSD_ALL_KINDS;
        if (task->error != 0)
            error = task->error;
    }
    return anything ? 0 : error;
}

void tasks__free(struct nsd_tasks *tasks) {
    free(tasks->task);
    memset(tasks, 0, sizeof *tasks);
}

/* ---- comparison ---- */

/*
 * The inode of a kind that most threads from `first` on have, and their number; 0 if none could be
 * read.
 */
static uint64_t most_common(const struct nsd_tasks *tasks, size_t first, unsigned kind,
                            size_t *times) {
    uint64_t best = NSD_TASK_UNKNOWN;

    *times = 0;
    for (size_t i = first; i < tasks->count; i++) {
        uint64_t inode = tasks->task[i].inode[kind];
        size_t count = 0;

        /*
         * Nearly always all threads are in the same namespaces: the first candidate has more than
         * half of them, and the search ends.
         */
        if (inode == NSD_TASK_UNKNOWN || inode == best)
            continue;
        for (size_t k = i; k < tasks->count; k++)
            count += tasks->task[k].inode[kind] == inode;
        if (count > *times) {
            best = inode;
            *times = count;
        }
        if (2 * *times > tasks->count - first)
            break;
    }
    return best;
}

void tasks__reference(const struct nsd_tasks *tasks, uint64_t *inode) {
    size_t times;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++)
        inode[kind] =
            tasks->has_leader ? tasks->task[0].inode[kind] : most_common(tasks, 0, kind, &times);
}

nsd_kinds tasks__difference(const struct nsd_tasks *tasks, const struct nsd_task *task,
                            const uint64_t *reference) {
    nsd_kinds different = 0;

    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if (task->inode[kind] != reference[kind] && task->inode[kind] != NSD_TASK_UNKNOWN &&
            reference[kind] != NSD_TASK_UNKNOWN && (tasks->kinds & NSD_KIND_BIT(kind)) != 0)
            different = (nsd_kinds) (different | NSD_KIND_BIT(kind));
    }
    return different;
}

nsd_kinds tasks__odd_leader(const struct nsd_tasks *tasks) {
    nsd_kinds odd = 0;

    if (!tasks->has_leader || tasks->count < 3)
        return 0;
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        uint64_t leader = tasks->task[0].inode[kind];
        size_t times, with_leader = 0;
        uint64_t common;

        if (leader == NSD_TASK_UNKNOWN)
            continue;
        common = most_common(tasks, 1, kind, &times);
        for (size_t i = 1; i < tasks->count; i++)
            with_leader += tasks->task[i].inode[kind] == leader;
        if (with_leader == 0 && common != NSD_TASK_UNKNOWN && 2 * times > tasks->count - 1)
            odd = (nsd_kinds) (odd | NSD_KIND_BIT(kind));
    }
    return odd;
}
