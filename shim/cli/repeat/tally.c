/* Counts and ranks signs, see tally.h. There are few: a search goes through all of them. */
#include "cli/repeat/tally.h"
#include "cli/repeat/statistics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANCE_MOST 0.05
/*
 * A sign is as sure as the surest if the logarithm of its chance is at least this part of the
 * other's.
 */
#define AS_SURE 0.75

static struct nsd_sign *find(struct nsd_tally *tally, enum nsd_sign_kind kind, const char *key) {
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->sign[i].kind == kind && strcmp(tally->sign[i].key, key) == 0)
            return &tally->sign[i];
    }
    return NULL;
}

static struct nsd_sign *add(struct nsd_tally *tally) {
    struct nsd_sign *sign;

    if (tally->count == tally->room) {
        size_t room = tally->room == 0 ? 32 : 2 * tally->room;
        void *grown = reallocarray(tally->sign, room, sizeof *tally->sign);

        if (grown == NULL)
            return NULL;
        tally->sign = grown;
        tally->room = room;
    }
    sign = &tally->sign[tally->count];
    memset(sign, 0, sizeof *sign);
    return sign;
}

static void free_sign(struct nsd_sign *sign) {
    free(sign->key);
    free(sign->words);
    free(sign->detail);
}

struct nsd_sign *tally__saw(struct nsd_tally *tally, enum nsd_sign_kind kind, const char *key,
                            const char *words, const char *detail) {
    struct nsd_sign *sign = find(tally, kind, key);

    if (sign == NULL) {
        sign = add(tally);
        if (sign == NULL)
            return NULL;
        sign->kind = kind;
        sign->order = tally->count;
        sign->key = strdup(key);
        sign->words = strdup(words);
        sign->detail = detail != NULL ? strdup(detail) : NULL;
        if (sign->key == NULL || sign->words == NULL || (detail != NULL && sign->detail == NULL)) {
            free_sign(sign);
            return NULL;
        }
        tally->count++;
    }
    sign->in_this_run = true;
    return sign;
}

void tally__end_run(struct nsd_tally *tally, bool passed) {
    for (size_t i = 0; i < tally->count; i++) {
        struct nsd_sign *sign = &tally->sign[i];

        if (sign->in_this_run && passed)
            sign->passed++;
        else if (sign->in_this_run)
            sign->failed++;
        sign->in_this_run = false;
    }
    if (passed)
        tally->passed++;
    else
        tally->failed++;
}

/* True if the sign occurs in a larger part of the failing runs than of the passing runs. */
static bool goes_with_failing(const struct nsd_tally *tally, const struct nsd_sign *sign) {
    return sign->failed * tally->passed > sign->passed * tally->failed;
}

/*
 * The surest signs come first, sorted by how near they are to the cause: which of them has the
 * smallest chance is luck. The others are sorted by their chance.
 */
static int by_chance(const void *left, const void *right) {
    const struct nsd_sign *a = left, *b = right;

    if (a->sure != b->sure)
        return a->sure ? -1 : 1;
    if (!a->sure && (a->chance < b->chance || a->chance > b->chance))
        return a->chance < b->chance ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->chance < b->chance || a->chance > b->chance)
        return a->chance < b->chance ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

size_t tally__rank(struct nsd_tally *tally) {
    double best = 1;
    size_t sure = 0;

    for (size_t i = 0; i < tally->count; i++) {
        struct nsd_sign *sign = &tally->sign[i];

        sign->chance = 1;
        if (!goes_with_failing(tally, sign))
            continue;
        sign->chance =
            statistics__by_chance(sign->failed, tally->failed, sign->passed, tally->passed);
        sure += sign->chance <= CHANCE_MOST;
        best = sign->chance < best ? sign->chance : best;
    }
    for (size_t i = 0; i < tally->count; i++) {
        struct nsd_sign *sign = &tally->sign[i];

        sign->sure = sign->chance <= CHANCE_MOST && log(sign->chance) <= AS_SURE * log(best);
    }
    if (tally->count > 1)
        qsort(tally->sign, tally->count, sizeof *tally->sign, by_chance);
    return sure;
}

void tally__free(struct nsd_tally *tally) {
    for (size_t i = 0; i < tally->count; i++)
        free_sign(&tally->sign[i]);
    free(tally->sign);
    memset(tally, 0, sizeof *tally);
}
