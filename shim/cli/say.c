/*
 * Messages of the command, see say.h.
 */
#include "cli/say.h"
#include "base/options.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

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
