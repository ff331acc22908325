/*
 * Prints one table for each image, one row for each event, see thread_table.h. A cell that is too
 * wide for its column is continued in the next line.
 */
#include "cli/show/thread_table.h"
#include "base/text.h"
#include <string.h>
#include <time.h>

#define CELL 512
#define CELL_LINES 16
#define GAP 2

enum column { TIME, THREAD, LOCK, WHAT, WHERE, COLUMNS };

static const char *const headings[COLUMNS] = {"TIME", "THREAD", "GOROUTINE", "WHAT", "WHERE THEN"};

struct table {
    FILE *out;
    unsigned width[COLUMNS]; /* 0: the column is left out */
    bool colour;
};

struct row {
    char cell[COLUMNS][CELL];
    bool away, failed;
};

/* ---- cells ---- */

/*
 * The last place to break a line of this width: after one of these characters, or before a blank.
 */
static size_t last_break(const char *cell, unsigned width, const char *behind) {
    for (size_t at = width; at > width / 3; at--) {
        if (cell[at] == ' ' || strchr(behind, cell[at - 1]) != NULL)
            return at;
    }
    return 0;
}

/* The bytes of the cell for one line: up to a newline, else up to a good place to break. */
static size_t fitting(const char *cell, unsigned width) {
    size_t length = strcspn(cell, "\n"), at;

    if (length <= width)
        return length;
    at = last_break(cell, width, "|,");
    if (at == 0)
        at = last_break(cell, width, "/_.(");
    return at != 0 ? at : width;
}

static unsigned split(const char *cell, unsigned width, const char *part[CELL_LINES],
                      size_t size[CELL_LINES]) {
    unsigned count = 0;

    while (*cell != '\0' && count < CELL_LINES) {
        part[count] = cell;
        size[count] = fitting(cell, width);
        cell += size[count++];
        while (*cell == ' ')
            cell++;
        cell += *cell == '\n';
    }
    return count;
}

static const char *colour_of(const struct table *table, const struct row *row, enum column column) {
    if (!table->colour)
        return "";
    if (column == WHERE && row->away)
        return "\033[1;33m";
    if (column == WHAT && row->failed)
        return "\033[31m";
    return "";
}

static void put_row(const struct table *table, const struct row *row) {
    const char *part[COLUMNS][CELL_LINES];
    size_t size[COLUMNS][CELL_LINES];
    unsigned lines[COLUMNS], most = 1;

    for (unsigned column = 0; column < COLUMNS; column++) {
        lines[column] = table->width[column] == 0 ? 0
                                                  : split(row->cell[column], table->width[column],
                                                          part[column], size[column]);
        if (lines[column] > most)
            most = lines[column];
    }
    for (unsigned line = 0; line < most; line++) {
        unsigned owed = 0; /* blanks due before the next cell; a line does not end with blanks */

        for (unsigned column = 0; column < COLUMNS; column++) {
            const char *colour;
            int length;

            if (table->width[column] == 0)
                continue;
            if (line >= lines[column]) {
                owed += table->width[column] + GAP;
                continue;
            }
            length = (int) size[column][line];
            colour = colour_of(table, row, (enum column) column);
            /* Times are aligned at their points. */
            if (column == TIME)
                owed += table->width[column] - (unsigned) length;
            fprintf(table->out, "%*s%s%.*s%s", (int) owed, "", colour, length, part[column][line],
                    colour[0] != '\0' ? "\033[0m" : "");
            owed = GAP;
            if (column != TIME)
                owed += table->width[column] - (unsigned) length;
        }
        fputc('\n', table->out);
    }
}

/* ---- what stands in them ---- */

static void put_namespace(struct nsd_text *text, const struct nsd_timeline *timeline,
                          const struct nsd_moment *moment, unsigned kind) {
    if (text->used > 0)
        text__put_char(text, '\n');
    text__put(text, timeline__kind_word(kind));
    if (kind >= NSD_KINDS)
        return;
    text__put_char(text, ' ');
    timeline__put_namespace(text, timeline, moment->label[kind]);
}

static void put_where(char *cell, const struct nsd_timeline *timeline,
                      const struct nsd_moment *moment) {
    struct nsd_text text;

    text__begin(&text, cell, CELL);
    for (unsigned kind = 0; kind < NSD_MOMENT_KINDS; kind++) {
        if ((moment->away & (1u << kind)) != 0)
            put_namespace(&text, timeline, moment, kind);
    }
    for (unsigned kind = 0; kind < NSD_KINDS; kind++) {
        if ((moment->moved & (1u << kind)) != 0)
            put_namespace(&text, timeline, moment, kind);
    }
    if (moment->moved != 0)
        text__put(&text, "\n(the whole process)");
    if (text.used == 0)
        text__put(&text, moment->call == NSD_CALL_THREAD_DIED ? "-" : "home");
    text__string(&text);
}

static void put_what(char *cell, const struct nsd_moment *moment) {
    struct nsd_text text;

    text__begin(&text, cell, CELL);
    text__put(&text, moment->what != NULL ? moment->what : "?");
    if (moment->other_tid != 0 && moment->call == NSD_CALL_THREAD_BORN) {
        text__put(&text, ", made by ");
        text__signed(&text, moment->other_tid);
    }
    if (moment->at != NULL && moment->at[0] != '\0') {
        text__put(&text, "\nat ");
        text__put(&text, moment->at);
    }
    text__string(&text);
}

static void put_lock(char *cell, const struct nsd_moment *moment) {
    const char *lock = timeline__lock_word(moment->lock);
    struct nsd_text text;

    text__begin(&text, cell, CELL);
    if (moment->goroutine != 0)
        text__signed(&text, moment->goroutine);
    if (lock != NULL) {
        if (text.used > 0)
            text__put_char(&text, ' ');
        text__put(&text, lock);
    }
    if (text.used == 0)
        text__put_char(&text, '-');
    text__string(&text);
}

static void fill_row(struct row *row, const struct nsd_timeline *timeline,
                     const struct nsd_moment *moment) {
    const struct nsd_life *life = &timeline->life[moment->life];
    uint64_t since = moment->time > timeline->began ? moment->time - timeline->began : 0;

    snprintf(row->cell[TIME], CELL, "%llu.%06llu", (unsigned long long) (since / 1000000000),
             (unsigned long long) (since % 1000000000 / 1000));
    snprintf(row->cell[THREAD], CELL, "%d%s", life->tid, life->main_thread ? " main" : "");
    put_lock(row->cell[LOCK], moment);
    put_what(row->cell[WHAT], moment);
    put_where(row->cell[WHERE], timeline, moment);
    row->away = moment->away != 0;
    row->failed = moment->failed;
}

/* ---- the table ---- */

/* Widens each column to the longest line of its cell, up to a limit. */
static void widen(struct table *table, const struct row *row) {
    static const unsigned most[COLUMNS] = {[TIME] = 16, [THREAD] = 12, [LOCK] = 17, [WHERE] = 27};

    for (unsigned column = 0; column < COLUMNS; column++) {
        const char *line = row->cell[column];

        while (column != WHAT) {
            size_t length = strcspn(line, "\n");

            if (length > most[column])
                length = most[column];
            if (length > table->width[column])
                table->width[column] = (unsigned) length;
            if (line[strcspn(line, "\n")] == '\0')
                break;
            line += strcspn(line, "\n") + 1;
        }
    }
}

/* The other columns are as narrow as they can be; the calls get the rest. */
static void lay_out(struct table *table, const struct nsd_timeline *timeline, unsigned width) {
    static struct row row;
    unsigned taken = 0;

    if (width < 80)
        width = 80;
    if (width > 132)
        width = 132;
    for (unsigned column = 0; column < COLUMNS; column++)
        snprintf(row.cell[column], CELL, "%s", headings[column]);
    widen(table, &row);
    for (uint32_t i = 0; i < timeline->moments; i++) {
        fill_row(&row, timeline, &timeline->moment[i]);
        widen(table, &row);
    }
    if (!timeline->has_locks)
        table->width[LOCK] = 0;
    for (unsigned column = 0; column < COLUMNS; column++)
        taken += table->width[column] + (table->width[column] > 0 ? GAP : 0);
    /* At its narrowest "4026531836" and "CLONE_NEWCGROUP" stay whole. */
    if (taken + 24 > width && table->width[WHERE] > 16) {
        taken -= table->width[WHERE] - 16;
        table->width[WHERE] = 16;
    }
    table->width[WHAT] = width - taken;
}

static void put_title(FILE *out, const struct nsd_timeline *timeline) {
    time_t seconds = (time_t) (timeline->began / 1000000000);
    struct tm date;
    char day[32];

    if (gmtime_r(&seconds, &date) == NULL || strftime(day, sizeof day, "%F %T", &date) == 0)
        snprintf(day, sizeof day, "?");
    fprintf(out, "==%d==nsdrift: %.56s\n%u thread%s, times since %s.%06llu UTC\n", timeline->pid,
            timeline->program, timeline->lives, timeline->lives == 1 ? "" : "s", day,
            (unsigned long long) (timeline->began % 1000000000 / 1000));
}

void threads__print(FILE *out, const struct nsd_timeline *timeline, unsigned width, bool colour) {
    struct table table = {.out = out, .colour = colour};
    struct row row = {.away = false};

    lay_out(&table, timeline, width);
    put_title(out, timeline);
    for (unsigned column = 0; column < COLUMNS; column++)
        snprintf(row.cell[column], CELL, "%s", headings[column]);
    put_row(&table, &row);
    for (uint32_t i = 0; i < timeline->moments; i++) {
        if (timeline->moment[i].after_gap)
            fprintf(out, "      ...: %llu events were overwritten by newer ones\n",
                    (unsigned long long) timeline->overwritten);
        fill_row(&row, timeline, &timeline->moment[i]);
        put_row(&table, &row);
    }
    if (timeline->end != NULL && strcmp(timeline->end, "killed") == 0)
        fputs("      ...: it was killed, or has not ended\n", out);
}
