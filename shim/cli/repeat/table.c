/*
 * Prints the table, see table.h: how often the program failed and what that means, the findings,
 * and what goes with the failures. 80 columns.
 */
#include "cli/repeat/table.h"
#include "cli/repeat/statistics.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIDENCE 0.99
#define RANKED_MOST 10u
#define WIDTH 80
#define WORDS_WIDTH 50
#define LINE_WIDTH 78
/* A failure rate that is common in practice; used where none is known. */
#define USUAL_RATE 0.005

static bool colour;

static const char *bold(void) {
    return colour ? "\033[1m" : "";
}

static const char *plain(void) {
    return colour ? "\033[0m" : "";
}

void outcome__unseen(struct nsd_outcome *outcome, const char *why) {
    outcome->unseen++;
    for (unsigned i = 0; i < NSD_REASONS; i++) {
        size_t room = sizeof outcome->reason[i].why;

        if (outcome->reason[i].runs == 0)
            snprintf(outcome->reason[i].why, room, "%s", why);
        else if (strncmp(outcome->reason[i].why, why, room - 1) != 0)
            continue;
        outcome->reason[i].runs++;
        return;
    }
}

/* ---- how often ---- */

static void print_rate(const struct nsd_tally *tally) {
    uint64_t runs = tally->passed + tally->failed;
    double rate = (double) tally->failed / (double) runs, low, high;

    statistics__interval(tally->failed, runs, &low, &high);
    printf("failure rate %.3g%%, 95%% interval %.3g%% to %.3g%% (Clopper-Pearson)\n", 100 * rate,
           100 * low, 100 * high);
    if (tally->failed > 0 && tally->passed > 0)
        printf("to trust a fix: %" PRIu64 " clean runs in a row (99%% sure that %.3g%% is gone)\n",
               statistics__clean_runs(rate, CONFIDENCE), 100 * rate);
    else if (tally->failed == 0)
        printf("to be 99%% sure that a failure in 200 runs is not there: %" PRIu64 " clean runs\n",
               statistics__clean_runs(USUAL_RATE, CONFIDENCE));
}

/*
 * Prints the head and then the words, broken at blanks; further lines begin below the first word.
 * Returns the column after the last word.
 */
static size_t put_wrapped(const char *head, const char *words, size_t width) {
    size_t indent = strlen(head), at = indent;
    const char *word = words;

    fputs(head, stdout);
    while (*word != '\0') {
        size_t length = strcspn(word, " ");

        if (at > indent && at + 1 + length > width) {
            printf("\n%*s", (int) indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        fwrite(word, 1, length, stdout);
        at += length;
        word += length + strspn(word + length, " ");
    }
    return at;
}

static void print_reason(uint64_t runs, const char *why) {
    char head[32];

    snprintf(head, sizeof head, "  %" PRIu64 ": ", runs);
    put_wrapped(head, why, LINE_WIDTH);
    putchar('\n');
}

static void print_head(const struct nsd_outcome *outcome, const struct nsd_tally *tally) {
    uint64_t runs = tally->passed + tally->failed;
    const char *slash = strrchr(outcome->program, '/');
    const char *name = slash != NULL ? slash + 1 : outcome->program;

    printf("%s%" PRIu64 " %s of %.24s: %" PRIu64 " failed, %" PRIu64 " passed%s (by %s)\n", bold(),
           runs, runs == 1 ? "run" : "runs", name, tally->failed, tally->passed, plain(),
           outcome->by_check ? "the check" : "its exit status");
    if (outcome->interrupted)
        printf("interrupted: %" PRIu64 " runs of %" PRIu64 " were not made\n",
               outcome->wanted - runs, outcome->wanted);
    if (outcome->late > 0)
        printf("killed because their time was up: %" PRIu64 "\n", outcome->late);
    if (outcome->unseen > 0)
        printf("not watched, or not all of it: %" PRIu64 " %s\n", outcome->unseen,
               outcome->unseen == 1 ? "run" : "runs");
    for (unsigned i = 0; i < NSD_REASONS && outcome->reason[i].runs > 0; i++)
        print_reason(outcome->reason[i].runs, outcome->reason[i].why);
    print_rate(tally);
}

/* ---- signs ---- */

static void print_counts(const struct nsd_tally *tally, const struct nsd_sign *sign) {
    printf("%6" PRIu64 " of %-5" PRIu64 " %6" PRIu64 " of %-5" PRIu64 "\n", sign->failed,
           tally->failed, sign->passed, tally->passed);
}

/* The words behind the head, then the counts behind their last line. */
static void print_words(const char *head, const char *words) {
    size_t at = put_wrapped(head, words, WORDS_WIDTH);

    if (at > WORDS_WIDTH) {
        putchar('\n');
        at = 0;
    }
    printf("%*s", (int) (WORDS_WIDTH - at), "");
}

static void print_title(const char *title) {
    printf("\n%s%-*s%15s%15s%s\n", bold(), WORDS_WIDTH, title, "in failing", "in passing", plain());
}

static int by_severity(const void *left, const void *right) {
    const struct nsd_sign *a = *(const struct nsd_sign *const *) left;
    const struct nsd_sign *b = *(const struct nsd_sign *const *) right;

    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void print_findings(const struct nsd_tally *tally) {
    const struct nsd_sign **found = calloc(tally->count + 1, sizeof *found);
    size_t count = 0;

    for (size_t i = 0; found != NULL && i < tally->count; i++) {
        if (tally->sign[i].kind == NSD_SIGN_FINDING)
            found[count++] = &tally->sign[i];
    }
    if (count > 0) {
        qsort(found, count, sizeof *found, by_severity);
        print_title("findings");
    } else {
        puts("\nno findings");
    }
    for (size_t i = 0; i < count; i++) {
        print_words("  ", found[i]->words);
        print_counts(tally, found[i]);
        if (found[i]->detail != NULL && found[i]->detail[0] != '\0')
            printf("      %.*s\n", WIDTH - 6, found[i]->detail);
    }
    free(found);
}

static void print_ranking(const struct nsd_tally *tally, size_t sure) {
    if (tally->failed == 0 || tally->passed == 0) {
        printf("\nno ranking: it takes failing and passing runs\n");
        return;
    }
    if (sure == 0) {
        printf("\nnothing goes with the failures more than chance would have it\n");
        return;
    }
    print_title("what goes with the failures, the surest first");
    for (size_t i = 0; i < sure && i < RANKED_MOST; i++) {
        char head[16];

        snprintf(head, sizeof head, "%3zu. ", i + 1);
        print_words(head, tally->sign[i].words);
        print_counts(tally, &tally->sign[i]);
    }
    if (sure > RANKED_MOST)
        printf("     and %zu more\n", sure - RANKED_MOST);
    printf("  (by chance alone, the first: %.1g; Fisher's exact test)\n", tally->sign[0].chance);
}

/* ---- the first failing run ---- */

static void print_said(const struct nsd_outcome *outcome) {
    const char *at = outcome->said;
    unsigned lines = 0;

    if (outcome->first_failed == 0)
        return;
    for (const char *c = at + strlen(at); c > outcome->said; c--) {
        if (c[-1] == '\n' && c[0] != '\0' && ++lines == 5) {
            at = c;
            break;
        }
    }
    printf("\nrun %" PRIu64 ", the first that failed, %s\n", outcome->first_failed,
           at[0] == '\0' ? "said nothing" : "said at its end:");
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");

        fputs("    ", stdout);
        for (size_t i = 0; i < length; i++)
            putchar((unsigned char) at[i] < ' ' ? '?' : at[i]);
        putchar('\n');
        at += length + (at[length] == '\n');
    }
}

void repeat_table__print(const struct nsd_outcome *outcome, struct nsd_tally *tally) {
    const char *no_color = getenv("NO_COLOR");
    size_t sure = tally__rank(tally);

    colour = isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
    print_head(outcome, tally);
    print_findings(tally);
    print_ranking(tally, sure);
    print_said(outcome);
    fflush(stdout);
}
