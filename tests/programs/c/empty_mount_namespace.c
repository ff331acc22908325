/*
 * A thread goes to a mount namespace of its own that has nothing in it, and stays there: "unshare"
 * by UNSHARE_EMPTY_MNTNS (Linux 7.1), "tree" by the descriptor that OPEN_TREE_NAMESPACE gives
 * (7.0). An older kernel refuses: 77. Says how many threads stand elsewhere than the main one. Must
 * be reported: a note for the thread that stays away, in mnt alone.
 */
#include "host.h"
#include <dirent.h>

#define EMPTY_MNTNS 0x00100000 /* UNSHARE_EMPTY_MNTNS */
#define TREE_NAMESPACE 2u      /* OPEN_TREE_NAMESPACE */

static const char *way;
static sem_t away, stay;

static void needs(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        _exit(errno == EINVAL || errno == EPERM || errno == ENOSYS ? 77 : 70);
    }
}

static KEEP void leave_by_unshare(void) {
    needs(unshare(EMPTY_MNTNS) == 0, "unshare(UNSHARE_EMPTY_MNTNS)");
    STAY();
}

static KEEP void leave_by_tree(void) {
    int fd;

    must(unshare(CLONE_FS) == 0, "unshare(CLONE_FS)");
    fd = (int) syscall(SYS_open_tree, AT_FDCWD, "/", TREE_NAMESPACE | O_CLOEXEC);
    needs(fd >= 0, "open_tree(OPEN_TREE_NAMESPACE)");
    must(setns(fd, CLONE_NEWNS) == 0, "setns");
    STAY();
}

static void *worker(void *unused) {
    if (!strcmp(way, "tree"))
        leave_by_tree();
    else
        leave_by_unshare();
    post(&away);
    wait_for(&stay);
    return unused;
}

static ino_t inode(const char *task) {
    struct stat stat_;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%.10s/ns/mnt", task);
    must(stat(path, &stat_) == 0, path);
    return stat_.st_ino;
}

int main(int argc, char **argv) {
    struct dirent *task;
    char own[16];
    int count = 0;
    DIR *tasks;

    way = argc > 1 ? argv[1] : "unshare";
    sem_init(&away, 0, 0);
    sem_init(&stay, 0, 0);
    start(worker, NULL);
    wait_for(&away);
    snprintf(own, sizeof own, "%d", (int) getpid());
    tasks = opendir("/proc/self/task");
    must(tasks != NULL, "/proc/self/task");
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] != '.' && inode(task->d_name) != inode(own))
            count++;
    }
    printf("%d away\n", count);
    return 0;
}
