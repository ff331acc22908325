/* Draws the bar and prints the lines, see progress.h. */
#include "cli/repeat/progress.h"
#include "cli/repeat/jobs.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 24
#define BETWEEN_DRAWINGS 0.1
#define LINES 10u

void progress__begin(struct nsd_progress *progress, uint64_t wanted) {
    memset(progress, 0, sizeof *progress);
    progress->terminal = isatty(STDERR_FILENO) == 1;
    progress->wanted = wanted;
    progress->began = jobs__now();
    progress->next_line = (wanted + LINES - 1) / LINES;
}

static void draw(struct nsd_progress *progress, uint64_t done, uint64_t failed, uint64_t findings) {
    double now = jobs__now(), left = 0;
    char bar[BAR + 1];
    unsigned filled = (unsigned) (BAR * done / progress->wanted);

    if (progress->shown && done < progress->wanted && now - progress->drawn < BETWEEN_DRAWINGS)
        return;
    progress->drawn = now;
    progress->shown = true;
    if (done > 0)
        left = (now - progress->began) / (double) done * (double) (progress->wanted - done);
    for (unsigned i = 0; i < BAR; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r[%s] %llu/%llu  %llu failed  %llu found  %.0f s left\033[K", bar,
            (unsigned long long) done, (unsigned long long) progress->wanted,
            (unsigned long long) failed, (unsigned long long) findings, left);
    fflush(stderr);
}

void progress__show(struct nsd_progress *progress, uint64_t done, uint64_t failed,
                    uint64_t findings) {
    if (progress->terminal) {
        draw(progress, done, failed, findings);
    } else if (done >= progress->next_line && done < progress->wanted) {
        fprintf(stderr, "nsdrift: %llu of %llu runs, %llu failed\n", (unsigned long long) done,
                (unsigned long long) progress->wanted, (unsigned long long) failed);
        while (progress->next_line <= done)
            progress->next_line += (progress->wanted + LINES - 1) / LINES;
    }
}

void progress__end(struct nsd_progress *progress) {
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}
