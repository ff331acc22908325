/*
 * The options of NSDRIFT_OPTIONS (name=value:name=value) as one table, from which parsing, defaults
 * and the text of help=1 come. To add an option, add its row here and to the man page libnsdrift.7.
 * Parsed once at start, by the only thread; read-only afterwards, hence readable anywhere. A value
 * that cannot be parsed never stops the program: the default is used.
 */
#ifndef NSD_BASE_OPTIONS_H
#define NSD_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nsd_option_type {
    NSD_OPTION_FLAG,   /* 0 or 1 */
    NSD_OPTION_NUMBER, /* within [least, most] */
    NSD_OPTION_SIZE,   /* a number with K or M */
    NSD_OPTION_TEXT,
    NSD_OPTION_SEVERITY, /* note, warning, error */
    NSD_OPTION_SIGNAL,   /* none, a number, USR1 or SIGUSR1 */
    NSD_OPTION_WHEN,     /* auto, always, never */
};

/*
 * X(name, type, default as text, least, most, description). Names and defaults do not change:
 * users rely on them. An option without a description is passed from the command to the library
 * and not shown.
 */
#define NSD_OPTION_TABLE(X)                                                                        \
    X(log_path, TEXT, "stderr", 0, 0,                                                              \
      "file that findings are appended to; .PID is added unless the name has %p; %e program, %H "  \
      "host, %t start time")                                                                       \
    X(json, FLAG, "0", 0, 1, "findings and coverage as JSON lines instead of text")                \
    X(verbosity, NUMBER, "0", 0, 3,                                                                \
      "0: findings only; 1: the closing coverage line always; 2: the table of threads; 3: every "  \
      "event")                                                                                     \
    X(severity, SEVERITY, "", 0, 0, "the least that is reported (default: note, in text warning)") \
    X(exitcode, NUMBER, "0", 0, 255,                                                               \
      "if not 0: the exit status when there is an error or a warning")                             \
    X(signal, SIGNAL, "none", 0, 64,                                                               \
      "a signal (name or number) that reports while the program runs")                             \
    X(record, TEXT, "none", 0, 0,                                                                  \
      "folder for recordings, which outlive SIGKILL: see nsdrift report")                          \
    X(record_size, SIZE, "256K", 32768, 67108864, "of one recording; head and newest are kept")    \
    X(depth, NUMBER, "32", 1, 64, "frames kept of a stack")                                        \
    X(follow, FLAG, "1", 0, 1, "hand the preload on across exec")                                  \
    X(color, WHEN, "auto", 0, 0, "auto, always, never; NO_COLOR is obeyed")                        \
    X(help, FLAG, "0", 0, 1, "print this table")                                                   \
    /* set by `nsdrift run`, which reports itself: the library writes nothing */                   \
    X(silent, FLAG, "0", 0, 1, "")

struct nsd_option_value {
    uint64_t number;  /* all types but TEXT; SEVERITY: 0..2, or 3 when not given */
    const char *text; /* TEXT: NUL-terminated, valid for the life of the image */
    bool given;       /* NSDRIFT_OPTIONS has a valid value for it */
};

struct nsd_options {
#define X(field, type, def, least, most, words) struct nsd_option_value field;
    NSD_OPTION_TABLE(X)
#undef X
};

extern struct nsd_options nsd_options;

/* Called with what is wrong and what follows from that, each a part of one line. */
typedef void nsd_options_complain(const char *mistake, const char *consequence);
/*
 * Parses `given`, the value of NSDRIFT_OPTIONS (NULL: not set), into nsd_options. Calls `complain`
 * (NULL: nobody) for the first mistake, and goes on with the other options.
 */
void options__parse(const char *given, nsd_options_complain *complain);
/* The table as text, one line for each option: for help=1 and nsdrift --help. */
struct nsd_text;
void options__help(struct nsd_text *text);

#endif
