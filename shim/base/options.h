/*
 * The options as one table, from which parsing, defaults and help=1 come. Parsed once at start out
 * of NSDRIFT_OPTIONS (name=value:name=value, up to 131,071 bytes); every complaint is one clear
 * line on stderr, the rest goes on with the default. No libc.
 */
#ifndef NSD_BASE_OPTIONS_H
#define NSD_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nsd_option_type {
    NSD_OPTION_FLAG,     /* 0 or 1 */
    NSD_OPTION_NUMBER,   /* within [least, most] */
    NSD_OPTION_SIZE,     /* a number with K or M */
    NSD_OPTION_TEXT,
    NSD_OPTION_SEVERITY, /* note, warning, error */
    NSD_OPTION_SIGNAL,   /* none, a number, USR1 or SIGUSR1 */
    NSD_OPTION_WHEN,     /* auto, always, never */
};

/*
 * X(field, type, default as text, least, most, words). Names and defaults are contract; what has no
 * words is between the command and the library, and not shown.
 */
#define NSD_OPTION_TABLE(X)                                                                        \
    X(log_path, TEXT, "stderr", 0, 0, "file that findings are appended to; .PID is added unless the name has %p; %e program, %H host, %t start time") \
    X(json, FLAG, "0", 0, 1, "findings and coverage as JSON lines instead of text")                \
    X(verbosity, NUMBER, "0", 0, 3, "0: findings only; 1: the closing coverage line always; 2: the table of threads; 3: every event") \
    X(severity, SEVERITY, "", 0, 0, "the least that is reported (default: note, in text warning)") \
    X(exitcode, NUMBER, "0", 0, 255, "if not 0: the exit status when there is an error or a warning") \
    X(signal, SIGNAL, "none", 0, 64, "a signal (name or number) that reports while the program runs") \
    X(record, TEXT, "none", 0, 0, "folder for recordings, which outlive SIGKILL: see nsdrift report") \
    X(record_size, SIZE, "256K", 32768, 67108864, "of one recording; head and newest are kept")    \
    X(depth, NUMBER, "32", 1, 64, "frames kept of a stack")                                        \
    X(follow, FLAG, "1", 0, 1, "hand the preload on across exec")                                  \
    X(color, WHEN, "auto", 0, 0, "auto, always, never; NO_COLOR is obeyed")                        \
    X(help, FLAG, "0", 0, 1, "print this table")                                                   \
    /* `nsdrift run` reports, and nothing is to come from inside */                                \
    X(silent, FLAG, "0", 0, 1, "")

struct nsd_option_value {
    uint64_t number;     /* all types but TEXT; SEVERITY: 0..2, or 3 when not given */
    const char *text;    /* TEXT: NUL-terminated, points into memory that stays */
    bool given;
};

struct nsd_options {
#define X(field, type, def, least, most, words) struct nsd_option_value field;
    NSD_OPTION_TABLE(X)
#undef X
};

extern struct nsd_options nsd_options;

/*
 * Parses `given` (NULL: none) into nsd_options. Calls complain for the first thing that is wrong,
 * with a line without newline; keeps going either way.
 */
void options__parse(const char *given, void (*complain)(const char *line));
/* The table as text, one option a line, for help=1 and nsdrift --help. */
struct nsd_text;
void options__help(struct nsd_text *text);

#endif
