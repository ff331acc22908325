/*
 * Formatting: JSON strings from any bytes (escapes, UTF-8 that is valid and that is not), numbers
 * read and written, and a buffer that is too small, with a sink and without one.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void check(const char *what, const char *got, const char *wanted) {
    if (strcmp(got, wanted) != 0) {
        printf("%s: got %s, wanted %s\n", what, got, wanted);
        failures++;
    }
}

static void check_true(const char *what, int holds) {
    if (!holds) {
        printf("%s\n", what);
        failures++;
    }
}

/* ---- JSON strings ---- */

static const struct {
    const char *what, *bytes, *json;
} strings[] = {
    {"plain", "mnt", "\"mnt\""},
    {"empty", "", "\"\""},
    {"quote and backslash", "a\"b\\c", "\"a\\\"b\\\\c\""},
    {"line and tab", "a\nb\tc", "\"a\\nb\\tc\""},
    {"control characters", "\001\033\177", "\"\\u0001\\u001b\\u007f\""},
    {"two bytes", "\xc2\x80\xdf\xbf", "\"\xc2\x80\xdf\xbf\""},
    {"three bytes", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf",
     "\"\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbf\""},
    {"four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    {"a byte that begins nothing", "a\x80z\xffz", "\"a\\ufffdz\\ufffdz\""},
    {"cut short by the end", "a\xe2\x82", "\"a\\ufffd\\ufffd\""},
    {"cut short by another", "\xe2\x82z", "\"\\ufffd\\ufffdz\""},
    {"overlong, two bytes", "\xc0\xaf", "\"\\ufffd\\ufffd\""},
    {"overlong, three bytes", "\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
    {"overlong, four bytes", "\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"last before the surrogates", "\xed\x9f\xbf", "\"\xed\x9f\xbf\""},
    {"beyond the last character", "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
};

static void check_strings(void) {
    for (unsigned i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        char buffer[64];
        struct nsd_text text;

        text__begin(&text, buffer, sizeof buffer);
        text__json_string(&text, strings[i].bytes);
        check(strings[i].what, text__string(&text), strings[i].json);
    }
}

/* ---- numbers ---- */

static const struct {
    const char *from;
    int good;
    uint64_t value;
} numbers[] = {
    {"0", 1, 0},
    {"42", 1, 42},
    {"18446744073709551615", 1, UINT64_MAX},
    {"18446744073709551616", 0, 0},
    {"99999999999999999999", 0, 0},
    {"0x0", 1, 0},
    {"0xdeadBEEF", 1, 0xdeadbeef},
    {"0XfF", 1, 255},
    {"0xffffffffffffffff", 1, UINT64_MAX},
    {"0x10000000000000000", 0, 0},
    {"", 0, 0},
    {"0x", 0, 0},
    {"0xg", 0, 0},
    {"1f", 0, 0},
    {"-1", 0, 0},
    {" 1", 0, 0},
    {"1 ", 0, 0},
};

static void check_numbers(void) {
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *from = numbers[i].from;
        uint64_t value = 77;
        int good = text__parse_unsigned(from, from + strlen(from), &value);

        check_true(from, good == numbers[i].good && value == (good ? numbers[i].value : 77));
    }
}

static void check_written_numbers(void) {
    char buffer[128];
    struct nsd_text text;

    text__begin(&text, buffer, sizeof buffer);
    text__unsigned(&text, UINT64_MAX);
    text__put_char(&text, ' ');
    text__signed(&text, INT64_MIN);
    text__put_char(&text, ' ');
    text__signed(&text, 7);
    text__put_char(&text, ' ');
    text__hex(&text, 0x1f, 4);
    text__put_char(&text, ' ');
    text__hex(&text, UINT64_MAX, 1);
    check("numbers", text__string(&text),
          "18446744073709551615 -9223372036854775808 7 001f ffffffffffffffff");
}

/* ---- a buffer that is too small ---- */

static char taken[64];
static size_t taken_size;

static void take(struct nsd_text *text, void *context) {
    ++*(unsigned *) context;
    memcpy(taken + taken_size, text->buffer, text->used);
    taken_size += text->used;
    text->used = 0;
}

static void take_nothing(struct nsd_text *text, void *context) {
    (void) text;
    (void) context;
}

static void check_small_buffers(void) {
    unsigned calls = 0;
    char buffer[4];
    struct nsd_text text;

    text__begin(&text, buffer, sizeof buffer);
    text__put(&text, "abcdefgh");
    check_true("what does not fit is cut", text.cut && text.used == 4);
    check("its last byte is given up for the NUL", text__string(&text), "abc");

    text__begin(&text, buffer, sizeof buffer);
    text.sink = take;
    text.context = &calls;
    text__put(&text, "abcdefghij");
    take(&text, &calls);
    check_true("nothing is lost with a sink",
               !text.cut && calls == 3 && taken_size == 10 && memcmp(taken, "abcdefghij", 10) == 0);

    text__begin(&text, buffer, sizeof buffer);
    text.sink = take_nothing;
    text__put(&text, "abcdefgh");
    check_true("a sink that takes nothing ends it", text.cut && text.used == 4);
}

int main(void) {
    check_strings();
    check_numbers();
    check_written_numbers();
    check_small_buffers();
    printf("%d failures\n", failures);
    return failures != 0;
}
