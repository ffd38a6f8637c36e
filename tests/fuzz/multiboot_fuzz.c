/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: one byte that says which protocol, then physical memory with the boot information at its start. What comes
 * out is used as the kernel does: for the place of the heap and for the HIP.
 */
#include "fuzz.h"

#include "arch/memory.h"
#include "lib/bits.h"
#include "platform/console.h"
#include "platform/framebuffer.h"
#include "platform/hip.h"
#include "platform/memmap.h"
#include "platform/memmap_fit.h"
#include "platform/multiboot.h"

static struct boot_info boot;
static struct acpi_info acpi;

static u64 end_of(const struct boot_map *e)
{
	return e->size > UINT64_MAX - e->addr ? UINT64_MAX : e->addr + e->size;
}

static void check_boot(void)
{
	CHECK(boot.map_count <= BOOT_MAP_MAX && boot.module_count <= BOOT_MODULES_MAX);
	CHECK(boot.loader_count && boot.loader_count <= BOOT_LOADER_MAX);
	CHECK(boot.rsdp_size <= BOOT_RSDP_MAX);
	CHECK(memchr(boot.cmdline, 0, sizeof(boot.cmdline)));
	for (u32 i = 0; i < boot.module_count; i++) {
		const struct boot_module *m = &boot.module[i];
		CHECK(m->image.addr + m->image.size >= m->image.addr);
		CHECK(!m->cmdline == !m->cmdline_size);
		if (m->cmdline) { /* user land will read it */
			const char *text = arch_phys_map(paddr(m->cmdline), m->cmdline_size);
			CHECK(text && strlen(text) + 1 == m->cmdline_size);
		}
	}
}

static bool is_reserved(const struct boot_map *map, u32 count, u64 at)
{
	for (u32 i = 0; i < count; i++)
		if (map[i].type != HIP_MEM_RAM && map[i].addr <= at && at < end_of(&map[i]))
			return true;
	return false;
}

/* The map made shorter: what is reserved stays so. */
static void check_fit(u32 room)
{
	static struct boot_map map[BOOT_MAP_MAX];
	u64 lost;

	memcpy(map, boot.map, sizeof(map));
	u32 count = memmap_fit(map, boot.map_count, room, &lost);
	CHECK(count <= room);
	for (u32 i = 0; i < boot.map_count; i++)
		if (boot.map[i].type != HIP_MEM_RAM && end_of(&boot.map[i]) > boot.map[i].addr)
			CHECK(is_reserved(map, count, boot.map[i].addr) &&
			      is_reserved(map, count, end_of(&boot.map[i]) - 1));
}

static void check_piece(struct range image, struct range heap, u64 below)
{
	bool in_ram = false;

	CHECK(heap.size && is_aligned(heap.addr | heap.size, 2 * MiB));
	CHECK(heap.addr >= 1 * MiB && heap.addr + heap.size <= below && !range_overlaps(heap, image));
	for (u32 i = 0; i < boot.map_count; i++) {
		const struct boot_map *e = &boot.map[i];
		if (e->type == HIP_MEM_RAM)
			in_ram |= e->addr <= heap.addr && heap.addr + heap.size <= end_of(e);
		else
			CHECK(end_of(e) <= heap.addr || e->addr >= heap.addr + heap.size || !e->size);
	}
	CHECK(in_ram);
	for (u32 i = 0; i < boot.module_count; i++)
		CHECK(!range_overlaps(heap, boot.module[i].image));
}

static void check_heap(struct range image, const struct memmap_heap *heap)
{
	CHECK(heap->count && heap->count <= MEMMAP_HEAP_PIECES);
	for (u32 i = 0; i < heap->count; i++) {
		check_piece(image, heap->piece[i], i ? MEMMAP_HEAP_END : 4 * GiB);
		for (u32 j = 0; j < i; j++)
			CHECK(!range_overlaps(heap->piece[i], heap->piece[j]));
	}
}

/* A screen that is accepted is drawn on: here on memory that ends where the screen does. Small ones only: each run
 * clears it. */
static void check_screen(struct range image)
{
	framebuffer_check(&boot, image);
	if (boot.screen != BOOT_SCREEN_RGB)
		return;
	u64 size = framebuffer_size(&boot.framebuffer);
	CHECK(size && boot.framebuffer.addr + size > boot.framebuffer.addr);
	if (size > 64 * KiB)
		return;
	u8 *pixels = malloc(size);
	CHECK(pixels);
	framebuffer_init(&boot.framebuffer, pixels);
	CHECK(boot.framebuffer.first_row <= boot.framebuffer.height);
	log_info("two\nlines");
	static u8 parked[16 * 8 * 4]; /* the console stays when this screen goes */
	struct hip_framebuffer small = {.pitch = 32, .width = 8, .height = 16, .bits = 32, .red_size = 8};
	framebuffer_init(&small, parked);
	free(pixels);
}

static void check_hip(struct range image, const struct memmap_heap *heap)
{
	static union {
		struct hip hip;
		u16 words[PAGE_SIZE / 2];
	} page;
	struct range claimed[1 + MEMMAP_HEAP_PIECES] = {image};
	u16 sum = 0;

	memcpy(&claimed[1], heap->piece, sizeof(heap->piece));
	hip_init(&page.hip, &boot, &acpi, claimed, 1 + heap->count);
	hip_finish(&page.hip);
	CHECK(page.hip.length <= PAGE_SIZE);
	for (unsigned i = 0; i < page.hip.length / 2; i++)
		sum = (u16)(sum + page.words[i]);
	CHECK(!sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct range image = {0x6600000, 0x80000};
	struct memmap_heap heap = {0};

	if (!size)
		return 0;
	fuzz_load(data + 1, size - 1);
	if (!multiboot_parse(*data & 1 ? MULTIBOOT1_MAGIC : MULTIBOOT2_MAGIC, paddr(FUZZ_MEMORY_BASE), &boot))
		return 0;
	check_boot();
	check_fit(MEMMAP_FIT_MIN + *data / 4);
	check_screen(image);
	CHECK(memmap_ram_total(&boot) < UINT64_MAX || boot.map_count);
	if (memmap_pick_heap(&boot, &acpi, image, *data & 2 ? *data * MiB : 0, &heap))
		check_heap(image, &heap);
	check_hip(image, &heap);
	return 0;
}
