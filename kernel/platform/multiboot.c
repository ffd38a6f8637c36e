/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/multiboot.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/console.h"
#include "platform/memmap_fit.h"
#include "platform/phys.h"

#include <hedron/hip.h>

/* A module's command line that is longer than this is taken for garbage. The kernel does not look into it. */
#define MODULE_CMDLINE_MAX (64 * KiB)

/* Multiboot 1: the information structure, as far as it concerns us. */
struct mb1_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

#define MB1_INFO_SIZE 116 /* of the whole structure */
#define MB1_SCREEN 88     /* where struct mb_screen is in it */

enum { MB1_MEM = 1 << 0, MB1_CMDLINE = 1 << 2, MB1_MODS = 1 << 3, MB1_MMAP = 1 << 6, MB1_FRAMEBUFFER = 1 << 12 };

struct mb1_module {
	u32 start, end, cmdline, reserved;
};

struct mb1_map {
	u32 size; /* of what follows */
	u64 addr, length;
	u32 type;
} packed;

/* Multiboot 2: a header and tags, each aligned to 8 bytes. */
struct mb2_header {
	u32 total_size, reserved;
};

struct mb2_tag {
	u32 type, size; /* with this header */
};

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_MEM = 4,
	MB2_MMAP = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_EFI32 = 11,
	MB2_EFI64 = 12,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
	MB2_EFI32_IMAGE = 19,
	MB2_EFI64_IMAGE = 20,
};

struct mb2_map {
	u64 addr, length;
	u32 type, reserved;
};

/* The screen. Both protocols have the same words; the second has a gap of two bytes before the colours. */
struct mb_screen {
	u64 addr;
	u32 pitch, width, height;
	u8 bits, type;
} packed;

struct mb_colours {
	u8 red_at, red_size, green_at, green_size, blue_at, blue_size;
};

#define MB1_COLOURS_GAP 0
#define MB2_COLOURS_GAP 2
_Static_assert(MB1_SCREEN + sizeof(struct mb_screen) + sizeof(struct mb_colours) == MB1_INFO_SIZE, "the last fields");

/* No loader writes more than this. It bounds the time that is spent on damaged information, and the memory that the
 * heap may not have because of it. */
#define MB1_MAP_SIZE_MAX (64 * KiB)
#define MB2_SIZE_MAX (1 * MiB)

#define MAP_FIT (BOOT_MAP_MAX / 2) /* so that it is seldom to be done */

/* A map that gets too long is made shorter. */
static void add_map(struct boot_info *out, u64 addr, u64 size, u32 type)
{
	if (out->map_count == BOOT_MAP_MAX) {
		u64 lost;
		out->map_count = memmap_fit(out->map, BOOT_MAP_MAX, MAP_FIT, &lost);
		out->map_joined = true;
		out->map_lost += lost;
	}
	out->map[out->map_count++] = (struct boot_map){addr, size, type};
}

/* Makes a memory map of what both formats tell in place of one: KiB of RAM from 0 on, and from 1 MiB on. */
static void add_lower_upper(struct boot_info *out, u32 lower, u32 upper)
{
	add_map(out, 0, lower * KiB, HIP_MEM_RAM);
	add_map(out, 1 * MiB, upper * KiB, HIP_MEM_RAM);
}

/* False: there is no room, for it or for others after it. */
static bool add_module(struct boot_info *out, u64 start, u64 end, u64 cmdline, u64 cmdline_max)
{
	out->modules_cut = out->module_count == BOOT_MODULES_MAX;
	if (out->modules_cut)
		return false;
	if (end < start) {
		log_warn("boot: module ends at %#lx before its start %#lx, left out", end, start);
		return true;
	}

	struct boot_module *m = &out->module[out->module_count++];
	*m = (struct boot_module){.image = {start, end - start}};
	if (!cmdline)
		return true;
	u64 length = phys_strnlen(cmdline, cmdline_max);
	if (length < cmdline_max) {
		m->cmdline = cmdline;
		m->cmdline_size = length + 1;
	} else if (cmdline_max) {
		log_warn("boot: command line of module %u does not end within %lu bytes, left out",
			 out->module_count - 1, cmdline_max);
	}
	return true;
}

static void add_loader(struct boot_info *out, u64 addr, u64 size)
{
	if (size && out->loader_count < BOOT_LOADER_MAX)
		out->loader[out->loader_count++] = (struct range){addr, size};
}

/* Cuts the text, whose first `length` bytes are there, behind its last whole word. */
static void cut_cmdline(char *text, u64 length)
{
	while (length && text[length - 1] != ' ')
		length--;
	text[length] = '\0';
	log_warn("boot: command line is longer than %u bytes, what follows the first %lu is ignored",
		 BOOT_CMDLINE_MAX - 1, length);
}

/* Copies the command line at pa, at most max bytes with its NUL; what is too long for us is cut off. */
static u64 read_cmdline(struct boot_info *out, u64 pa, u64 max)
{
	u64 length = phys_strnlen(pa, min_u64(max, BOOT_CMDLINE_MAX)), copied = min_u64(length, BOOT_CMDLINE_MAX - 1);

	if (!phys_read(pa, out->cmdline, copied)) {
		log_warn("boot: command line at %#lx cannot be read", pa);
		length = copied = 0;
	}
	out->cmdline[copied] = '\0';
	if (length > copied)
		cut_cmdline(out->cmdline, copied);
	return copied + 1;
}

/* The screen's words at pa, of which `size` bytes are there. Colours of other kinds than RGB are none of ours. */
static void read_screen(u64 pa, u64 size, u64 colours_gap, struct boot_info *out)
{
	static const u8 kind[] = {BOOT_SCREEN_INDEXED, BOOT_SCREEN_RGB, BOOT_SCREEN_TEXT};
	const u64 colours_at = sizeof(struct mb_screen) + colours_gap;
	struct mb_screen s;
	struct mb_colours c = {0};

	if (size < sizeof(s) || !phys_read(pa, &s, sizeof(s)) || s.type >= array_size(kind) ||
	    (kind[s.type] == BOOT_SCREEN_RGB &&
	     (size < colours_at + sizeof(c) || !phys_read(pa + colours_at, &c, sizeof(c))))) {
		log_warn("boot: what is said of the screen is damaged");
		return;
	}
	out->screen = kind[s.type];
	out->framebuffer = (struct hip_framebuffer){
		.addr = s.addr,
		.pitch = s.pitch,
		.width = s.width,
		.height = s.height,
		.bits = s.bits,
		.red_at = c.red_at,
		.red_size = c.red_size,
		.green_at = c.green_at,
		.green_size = c.green_size,
		.blue_at = c.blue_at,
		.blue_size = c.blue_size,
	};
}

/* The size of each entry is the loader's word: too small ends the walk, anything else only moves it on. */
static void read_mb1_map(u64 pa, u64 length, struct boot_info *out)
{
	struct mb1_map e;

	for (u64 at = 0; at + sizeof(e) <= length; at += e.size + sizeof(e.size)) {
		if (!phys_read(pa + at, &e, sizeof(e)) || e.size < sizeof(e) - sizeof(e.size)) {
			log_warn("boot: memory map is damaged at byte %lu", at);
			return;
		}
		add_map(out, e.addr, e.length, e.type);
	}
}

static void read_mb1_modules(u64 pa, u32 count, struct boot_info *out)
{
	for (u32 i = 0; i < count; i++) {
		struct mb1_module m;
		if (!phys_read(pa + i * sizeof(m), &m, sizeof(m))) {
			log_warn("boot: module list cannot be read");
			return;
		}
		if (!add_module(out, m.start, m.end, m.cmdline, MODULE_CMDLINE_MAX))
			return;
	}
}

static bool parse_mb1(u64 pa, struct boot_info *out)
{
	struct mb1_info info;

	if (!phys_read(pa, &info, sizeof(info)))
		return false;
	out->protocol = BOOT_MB1;
	add_loader(out, pa, MB1_INFO_SIZE);

	if (info.flags & MB1_CMDLINE && info.cmdline)
		add_loader(out, info.cmdline, read_cmdline(out, info.cmdline, UINT32_MAX));
	if (info.flags & MB1_MMAP) {
		u64 length = min_u64(info.mmap_length, MB1_MAP_SIZE_MAX);
		add_loader(out, info.mmap_addr, length);
		read_mb1_map(info.mmap_addr, length, out);
	}
	if (!out->map_count && info.flags & MB1_MEM)
		add_lower_upper(out, info.mem_lower, info.mem_upper);
	if (info.flags & MB1_MODS) {
		u64 count = min_u64(info.mods_count, BOOT_MODULES_MAX);
		add_loader(out, info.mods_addr, count * sizeof(struct mb1_module));
		read_mb1_modules(info.mods_addr, info.mods_count, out);
	}
	if (info.flags & MB1_FRAMEBUFFER)
		read_screen(pa + MB1_SCREEN, MB1_INFO_SIZE - MB1_SCREEN, MB1_COLOURS_GAP, out);
	return true;
}

static void read_mb2_map(u64 pa, u64 size, struct boot_info *out)
{
	struct {
		u32 entry_size, entry_version;
	} head;
	struct mb2_map e;

	if (size < sizeof(head) || !phys_read(pa, &head, sizeof(head)) || head.entry_size < sizeof(e)) {
		log_warn("boot: memory map is damaged");
		return;
	}
	for (u64 at = sizeof(head); at + sizeof(e) <= size; at += head.entry_size) {
		if (!phys_read(pa + at, &e, sizeof(e)))
			return;
		add_map(out, e.addr, e.length, e.type);
	}
}

static void read_mb2_module(u64 pa, u64 size, struct boot_info *out)
{
	struct {
		u32 start, end;
	} m;

	if (size < sizeof(m) || !phys_read(pa, &m, sizeof(m)))
		log_warn("boot: module tag is damaged");
	else
		add_module(out, m.start, m.end, pa + sizeof(m), min_u64(size - sizeof(m), MODULE_CMDLINE_MAX));
}

static void read_mb2_rsdp(u64 pa, u64 size, struct boot_info *out)
{
	u32 n = (u32)min_u64(size, sizeof(out->rsdp));

	out->rsdp_size = phys_read(pa, out->rsdp, n) ? n : 0;
}

static void read_mb2_mem(u64 pa, u64 size, u32 mem[2])
{
	if (size < 2 * sizeof(u32) || !phys_read(pa, mem, 2 * sizeof(u32)))
		mem[0] = mem[1] = 0;
}

/* The state of a walk over the tags. */
struct mb2_walk {
	u32 mem[2];    /* lower, upper */
	bool new_rsdp; /* a tag of the new kind was read: one of the old kind counts no more */
};

/* The tag's content is [pa, pa + size). */
static void read_mb2_tag(u32 type, u64 pa, u64 size, struct mb2_walk *walk, struct boot_info *out)
{
	switch (type) {
	case MB2_CMDLINE:
		read_cmdline(out, pa, size);
		break;
	case MB2_MODULE:
		read_mb2_module(pa, size, out);
		break;
	case MB2_MEM:
		read_mb2_mem(pa, size, walk->mem);
		break;
	case MB2_MMAP:
		read_mb2_map(pa, size, out);
		break;
	case MB2_FRAMEBUFFER:
		read_screen(pa, size, MB2_COLOURS_GAP, out);
		break;
	case MB2_EFI32:
	case MB2_EFI64:
	case MB2_EFI32_IMAGE:
	case MB2_EFI64_IMAGE:
		out->efi = true;
		break;
	case MB2_RSDP_NEW:
		walk->new_rsdp = true;
		read_mb2_rsdp(pa, size, out);
		break;
	case MB2_RSDP_OLD:
		if (!walk->new_rsdp)
			read_mb2_rsdp(pa, size, out);
		break;
	}
}

static bool parse_mb2(u64 pa, struct boot_info *out)
{
	struct mb2_header header;
	struct mb2_walk walk = {0};
	struct mb2_tag tag;

	if (!is_aligned(pa, 8) || !phys_read(pa, &header, sizeof(header)) || header.total_size < sizeof(header))
		return false;
	out->protocol = BOOT_MB2;

	u64 total = min_u64(header.total_size, MB2_SIZE_MAX);
	add_loader(out, pa, total);
	for (u64 at = sizeof(header); at + sizeof(tag) <= total; at += align_up(tag.size, 8)) {
		if (!phys_read(pa + at, &tag, sizeof(tag)) || tag.size < sizeof(tag) || tag.size > total - at) {
			log_warn("boot: information is damaged at byte %lu", at);
			break;
		}
		if (tag.type == MB2_END)
			break;
		read_mb2_tag(tag.type, pa + at + sizeof(tag), tag.size - sizeof(tag), &walk, out);
	}
	if (!out->map_count && walk.mem[1])
		add_lower_upper(out, walk.mem[0], walk.mem[1]);
	return true;
}

bool multiboot_parse(u32 magic, paddr_t info, struct boot_info *out)
{
	bool ok = false;

	*out = (struct boot_info){0};
	if (magic == MULTIBOOT1_MAGIC)
		ok = parse_mb1(info.v, out);
	else if (magic == MULTIBOOT2_MAGIC)
		ok = parse_mb2(info.v, out);

	if (!ok)
		log_error("boot: magic %#x, no usable boot information at %#lx", magic, info.v);
	if (out->map_joined)
		log_warn("boot: memory map has more than %u entries, joined; %llu KiB of RAM are left out",
			 BOOT_MAP_MAX, out->map_lost / KiB);
	if (out->modules_cut)
		log_warn("boot: more than %u modules, the others are left out", BOOT_MODULES_MAX);
	return ok;
}
