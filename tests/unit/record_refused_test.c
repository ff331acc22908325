/*
 * A kernel or a file system that refuses one call while a recording is made, by a seccomp filter:
 * where there is another way it is taken, else there is no recording, nothing is left in the
 * folder, and the reason is given.
 */
#include "record_folder.h"

#include "record/names.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* From now on this process gets `wanted` (positive) from the call. */
static void refuse(long call, int wanted) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t) wanted),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(0); /* cannot be tried here */
}

#define SIZE (4096 + 256 * 1024 + 4 * 64 * 1024)

static void is_made(void) {
    CHECK(begin() == NULL && error == 0 && files() == 1);
    event(NSD_CALL_SOCKET);
    CHECK(read_part(names[0], 0) && records_of(NSD_RECORD_EVENT) == 1 && !recording.cut);
}

static void is_refused(const char *why, int wanted) {
    const char *got = begin();

    CHECK(got != NULL && strcmp(got, why) == 0);
    CHECK(error == -wanted && files() == 0 && !record__is_on());
}

/* Old file systems allocate by being written to. */
static void no_fallocate_in_the_file_system(void) {
    struct stat status;
    char path[512];

    refuse(__NR_fallocate, EOPNOTSUPP);
    is_made();
    snprintf(path, sizeof path, "%s/%s", folder, names[0]);
    CHECK(stat(path, &status) == 0 && status.st_size == SIZE && status.st_blocks * 512 >= SIZE);
}

static void no_fallocate_in_the_kernel(void) {
    refuse(__NR_fallocate, ENOSYS);
    is_made();
}

static void a_full_disk(void) {
    refuse(__NR_fallocate, ENOSPC);
    is_refused("there is no room for it", ENOSPC);
}

static void a_full_disk_without_fallocate(void) {
    refuse(__NR_fallocate, EOPNOTSUPP);
    refuse(__NR_write, ENOSPC);
    is_refused("there is no room for it", ENOSPC);
}

/* write(2) that takes nothing: no more room, and no endless loop. */
static void a_write_of_nothing(void) {
    refuse(__NR_fallocate, EOPNOTSUPP);
    refuse(__NR_write, 0);
    is_refused("there is no room for it", ENOSPC);
}

__attribute__((unused)) static void no_mapping(void) {
    struct nsd_record_mapping mapping = {.size = 0};

    refuse(__NR_mmap, ENODEV); /* FUSE without shared mappings */
    CHECK(record_file__set_folder(folder));
    CHECK(strcmp(record_file__make(&mapping, 256 * 1024, true, &facts, &error),
                 "there is no room for it") == 0);
    CHECK(error == -ENODEV && files() == 0 && mapping.file == NULL);
}

__attribute__((unused)) static void no_memory(void) {
    refuse(__NR_mmap, ENOMEM);
    is_refused("there is no memory for it", 0);
}

/* Not every file system knows RENAME_NOREPLACE. */
static void no_renameat2(void) {
    refuse(__NR_renameat2, EINVAL);
    is_made();
}

static void no_limits(void) {
    refuse(__NR_prlimit64, ENOSYS);
    is_made();
    CHECK(recording.file.slices == 4);
}

static void no_random_numbers(void) {
    refuse(__NR_getrandom, ENOSYS);
    is_made();
    CHECK(begin() == NULL && files() == 2); /* by the clock, then */
    CHECK(strcmp(names[0], names[1]) != 0 && strlen(names[0]) == strlen(names[1]));
}

static void no_advice(void) {
    refuse(__NR_madvise, EINVAL);
    is_made();
}

static void a_working_directory_that_is_gone(void) {
    struct nsd_record_wish wish = {.folder = "here", .size = 256 * 1024, .findings = &findings};

    refuse(__NR_getcwd, ENOENT);
    CHECK(strcmp(record__begin(&wish, &facts, &error), "the folder's name is too long") == 0);
    CHECK(error == 0 && !record__is_on());
}

static void a_folder_that_may_not_be_written(void) {
    refuse(__NR_openat, EACCES);
    CHECK(strcmp(begin(), "its file cannot be made") == 0 && error == -EACCES);
}

/* Names that are there already: a few are tried. */
static void names_that_are_taken(void) {
    refuse(__NR_openat, EEXIST);
    CHECK(strcmp(begin(), "its file cannot be made") == 0 && error == -EEXIST);
}

/* Whether the folder is out of reach, by what opening its index says. */
static bool is_hidden_after(int wanted) {
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        refuse(__NR_openat, wanted);
        _exit(record__folder_is_hidden() ? 1 : 0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void what_hides_a_folder(void) {
    static const struct {
        int error;
        bool hides;
    } rows[] = {
        {EPERM, true},   {ENOENT, true},  {EACCES, true},  {ENOTDIR, true}, {EROFS, true},
        {EMFILE, false}, {ENFILE, false}, {ENOMEM, false}, {ELOOP, false},  {EINTR, false},
    };
    char path[512];
    int fd;
    struct nsd_index head = {.magic = NSD_INDEX_MAGIC,
                             .version = NSD_RECORD_VERSION,
                             .byte_order = NSD_RECORD_BYTE_ORDER,
                             .file_size = NSD_INDEX_SIZE,
                             .slot_size = sizeof(struct nsd_index_slot),
                             .slots = NSD_INDEX_SLOTS,
                             .names = record_names__hash()};

    snprintf(path, sizeof path, "%s/%s", folder, NSD_INDEX_NAME);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(fd, (off_t) NSD_INDEX_SIZE) == 0 && pwrite(fd, &head, sizeof head, 0) > 0);
    close(fd);
    CHECK(begin() == NULL && record__has_index() && !record__folder_is_hidden());
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(is_hidden_after(rows[i].error) == rows[i].hides);
}

int main(void) {
    TEST(no_fallocate_in_the_file_system);
    TEST(no_fallocate_in_the_kernel);
    TEST(a_full_disk);
    TEST(a_full_disk_without_fallocate);
    TEST(a_write_of_nothing);
#ifndef __SANITIZE_ADDRESS__ /* which maps memory itself */
    TEST(no_mapping);
    TEST(no_memory);
#endif
    TEST(no_renameat2);
    TEST(no_limits);
    TEST(no_random_numbers);
    TEST(no_advice);
    TEST(a_working_directory_that_is_gone);
    TEST(a_folder_that_may_not_be_written);
    TEST(names_that_are_taken);
    TEST(what_hides_a_folder);
    return end_of_tests();
}
