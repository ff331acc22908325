/*
 * The files of a recording: made, allocated, mapped, named and removed. Called by the writer at the
 * start of an image, at the first event of a fork copy and at the end. Raw system calls; no
 * descriptor is open when a function returns.
 */
#include "base/memory.h"
#include "base/syscall.h"
#include "base/text.h"
#include "record/names.h"
#include "record/part.h"
#include "record/writer.h"
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <stddef.h>

#define SLICES 4u
#define SLICE_SHARE 4u /* of the main part's size */
#define NAME_TRIES 4
#define PROGRAM_MOST 64

#define FAIL_NOT_PERMITTED (-1)
#define FAIL_NOT_THERE (-2)
#define FAIL_NO_ACCESS (-13)
#define FAIL_EXISTS (-17)
#define FAIL_NO_FOLDER (-20)
#define FAIL_NO_SPACE (-28)
#define FAIL_NOT_SUPPORTED (-95)
#define FAIL_READ_ONLY (-30)
#define FAIL_NO_CALL (-38)

#define MODE_OWNER_ONLY 0600
#define RENAME_NOREPLACE 1 /* linux/fs.h, which contradicts libc's headers */

_Static_assert(sizeof(struct nsd_record_file) <= NSD_RECORD_PAGE, "one page");
_Static_assert(sizeof(struct nsd_record_part) <= NSD_RECORD_PAGE, "one page");

/* Absolute, since the host may change its working directory. */
static char folder[NSD_FOLDER_MOST];

bool record_file__set_folder(const char *given) {
    struct nsd_text text;

    text__begin(&text, folder, sizeof folder);
    if (given[0] != '/') {
        long length = SYS2(__NR_getcwd, folder, sizeof folder);

        if (length <= 1 || folder[0] != '/')
            return false;
        text.used = (size_t) length - 1;
        text__put_char(&text, '/');
    }
    text__put(&text, given);
    text__string(&text);
    return !text.cut;
}

static const char *path_of(const char *name) {
    static char path[NSD_FOLDER_MOST + NSD_INDEX_RECORDING];
    struct nsd_text text;

    text__begin(&text, path, sizeof path);
    text__put(&text, folder);
    text__put_char(&text, '/');
    text__put(&text, name);
    return text__string(&text);
}

/*
 * The path while the file is being made. The name is hidden, so that no reader takes the file for a
 * recording.
 */
static const char *making_path_of(const char *name) {
    static char path[NSD_FOLDER_MOST + NSD_INDEX_RECORDING];
    struct nsd_text text;

    text__begin(&text, path, sizeof path);
    text__put(&text, folder);
    text__put(&text, "/.");
    text__put(&text, name);
    return text__string(&text);
}

/* ---- names ---- */

static uint64_t random_number(void) {
    uint64_t number = 0;

    if (SYS3(__NR_getrandom, &number, sizeof number, 1 /* GRND_NONBLOCK */) != (long) sizeof number)
        number = hash__bytes(HASH_START, &(uint64_t){machine__ticks()}, sizeof number);
    return number;
}

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '+';
}

/* program.pid.pidns.starttime.random */
static void make_name(struct nsd_record_mapping *mapping, const struct nsd_record_facts *facts) {
    const char *program = string__base_name(facts->path);
    struct nsd_text text;

    text__begin(&text, mapping->name, sizeof mapping->name);
    for (unsigned i = 0; program[i] != '\0' && i < PROGRAM_MOST; i++)
        text__put_char(&text,
                       is_plain(program[i]) || (program[i] == '.' && i > 0) ? program[i] : '_');
    text__put_char(&text, '.');
    text__signed(&text, facts->pid);
    text__put_char(&text, '.');
    text__unsigned(&text, facts->pid_ns);
    text__put_char(&text, '.');
    text__unsigned(&text, facts->start_wall / 1000);
    text__put_char(&text, '.');
    text__hex(&text, random_number(), 16);
    text__string(&text);
}

static long create(struct nsd_record_mapping *mapping, const struct nsd_record_facts *facts) {
    long fd = FAIL_EXISTS;

    for (unsigned i = 0; i < NAME_TRIES && fd == FAIL_EXISTS; i++) {
        make_name(mapping, facts);
        fd = sys__openat(AT_FDCWD, making_path_of(mapping->name),
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_OWNER_ONLY);
    }
    return fd;
}

/* ---- room ---- */

/* <linux/resource.h> contradicts libc's headers. */
#define LIMIT_FILE_SIZE 1

static uint64_t limit_of_files(void) {
    struct {
        uint64_t now, most;
    } limit;

    if (SYS4(__NR_prlimit64, 0, LIMIT_FILE_SIZE, NULL, &limit) != 0)
        return UINT64_MAX;
    return limit.now;
}

static long write_zeros(int fd, uint64_t size) {
    static const char zeros[NSD_RECORD_PAGE];

    for (uint64_t at = 0; at < size;) {
        size_t piece = size - at < sizeof zeros ? (size_t) (size - at) : sizeof zeros;
        long wrote = sys__write(fd, zeros, piece);

        if (wrote <= 0)
            return wrote < 0 ? wrote : FAIL_NO_SPACE;
        at += (uint64_t) wrote;
    }
    return 0;
}

/*
 * Gives every page its place on the disk now. Writing to a mapped page without one raises SIGBUS
 * once the disk is full.
 */
static long allocate(int fd, uint64_t size) {
    long answer = SYS4(__NR_fallocate, fd, 0, 0, size);

    if (answer == FAIL_NOT_SUPPORTED || answer == FAIL_NO_CALL)
        return write_zeros(fd, size);
    return answer;
}

void record_part__lay_out(struct nsd_record_part *part, uint64_t size) {
    uint64_t pages = size / NSD_RECORD_PAGE;

    part->size = pages * NSD_RECORD_PAGE;
    part->tables = NSD_RECORD_PAGE;
    part->tables_size = pages / 4 * NSD_RECORD_PAGE;
    part->kept = part->tables + part->tables_size;
    part->kept_size = pages / 8 * NSD_RECORD_PAGE;
    part->blocks = part->kept + part->kept_size;
    part->block_count = (uint32_t) ((part->size - part->blocks) / NSD_RECORD_BLOCK);
    part->head_blocks = part->block_count / 4;
}

static uint64_t slice_size(uint64_t main_size) {
    uint64_t size = main_size / SLICE_SHARE / NSD_RECORD_PAGE * NSD_RECORD_PAGE;

    return size < NSD_PART_LEAST ? NSD_PART_LEAST : size;
}

static void put_header(struct nsd_record_file *file, uint64_t file_size, uint64_t main_size,
                       uint32_t slices) {
    file->version = NSD_RECORD_VERSION;
    file->byte_order = NSD_RECORD_BYTE_ORDER;
    file->header_size = NSD_RECORD_PAGE;
    file->page_size = NSD_RECORD_PAGE;
    file->file_size = file_size;
    file->main_size = main_size;
    file->slice_size = slices > 0 ? slice_size(main_size) : 0;
    file->slices = slices;
    file->names = record_names__hash();
    record__commit(&file->magic, NSD_RECORD_MAGIC);
}

/*
 * Maps the file for reading and writing. Some file systems read ahead and fill everything that was
 * allocated with zeros at the first touch (ext4, Linux 6.18: a third of a millisecond and 2 MB for
 * an index), although few pages are ever used. MADV_RANDOM prevents that.
 */
static long map_shared(int fd, uint64_t size) {
    long at = sys__mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (!SYS_IS_ERROR(at))
        sys__madvise((void *) at, size, MADV_RANDOM);
    return at;
}

const char *record_file__make(struct nsd_record_mapping *mapping, uint64_t size, bool with_slices,
                              const struct nsd_record_facts *facts, int64_t *error) {
    uint64_t limit = limit_of_files(), main_size = size / NSD_RECORD_PAGE * NSD_RECORD_PAGE;
    uint32_t slices = with_slices ? SLICES : 0;
    uint64_t whole = NSD_RECORD_PAGE + main_size + slices * slice_size(main_size);
    long fd, answer;

    *error = 0;
    if (whole > limit) {
        slices = 0;
        main_size = limit < NSD_RECORD_PAGE
                        ? 0
                        : (limit - NSD_RECORD_PAGE) / NSD_RECORD_PAGE * NSD_RECORD_PAGE;
        main_size = main_size < size ? main_size : size / NSD_RECORD_PAGE * NSD_RECORD_PAGE;
        whole = NSD_RECORD_PAGE + main_size;
    }
    if (main_size < NSD_PART_LEAST)
        return "the limit of file sizes (RLIMIT_FSIZE) leaves no room for it";
    fd = create(mapping, facts);
    if (SYS_IS_ERROR(fd)) {
        *error = fd;
        return "its file cannot be made";
    }
    answer = allocate((int) fd, whole);
    if (answer == 0)
        answer = map_shared((int) fd, whole);
    sys__close((int) fd);
    if (SYS_IS_ERROR(answer)) {
        *error = answer;
        SYS3(__NR_unlinkat, AT_FDCWD, making_path_of(mapping->name), 0);
        return "there is no room for it";
    }
    mapping->file = (struct nsd_record_file *) answer;
    mapping->size = whole;
    put_header(mapping->file, whole, main_size, slices);
    return NULL;
}

void record_file__publish(const struct nsd_record_mapping *mapping) {
    const char *from = making_path_of(mapping->name), *to = path_of(mapping->name);

    /*
     * Not every file system knows RENAME_NOREPLACE. The name is random, so that it is free in any
     * case.
     */
    if (SYS5(__NR_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0)
        SYS4(__NR_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

void record_file__remove(const struct nsd_record_mapping *mapping) {
    SYS3(__NR_unlinkat, AT_FDCWD, path_of(mapping->name), 0);
}

/* ---- the index ---- */

static bool is_index(const struct nsd_index *index, uint64_t size) {
    return index->magic == NSD_INDEX_MAGIC && index->version == NSD_RECORD_VERSION &&
           index->byte_order == NSD_RECORD_BYTE_ORDER && index->file_size == size &&
           index->slot_size == sizeof(struct nsd_index_slot) && index->slots == NSD_INDEX_SLOTS &&
           index->names == record_names__hash();
}

/* Path of the index, and which root directory the process had, when this image began. */
static struct {
    char path[NSD_FOLDER_MOST + sizeof NSD_INDEX_NAME + 1];
    uint64_t root_device, root_inode;
} beginning;

static void note_beginning(void) {
    struct sys_stat root;
    struct nsd_text text;

    if (sys__stat("/", &root) != 0)
        return;
    beginning.root_device = root.device;
    beginning.root_inode = root.inode;
    text__begin(&text, beginning.path, sizeof beginning.path);
    text__put(&text, path_of(NSD_INDEX_NAME));
    text__string(&text);
}

/* Errors that mean that the file cannot be reached; others, as too many open files, do not. */
static bool is_refusal(long error) {
    switch (error) {
    case FAIL_NOT_PERMITTED:
    case FAIL_NOT_THERE:
    case FAIL_NO_ACCESS:
    case FAIL_NO_FOLDER:
    case FAIL_READ_ONLY:
        return true;
    default:
        return false;
    }
}

/*
 * True if an exec takes the access away. A process that has just given up being root still opens
 * the file by its capabilities, which exec drops; the file is readable for its owner alone.
 */
static bool loses_access(int fd) {
    struct sys_stat stat;
    long user = SYS0(__NR_geteuid);

    return user != 0 && sys__fstat(fd, &stat) == 0 && stat.uid != (uint32_t) user;
}

static bool is_same_root(void) {
    struct sys_stat root;

    return sys__stat("/", &root) == 0 && root.device == beginning.root_device &&
           root.inode == beginning.root_inode;
}

bool record__folder_is_hidden(void) {
    bool is_hidden;
    long fd;

    if (beginning.path[0] == '\0')
        return false;
    fd = sys__openat(AT_FDCWD, beginning.path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    is_hidden = SYS_IS_ERROR(fd) ? is_refusal(fd) : loses_access((int) fd);
    if (!SYS_IS_ERROR(fd))
        sys__close((int) fd);
    return is_hidden && is_same_root();
}

struct nsd_index *record_file__map_index(void) {
    const uint64_t size = NSD_INDEX_SIZE;
    struct sys_stat stat = {0};
    long fd = sys__openat(AT_FDCWD, path_of(NSD_INDEX_NAME), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    long at = FAIL_NO_SPACE;

    if (SYS_IS_ERROR(fd))
        return NULL;
    if (sys__fstat((int) fd, &stat) == 0 && (stat.mode & SYS_MODE_TYPE) == SYS_MODE_REGULAR &&
        (uint64_t) stat.size == size)
        at = map_shared((int) fd, size);
    sys__close((int) fd);
    if (SYS_IS_ERROR(at))
        return NULL;
    if (!is_index((struct nsd_index *) at, size)) {
        sys__munmap((void *) at, size);
        return NULL;
    }
    note_beginning();
    return (struct nsd_index *) at;
}
