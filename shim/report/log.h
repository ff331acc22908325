/*
 * Where a report goes: to stderr, as long as descriptor 2 still is what it was at start, or to the
 * file that log_path names, which is opened by its path for each report and closed again. Called by
 * report.c. Raw system calls only; never raises a signal in the host.
 */
#ifndef NSD_REPORT_LOG_H
#define NSD_REPORT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values for %p and %e in a file's name. */
struct nsd_log_names {
    int32_t pid;
    const char *program;
};

/*
 * Remembers what descriptor 2 is, and makes log_path absolute (NULL or "stderr": there is none). A
 * negative errno if the file cannot be written: then stderr is used in its place.
 */
int64_t log__begin(const char *log_path);
/* False if there is nothing to write to now. After true, log__close() must follow. */
bool log__open(const struct nsd_log_names *names);
/*
 * True, once, if log__open failed because the log is a FIFO that nobody reads: from now on stderr
 * is used in its place.
 */
bool log__leaves_file(void);
bool log__is_terminal(void);
/* Writes whole lines, in one system call if the target takes them at once. */
void log__write(const char *bytes, size_t size);
void log__close(void);
/* Writes to descriptor 2 if it still is stderr, or if log__begin was not called yet. */
void log__complain(const char *bytes, size_t size);
/*
 * The path that log_path means for these names. False if there is no file, or if the path does not
 * fit into `size`.
 */
bool log__path(const struct nsd_log_names *names, char *buffer, size_t size);

#endif
