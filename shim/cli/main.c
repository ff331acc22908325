/*
 * The nsdrift command: finds the subcommand and runs it, or says what there is. Each subcommand is
 * a file of cli/commands; a new one is a row in the table below.
 */
#include "cli/commands/commands.h"
#include "cli/say.h"
#include "cli/watch/signals.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *words;
    /* See commands.h. */
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "run a program under watch, report at its end", command__run},
    {"report", "say what is in recordings: text, JSON, a table, a trace", command__report},
    {"repeat", "run it many times: how often it fails, and what goes with that", command__repeat},
    {"scan", "list threads in other namespaces than their leader", command__scan},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(void) {
    fputs("Usage: nsdrift run [OPTION...] -- PROGRAM [ARGUMENT...]\n"
          "       nsdrift COMMAND [OPTION...] [ARGUMENT...]\n"
          "Names the line of code that leaves a thread in the wrong Linux namespace.\n\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-10s%s\n", commands[i].name, commands[i].words);
    fputs("\n  nsdrift COMMAND --help    what a command takes\n"
          "  nsdrift --version\n\n"
          "Without the command, for any program:\n"
          "  LD_PRELOAD=.../libnsdrift.so NSDRIFT=1 NSDRIFT_OPTIONS=name=value:... PROGRAM\n\n"
          "Options of the library (and their defaults):\n",
          stdout);
    command__print_options();
}

int main(int argc, char **argv) {
    static char speaker[32];

    /* A write beyond the limit of file sizes must fail with an error, which is then reported. */
    signals__outlive(SIGXFSZ);
    if (argc < 2)
        return command__usage("no command given");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return NSD_STATUS_CLEAN;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("nsdrift " NSD_VERSION);
        return NSD_STATUS_CLEAN;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        snprintf(speaker, sizeof speaker, "nsdrift: %s", commands[i].name);
        argv[1] = speaker;
        return commands[i].run(argc - 1, argv + 1);
    }
    return command__usage("there is no command '%s'", argv[1]);
}
