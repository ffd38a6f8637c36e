/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/elf_info.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct image {
	const unsigned char *data;
	size_t size;
};

/* Copies a structure out of the file, which may end before it or keep it unaligned. */
static bool get(const struct image *image, uint64_t offset, void *out, size_t size)
{
	if (offset > image->size || size > image->size - offset)
		return false;
	memcpy(out, image->data + offset, size);
	return true;
}

static uint64_t align4(uint64_t value)
{
	return (value + 3) & ~3ull;
}

static void store_hex(struct elf_info *info, const struct image *image, uint64_t offset, size_t size)
{
	unsigned char id[32];

	if (size > sizeof(id) || !get(image, offset, id, size))
		return;
	for (size_t i = 0; i < size; i++)
		snprintf(info->build_id + 2 * i, 3, "%02x", id[i]);
}

/* Looks for the note GNU, type NT_GNU_BUILD_ID, in a range of the file. */
static void scan_notes(struct elf_info *info, const struct image *image, uint64_t at, uint64_t size)
{
	uint64_t end;
	Elf64_Nhdr note; /* the same in both classes */

	if (__builtin_add_overflow(at, size, &end) || end > image->size)
		return;
	while (at < end && get(image, at, &note, sizeof(note))) {
		uint64_t name = at + sizeof(note), data = name + align4(note.n_namesz);
		char owner[4];

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && get(image, name, owner, 4) &&
		    !memcmp(owner, "GNU", 4))
			store_hex(info, image, data, note.n_descsz);
		at = data + align4(note.n_descsz);
	}
}

static void scan_segments_64(struct elf_info *info, const struct image *image)
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;

	if (!get(image, 0, &head, sizeof(head)) || head.e_phoff > image->size)
		return;
	for (unsigned i = 0; i < head.e_phnum; i++)
		if (get(image, head.e_phoff + i * sizeof(segment), &segment, sizeof(segment)) &&
		    segment.p_type == PT_NOTE)
			scan_notes(info, image, segment.p_offset, segment.p_filesz);
}

static void scan_segments_32(struct elf_info *info, const struct image *image)
{
	Elf32_Ehdr head;
	Elf32_Phdr segment;

	if (!get(image, 0, &head, sizeof(head)))
		return;
	for (unsigned i = 0; i < head.e_phnum; i++)
		if (get(image, head.e_phoff + (uint64_t)i * sizeof(segment), &segment, sizeof(segment)) &&
		    segment.p_type == PT_NOTE)
			scan_notes(info, image, segment.p_offset, segment.p_filesz);
}

bool elf_info_read(struct elf_info *info, const void *data, size_t size)
{
	const struct image image = {data, size};

	*info = (struct elf_info){0};
	if (size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG))
		return false;
	info->is_64 = image.data[EI_CLASS] == ELFCLASS64;
	if (info->is_64)
		scan_segments_64(info, &image);
	else
		scan_segments_32(info, &image);
	return true;
}
