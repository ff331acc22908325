/*
 * Writes reports, see log.h. Handles everything that could disturb the host: a closed or reused
 * descriptor 2, a reader that is gone (SIGPIPE), a limit of file sizes (SIGXFSZ), a terminal in the
 * background (SIGTTOU), a full pipe. Called under the ledger's lock.
 */
#include "report/log.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "base/text.h"

#define STDERR 2
#define PATH_SIZE 4096
/* POSIX: a write of up to this many bytes to a pipe that poll calls writable does not wait. */
#define PIPE_ATOMIC 4096u
#define SECOND 1000000000u
#define WAIT_MOST SECOND             /* of one write, until the reader takes something */
#define WAIT_IN_ALL (10ull * SECOND) /* of one report, for a slow reader */
#define TRIES_MOST 16
#define INTERRUPTIONS_MOST 10000 /* by signals, of one wait */

#define SIGNAL_BIT(signal) (1ull << ((signal) -1))
#define SIGNAL_PIPE SIGNAL_BIT(13)
#define SIGNAL_TTOU SIGNAL_BIT(22)
#define SIGNAL_XFSZ SIGNAL_BIT(25)
#define SIGNAL_BLOCK 0
#define SIGNAL_SETMASK 2

#define TERMINAL_GET 0x5401u /* TCGETS, asm-generic/ioctls.h */
#define POLL_OUT 4
#define MAY_WRITE 2 /* W_OK */

#define FAIL_AGAIN (-11)
#define FAIL_INTERRUPTED (-4)
#define FAIL_PIPE (-32)
#define FAIL_TOO_BIG (-27)
#define NAME_MOST 255u /* NAME_MAX */
#define FAIL_TOO_LONG (-36)
#define FAIL_NO_READER (-6)
#define FAIL_FOLDER (-21)
#define FAIL_LINK (-40)

static struct {
    bool begun;
    bool stderr_known; /* descriptor 2 was open at start */
    bool to_file;
    bool has_no_reader; /* the last log__open found a FIFO that nobody reads */
    uint64_t device, inode, rdev;
    uint64_t start_seconds;
    char host[65];
    char pattern[PATH_SIZE]; /* absolute, its % not yet replaced */
    bool adds_pid;
} log;

/* Static, since a hook's stack is small. */
static char path[PATH_SIZE];

/*
 * How long a report still waits for its reader, in nanoseconds. 0 once the reader has taken nothing
 * for WAIT_MOST: the rest of the report is dropped, since the host waits as long as we do.
 */
struct patience {
    uint64_t left;
};

static struct {
    int fd; /* -1: closed */
    bool is_file;
    bool regular;
    struct patience patience;
} target = {.fd = -1};

static bool stderr_is_the_same(void) {
    struct sys_stat stat = {0};

    if (!log.begun)
        return true;
    return log.stderr_known && !SYS_IS_ERROR(sys__fstat(STDERR, &stat)) &&
           stat.device == log.device && stat.inode == log.inode && stat.rdev == log.rdev;
}

static void remember_stderr(void) {
    struct sys_stat stat = {0};

    log.stderr_known = !SYS_IS_ERROR(sys__fstat(STDERR, &stat));
    if (!log.stderr_known)
        return;
    log.device = stat.device;
    log.inode = stat.inode;
    log.rdev = stat.rdev;
}

static void remember_host(void) {
    struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names;

    memory__fill(&names, 0, sizeof names);
    if (!SYS_IS_ERROR(SYS1(__NR_uname, &names)))
        memory__copy(log.host, names.node, sizeof log.host - 1);
}

/* Keeps the pattern, made absolute by the working directory at start. */
static bool remember_pattern(const char *log_path) {
    struct nsd_text text;
    long length;

    text__begin(&text, log.pattern, sizeof log.pattern);
    if (log_path[0] != '/') {
        length = SYS2(__NR_getcwd, log.pattern, sizeof log.pattern);
        /* A folder outside the root is given as "(unreachable)/..." (fs/d_path.c). */
        if (SYS_IS_ERROR(length) || length < 2 || log.pattern[0] != '/')
            return false;
        text.used = (size_t) length - 1;
        if (text.used > 1)
            text__put_char(&text, '/');
    }
    text__put(&text, log_path);
    text__string(&text);
    log.adds_pid = true;
    for (const char *at = log.pattern; *at != '\0'; at++) {
        if (at[0] != '%' || at[1] == '\0')
            continue;
        if (at[1] == 'p')
            log.adds_pid = false;
        at++;
    }
    return !text.cut;
}

bool log__path(const struct nsd_log_names *names, char *buffer, size_t size) {
    struct nsd_text text;

    if (!log.to_file)
        return false;
    text__begin(&text, buffer, size);
    for (const char *at = log.pattern; *at != '\0'; at++) {
        if (at[0] != '%' || at[1] == '\0') {
            text__put_char(&text, at[0]);
            continue;
        }
        at++;
        if (*at == 'p')
            text__signed(&text, names->pid);
        else if (*at == 'e')
            text__put(&text, names->program != NULL ? names->program : "unknown");
        else if (*at == 'H')
            text__put(&text, log.host);
        else if (*at == 't')
            text__unsigned(&text, log.start_seconds);
        else if (*at == '%')
            text__put_char(&text, '%');
        else
            text__put_bytes(&text, at - 1, 2);
    }
    if (log.adds_pid) {
        text__put_char(&text, '.');
        text__signed(&text, names->pid);
    }
    text__string(&text);
    return !text.cut;
}

/*
 * Whether what is there can be opened for the report. A FIFO is not tried: its reader would take
 * our closing it for the end.
 */
static int64_t error_of_existing(const struct sys_stat *stat) {
    if ((stat->mode & SYS_MODE_TYPE) == SYS_MODE_FOLDER)
        return FAIL_FOLDER;
    if ((stat->mode & SYS_MODE_TYPE) == SYS_MODE_LINK)
        return FAIL_LINK;
    return SYS3(__NR_faccessat, AT_FDCWD, path, MAY_WRITE);
}

/*
 * Tries whether a file can be made, and removes it again. Making one is the only test that works in
 * every file system (access(2) says yes to root under /proc). The file has another name than the
 * log: a process with the same pid in another namespace may be writing to that by now.
 */
static int64_t try_path(void) {
    struct nsd_log_names names = {.pid = sys__getpid(), .program = "program"};
    struct sys_stat stat;
    struct nsd_text text;
    size_t folder;
    long fd;

    if (!log__path(&names, path, sizeof path))
        return FAIL_TOO_LONG;
    if (SYS4(__NR_newfstatat, AT_FDCWD, path, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        return error_of_existing(&stat);
    folder = (size_t) (string__base_name(path) - path);
    if (string__length(path + folder) > NAME_MOST)
        return FAIL_TOO_LONG;
    text__begin(&text, path + folder, sizeof path - folder);
    text__put(&text, ".nsdrift-");
    text__hex(&text, clock__ticks() ^ (uint64_t) names.pid << 48, 16);
    text__string(&text);
    if (text.cut)
        return FAIL_TOO_LONG;
    fd = sys__openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (SYS_IS_ERROR(fd))
        return fd;
    sys__close((int) fd);
    SYS3(__NR_unlinkat, AT_FDCWD, path, 0);
    return 0;
}

int64_t log__begin(const char *log_path) {
    int64_t error = FAIL_TOO_LONG;

    memory__fill(&log, 0, sizeof log);
    log.begun = true;
    remember_stderr();
    if (log_path == NULL || string__equal(log_path, "stderr"))
        return 0;
    remember_host();
    log.start_seconds = clock__wall() / 1000000000u;
    log.to_file = remember_pattern(log_path);
    if (log.to_file)
        error = try_path();
    log.to_file = error == 0;
    return error;
}

static bool is_regular(int fd) {
    struct sys_stat stat = {0};

    return !SYS_IS_ERROR(sys__fstat(fd, &stat)) && (stat.mode & SYS_MODE_TYPE) == SYS_MODE_REGULAR;
}

bool log__open(const struct nsd_log_names *names) {
    long fd = STDERR;

    if (log.to_file) {
        if (!log__path(names, path, sizeof path))
            return false;
        /* O_NONBLOCK: opening a FIFO that nobody reads would wait. */
        fd = sys__openat(
            AT_FDCWD, path,
            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
        log.has_no_reader = fd == FAIL_NO_READER;
        if (SYS_IS_ERROR(fd))
            return false;
    } else if (!stderr_is_the_same()) {
        return false;
    }
    target.fd = (int) fd;
    target.is_file = log.to_file;
    target.regular = is_regular(target.fd);
    target.patience.left = WAIT_IN_ALL;
    return true;
}

bool log__leaves_file(void) {
    if (!log.to_file || !log.has_no_reader)
        return false;
    log.to_file = false;
    return true;
}

void log__close(void) {
    if (target.is_file && target.fd >= 0)
        sys__close(target.fd);
    target.fd = -1;
}

bool log__is_terminal(void) {
    char settings[128]; /* struct termios is 36 bytes in the kernel */

    return target.fd >= 0 && !SYS_IS_ERROR(sys__ioctl(target.fd, TERMINAL_GET, settings));
}

/* True if the target can be written to now or before the patience ends. */
static bool wait_for(int fd, struct patience *patience) {
    struct {
        int fd;
        short events, returned;
    } asked = {.fd = fd, .events = POLL_OUT};
    uint64_t most = patience->left < WAIT_MOST ? patience->left : WAIT_MOST, left;
    struct sys_timespec time = {.seconds = (int64_t) (most / SECOND),
                                .nanoseconds = (int64_t) (most % SECOND)};
    long result = most > 0 ? FAIL_INTERRUPTED : 0;
    bool ready;

    /* A handler of the host ends the call; the kernel has then subtracted what has passed. */
    for (unsigned i = 0; result == FAIL_INTERRUPTED && i < INTERRUPTIONS_MOST; i++)
        result = SYS5(__NR_ppoll, &asked, 1, &time, NULL, 8);
    ready = result == 1;
    /* The kernel writes back what is left of the time (fs/select.c, poll_select_finish). */
    left = (uint64_t) time.seconds * SECOND + (uint64_t) time.nanoseconds;
    patience->left = ready && left <= most ? patience->left - (most - left) : 0;
    return ready;
}

/* The number of bytes for one write that does not wait: whole lines if possible. */
static size_t part_of(const char *bytes, size_t size, bool regular) {
    size_t part = PIPE_ATOMIC;

    if (regular || size <= PIPE_ATOMIC)
        return size;
    while (part > 0 && bytes[part - 1] != '\n')
        part--;
    return part > 0 ? part : PIPE_ATOMIC;
}

/* The last error, 0 if all of it was written. */
static long write_parts(int fd, bool regular, const char *bytes, size_t size,
                        struct patience *patience) {
    unsigned tries = 0;

    while (size > 0) {
        long written;

        if (!regular && !wait_for(fd, patience))
            return FAIL_AGAIN;
        written = sys__write(fd, bytes, part_of(bytes, size, regular));
        if (written > 0) {
            bytes += written;
            size -= (size_t) written;
            continue;
        }
        if ((written != FAIL_INTERRUPTED && written != FAIL_AGAIN) || ++tries == TRIES_MOST)
            return written;
    }
    return 0;
}

/*
 * A write that fails may raise a signal that would end the host (SIGPIPE, SIGXFSZ) or stop it
 * (SIGTTOU). These are blocked meanwhile; a signal that our write raised is taken from the queue.
 */
static void write_quietly(int fd, bool regular, const char *bytes, size_t size,
                          struct patience *patience) {
    uint64_t blocked = SIGNAL_PIPE | SIGNAL_XFSZ | SIGNAL_TTOU;
    uint64_t before = 0, pending = 0, raised = 0;
    struct sys_timespec none = {0};
    bool masked = !SYS_IS_ERROR(SYS4(__NR_rt_sigprocmask, SIGNAL_BLOCK, &blocked, &before, 8));
    long error;

    if (!masked)
        return;
    SYS2(__NR_rt_sigpending, &pending, 8);
    error = write_parts(fd, regular, bytes, size, patience);
    if (error == FAIL_PIPE)
        raised = SIGNAL_PIPE & ~pending;
    else if (error == FAIL_TOO_BIG)
        raised = SIGNAL_XFSZ & ~pending;
    if (raised != 0)
        SYS4(__NR_rt_sigtimedwait, &raised, NULL, &none, 8);
    SYS4(__NR_rt_sigprocmask, SIGNAL_SETMASK, &before, NULL, 8);
}

void log__write(const char *bytes, size_t size) {
    if (target.fd >= 0)
        write_quietly(target.fd, target.regular, bytes, size, &target.patience);
}

void log__complain(const char *bytes, size_t size) {
    struct patience patience = {WAIT_MOST};

    if (stderr_is_the_same())
        write_quietly(STDERR, is_regular(STDERR), bytes, size, &patience);
}
