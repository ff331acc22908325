/*
 * What an ELF file of x86_64 says about its machine: the machine number and the relocation types
 * of the System V ABI for AMD64. Included by the code that reads ELF files and by the two places
 * that relocate. Another machine has a names_machine.h with the same names.
 */
#ifndef NSD_NAMES_MACHINE_H
#define NSD_NAMES_MACHINE_H

#include <elf.h>

#define NSD_ELF_MACHINE EM_X86_64
#define NSD_ELF_MACHINE_NAME "x86-64"

#define NSD_RELOCATION_NONE R_X86_64_NONE
#define NSD_RELOCATION_RELATIVE R_X86_64_RELATIVE /* load bias + addend */
#define NSD_RELOCATION_ABSOLUTE R_X86_64_64       /* symbol + addend */
#define NSD_RELOCATION_DATA R_X86_64_GLOB_DAT     /* symbol, for the GOT */
#define NSD_RELOCATION_JUMP R_X86_64_JUMP_SLOT    /* symbol, for the PLT */

#endif
