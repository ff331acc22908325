/*
 * Formatting into a bounded buffer, see text.h. Runs inside the host: no libc, no allocation.
 */
#include "base/text.h"
#include "base/memory.h"

void text__begin(struct nsd_text *text, char *buffer, size_t size) {
    text->buffer = buffer;
    text->size = size;
    text->used = 0;
    text->cut = false;
    text->sink = NULL;
    text->context = NULL;
}

void text__put_bytes(struct nsd_text *text, const char *bytes, size_t size) {
    while (size > 0) {
        size_t room = text->size - text->used;
        size_t part = size < room ? size : room;

        memory__copy(text->buffer + text->used, bytes, part);
        text->used += part;
        bytes += part;
        size -= part;
        if (size > 0) {
            if (text->sink == NULL) {
                text->cut = true;
                return;
            }
            text->sink(text, text->context);
            if (text->used == text->size) {
                text->cut = true;
                return;
            }
        }
    }
}

void text__put(struct nsd_text *text, const char *string) {
    text__put_bytes(text, string, string__length(string));
}

void text__put_char(struct nsd_text *text, char c) {
    text__put_bytes(text, &c, 1);
}

void text__unsigned(struct nsd_text *text, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char) ('0' + value % 10);
        value /= 10;
    } while (value != 0);
    text__put_bytes(text, digits + at, sizeof digits - at);
}

void text__signed(struct nsd_text *text, int64_t value) {
    if (value < 0) {
        text__put_char(text, '-');
        text__unsigned(text, 0 - (uint64_t) value);
        return;
    }
    text__unsigned(text, (uint64_t) value);
}

static const char hex_digits[] = "0123456789abcdef";

void text__hex(struct nsd_text *text, uint64_t value, unsigned digits) {
    char out[16];
    size_t at = sizeof out;

    do {
        out[--at] = hex_digits[value & 15];
        value >>= 4;
    } while (value != 0);
    while (at > 0 && sizeof out - at < digits)
        out[--at] = '0';
    text__put_bytes(text, out + at, sizeof out - at);
}

/* Length of the UTF-8 sequence that begins at `at`, 0 if it is invalid. */
static unsigned utf8_length(const unsigned char *at) {
    unsigned length;

    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        length = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        length = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        length = 4;
    else
        return 0;
    for (unsigned i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Invalid although well formed: overlong forms, surrogates, code points above U+10FFFF. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

void text__json_string(struct nsd_text *text, const char *string) {
    const unsigned char *at = (const unsigned char *) string;

    text__put_char(text, '"');
    while (*at != '\0') {
        unsigned length = utf8_length(at);

        if (*at == '"' || *at == '\\') {
            text__put_char(text, '\\');
            text__put_char(text, (char) *at++);
        } else if (*at == '\n') {
            text__put(text, "\\n");
            at++;
        } else if (*at == '\t') {
            text__put(text, "\\t");
            at++;
        } else if (*at < 0x20 || *at == 0x7f) {
            text__put(text, "\\u");
            text__hex(text, *at++, 4);
        } else if (length == 0) {
            text__put(text, "\\ufffd");
            at++;
        } else {
            text__put_bytes(text, (const char *) at, length);
            at += length;
        }
    }
    text__put_char(text, '"');
}

void text__printable(struct nsd_text *text, const char *string) {
    const unsigned char *at = (const unsigned char *) string;

    while (*at != '\0') {
        bool is_control = (*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f;
        unsigned length = is_control ? 0 : utf8_length(at);

        if (length == 0)
            text__put(text, "\xef\xbf\xbd");
        else
            text__put_bytes(text, (const char *) at, length);
        at += length == 0 ? 1 : length;
    }
}

static void put_padded(struct nsd_text *text, uint64_t value, unsigned digits) {
    uint64_t power = 1;

    for (unsigned i = 1; i < digits; i++)
        power *= 10;
    for (; power > 0; power /= 10)
        text__put_char(text, (char) ('0' + value / power % 10));
}

void text__iso_time(struct nsd_text *text, uint64_t nanoseconds) {
    uint64_t seconds = nanoseconds / 1000000000u;
    uint64_t days = seconds / 86400, of_day = seconds % 86400;
    uint64_t era, day_of_era, year_of_era, day_of_year, month, day, year;

    /* Days to a date, in eras of 400 years that begin on 1 March: the leap day comes last. */
    days += 719468;
    era = days / 146097;
    day_of_era = days % 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    day = day_of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    put_padded(text, year, 4);
    text__put_char(text, '-');
    put_padded(text, month, 2);
    text__put_char(text, '-');
    put_padded(text, day, 2);
    text__put_char(text, 'T');
    put_padded(text, of_day / 3600, 2);
    text__put_char(text, ':');
    put_padded(text, of_day / 60 % 60, 2);
    text__put_char(text, ':');
    put_padded(text, of_day % 60, 2);
    text__put_char(text, '.');
    put_padded(text, nanoseconds % 1000000000u / 1000, 6);
    text__put_char(text, 'Z');
}

char *text__string(struct nsd_text *text) {
    if (text->used == text->size) {
        text->used--;
        text->cut = true;
    }
    text->buffer[text->used] = '\0';
    return text->buffer;
}

bool text__parse_unsigned(const char *from, const char *end, uint64_t *value) {
    uint64_t result = 0;
    unsigned base = 10;

    if (end - from > 2 && from[0] == '0' && (from[1] == 'x' || from[1] == 'X')) {
        base = 16;
        from += 2;
    }
    if (from >= end)
        return false;
    for (; from < end; from++) {
        unsigned digit;

        if (*from >= '0' && *from <= '9')
            digit = (unsigned) (*from - '0');
        else if (*from >= 'a' && *from <= 'f')
            digit = (unsigned) (*from - 'a') + 10;
        else if (*from >= 'A' && *from <= 'F')
            digit = (unsigned) (*from - 'A') + 10;
        else
            return false;
        if (digit >= base || result > (UINT64_MAX - digit) / base)
            return false;
        result = result * base + digit;
    }
    *value = result;
    return true;
}
