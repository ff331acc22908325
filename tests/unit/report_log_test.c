/*
 * Where a report goes: descriptor 2 as at the start, descriptor 2 after the host has replaced it, a
 * pipe without a reader; the file of log_path with its placeholders, links and missing folders.
 */
#include "report_stage.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

/* ---- where it goes ---- */

static char folder[] = "/tmp/report_test-XXXXXX";

static const char *file_text(const char *name) {
    char path[128];
    const char *text;
    struct stat status;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_RDWR);
    if (fd < 0)
        return "no such file";
    CHECK(fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0600);
    text = taken(fd);
    close(fd);
    return text;
}

static void log_file(void) {
    char options[256], host[65], name[256];
    const char *expected = UNLOCKED_TEXT LEFT_TEXT CLOSING;

    snprintf(options, sizeof options, "log_path=%s/log", folder);
    begin(options);
    check_text("nothing on stderr", report(), "");
    check_text("log_path", file_text("log.4242"), expected);

    snprintf(options, sizeof options, "log_path=%s/a%%p-%%e-%%H-%%%%", folder);
    begin(options);
    report();
    gethostname(host, sizeof host);
    snprintf(name, sizeof name, "a4242-launcher-%s-%%", host);
    check_text("places in log_path", file_text(name), expected);

    CHECK(chdir(folder) == 0);
    begin("log_path=relative");
    CHECK(chdir("/") == 0);
    report();
    check_text("from where the start was", file_text("relative.4242"), expected);

    begin("log_path=/nowhere/at/all");
    check_text("complaint, then stderr", strstr(report(), "nsdrift: the report"),
               "nsdrift: the report goes to stderr, since nothing can be written by log_path "
               "(ENOENT): /nowhere/at/all\n" UNLOCKED_TEXT LEFT_TEXT CLOSING);
    begin("log_path=/proc/x");
    CHECK(strstr(report(), "the report goes to stderr") != NULL);

    /* A link that somebody laid there is not followed. */
    snprintf(options, sizeof options, "%s/link.4242", folder);
    CHECK(symlink("relative.4242", options) == 0);
    snprintf(options, sizeof options, "log_path=%s/link", folder);
    begin(options);
    check_text("a link", report(), "");
    check_text("what it leads to", file_text("relative.4242"), "");
}

static void stderr_closed_or_reused(void) {
    int other = memfd_create("data", 0);

    begin("");
    dup2(other, 2);
    report__write(&ledger, &findings, &image);
    check_text("another file is descriptor 2", taken(other), "");
    begin("");
    close(2);
    report__write(&ledger, &findings, &image);
    dup2(other, 2);
    begin("");
    check_text("all as before", report(), UNLOCKED_TEXT LEFT_TEXT CLOSING);
    close(other);
}

/* SIGPIPE would end us, and a full pipe would hold us up. */
static void pipes(void) {
    int ends[2];
    char block[4096] = {0};
    sigset_t pending;

    options__parse("", NULL);
    make_findings();
    CHECK(pipe(ends) == 0);
    dup2(ends[1], 2);
    report__begin();
    close(ends[0]);
    report__write(&ledger, &findings, &image);
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    close(ends[1]);

    make_findings();
    CHECK(pipe(ends) == 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], block, sizeof block) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], 2);
    report__begin();
    report__write(&ledger, &findings, &image);
    close(ends[0]);
    close(ends[1]);
}

/* Ten thousand findings: the buffer is emptied between them, and no line is torn. */
static void many_findings(void) {
    char options[256], path[128], line[8192];
    unsigned lines = 0;
    FILE *file;

    snprintf(options, sizeof options, "json=1:log_path=%s/many", folder);
    begin(options);
    findings.first = NULL;
    for (unsigned i = 0; i < 10000; i++) {
        struct nsd_finding *one = malloc(sizeof *one);

        *one = unlocked;
        one->next = findings.first;
        findings.first = one;
    }
    report();
    snprintf(path, sizeof path, "%s/many.4242", folder);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        lines++;
        CHECK(line[0] == '{' && strcmp(line + strlen(line) - 2, "}\n") == 0);
        CHECK(lines > 10000 || strstr(line, "\"stack\":[{\"function\":\"main.main\"") != NULL);
    }
    CHECK(lines == 10001);
    if (file != NULL)
        fclose(file);
    while (findings.first != NULL) {
        struct nsd_finding *next = findings.first->next;

        free(findings.first);
        findings.first = next;
    }
}

/* ---- the places in a name ---- */

static const struct nsd_log_names names_of_log = {.pid = 7, .program = "prog"};

static void names_by_pattern(void) {
    static const struct {
        const char *pattern, *path;
    } rows[] = {
        {"/tmp/a", "/tmp/a.7"},    {"/tmp/%p", "/tmp/7"},    {"/tmp/a%p.%e", "/tmp/a7.prog"},
        {"/tmp/%%p", "/tmp/%p.7"}, {"/tmp/a%", "/tmp/a%.7"}, {"/tmp/%x%p", "/tmp/%x7"},
        {"/tmp/%%%p", "/tmp/%7"},
    };
    const struct nsd_log_names unknown = {.pid = 7};
    char path[256], small[8];
    time_t now = time(NULL);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(log__begin(rows[i].pattern) == 0);
        CHECK(log__path(&names_of_log, path, sizeof path));
        check_text(rows[i].pattern, path, rows[i].path);
    }
    CHECK(log__begin("/tmp/%e%p") == 0 && log__path(&unknown, path, sizeof path));
    check_text("no program", path, "/tmp/unknown7");
    CHECK(log__begin("/tmp/%t.%p") == 0 && log__path(&names_of_log, path, sizeof path));
    CHECK(labs(atol(path + 5) - now) <= 5 && strcmp(strchr(path, '.'), ".7") == 0);
    CHECK(log__begin("/tmp/ab") == 0 && !log__path(&names_of_log, small, sizeof small));
    CHECK(log__begin(NULL) == 0 && !log__path(&names_of_log, path, sizeof path));
    CHECK(log__begin("stderr") == 0 && !log__path(&names_of_log, path, sizeof path));
}

/* A name is tried out at start, and the trial leaves nothing behind. */
static void names_that_do_not_do(void) {
    char pattern[5000], path[300];
    int fd;

    memset(pattern, 'x', sizeof pattern);
    pattern[0] = '/';
    pattern[sizeof pattern - 1] = '\0';
    CHECK(log__begin(pattern) == -ENAMETOOLONG);
    CHECK(!log__path(&names_of_log, path, sizeof path)); /* stderr takes its place */
    snprintf(pattern, sizeof pattern, "%s/%0254d", folder, 0);
    CHECK(log__begin(pattern) == -ENAMETOOLONG); /* with its .PID */
    snprintf(pattern, sizeof pattern, "%s/%0248d%%p", folder, 0);
    CHECK(getpid() < 10000000 && log__begin(pattern) == 0);
    snprintf(pattern, sizeof pattern, "%s/%%p", folder);
    CHECK(log__begin(pattern) == 0);
    snprintf(path, sizeof path, "%s/%d", folder, getpid());
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK(write(fd, "old\n", 4) == 4);
    close(fd);
    CHECK(log__begin(pattern) == 0); /* it is there already, and stays */
    CHECK(access(path, F_OK) == 0);
    unlink(path);
    CHECK(symlink("/nowhere/at/all", path) == 0);
    CHECK(log__begin(pattern) != 0);
    unlink(path);
    snprintf(path, sizeof path, "rmdir %s/empty && mkdir %s/empty", folder, folder);
    mkdir((snprintf(pattern, sizeof pattern, "%s/empty", folder), pattern), 0700);
    snprintf(pattern, sizeof pattern, "%s/empty/log", folder);
    CHECK(log__begin(pattern) == 0 && system(path) == 0);
}

/* What is written is added to what is there; a FIFO that nobody reads is no place to wait at. */
static void files_and_fifos(void) {
    char pattern[128], path[128];

    snprintf(pattern, sizeof pattern, "%s/add.%%p", folder);
    CHECK(log__begin(pattern) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(log__open(&names_of_log));
        CHECK(!log__is_terminal());
        log__write("line\n", 5);
        log__close();
    }
    log__write("lost\n", 5); /* nothing is open */
    CHECK(!log__is_terminal());
    check_text("twice", file_text("add.7"), "line\nline\n");
    snprintf(path, sizeof path, "%s/fifo.7", folder);
    CHECK(mkfifo(path, 0600) == 0);
    snprintf(pattern, sizeof pattern, "%s/fifo", folder);
    CHECK(log__begin(pattern) == 0 && !log__open(&names_of_log));
    log__close();
}

static void terminals(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0)
        return;
    options__parse("", NULL);
    for (int i = 0; i < 2; i++) {
        char text[4096] = "";

        make_findings();
        nsd_report_no_color = i == 1;
        dup2(slave, 2);
        report__begin();
        CHECK(log__open(&names_of_log) && log__is_terminal());
        log__close();
        report__write(&ledger, &findings, &image);
        CHECK(read(master, text, sizeof text - 1) > 0);
        CHECK((strstr(text, "\033[1;31merror") != NULL) == (i == 0));
    }
    nsd_report_no_color = false;
    close(slave);
    close(master);
}

static unsigned open_descriptors(void) {
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* The program's numbers of descriptors are as without us, once a line is written. */
static void nothing_stays_open(void) {
    struct nsd_event made = {.call = NSD_CALL_MOUNT, .tid = 4243};
    char options[256];
    unsigned before;

    snprintf(options, sizeof options, "verbosity=3:log_path=%s/open", folder);
    begin(options);
    before = open_descriptors();
    report__event(&made, &image);
    CHECK(open_descriptors() == before);
    report__write(&ledger, &findings, &image);
    CHECK(open_descriptors() == before);
    report__exec_failed(-ENOENT, &image);
    CHECK(open_descriptors() == before);
}

/* ---- descriptor 2 ---- */

static void complaints(void) {
    int other = memfd_create("other", 0);

    capture();
    CHECK(log__begin(NULL) == 0);
    log__complain("one\n", 4);
    check_text("as it was", taken(captured), "one\n");
    dup2(other, 2);
    log__complain("two\n", 4);
    CHECK(!log__open(&names_of_log));
    check_text("another file", taken(other), "");
    close(2);
    log__complain("three\n", 6);
    CHECK(log__begin(NULL) == 0);
    CHECK(dup2(other, 2) == 2);
    log__complain("four\n", 5); /* it was closed at start: whatever it is now is the program's */
    CHECK(!log__open(&names_of_log));
    check_text("another file", taken(other), "");
    close(other);
    capture();
}

/* ---- writes that are cut, refused or have to wait ---- */

static int slow_pipe[2];
static size_t torn, lines_read;

/* Takes what comes in pieces as the pipe gives them: each is whole lines. */
static void *read_slowly(void *unused) {
    char bytes[65536];
    ssize_t size;

    while ((size = read(slow_pipe[0], bytes, sizeof bytes)) > 0) {
        struct timespec pause = {.tv_nsec = 2000000};

        for (ssize_t i = 0; i < size; i++)
            lines_read += bytes[i] == '\n';
        torn += bytes[size - 1] != '\n';
        nanosleep(&pause, NULL);
    }
    return unused;
}

static void no_more_than_interrupt(int number) {
    (void) number;
}

/* A host's timer ends each wait for the reader before the reader comes. */
static void set_interval(long microseconds) {
    struct itimerval interval = {{0, microseconds}, {0, microseconds}};

    signal(SIGALRM, no_more_than_interrupt);
    setitimer(ITIMER_REAL, &interval, NULL);
}

static void long_reports_through_a_pipe(long interval) {
    enum { LINES = 3000, WIDTH = 100 };
    sigset_t alarm;
    char *all = malloc(LINES * WIDTH);
    pthread_t reader;

    memset(all, '.', LINES * WIDTH);
    for (int i = 1; i <= LINES; i++)
        all[i * WIDTH - 1] = '\n';
    CHECK(pipe(slow_pipe) == 0);
    fcntl(slow_pipe[1], F_SETPIPE_SZ, 8192);
    dup2(slow_pipe[1], 2);
    close(slow_pipe[1]);
    lines_read = torn = 0;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    pthread_create(&reader, NULL, read_slowly, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
    set_interval(interval);
    CHECK(log__begin(NULL) == 0 && log__open(&names_of_log));
    log__write(all, LINES * WIDTH);
    log__close();
    set_interval(0);
    capture();
    pthread_join(reader, NULL);
    CHECK(lines_read == LINES && torn == 0);
    close(slow_pipe[0]);
    free(all);
}

/* How many lines of this width go into the first write: a pipe in packet mode shows each. */
static int lines_in_a_write(size_t width) {
    char line[256], bytes[65536];
    static char all[65536];
    int ends[2];
    ssize_t size;

    memset(line, '.', sizeof line);
    line[width - 1] = '\n';
    for (size_t i = 0; i < 60; i++)
        memcpy(all + i * width, line, width);
    if (pipe2(ends, O_DIRECT) != 0)
        return -1;
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    dup2(ends[1], 2);
    close(ends[1]);
    CHECK(log__begin(NULL) == 0 && log__open(&names_of_log));
    log__write(all, 60 * width);
    log__close();
    size = read(ends[0], bytes, sizeof bytes);
    capture();
    close(ends[0]);
    return (int) ((size_t) size % width == 0 ? (size_t) size / width : 0);
}

static void whole_lines_in_each_write(void) {
    CHECK(lines_in_a_write(128) == 32); /* 4096 bytes */
    CHECK(lines_in_a_write(241) == 16); /* 17 would be 4097 */
    CHECK(lines_in_a_write(195) == 21); /* 4095 bytes */
}

/* The limit of file sizes would end us by SIGXFSZ, which is taken away again. */
static void a_limit_of_file_sizes(void) {
    struct rlimit before, limit;
    char pattern[128];
    sigset_t signals;

    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 8;
    snprintf(pattern, sizeof pattern, "%s/limit", folder);
    CHECK(log__begin(pattern) == 0 && setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(log__open(&names_of_log));
    log__write("12345678abcdef\n", 15);
    log__close();
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(sigpending(&signals) == 0 && !sigismember(&signals, SIGXFSZ));
    check_text("what fits", file_text("limit.7"), "12345678");
}

static volatile sig_atomic_t caught;

static void catch (int signal) {
    caught = signal;
}

/* A SIGPIPE that was waiting already is the program's own, and stays; its mask is as before. */
static void signals_of_the_program(void) {
    sigset_t mine, now;
    int ends[2];

    signal(SIGPIPE, catch);
    CHECK(pipe(ends) == 0);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    CHECK(log__begin(NULL) == 0 && log__open(&names_of_log));
    log__write("x\n", 2);
    CHECK(caught == 0);
    sigemptyset(&mine);
    sigaddset(&mine, SIGPIPE);
    sigprocmask(SIG_BLOCK, &mine, NULL);
    raise(SIGPIPE);
    log__write("x\n", 2);
    CHECK(sigpending(&now) == 0 && sigismember(&now, SIGPIPE));
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGPIPE) && !sigismember(&now, SIGXFSZ) && !sigismember(&now, SIGTTOU));
    sigprocmask(SIG_UNBLOCK, &mine, NULL);
    CHECK(caught == SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    log__close();
    capture();
}

int main(void) {
    char command[128];

    if (mkdtemp(folder) == NULL)
        return 77;
    log_file();
    stderr_closed_or_reused();
    pipes();
    many_findings();
    names_by_pattern();
    names_that_do_not_do();
    files_and_fifos();
    terminals();
    nothing_stays_open();
    complaints();
    long_reports_through_a_pipe(0);
    long_reports_through_a_pipe(500);
    whole_lines_in_each_write();
    a_limit_of_file_sizes();
    signals_of_the_program();
    dup2(saved_stderr, 2);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        failures++;
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
