/*
 * Holds THREADS threads alive and prints the bytes of memory that are this process's alone (private
 * pages, dirty and clean, of /proc/self/smaps_rollup, in bytes).
 */
#include "../programs/c/host.h"

static sem_t ready, never;

static void *idle(void *unused) {
    post(&ready);
    wait_for(&never);
    return unused;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        errno = pthread_create(&thread, &attributes, idle, NULL);
        must(errno == 0, "pthread_create");
        wait_for(&ready);
    }
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    must(file != NULL, "smaps_rollup");
    char line[256];
    long total = 0, size;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Clean: %ld", &size) == 1 ||
            sscanf(line, "Private_Dirty: %ld", &size) == 1)
            total += size * 1024;
    printf("%ld\n", total);
    return 0;
}
