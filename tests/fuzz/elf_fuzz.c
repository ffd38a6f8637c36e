/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input: an ELF file. What is accepted can be mapped without another look at it. */
#include "fuzz.h"

#include "host.h"
#include "start/elf.h"

#include <hedron/abi.h>

#define FILE_AT 0x123456789 /* anywhere */

static void check_segment(const struct elf_segment *s, size_t size)
{
	CHECK(s->memsz && s->filesz <= s->memsz);
	CHECK(!s->filesz || (s->offset < size && s->filesz <= size - s->offset));
	CHECK(s->vaddr % PAGE_SIZE == s->offset % PAGE_SIZE);
	CHECK(s->vaddr < HEDRON_ROOT_UTCB && s->memsz <= HEDRON_ROOT_UTCB - s->vaddr);
}

static void check_disjoint(const struct elf_segment *a, const struct elf_segment *b)
{
	u64 a_last = (a->vaddr + a->memsz - 1) / PAGE_SIZE, b_last = (b->vaddr + b->memsz - 1) / PAGE_SIZE;

	CHECK(a_last < b->vaddr / PAGE_SIZE || b_last < a->vaddr / PAGE_SIZE);
}

static void check_image(const struct elf_image *image, size_t size)
{
	unsigned entries = 0;

	CHECK(image->count && image->count <= ELF_SEGMENTS_MAX);
	for (u32 i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segment[i];
		check_segment(s, size);
		for (u32 j = 0; j < i; j++)
			check_disjoint(s, &image->segment[j]);
		entries += s->x && image->entry - s->vaddr < s->memsz;
	}
	CHECK(entries == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image;

	host_reset(4 * MiB);
	host_add_phys(FILE_AT, data, size);
	enum elf_error e = elf_parse((struct range){FILE_AT, size}, &image);

	CHECK(e <= ELF_ENTRY && elf_error_text(e));
	if (e == ELF_OK)
		check_image(&image, size);
	return 0;
}
