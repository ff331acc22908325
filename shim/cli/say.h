/*
 * How the command speaks to its user: lines on stderr, the table of options, exit statuses. Called
 * by every room of the command; calls none of them.
 */
#ifndef NSD_CLI_SAY_H
#define NSD_CLI_SAY_H

/* Exit statuses, as `git bisect run` reads them. */
enum {
    NSD_STATUS_CLEAN = 0,
    NSD_STATUS_FOUND = 1,
    NSD_STATUS_USAGE = 2,
    NSD_STATUS_UNSEEN = 125,
};

/* One line on stderr: "nsdrift: ...". */
void command__say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where to read on. Returns NSD_STATUS_USAGE. */
int command__usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The library's table of options, from which `-o` takes, on stdout. */
void command__print_options(void);

#endif
