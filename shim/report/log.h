/*
 * Where a report goes: stderr as long as descriptor 2 still is what it was at start, or the file
 * that log_path names, opened by its path when there is something to write and closed again. Called
 * by report.c; raw system calls only, never raises a signal in the host.
 */
#ifndef NSD_REPORT_LOG_H
#define NSD_REPORT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is asked of a name's %p and %e. */
struct nsd_log_names {
    int32_t pid;
    const char *program;
};

/*
 * Remembers what descriptor 2 is and makes log_path (NULL or "stderr": none) absolute. A negative
 * errno, with stderr in its place, when nothing can be written there.
 */
int64_t log__begin(const char *log_path);
/* False if there is nowhere to write to now; else log__close() must follow. */
bool log__open(const struct nsd_log_names *names);
bool log__is_terminal(void);
/* Whole lines, in one write where the target takes them so. */
void log__write(const char *bytes, size_t size);
void log__close(void);
/* One write on descriptor 2, if it still is stderr (or nothing was begun yet). */
void log__complain(const char *bytes, size_t size);
/*
 * The file that log_path means for these names. False where it does not fit in `size`, or where
 * there is no file.
 */
bool log__path(const struct nsd_log_names *names, char *buffer, size_t size);

#endif
