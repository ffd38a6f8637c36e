/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start/elf.h"

#include "lib/string.h"
#include "platform/phys.h"

#include <hedron/abi.h>

enum {
	ELFCLASS64 = 2,
	ELFDATA2LSB = 1,
	EV_CURRENT = 1,
	ET_EXEC = 2,
	EM_X86_64 = 62,
	PT_LOAD = 1,
	PF_X = 1,
	PF_W = 2,
	PF_R = 4,
};

struct file_header {
	u8 magic[4], class, byte_order, version, ident[9];
	u16 type, machine;
	u32 version2;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct file_header) == 64, "as in the ELF specification");
_Static_assert(sizeof(struct program_header) == 56, "as in the ELF specification");

static enum elf_error check_identity(const struct file_header *h)
{
	if (memcmp(h->magic, "\177ELF", 4))
		return ELF_NOT_ELF;
	if (h->class != ELFCLASS64)
		return ELF_CLASS;
	if (h->byte_order != ELFDATA2LSB)
		return ELF_BYTE_ORDER;
	if (h->version != EV_CURRENT || h->version2 != EV_CURRENT)
		return ELF_VERSION;
	if (h->type != ET_EXEC)
		return ELF_TYPE;
	if (h->machine != EM_X86_64)
		return ELF_MACHINE;
	return ELF_OK;
}

static enum elf_error check_table(const struct file_header *h, u64 size)
{
	if (!h->phnum)
		return ELF_NO_SEGMENTS;
	if (h->ehsize != sizeof(struct file_header) || h->phentsize != sizeof(struct program_header))
		return ELF_HEADER_SIZE;
	if (h->phoff > size || h->phnum > (size - h->phoff) / sizeof(struct program_header))
		return ELF_HEADERS_OUTSIDE;
	return ELF_OK;
}

static enum elf_error check_segment(const struct program_header *p, u64 size)
{
	if (p->filesz > p->memsz)
		return ELF_SEGMENT_FILE_SIZE;
	if (p->filesz && (p->offset > size || p->filesz > size - p->offset))
		return ELF_SEGMENT_OUTSIDE;
	if (p->filesz && (p->vaddr ^ p->offset) & PAGE_MASK)
		return ELF_SEGMENT_ALIGN;
	if (p->vaddr >= HEDRON_ROOT_UTCB || p->memsz > HEDRON_ROOT_UTCB - p->vaddr)
		return ELF_SEGMENT_USER_SPACE;
	return ELF_OK;
}

static u64 last_page(const struct elf_segment *s)
{
	return (s->vaddr + s->memsz - 1) >> PAGE_BITS;
}

static bool share_page(const struct elf_segment *a, const struct elf_segment *b)
{
	return a->vaddr >> PAGE_BITS <= last_page(b) && b->vaddr >> PAGE_BITS <= last_page(a);
}

/* Where nothing comes from the file the offset means nothing, and linkers leave anything in it. */
static enum elf_error add_segment(const struct program_header *p, struct elf_image *out)
{
	struct elf_segment s = {
		.vaddr = p->vaddr,
		.offset = p->filesz ? p->offset : p->vaddr & PAGE_MASK,
		.filesz = p->filesz,
		.memsz = p->memsz,
		.r = p->flags & PF_R,
		.w = p->flags & PF_W,
		.x = p->flags & PF_X,
	};

	if (out->count == ELF_SEGMENTS_MAX)
		return ELF_SEGMENTS_TOO_MANY;
	for (u32 i = 0; i < out->count; i++)
		if (share_page(&s, &out->segment[i]))
			return ELF_SEGMENT_OVERLAP;
	out->segment[out->count++] = s;
	return ELF_OK;
}

static enum elf_error read_segments(const struct file_header *h, struct range file, struct elf_image *out)
{
	for (unsigned i = 0; i < h->phnum; i++) {
		struct program_header p;
		if (!phys_read(file.addr + h->phoff + i * sizeof(p), &p, sizeof(p)))
			return ELF_UNREADABLE;
		if (p.type != PT_LOAD || (!p.memsz && !p.filesz))
			continue;

		enum elf_error e = check_segment(&p, file.size);
		if (!e)
			e = add_segment(&p, out);
		if (e)
			return e;
	}
	return out->count ? ELF_OK : ELF_NO_SEGMENTS;
}

static bool is_executable(const struct elf_image *image, u64 address)
{
	for (u32 i = 0; i < image->count; i++) {
		const struct elf_segment *s = &image->segment[i];
		if (s->x && address >= s->vaddr && address - s->vaddr < s->memsz)
			return true;
	}
	return false;
}

enum elf_error elf_parse(struct range file, struct elf_image *out)
{
	struct file_header h;
	enum elf_error e;

	*out = (struct elf_image){0};
	if (file.size < sizeof(h))
		return ELF_TOO_SMALL;
	if (!phys_read(file.addr, &h, sizeof(h)))
		return ELF_UNREADABLE;

	if ((e = check_identity(&h)) || (e = check_table(&h, file.size)))
		return e;
	if ((e = read_segments(&h, file, out)))
		return e;
	if (!is_executable(out, h.entry))
		return ELF_ENTRY;
	out->entry = h.entry;
	return ELF_OK;
}

const char *elf_error_text(enum elf_error e)
{
	static const char *const text[] = {
#define X(name, text) [ELF_##name] = text,
		ELF_ERROR_LIST(X)
#undef X
	};

	return (unsigned)e < array_size(text) ? text[e] : "unknown error";
}
