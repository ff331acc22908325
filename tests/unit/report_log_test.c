/*
 * Where a report goes: descriptor 2 when it is what it was, when it is something else, a pipe that
 * nobody reads; the file of log_path with its places, links and folders that are not there.
 */
#include "report_stage.h"

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

int main(void) {
    char command[128];

    if (mkdtemp(folder) == NULL)
        return 77;
    log_file();
    stderr_closed_or_reused();
    pipes();
    many_findings();
    dup2(saved_stderr, 2);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        failures++;
    printf(failures == 0 ? "all as it should be\n" : "%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
