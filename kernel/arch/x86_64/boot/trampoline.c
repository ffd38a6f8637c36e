/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/trampoline.h"

#include "lib/string.h"
#include "mm/layout.h"
#include "mmu/kspace.h"
#include "platform/panic.h"

#include <hedron/hip.h>

extern u8 ap_trampoline[], ap_trampoline_end[], ap_entry[], boot_gdt[], boot_base[];

#define CODE_MAX 128
#define LOW_MEMORY_END 0x9f000

u64 trampoline_page;
static u8 code[CODE_MAX], saved[CODE_MAX];
static u64 code_size;

/* The words behind the trampoline's code, in the order of start.S. */
struct trampoline_data {
	u32 target, selector;
	u16 gdt_limit;
	u32 gdt_base;
	u16 padding;
	u32 load;
} packed;

/* A page of RAM below the firmware's data area; the page at 0 is left alone. */
static u64 find_low_page(const struct boot_info *boot)
{
	for (u64 pa = LOW_MEMORY_END - PAGE_SIZE; pa >= PAGE_SIZE; pa -= PAGE_SIZE)
		for (u32 i = 0; i < boot->map_count; i++) {
			const struct boot_map *m = &boot->map[i];
			if (m->type == HIP_MEM_RAM && m->addr <= pa && pa + PAGE_SIZE - m->addr <= m->size)
				return pa;
		}
	return 0;
}

void trampoline_init(const struct boot_info *boot)
{
	u64 load = kspace_image.v;
	/* The section is linked at its load address; the image may be elsewhere. */
	u64 moved = load - (u64)boot_base;

	trampoline_page = find_low_page(boot);
	code_size = (u64)(ap_trampoline_end - ap_trampoline);
	kassert(code_size <= CODE_MAX);
	memcpy(code, ap_trampoline + moved, code_size);
	*(struct trampoline_data *)(code + code_size - sizeof(struct trampoline_data)) = (struct trampoline_data){
		.target = (u32)((u64)ap_entry + moved),
		.selector = SEL_BOOT_CODE32,
		.gdt_limit = BOOT_GDT_SIZE - 1,
		.gdt_base = (u32)((u64)boot_gdt + moved),
		.load = (u32)load,
	};
}

void trampoline_put(void *page)
{
	memcpy(saved, page, code_size);
	memcpy(page, code, code_size);
}

void trampoline_remove(void *page)
{
	memcpy(page, saved, code_size);
}
