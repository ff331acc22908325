/*
 * Probes that are found missing by several threads at once, while a report reads the list: each is
 * there once at the end, and a reader sees whole entries alone.
 */
#include "race.h"
#include "report/coverage.h"

#include <string.h>

#define PROBES 3u

static const char *const names[RACE_THREADS][PROBES] = {
    {"a0", "a1", "same"}, {"b0", "b1", "same"}, {"c0", "c1", "same"}, {"d0", "d1", "same"}};
static struct nsd_image image;

static void look(void) {
    struct nsd_view_coverage view;

    coverage__view(&view, &image);
    for (unsigned i = 0; i < view.missing_count; i++) {
        CHECK(view.missing[i].probe != NULL && view.missing[i].why != NULL);
        if (view.missing[i].probe != NULL && view.missing[i].why != NULL)
            CHECK(strcmp(view.missing[i].probe, view.missing[i].why) == 0);
    }
}

static void miss(unsigned number) {
    for (unsigned i = 0; i < PROBES; i++) {
        coverage__missing(names[number][i], names[number][i]);
        look();
    }
}

static unsigned times(const struct nsd_view_coverage *view, const char *probe) {
    unsigned count = 0;

    for (unsigned i = 0; i < view->missing_count; i++)
        count += strcmp(view->missing[i].probe, probe) == 0;
    return count;
}

int main(void) {
    struct nsd_view_coverage view;

    race__run(miss);
    coverage__view(&view, &image);
    for (unsigned number = 0; number < RACE_THREADS; number++) {
        for (unsigned i = 0; i < PROBES; i++)
            CHECK(times(&view, names[number][i]) == 1);
    }
    return race__result();
}
