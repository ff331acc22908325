/* Reads the value of an LD_PRELOAD, see preload_value.h. */
#include "host/preload_value.h"
#include "base/memory.h"
#include "base/syscall.h"
#include "host/host_list.h"
#include "host/library.h"
#include "host/program_file.h"

bool preload_value__is_separator(char c) {
    return c == ':' || c == ' ';
}

/* The element that is being read. */
struct element {
    size_t from;
    size_t matched; /* characters of its file name that are the library's */
    size_t named;   /* length of its file name */
    bool matches, is_relative;
    char name[PROGRAM_FILE_ASAN_NAME]; /* the beginning of its file name, with a NUL */
};

static void begin_name(struct element *element) {
    element->matched = element->named = 0;
    element->matches = true;
    element->name[0] = '\0';
}

static void add_to_name(struct element *element, char c, const char *library) {
    element->matches = element->matches && library[element->matched] == c;
    element->matched += element->matches;
    if (element->named + 1 < sizeof element->name) {
        element->name[element->named] = c;
        element->name[element->named + 1] = '\0';
    }
    element->named++;
}

static void end_element(struct nsd_preload_value *value, const struct element *element, size_t end,
                        const char *library) {
    if (program_file__is_asan(element->name)) {
        value->has_asan = true;
        value->ours_is_before_asan = value->has_ours;
    }
    if (value->has_ours || element->named == 0 || !element->matches ||
        library[element->matched] != '\0')
        return;
    value->has_ours = true;
    value->is_relative = element->is_relative;
    value->from = element->from;
    value->end = end;
}

/* Our element is found by its file name: the user may have written the folder in another way. */
bool preload_value__read(struct nsd_preload_value *value) {
    const char *library = string__base_name(library__path());
    struct nsd_host_string string;
    struct element element;

    *value = (struct nsd_preload_value){.value = value->value};
    host_string__begin(&string, value->value);
    element.from = 0;
    begin_name(&element);
    for (size_t at = 0;; at++) {
        char c = host_string__next(&string);

        if (at == element.from)
            element.is_relative = c != '/';
        if (c == '\0' || preload_value__is_separator(c)) {
            end_element(value, &element, at, library);
            value->length = at;
            if (c == '\0')
                return !string.has_failed;
            element.from = at + 1;
        }
        if (c == '/' || preload_value__is_separator(c))
            begin_name(&element);
        else
            add_to_name(&element, c, library);
    }
}

bool preload_value__leads_nowhere(const struct nsd_preload_value *value) {
    size_t size = value->end - value->from;
    char path[256];

    if (!value->is_relative || sys__is_forbidden() || size >= sizeof path ||
        !host_list__copy(path, value->value + value->from, size))
        return false;
    path[size] = '\0';
    return memory__find(path, size, "/", 1) != NULL && !library__is_at(path);
}
