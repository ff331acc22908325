/*
 * Which Go release built a module: the string in the build information (debug/buildinfo of the
 * standard library reads the same), taken apart into minor and patch release. Vendor suffixes and
 * development versions are kept as they are.
 */
#include "base/memory.h"
#include "goruntime/find.h"

#define BUILD_INFO_SIZE 32
#define BUILD_INFO_WITHIN 65536u

const uint8_t *version__find(const struct nsd_module *module,
                             const struct nsd_go_sections *sections) {
    static const char magic[] = "\xff Go buildinf:";

    if (sections->build_info.size >= BUILD_INFO_SIZE &&
        memory__equal(sections->build_info.start, magic, 14))
        return sections->build_info.start;
    /* debug/buildinfo: at a multiple of 16, at the start of the data. */
    for (unsigned i = 0; i < module->header_count; i++) {
        struct nsd_range data = segments__writable_part(module, &module->headers[i]);
        size_t from = (16 - ((uintptr_t) data.start & 15)) & 15;

        if (data.size > BUILD_INFO_WITHIN)
            data.size = BUILD_INFO_WITHIN;
        for (; from + BUILD_INFO_SIZE <= data.size; from += 16)
            if (data.start[from] == 0xff && memory__equal(data.start + from, magic, 14))
                return data.start + from;
    }
    return NULL;
}

/* The string itself: in place (1.18 on), or by a pointer to a Go string. */
static struct nsd_range version_string(const struct nsd_module *module, const uint8_t *info) {
    struct nsd_range none = {NULL, 0}, string;
    size_t left = info ? segments__readable_from(module, (uintptr_t) info, PF_R) : 0;

    if (left < BUILD_INFO_SIZE + 2)
        return none;
    if (info[15] & 2) {
        size_t length = info[32];

        string = (struct nsd_range){info + 33, length};
        if (length >= 128) {
            string.size = (length & 127) | (size_t) info[33] << 7;
            string.start++;
        }
    } else {
        uint64_t header = segments__load64(info + 16);

        if (info[14] != 8 || !segments__holds(module, header, 16))
            return none;
        string = (struct nsd_range){segments__address(segments__load64(segments__address(header))),
                                    segments__load64(segments__address(header) + 8)};
    }
    return segments__holds(module, (uintptr_t) string.start, string.size) ? string : none;
}

static unsigned number(const char **at) {
    unsigned value = 0;

    while (**at >= '0' && **at <= '9' && value < 1000)
        value = value * 10 + (unsigned) (*(*at)++ - '0');
    return value;
}

/* "go1.26.8", "go1.24.6 X:boringcrypto", "go1.27rc1", "devel go1.27-1234abcd ..." */
void version__take(struct nsd_go_runtime *runtime, const uint8_t *build_info) {
    struct nsd_range string = version_string(runtime->module, build_info);
    char *version = runtime->version;
    size_t size =
        string.size < sizeof runtime->version - 1 ? string.size : sizeof runtime->version - 1;
    const char *at;

    for (size_t i = 0; i < size; i++)
        if (string.start[i] < ' ' || string.start[i] > '~')
            return;
    memory__copy(version, string.start, size);
    version[size] = 0;
    at = memory__find(version, size, "go1.", 4);
    if (at == NULL)
        return;
    if (at == version) {
        /* A release: "1.26.8" is how people write it. */
        for (size_t i = 0; i + 2 <= size; i++)
            version[i] = version[i + 2];
        at = version + 2;
    } else {
        at += 4;
    }
    runtime->minor = number(&at);
    if (*at == '.') {
        at++;
        runtime->patch = number(&at);
    }
}
