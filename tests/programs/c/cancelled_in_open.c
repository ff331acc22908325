/*
 * A thread is cancelled while it blocks in open(): the wrapper is left by an unwinding that never
 * comes back. Must be reported: nothing; and the join must say that it was cancelled.
 */
#include "host.h"

static sem_t about;

static void *opener(void *unused) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    post(&about);
    open("fifo", O_RDONLY);
    return unused;
}

int main(void) {
    char folder[] = "/tmp/cancelled.XXXXXX";
    must(mkdtemp(folder) && chdir(folder) == 0 && mkfifo("fifo", 0600) == 0, "mkfifo");
    sem_init(&about, 0, 0);
    pthread_t thread = start(opener, NULL);
    wait_for(&about);
    usleep(20000);
    void *result;
    must(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0, "cancel");
    must(unlink("fifo") == 0 && chdir("/") == 0 && rmdir(folder) == 0, "rmdir");
    puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    return 0;
}
