/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way in which a roottask image can be wrong, each by one change to a good one. */
#include "unit.h"

#include <stdlib.h>
#include <elf.h>

/* The system's header is the independent source of layouts and constants; it uses names of ours. */
#undef ELF_NOTE_GNU
#include "host.h"
#include "start/elf.h"

#include <hedron/abi.h>

#define FILE_AT 0x123456789 /* anywhere */
#define FILE_SIZE 0x3000
#define SEGMENTS 40 /* room for more than are allowed */

/* A file in memory: header, program headers right behind it, contents. */
static struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment[SEGMENTS];
} * image;
static u64 size;
static struct elf_image out;

static Elf64_Phdr load(u32 flags, u64 offset, u64 vaddr, u64 filesz, u64 memsz)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_flags = flags,
			    .p_offset = offset,
			    .p_vaddr = vaddr,
			    .p_paddr = vaddr,
			    .p_filesz = filesz,
			    .p_memsz = memsz,
			    .p_align = 0x1000};
}

UNIT_FIXTURE(setup)
{
	size = FILE_SIZE;
	image = calloc(1, size);
	image->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = 0x401010,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	image->segment[0] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_offset = 1, .p_memsz = 2};
	image->segment[1] = load(PF_R | PF_X, 0x1000, 0x401000, 0x123, 0x123);
	image->segment[2] = load(PF_R | PF_W, 0x2008, 0x403008, 0x10, 0x4000);
	return 0;
}

UNIT_FIXTURE(teardown)
{
	free(image);
	return 0;
}

/* The parser sees exactly `size` bytes, which the sanitizer watches; at an odd address, because nothing promises
 * alignment. */
static enum elf_error parse(void)
{
	u8 *copy = malloc(size + 1);
	memcpy(copy + 1, image, size);
	host_reset(4 * MiB);
	host_add_phys(FILE_AT, copy + 1, size);
	enum elf_error e = elf_parse((struct range){FILE_AT, size}, &out);
	free(copy);
	return e;
}

UNIT_TEST(test_good)
{
	assert_int_equal(parse(), ELF_OK);
	assert_int_equal(out.entry, 0x401010);
	assert_int_equal(out.count, 2);

	const struct elf_segment *text = &out.segment[0], *data = &out.segment[1];
	assert_int_equal(text->vaddr, 0x401000);
	assert_int_equal(text->offset, 0x1000);
	assert_int_equal(text->filesz, 0x123);
	assert_int_equal(text->memsz, 0x123);
	assert_true(text->r && !text->w && text->x);
	assert_int_equal(data->vaddr, 0x403008);
	assert_int_equal(data->offset, 0x2008);
	assert_int_equal(data->filesz, 0x10);
	assert_int_equal(data->memsz, 0x4000);
	assert_true(data->r && data->w && !data->x);
}

/* What must not be refused, or not be noticed. */
UNIT_TEST(test_accepted)
{
	image->segment[0] = load(PF_R, 0x123456789, 0x123, 0, 0); /* empty: skipped, whatever else it says */
	assert_int_equal(parse(), ELF_OK);
	assert_int_equal(out.count, 2);

	image->segment[0] =
		load(PF_R | PF_W, 0x7fff0000, 0x500000, 0, 0x1000); /* no contents: no place in the file */
	assert_int_equal(parse(), ELF_OK);
	assert_int_equal(out.count, 3);

	image->segment[0] = load(PF_R | PF_W, 0x123, 0x500800, 0, 0x1000); /* so the offset means nothing */
	assert_int_equal(parse(), ELF_OK);
	assert_int_equal(out.segment[0].offset % PAGE_SIZE, 0x800);

	image->segment[0] = load(PF_R, 0x2fff, 0x5fff, 1, 1); /* the very end of the file */
	assert_int_equal(parse(), ELF_OK);

	image->segment[0] = load(PF_R, 0, HEDRON_ROOT_UTCB - 0x1000, 0x1000, 0x1000); /* the very end of user space */
	assert_int_equal(parse(), ELF_OK);

	image->segment[0] = load(PF_R, 0x0, 0x402000, 0x1000, 0x1000); /* fills the page between the two others */
	assert_int_equal(parse(), ELF_OK);

	image->header.e_entry = 0x401122; /* last byte of the text */
	assert_int_equal(parse(), ELF_OK);
}

UNIT_TEST(test_32_segments)
{
	image->header.e_phnum = ELF_SEGMENTS_MAX + 1;
	for (unsigned i = 3; i <= ELF_SEGMENTS_MAX; i++)
		image->segment[i] = load(PF_R, 0x1000, 0x800000 + i * 0x1000, 0x1000, 0x1000);
	assert_int_equal(parse(), ELF_OK);
	assert_int_equal(out.count, ELF_SEGMENTS_MAX);

	image->segment[0] = load(PF_R, 0x1000, 0x700000, 0x1000, 0x1000);
	assert_int_equal(parse(), ELF_SEGMENTS_TOO_MANY);
}

/* Headers and contents are all there, but the memory is not. */
UNIT_TEST(test_unreadable)
{
	host_reset(4 * MiB);
	assert_int_equal(elf_parse((struct range){FILE_AT, size}, &out), ELF_UNREADABLE);
	host_add_phys(FILE_AT, image, sizeof(image->header) + 2 * sizeof(image->segment[0]));
	assert_int_equal(elf_parse((struct range){FILE_AT, size}, &out), ELF_UNREADABLE);
}

/* The program headers come a page at a time, from pages that are not mapped side by side. */
UNIT_TEST(test_headers_across_pages)
{
	u8 *pages[2] = {malloc(PAGE_SIZE), malloc(PAGE_SIZE)};

	image->header.e_phoff = PAGE_SIZE - 100;
	memcpy((u8 *)image + image->header.e_phoff, image->segment, 3 * sizeof(image->segment[0]));
	memset(image->segment, 0xff, 3 * sizeof(image->segment[0]));
	host_reset(4 * MiB);
	for (unsigned i = 0; i < array_size(pages); i++) {
		memcpy(pages[i], (u8 *)image + i * PAGE_SIZE, PAGE_SIZE);
		host_add_phys(5 * GiB + i * PAGE_SIZE, pages[i], PAGE_SIZE);
	}
	assert_int_equal(elf_parse((struct range){5 * GiB, size}, &out), ELF_OK);
	assert_int_equal(out.count, 2);
	for (unsigned i = 0; i < array_size(pages); i++)
		free(pages[i]);
}

static void cut(u64 to)
{
	size = to;
}
static void phdr(u32 flags, u64 offset, u64 vaddr, u64 filesz, u64 memsz)
{
	image->segment[2] = load(flags, offset, vaddr, filesz, memsz);
}

#define CASE(name, expected, change)                 \
	static void test_##name(void **state)        \
	{                                            \
		(void)state;                         \
		change;                              \
		assert_int_equal(parse(), expected); \
	}

#define H image->header

/* X(name, error, change) */
#define CASES(X)                                                                                             \
	X(empty_file, ELF_TOO_SMALL, cut(0))                                                                 \
	X(one_byte_short, ELF_TOO_SMALL, cut(63))                                                            \
	X(magic_0, ELF_NOT_ELF, H.e_ident[0] = 0)                                                            \
	X(magic_3, ELF_NOT_ELF, H.e_ident[3] = 'f')                                                          \
	X(class_32, ELF_CLASS, H.e_ident[EI_CLASS] = ELFCLASS32)                                             \
	X(class_0, ELF_CLASS, H.e_ident[EI_CLASS] = 0)                                                       \
	X(big_endian, ELF_BYTE_ORDER, H.e_ident[EI_DATA] = ELFDATA2MSB)                                      \
	X(ident_version, ELF_VERSION, H.e_ident[EI_VERSION] = 2)                                             \
	X(version, ELF_VERSION, H.e_version = 0)                                                             \
	X(type_dyn, ELF_TYPE, H.e_type = ET_DYN)                                                             \
	X(type_rel, ELF_TYPE, H.e_type = ET_REL)                                                             \
	X(machine_386, ELF_MACHINE, H.e_machine = EM_386)                                                    \
	X(machine_arm, ELF_MACHINE, H.e_machine = EM_AARCH64)                                                \
	X(ehsize, ELF_HEADER_SIZE, H.e_ehsize = 52)                                                          \
	X(phentsize_small, ELF_HEADER_SIZE, H.e_phentsize = 32)                                              \
	X(phentsize_large, ELF_HEADER_SIZE, H.e_phentsize = 57)                                              \
	X(phoff_outside, ELF_HEADERS_OUTSIDE, H.e_phoff = FILE_SIZE + 1)                                     \
	X(phoff_at_end, ELF_HEADERS_OUTSIDE, H.e_phoff = FILE_SIZE)                                          \
	X(phoff_one_too_far, ELF_HEADERS_OUTSIDE, H.e_phoff = FILE_SIZE - 3 * 56 + 1)                        \
	X(phoff_wraps, ELF_HEADERS_OUTSIDE, H.e_phoff = UINT64_MAX - 55)                                     \
	X(phnum_outside, ELF_HEADERS_OUTSIDE, H.e_phnum = PN_XNUM)                                           \
	X(headers_cut, ELF_HEADERS_OUTSIDE, cut(64 + 3 * 56 - 1))                                            \
	X(no_headers, ELF_NO_SEGMENTS, H.e_phnum = 0)                                                        \
	X(no_load, ELF_NO_SEGMENTS, H.e_phnum = 1)                                                           \
	X(file_cut, ELF_SEGMENT_OUTSIDE, cut(0x2017))                                                        \
	X(offset_outside, ELF_SEGMENT_OUTSIDE, phdr(PF_R, 0x4008, 0x403008, 0x10, 0x10))                     \
	X(offset_wraps, ELF_SEGMENT_OUTSIDE, phdr(PF_R, -0x1000ull, 0x403000, 0x2000, 0x2000))               \
	X(filesz_huge, ELF_SEGMENT_OUTSIDE, phdr(PF_R, 0x2008, 0x403008, UINT64_MAX, UINT64_MAX))            \
	X(filesz_over_memsz, ELF_SEGMENT_FILE_SIZE, phdr(PF_R, 0x2008, 0x403008, 0x10, 0xf))                 \
	X(filesz_no_memsz, ELF_SEGMENT_FILE_SIZE, phdr(PF_R, 0x2008, 0x403008, 0x10, 0))                     \
	X(misaligned, ELF_SEGMENT_ALIGN, phdr(PF_R, 0x2008, 0x403009, 0x10, 0x10))                           \
	X(misaligned_byte, ELF_SEGMENT_ALIGN, phdr(PF_R, 0x2000, 0x403800, 1, 0x10))                         \
	X(one_byte_too_high, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0, HEDRON_ROOT_UTCB - 0x1000, 0x10, 0x1001)) \
	X(over_the_utcb, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0, HEDRON_ROOT_UTCB, 0x10, 0x10))                \
	X(over_the_hip, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0, HEDRON_ROOT_HIP, 0x10, 0x10))                  \
	X(not_canonical, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0, 0x800000000000, 0x10, 0x10))                  \
	X(kernel_half, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0, 0xffffffff80000000, 0x10, 0x10))                \
	X(memsz_wraps, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0x2008, 0x403008, 0x10, UINT64_MAX - 0x403007))    \
	X(memsz_huge, ELF_SEGMENT_USER_SPACE, phdr(PF_R, 0x2008, 0x403008, 0x10, UINT64_MAX))                \
	X(same_segment, ELF_SEGMENT_OVERLAP, phdr(PF_R, 0x1000, 0x401000, 0x123, 0x123))                     \
	X(shared_page, ELF_SEGMENT_OVERLAP, phdr(PF_R, 0x2fff, 0x401fff, 1, 1))                              \
	X(covers_other, ELF_SEGMENT_OVERLAP, phdr(PF_R, 0, 0x400000, 0x10, 0x10000))                         \
	X(ends_in_other, ELF_SEGMENT_OVERLAP, phdr(PF_R, 0xfff, 0x400fff, 2, 2))                             \
	X(entry_zero, ELF_ENTRY, H.e_entry = 0)                                                              \
	X(entry_before, ELF_ENTRY, H.e_entry = 0x400fff)                                                     \
	X(entry_behind, ELF_ENTRY, H.e_entry = 0x401123)                                                     \
	X(entry_in_data, ELF_ENTRY, H.e_entry = 0x403010)                                                    \
	X(entry_huge, ELF_ENTRY, H.e_entry = UINT64_MAX)                                                     \
	X(nothing_executable, ELF_ENTRY, image->segment[1].p_flags = PF_R)

CASES(CASE)

/* Each error has a text of its own. */
UNIT_TEST(test_texts)
{
	for (int i = ELF_OK; i <= ELF_ENTRY; i++) {
		assert_true(strlen(elf_error_text((enum elf_error)i)) > 5);
		for (int j = ELF_OK; j < i; j++)
			assert_string_not_equal(elf_error_text((enum elf_error)i), elf_error_text((enum elf_error)j));
	}
	assert_string_equal(elf_error_text((enum elf_error)1000), "unknown error");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(good),  TEST(accepted), TEST(32_segments), TEST(unreadable), TEST(headers_across_pages),
		TEST(texts),
#define X(name, expected, change) TEST(name),
		CASES(X)
#undef X
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
