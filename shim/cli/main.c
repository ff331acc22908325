/*
 * The nsdrift command: finds the subcommand, or says what there is. One file per subcommand; a new
 * one is a row in the table below.
 */
#include "base/options.h"
#include "base/text.h"
#include "cli/command.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct nsd_command commands[] = {
    {"run", "run a program under watch, report at its end", command__run},
    {"report", "say what is in recordings: text, JSON, a table, a trace", command__report},
    {"repeat", "run it many times: how often it fails, and what goes with that", command__repeat},
    {"scan", "list threads in other namespaces than their leader", command__scan},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void say(const char *format, va_list arguments) {
    fputs("nsdrift: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void command__say(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

int command__usage(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    fputs("Try 'nsdrift --help'.\n", stderr);
    return NSD_STATUS_USAGE;
}

void command__print_options(void) {
    char buffer[4096];
    struct nsd_text text;

    text__begin(&text, buffer, sizeof buffer);
    options__help(&text);
    fwrite(buffer, 1, text.used, stdout);
}

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

/* By a handler: unlike what is ignored, a program that we start does not inherit it. */
static void outlive(int number) {
    (void) number;
}

void command__outlive(int number) {
    struct sigaction action;

    if (sigaction(number, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
        return;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = outlive;
    action.sa_flags = SA_RESTART;
    sigaction(number, &action, NULL);
}

int main(int argc, char **argv) {
    /* What goes beyond a limit of file sizes is an error to be told. */
    command__outlive(SIGXFSZ);
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
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return command__usage("there is no command '%s'", argv[1]);
}
