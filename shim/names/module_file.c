/*
 * Mapping a module's file, see module_file.h.
 */
#include "names/module_file.h"
#include "base/memory.h"
#include "base/syscall.h"
#include <linux/mman.h>

/* The file must be the one that is mapped: same program headers as in memory. */
static bool same_file(const struct nsd_module *module, const uint8_t *file, size_t size) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *) file;
    size_t headers_size = module->header_count * sizeof(Elf64_Phdr);

    return size >= sizeof(*elf) && elf__is_header(elf) && elf->e_phnum == module->header_count &&
           elf->e_phoff < size && size - elf->e_phoff >= headers_size &&
           memory__equal(file + elf->e_phoff, module->headers, headers_size);
}

void module_file__map(struct nsd_module *module) {
    struct sys_stat stat;
    long fd = -1, mapped;

    if (module == NULL || sys__is_forbidden() ||
        atomic_exchange_explicit(&module->file_tried, true, memory_order_acq_rel))
        return;
    if (module->is_executable)
        fd = sys__openat(AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 && module->path[0] == '/')
        fd = sys__openat(AT_FDCWD, module->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return;
    if (sys__fstat((int) fd, &stat) == 0 && (stat.mode & SYS_MODE_TYPE) == SYS_MODE_REGULAR &&
        stat.size > 0) {
        mapped = sys__mmap(NULL, (size_t) stat.size, PROT_READ, MAP_PRIVATE, (int) fd, 0);
        if (!SYS_IS_ERROR(mapped)) {
            const uint8_t *file = (const uint8_t *) mapped;

            if (same_file(module, file, (size_t) stat.size)) {
                module->file_size = (size_t) stat.size;
                atomic_store_explicit(&module->file, file, memory_order_release);
            } else {
                sys__munmap((void *) mapped, (size_t) stat.size);
            }
        }
    }
    sys__close((int) fd);
}
