/* Joins and checks options, see given.h. */
#include "cli/watch/given.h"
#include "base/options.h"
#include "cli/say.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char complaint[256];

/* The command ends with a usage error: nothing else follows from the mistake. */
static void keep(const char *mistake, const char *consequence) {
    (void) consequence;
    snprintf(complaint, sizeof complaint, "%s", mistake);
}

bool given__begin(char **options) {
    const char *inherited = getenv("NSDRIFT_OPTIONS");

    *options = strdup(inherited != NULL ? inherited : "");
    return *options != NULL;
}

int given__add(char **options, const char *more) {
    char *joined;

    complaint[0] = '\0';
    options__parse(more, keep);
    if (complaint[0] != '\0')
        return command__usage("-o: %s", complaint);
    if (asprintf(&joined, "%s%s%s", *options, (*options)[0] != '\0' ? ":" : "", more) < 0)
        return NSD_STATUS_UNSEEN;
    free(*options);
    *options = joined;
    return 0;
}

static void complain(const char *mistake, const char *consequence) {
    command__say("NSDRIFT_OPTIONS: %s: %s", mistake, consequence);
}

void given__parse(const char *options) {
    options__parse(options, complain);
}
