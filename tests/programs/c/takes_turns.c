// takes_turns HOW: a worker takes a mount namespace of its own, and what belongs there is mounted
// by it ("same"), by another thread ("other"), or by another thread after the worker has ended
// ("ended"), which then execs. Ends with 1 where the mount is not where it should be. For many runs
// of which some are wrong.
#include "host.h"

static sem_t moved, mounted;
static int mounts_itself;

static void put_there(void) {
    must(mount("none", "/mnt", "tmpfs", 0, NULL) == 0, "mount");
}

static void *worker(void *unused) {
    (void) unused;
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "make private");
    if (mounts_itself)
        put_there();
    post(&moved);
    if (!mounts_itself)
        wait_for(&mounted);
    return NULL;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "same";
    pthread_t thread;

    /* What lands in the wrong place stays in this process' own. */
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "make private");
    sem_init(&moved, 0, 0);
    sem_init(&mounted, 0, 0);
    mounts_itself = strcmp(how, "same") == 0;
    thread = start(worker, NULL);
    wait_for(&moved);
    if (strcmp(how, "other") == 0)
        put_there();
    post(&mounted);
    join(thread);
    if (strcmp(how, "ended") == 0) {
        put_there();
        execl("/bin/false", "false", (char *) NULL);
    }
    return !mounts_itself;
}
