/*
 * Parses NSDRIFT_OPTIONS into nsd_options and prints help=1, both from the table in options.h.
 * Called once, by the constructor, before there is a second thread. Values of type TEXT point into
 * a copy of the variable, which stays mapped: the host may change its environment later.
 */
#include "base/options.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "base/text.h"
#include <linux/mman.h>

struct nsd_options nsd_options;

struct option_row {
    const char *name;
    enum nsd_option_type type;
    const char *initial;
    uint64_t least, most;
    const char *words;
    size_t offset;
};

static const struct option_row rows[] = {
#define X(field, type, initial, least, most, words)                                                \
    {#field, NSD_OPTION_##type, initial, least, most, words, offsetof(struct nsd_options, field)},
    NSD_OPTION_TABLE(X)
#undef X
};
#define ROWS (sizeof rows / sizeof rows[0])

static const char *const severities[] = {"note", "warning", "error"};
static const char *const occasions[] = {"auto", "always", "never"};

/* Signals that the option `signal` accepts by name; names as in kill -l. */
#define SIGNAL_TABLE(X)                                                                            \
    X(HUP, 1)                                                                                      \
    X(INT, 2)                                                                                      \
    X(QUIT, 3)                                                                                     \
    X(TRAP, 5)                                                                                     \
    X(USR1, 10)                                                                                    \
    X(USR2, 12)                                                                                    \
    X(PIPE, 13)                                                                                    \
    X(ALRM, 14)                                                                                    \
    X(TERM, 15)                                                                                    \
    X(CHLD, 17)                                                                                    \
    X(CONT, 18)                                                                                    \
    X(TSTP, 20)                                                                                    \
    X(TTIN, 21)                                                                                    \
    X(TTOU, 22)                                                                                    \
    X(URG, 23)                                                                                     \
    X(XCPU, 24)                                                                                    \
    X(XFSZ, 25)                                                                                    \
    X(VTALRM, 26)                                                                                  \
    X(PROF, 27)                                                                                    \
    X(WINCH, 28)                                                                                   \
    X(IO, 29)                                                                                      \
    X(PWR, 30)                                                                                     \
    X(SYS, 31)

static const struct {
    const char *name;
    unsigned number;
} signals[] = {
#define X(name, number) {#name, number},
    SIGNAL_TABLE(X)
#undef X
};

static bool same_word(const char *from, const char *end, const char *word) {
    while (from < end && *word != '\0' && *from == *word) {
        from++;
        word++;
    }
    return from == end && *word == '\0';
}

static bool parse_word(const char *from, const char *end, const char *const *words, unsigned count,
                       uint64_t *value) {
    for (unsigned i = 0; i < count; i++) {
        if (same_word(from, end, words[i])) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool parse_signal(const char *from, const char *end, uint64_t *value) {
    if (same_word(from, end, "none")) {
        *value = 0;
        return true;
    }
    if (text__parse_unsigned(from, end, value))
        /* 9 and 19 (KILL, STOP) cannot be caught; glibc and musl use 32 and 33 themselves. */
        return *value >= 1 && *value <= 64 && *value != 9 && *value != 19 && *value != 32 &&
               *value != 33;
    if (end - from > 3 && from[0] == 'S' && from[1] == 'I' && from[2] == 'G')
        from += 3;
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (same_word(from, end, signals[i].name)) {
            *value = signals[i].number;
            return true;
        }
    }
    return false;
}

static bool parse_size(const char *from, const char *end, uint64_t *value) {
    unsigned shift = 0;

    if (end > from && (end[-1] == 'K' || end[-1] == 'k'))
        shift = 10;
    else if (end > from && (end[-1] == 'M' || end[-1] == 'm'))
        shift = 20;
    if (shift != 0)
        end--;
    if (!text__parse_unsigned(from, end, value) || *value > (UINT64_MAX >> shift))
        return false;
    *value <<= shift;
    return true;
}

static bool parse_value(const struct option_row *row, const char *from, const char *end,
                        struct nsd_option_value *value) {
    uint64_t number = 0;
    bool right;

    switch (row->type) {
    case NSD_OPTION_TEXT:
        value->text = from;
        return from < end;
    case NSD_OPTION_SEVERITY:
        right = parse_word(from, end, severities, 3, &number);
        break;
    case NSD_OPTION_WHEN:
        right = parse_word(from, end, occasions, 3, &number);
        break;
    case NSD_OPTION_SIGNAL:
        right = parse_signal(from, end, &number);
        break;
    case NSD_OPTION_SIZE:
        right = parse_size(from, end, &number) && number >= row->least && number <= row->most;
        break;
    default:
        right =
            text__parse_unsigned(from, end, &number) && number >= row->least && number <= row->most;
    }
    if (right)
        value->number = number;
    return right;
}

static struct nsd_option_value *value_of(const struct option_row *row) {
    return (struct nsd_option_value *) ((char *) &nsd_options + row->offset);
}

static void set_defaults(void) {
    memory__fill(&nsd_options, 0, sizeof nsd_options);
    for (unsigned i = 0; i < ROWS; i++) {
        const char *initial = rows[i].initial;

        if (rows[i].type == NSD_OPTION_SEVERITY)
            value_of(&rows[i])->number = sizeof severities / sizeof severities[0];
        else
            parse_value(&rows[i], initial, initial + string__length(initial), value_of(&rows[i]));
    }
}

/* Characters of a wrong option that the complaint quotes. */
#define QUOTED_MOST 60

static void put_quoted(struct nsd_text *text, const char *from, const char *end) {
    for (unsigned i = 0; from < end; from++, i++) {
        if (i == QUOTED_MOST) {
            text__put(text, "...");
            break;
        }
        text__put_char(text, *from >= ' ' && *from < 0x7f ? *from : '?');
    }
}

static void complain_about(nsd_options_complain *complain, const char *what, const char *from,
                           const char *end, const char *consequence) {
    char line[256];
    struct nsd_text text;

    if (complain == NULL)
        return;
    text__begin(&text, line, sizeof line);
    text__put(&text, what);
    text__put(&text, " '");
    put_quoted(&text, from, end);
    text__put(&text, "'");
    complain(text__string(&text), consequence);
}

static void parse_one(char *from, char *end, nsd_options_complain *complain) {
    char *equals = from;

    while (equals < end && *equals != '=')
        equals++;
    for (unsigned i = 0; i < ROWS; i++) {
        struct nsd_option_value *value = value_of(&rows[i]);

        if (!same_word(from, equals, rows[i].name))
            continue;
        if (equals == end) {
            complain_about(complain, "option without a value", from, end, "it is left out");
            return;
        }
        if (!parse_value(&rows[i], equals + 1, end, value)) {
            complain_about(complain, "value that cannot be read in option", from, end,
                           "the default is used");
            return;
        }
        value->given = true;
        return;
    }
    complain_about(complain, "unknown option", from, equals, "it is left out");
}

/*
 * A variable can hold 131,071 bytes (MAX_ARG_STRLEN in the kernel's fs/exec.c) and be wrong from
 * end to end: only the first mistake is named.
 */
#define COMPLAINTS_MOST 1u

static nsd_options_complain *complain_to;
static unsigned complaints;

static void complain_once(const char *mistake, const char *consequence) {
    if (complaints++ < COMPLAINTS_MOST && complain_to != NULL)
        complain_to(mistake, consequence);
}

void options__parse(const char *given, nsd_options_complain *complain) {
    size_t length;
    char *copy, *at, *end;
    long mapped;

    set_defaults();
    complain_to = complain;
    complaints = 0;
    if (given == NULL || given[0] == '\0')
        return;
    length = string__length(given);
    mapped =
        sys__mmap(NULL, length + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (SYS_IS_ERROR(mapped)) {
        complain_once("no memory to read NSDRIFT_OPTIONS", "the defaults are used");
        return;
    }
    copy = (char *) mapped;
    memory__copy(copy, given, length);
    end = copy + length;
    for (at = copy; at <= end;) {
        char *stop = at;

        while (stop < end && *stop != ':')
            stop++;
        *stop = '\0';
        if (stop > at)
            parse_one(at, stop, complain_once);
        at = stop + 1;
    }
}

void options__help(struct nsd_text *text) {
    for (unsigned i = 0; i < ROWS; i++) {
        size_t width = string__length(rows[i].name);

        if (rows[i].words[0] == '\0')
            continue;
        text__put(text, "  ");
        text__put(text, rows[i].name);
        for (; width < 12; width++)
            text__put_char(text, ' ');
        text__put(text, rows[i].words);
        if (rows[i].initial[0] != '\0') {
            text__put(text, " (");
            text__put(text, rows[i].initial);
            text__put_char(text, ')');
        }
        text__put_char(text, '\n');
    }
}
