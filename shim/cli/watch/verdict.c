/*
 * The table of exit statuses, see verdict.h. The first row that fits decides.
 */
#include "cli/watch/verdict.h"
#include "cli/say.h"
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

/* How the program ended; bits, so that a row can name several. */
enum end {
    ENDED_ZERO = 1,
    ENDED_SKIP = 2, /* by the status that asks git bisect to skip the commit */
    ENDED_FAILED = 4,
    ENDED_SIGNAL = 8,
    ENDED_ANYHOW = 15,
};

/* In place of a status: the program's own, 128+N for a signal. */
#define ITS_OWN (-1)
#define CLEAN NSD_STATUS_CLEAN
#define FOUND NSD_STATUS_FOUND
#define UNSEEN NSD_STATUS_UNSEEN

struct row {
    enum nsd_judgement judgement;
    unsigned ends; /* enum end */
    int status[NSD_STATUS_MODE_COUNT];
};

/*
 * git bisect takes 125 as "skip" and aborts above 127, so that bisect gives 0, 1 and 125 alone. A
 * script that ends with 125 says by itself that its commit cannot be tested.
 */
static const struct row rows[] = {
    /*                                        default  findings  bisect   program */
    {NSD_JUDGED_FOUND, ENDED_ANYHOW, {FOUND, FOUND, FOUND, ITS_OWN}},
    {NSD_JUDGED_NOT_ALL, ENDED_ZERO, {UNSEEN, UNSEEN, UNSEEN, ITS_OWN}},
    {NSD_JUDGED_NOT_ALL, ENDED_SKIP, {ITS_OWN, UNSEEN, UNSEEN, ITS_OWN}},
    {NSD_JUDGED_NOT_ALL, ENDED_FAILED, {ITS_OWN, UNSEEN, FOUND, ITS_OWN}},
    {NSD_JUDGED_NOT_ALL, ENDED_SIGNAL, {UNSEEN, UNSEEN, FOUND, ITS_OWN}},
    {NSD_JUDGED_CLEAN, ENDED_ZERO, {CLEAN, CLEAN, CLEAN, CLEAN}},
    {NSD_JUDGED_CLEAN, ENDED_SKIP, {ITS_OWN, CLEAN, UNSEEN, ITS_OWN}},
    {NSD_JUDGED_CLEAN, ENDED_FAILED, {ITS_OWN, CLEAN, FOUND, ITS_OWN}},
    {NSD_JUDGED_CLEAN, ENDED_SIGNAL, {ITS_OWN, CLEAN, FOUND, ITS_OWN}},
};

static const char *const words[] = {
#define WORD(name, word) [NSD_MODE_##name] = word,
    NSD_STATUS_MODES(WORD)
#undef WORD
};

bool verdict__mode(const char *word, enum nsd_status_mode *mode) {
    for (unsigned i = 1; i < NSD_STATUS_MODE_COUNT; i++) {
        if (strcmp(words[i], word) == 0) {
            *mode = (enum nsd_status_mode) i;
            return true;
        }
    }
    return false;
}

static enum end end_of(int wait_status) {
    if (WIFSIGNALED(wait_status))
        return ENDED_SIGNAL;
    if (WEXITSTATUS(wait_status) == 0)
        return ENDED_ZERO;
    return WEXITSTATUS(wait_status) == NSD_STATUS_UNSEEN ? ENDED_SKIP : ENDED_FAILED;
}

int verdict__of_program(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int verdict__status(enum nsd_judgement judgement, int wait_status, enum nsd_status_mode mode) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].judgement != judgement || (rows[i].ends & end_of(wait_status)) == 0)
            continue;
        return rows[i].status[mode] == ITS_OWN ? verdict__of_program(wait_status)
                                               : rows[i].status[mode];
    }
    return NSD_STATUS_UNSEEN;
}
