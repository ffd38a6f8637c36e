/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the roottask's ELF image (64-bit, EXEC, x86-64, little endian) without trusting a byte of it.
 * Manual: System V ABI, Object Files; AMD64 supplement.
 */
#pragma once

#include "platform/bootinfo.h"

#define ELF_SEGMENTS_MAX 32

/* X(NAME, message) */
#define ELF_ERROR_LIST(X)                                                                     \
	X(OK, "no error")                                                                     \
	X(UNREADABLE, "the file lies where nothing can be read")                              \
	X(TOO_SMALL, "the file is too small for an ELF header")                               \
	X(NOT_ELF, "not an ELF file")                                                         \
	X(CLASS, "not a 64-bit ELF file")                                                     \
	X(BYTE_ORDER, "not little endian")                                                    \
	X(VERSION, "unknown ELF version")                                                     \
	X(TYPE, "not an executable of fixed address (ET_EXEC)")                               \
	X(MACHINE, "not for x86-64")                                                          \
	X(HEADER_SIZE, "ELF or program header of unexpected size")                            \
	X(HEADERS_OUTSIDE, "program headers outside of the file")                             \
	X(SEGMENTS_TOO_MANY, "more than 32 loadable segments")                                \
	X(SEGMENT_OUTSIDE, "a segment lies outside of the file")                              \
	X(SEGMENT_FILE_SIZE, "a segment is larger in the file than in memory")                \
	X(SEGMENT_ALIGN, "virtual address and file offset of a segment differ modulo 4096")   \
	X(SEGMENT_USER_SPACE, "a segment is outside of user space or touches its last pages") \
	X(SEGMENT_OVERLAP, "two segments share a page")                                       \
	X(NO_SEGMENTS, "no loadable segments")                                                \
	X(ENTRY, "the entry point is not in an executable segment")

enum elf_error {
#define X(name, text) ELF_##name,
	ELF_ERROR_LIST(X)
#undef X
};

/* The pages of [vaddr, vaddr + memsz): the first filesz bytes come from the file, the others are zero. */
struct elf_segment {
	u64 vaddr, offset, filesz, memsz; /* memsz >= filesz, memsz > 0; vaddr and offset agree modulo 4096 */
	bool r, w, x;
};

struct elf_image {
	u64 entry;
	u32 count;
	struct elf_segment segment[ELF_SEGMENTS_MAX]; /* in the order of the file; no two share a page */
};

/* Looks at the file in physical memory, a page at a time (platform/phys.h). */
enum elf_error elf_parse(struct range file, struct elf_image *out) must_check;
const char *elf_error_text(enum elf_error e);
