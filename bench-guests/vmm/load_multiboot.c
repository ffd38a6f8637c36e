/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/load.h"

#include "rt/size.h"
#include "rt/string.h"

/* Multiboot specification 0.6.96, 3.1: the header is in the first 8 KiB, aligned to four bytes. */
enum { SEARCHED = 8192, FLAG_ADDRESSES = 1 << 16 };
/* What a loader must know or refuse. Flag 2 asks for a video mode, and is taken for a wish: there is no screen. */
enum { FLAGS_UNKNOWN = 0xfff8 };
#define HEADER_MAGIC 0x1badb002u
#define LOADER_MAGIC 0x2badb002u

struct header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

/* 3.3: as far as `flags` says that it is there. */
enum { INFO_MEMORY = 1, INFO_WORDS = 4, INFO_MODULES = 8, INFO_MAP = 64, INFO_LOADER = 512 };

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length,
		mmap_addr;
	uint32_t drives_length, drives_addr, config_table, boot_loader_name, apm_table;
};

struct info_module {
	uint32_t start, end, words, reserved;
};

struct info_memory {
	uint32_t size; /* of what follows */
	uint64_t addr, length;
	uint32_t type;
} __attribute__((packed));

/* What the guest finds at INFO_AT. */
struct page {
	struct info info;
	struct info_memory map[2];
	struct info_module module[LOAD_FILES_MAX];
	char loader[8];
};

enum { INFO_AT = 0x10000, WORDS_AT = 0x12000, RAM = 1 };

/* ELF files of 32 and 64 bits, as far as loaders look at them. */
struct elf {
	bool is_64;
	uint64_t entry, table;
	unsigned entries, entry_size;
};

struct elf_segment {
	uint64_t offset, linked, address, file_size, size; /* linked for one address, loaded at another */
};

static uint64_t field(const struct load_file *f, uint64_t at, unsigned size)
{
	uint64_t value = 0;

	if (at <= f->size && size <= f->size - at)
		memcpy(&value, (const uint8_t *)f->data + at, size);
	return value;
}

static bool find_header(const struct load_file *f, struct header *h, uint64_t *at)
{
	for (*at = 0; *at < SEARCHED; *at += 4) {
		if (field(f, *at, 4) != HEADER_MAGIC)
			continue;
		memset(h, 0, sizeof(*h));
		memcpy(h, (const uint8_t *)f->data + *at, rt_min(f->size - *at, sizeof(*h)));
		if (h->magic + h->flags + h->checksum == 0)
			return true;
	}
	return false;
}

bool load_is_multiboot(const struct load_file *kernel)
{
	struct header h;
	uint64_t at;

	return find_header(kernel, &h, &at);
}

static bool read_elf(const struct load_file *f, struct elf *e)
{
	enum { CLASS_AT = 4, CLASS_64 = 2, HEADER_32 = 52 };

	if (f->size < HEADER_32 || memcmp(f->data, "\177ELF", 4))
		return false;
	e->is_64 = field(f, CLASS_AT, 1) == CLASS_64;
	e->entry = field(f, 24, e->is_64 ? 8 : 4);
	e->table = field(f, e->is_64 ? 32 : 28, e->is_64 ? 8 : 4);
	e->entry_size = (unsigned)field(f, e->is_64 ? 54 : 42, 2);
	e->entries = (unsigned)field(f, e->is_64 ? 56 : 44, 2);
	return true;
}

/* Segment `n`; false if it is none that is loaded. */
static bool read_segment(const struct load_file *f, const struct elf *e, unsigned n, struct elf_segment *s)
{
	enum { LOADED = 1 };
	uint64_t at = e->table + (uint64_t)n * e->entry_size;

	if (field(f, at, 4) != LOADED)
		return false;
	if (e->is_64)
		*s = (struct elf_segment){field(f, at + 8, 8), field(f, at + 16, 8), field(f, at + 24, 8),
					  field(f, at + 32, 8), field(f, at + 40, 8)};
	else
		*s = (struct elf_segment){field(f, at + 4, 4), field(f, at + 8, 4), field(f, at + 12, 4),
					  field(f, at + 16, 4), field(f, at + 20, 4)};
	return true;
}

/* What is loaded must not meet what the monitor has put below the first MiB. */
static bool place_part(struct guest_vm *vm, const struct load_file *f, const struct elf_segment *s, uint64_t *end)
{
	if (s->offset > f->size || s->file_size > f->size - s->offset || s->file_size > s->size)
		return load_refuse("a part of it is outside the file");
	if (s->address < LOAD_HIGH_START)
		return load_refuse("it wants to be below the first MiB");
	if (!load_place(vm, s->address, (const uint8_t *)f->data + s->offset, s->file_size, s->size))
		return load_refuse("the VM has too little memory for it");
	if (s->address + s->size > *end)
		*end = s->address + s->size;
	return true;
}

/* The entry is in the addresses a kernel is linked for; without paging it runs where it is loaded. */
static bool place_elf(struct guest_vm *vm, const struct load_file *f, uint64_t *entry, uint64_t *end)
{
	struct elf e;

	if (!read_elf(f, &e))
		return load_refuse("neither addresses in its header nor an ELF file");
	*entry = e.entry;
	for (unsigned n = 0; n < e.entries; n++) {
		struct elf_segment s;

		if (!read_segment(f, &e, n, &s))
			continue;
		if (s.size && !place_part(vm, f, &s, end))
			return false;
		if (e.entry - s.linked < s.size)
			*entry = s.address + (e.entry - s.linked);
	}
	return *entry >> 32 ? load_refuse("its entry is above 4 GiB") : true;
}

/* 3.1.3: addresses instead of an ELF header. An end of 0 is that of the file; no BSS, if its end is 0. */
static bool place_flat(struct guest_vm *vm, const struct load_file *f, const struct header *h, uint64_t at,
		       uint64_t *entry, uint64_t *end)
{
	struct elf_segment s = {.address = h->load_addr};

	if (h->header_addr < h->load_addr || h->header_addr - h->load_addr > at)
		return load_refuse("its header is not where it says");
	s.offset = at - (h->header_addr - h->load_addr);
	s.file_size = h->load_end_addr ? (uint64_t)h->load_end_addr - h->load_addr : f->size - s.offset;
	s.size = s.file_size;
	if (h->bss_end_addr > h->load_addr && h->bss_end_addr - h->load_addr > s.size)
		s.size = h->bss_end_addr - h->load_addr;
	*entry = h->entry_addr;
	return place_part(vm, f, &s, end);
}

/* The text at `*at`, which is moved behind it. */
static bool place_words(struct guest_vm *vm, uint64_t *at, const char *words, uint32_t *where)
{
	size_t length = strlen(words) + 1;

	if (*at + length > LOAD_LOW_END || !load_place(vm, *at, words, length, 0))
		return load_refuse("its command lines are too long");
	*where = (uint32_t)*at;
	*at += length;
	return true;
}

static bool place_modules(struct guest_vm *vm, const struct load_image *image, struct page *p, uint64_t at)
{
	uint64_t words = WORDS_AT;

	if (!place_words(vm, &words, image->file[0].words, &p->info.cmdline))
		return false;
	for (unsigned n = 1; n < image->files; n++) {
		const struct load_file *f = &image->file[n];
		struct info_module *m = &p->module[n - 1];

		at = rt_align(at, RT_PAGE);
		if (!load_place(vm, at, f->data, f->size, 0))
			return load_refuse("the VM has too little memory for its modules");
		if (!place_words(vm, &words, f->words, &m->words))
			return false;
		m->start = (uint32_t)at;
		m->end = (uint32_t)(at + f->size);
		at += f->size;
	}
	p->info.mods_count = image->files - 1;
	return true;
}

static void describe(struct guest_vm *vm, struct page *p)
{
	enum { KIB = 1024, ENTRY = sizeof(struct info_memory) - sizeof(uint32_t) };

	p->info.flags = INFO_MEMORY | INFO_WORDS | INFO_MODULES | INFO_MAP | INFO_LOADER;
	p->info.mem_lower = LOAD_LOW_END / KIB;
	p->info.mem_upper = (uint32_t)((vm->ram_size - LOAD_HIGH_START) / KIB);
	p->map[0] = (struct info_memory){ENTRY, 0, LOAD_LOW_END, RAM};
	p->map[1] = (struct info_memory){ENTRY, LOAD_HIGH_START, vm->ram_size - LOAD_HIGH_START, RAM};
	p->info.mmap_length = sizeof(p->map);
	p->info.mmap_addr = INFO_AT + offsetof(struct page, map);
	p->info.mods_addr = INFO_AT + offsetof(struct page, module);
	p->info.boot_loader_name = INFO_AT + offsetof(struct page, loader);
	memcpy(p->loader, "Hedron", sizeof("Hedron"));
}

/* 3.2: 32-bit code without paging, EAX and EBX say who loaded it and where the information is. */
bool load_multiboot(struct guest_vm *vm, const struct load_image *image)
{
	const struct load_file *kernel = &image->file[0];
	struct page *p = vm_memory(vm, INFO_AT, sizeof(*p));
	uint64_t at, entry = 0, end = LOAD_HIGH_START;
	struct header h;

	if (!p || !find_header(kernel, &h, &at))
		return load_refuse("the VM has too little memory for it");
	if (h.flags & FLAGS_UNKNOWN)
		return load_refuse("its Multiboot header asks for what nobody knows");
	if (!(h.flags & FLAG_ADDRESSES ? place_flat(vm, kernel, &h, at, &entry, &end)
				       : place_elf(vm, kernel, &entry, &end)))
		return false;
	memset(p, 0, sizeof(*p));
	if (!place_modules(vm, image, p, end))
		return false;
	describe(vm, p);
	load_tables(vm);
	load_processor(vm, entry, 0);
	vm->cpu[0].s->rax = LOADER_MAGIC;
	vm->cpu[0].s->rbx = INFO_AT;
	return true;
}

_Static_assert(sizeof(struct page) < WORDS_AT - INFO_AT, "the command lines are behind it");
_Static_assert(offsetof(struct info, mmap_length) == 44 && offsetof(struct info, boot_loader_name) == 64, "3.3");
