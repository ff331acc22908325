/*
 * For tests of the writer: a folder for recordings, what is in it, and an image (a process) for
 * each test, since the writer has one state for the life of an image.
 */
#ifndef RECORD_FOLDER_H
#define RECORD_FOLDER_H

#include "record/part.h"
#include "record/reader.h"
#include "record/slots.h"
#include "record/writer.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
        }                                                                                          \
    } while (0)

static char folder[64];
static struct nsd_findings findings;
static struct nsd_record_facts facts;

#define UNUSED __attribute__((unused))

/* ---- a folder, and the files in it ---- */

static char names[16][256];

/* Files that readers take for recordings, sorted; hidden ones in *hidden. */
static unsigned list(unsigned *hidden) {
    unsigned count = 0;
    struct dirent *entry;
    DIR *open_list = opendir(folder);

    *hidden = 0;
    while (open_list != NULL && (entry = readdir(open_list)) != NULL) {
        if (strcmp(entry->d_name, NSD_INDEX_NAME) == 0 || strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_name[0] == '.')
            ++*hidden;
        else if (count < 16)
            strcpy(names[count++], entry->d_name);
    }
    closedir(open_list);
    return count;
}

UNUSED static unsigned files(void) {
    unsigned hidden, count = list(&hidden);

    CHECK(hidden == 0);
    return count;
}

static struct nsd_recording recording;
static struct nsd_part part;

UNUSED static bool read_part(const char *name, unsigned number) {
    static uint8_t bytes[4 << 20];
    char path[512];
    const char *why = "";
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDONLY);
    size = read(fd, bytes, sizeof bytes);
    close(fd);
    return size > 0 && recording__open(&recording, bytes, (size_t) size, &why) &&
           recording__part(&recording, number, &part, &why);
}

UNUSED static unsigned records_of(enum nsd_record_type type) {
    struct nsd_block_cursor cursor = {0};
    struct nsd_record record;
    unsigned count = 0;

    while (part__next_record(&part, &cursor, &record))
        count += record.type == type;
    return count;
}

/* ---- what the image does ---- */

static int64_t error;

static const char *begin_of_size(uint64_t size) {
    struct nsd_record_wish wish = {.folder = folder, .size = size, .findings = &findings};

    return record__begin(&wish, &facts, &error);
}

UNUSED static const char *begin(void) {
    return begin_of_size(256 * 1024);
}

static void event(enum nsd_call call) {
    struct nsd_event made = {.call = (uint16_t) call, .tid = 4242};

    record__event(&made);
    record__event_is_over(1, 0);
}

/* ---- an image of its own for each test ---- */

static void in_a_folder(void (*test)(void), const char *name) {
    char command[128];
    int status;
    pid_t child;

    strcpy(folder, "/tmp/record_writer_test-XXXXXX");
    if (mkdtemp(folder) == NULL)
        exit(77);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        failures = 0;
        memset(&facts, 0, sizeof facts);
        facts.pid = facts.leader = 4242;
        facts.pid_ns = 4026531836;
        strcpy(facts.path, "/usr/bin/launcher");
        test();
        fflush(stdout);
        _exit(failures != 0);
    }
    waitpid(child, &status, 0);
    if (status != 0) {
        printf("not ok %s (%x)\n", name, (unsigned) status);
        failures++;
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        failures++;
}

#define TEST(name) in_a_folder(name, #name)

static int end_of_tests(void) {
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures != 0;
}

#endif
