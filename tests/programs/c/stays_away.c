// stays_away WHO COUNT: a process that stands still with its threads in known places, for a look
// from outside. COUNT threads idle at home; besides them, WHO says who is in another network and
// uts namespace: "nobody", "two" (two more threads), "leader", "ended" (one, and the leader ends),
// "all" (the leader before it makes the others), "childless" (one made a pid namespace without a
// process in it). Prints "ready" when all stand there, and, each on a line, the threads that are
// away.
#include "host.h"
#include <sys/prctl.h>

static pthread_barrier_t all_there;
static const char *who;

static void *idle(void *unused) {
    (void) unused;
    pthread_barrier_wait(&all_there);
    while (pause() != 0)
        ;
    return NULL;
}

static void leave(void) {
    if (strcmp(who, "childless") == 0)
        must(unshare(CLONE_NEWPID) == 0, "unshare");
    else
        must(unshare(CLONE_NEWNET | CLONE_NEWUTS) == 0, "unshare");
    printf("%d\n", (int) syscall(SYS_gettid));
}

static void *away(void *name) {
    prctl(PR_SET_NAME, name);
    leave();
    return idle(NULL);
}

int main(int argc, char **argv) {
    int count = argc > 2 ? atoi(argv[2]) : 1;
    int others = 0;

    who = argc > 1 ? argv[1] : "nobody";
    if (strcmp(who, "two") == 0)
        others = 2;
    else if (strcmp(who, "ended") == 0 || strcmp(who, "childless") == 0)
        others = 1;
    errno = pthread_barrier_init(&all_there, NULL, (unsigned) (count + others + 1));
    must(errno == 0, "barrier");
    if (strcmp(who, "all") == 0)
        leave();
    for (int i = 0; i < count; i++)
        start(idle, NULL);
    for (int i = 0; i < others; i++)
        start(away, "strays");
    if (strcmp(who, "leader") == 0)
        leave();
    pthread_barrier_wait(&all_there);
    puts("ready");
    fflush(stdout);
    if (strcmp(who, "ended") == 0)
        pthread_exit(NULL);
    for (;;)
        pause();
}
