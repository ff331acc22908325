/*
 * One call of the table of calls, by the way and with the arguments that the test names, between
 * two marks (unshare(0)) of the same thread: makes_every_call symbol NAME ARGUMENT...     the
 * function of that name makes_every_call syscall NUMBER ARGUMENT...  syscall() with that number
 * Another thread is away already, and a descriptor of a namespace is open. Prints the pid and the
 * caller's tid. Arguments are numbers or the words of `words` below.
 */
#include "host.h"
#include <dlfcn.h>
#include <mqueue.h>

typedef long function(long, ...);

static sem_t away, stay;
static int away_tid;
static char **given;
static int given_count;

static void *goes_away(void *unused) {
    must(unshare(CLONE_NEWUTS) == 0, "unshare");
    away_tid = (int) syscall(SYS_gettid);
    post(&away);
    wait_for(&stay);
    return unused;
}

static void *nothing(void *argument) {
    return argument;
}

static int child_of_clone(void *unused) {
    (void) unused;
    syscall(SYS_exit_group, 0);
    return 0;
}

static long other(const char *kind) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/ns/%s", away_tid, kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, path);
    return fd;
}

static long word(const char *text) {
    static char *list[] = {"true", NULL};
    static char buffer[4096], stack[65536] __attribute__((aligned(16)));
    static unsigned long clone_arguments[11] = {[4] = SIGCHLD};
    static pthread_t thread;
    char *end;
    long number = strtol(text, &end, 0);

    if (*end == '\0')
        return number;
    if (!strncmp(text, "s:", 2))
        return (long) (text + 2);
    if (!strncmp(text, "ns:", 3))
        return own_namespace(text + 3);
    if (!strncmp(text, "other:", 6))
        return other(text + 6);
    if (!strcmp(text, "pidfd"))
        return syscall(SYS_pidfd_open, getpid(), 0);
    if (!strcmp(text, "fd"))
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!strcmp(text, "list"))
        return (long) list;
    if (!strcmp(text, "environment"))
        return (long) environ;
    if (!strcmp(text, "buffer"))
        return (long) buffer;
    if (!strcmp(text, "thread"))
        return (long) &thread;
    if (!strcmp(text, "routine"))
        return (long) nothing;
    if (!strcmp(text, "child"))
        return (long) child_of_clone;
    if (!strcmp(text, "stack"))
        return (long) (stack + sizeof stack);
    if (!strcmp(text, "clone_arguments"))
        return (long) clone_arguments;
    fprintf(stderr, "no such word: %s\n", text);
    exit(70);
}

static void *calls(void *unused) {
    long argument[6] = {0};
    function *function;
    char called[64];
    long result;

    for (int i = 3; i < given_count && i < 9; i++)
        argument[i - 3] = word(given[i]);
    printf("%d %d\n", (int) getpid(), (int) syscall(SYS_gettid));
    fflush(stdout);
    unshare(0);
    if (!strcmp(given[1], "syscall")) {
        result = syscall(strtol(given[2], NULL, 0), argument[0], argument[1], argument[2],
                         argument[3], argument[4], argument[5]);
    } else {
        function = (typeof(function)) dlsym(RTLD_DEFAULT, given[2]);
        must(function != NULL || (errno = ENOSYS, 0), given[2]);
        result =
            function(argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
    }
    snprintf(called, sizeof called, " %s ", given[2]);
    if (result == 0 && strstr(" fork _Fork vfork 56 57 58 435 ", called))
        syscall(SYS_exit_group, 0);
    unshare(0);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t thread;

    must(argc > 2 || (errno = EINVAL, 0), "usage");
    given = argv;
    given_count = argc;
    sem_init(&away, 0, 0);
    sem_init(&stay, 0, 0);
    thread = start(goes_away, NULL);
    wait_for(&away);
    own_namespace("uts");
    join(start(calls, NULL));
    while (waitpid(-1, NULL, __WALL) > 0)
        ;
    post(&stay);
    join(thread);
    return 0;
}
