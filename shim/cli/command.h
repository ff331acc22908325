/*
 * What the files of the nsdrift command share: the table of subcommands, exit statuses, and the one
 * way to tell the user something. An ordinary program; nothing of it runs inside a host.
 */
#ifndef NSD_CLI_COMMAND_H
#define NSD_CLI_COMMAND_H

/* Exit statuses, as `git bisect run` reads them. */
enum {
    NSD_STATUS_CLEAN = 0,
    NSD_STATUS_FOUND = 1,
    NSD_STATUS_USAGE = 2,
    NSD_STATUS_UNSEEN = 125,
};

struct nsd_command {
    const char *name;
    const char *words;
    /* argv[0] is the subcommand's name. Returns the exit status. */
    int (*run)(int argc, char **argv);
};

int command__run(int argc, char **argv);
int command__report(int argc, char **argv);
int command__repeat(int argc, char **argv);
int command__scan(int argc, char **argv);

/* One line on stderr: "nsdrift: ...". */
void command__say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with where to read on; returns NSD_STATUS_USAGE. */
int command__usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The table of options of the library, from which `-o` takes. */
void command__print_options(void);
/* The signal no longer ends us where it would; programs that we start have it as we were given it.
 */
void command__outlive(int signal);

#endif
