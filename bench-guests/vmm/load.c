/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/load.h"

#include "vmm/acpi_tables.h"

#include "rt/console.h"
#include "rt/size.h"
#include "rt/string.h"

enum { CODE_SELECTOR = 0x10, DATA_SELECTOR = 0x18, TASK_SELECTOR = 0x20 };

bool load_refuse(const char *why)
{
	rt_printf("not a guest that can be booted: %s\n", why);
	return false;
}

bool load_place(struct guest_vm *vm, uint64_t at, const void *from, uint64_t size, uint64_t room)
{
	uint8_t *to = vm_memory(vm, at, room > size ? room : size);

	if (!to)
		return false;
	memcpy(to, from, size);
	if (room > size)
		memset(to + size, 0, room - size);
	return true;
}

void load_tables(struct guest_vm *vm)
{
	acpi_tables_write(vm_memory(vm, ACPI_TABLES_AT, ACPI_TABLES_SIZE), vm->machine.processors);
}

static void place_gdt(struct guest_vm *vm, bool is_64)
{
	uint64_t *gdt = vm_memory(vm, LOAD_GDT_AT, RT_PAGE);

	gdt[CODE_SELECTOR / 8] = is_64 ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	gdt[DATA_SELECTOR / 8] = 0x00cf93000000ffff;
	gdt[TASK_SELECTOR / 8] = 0x00008b0000000067;
}

static struct utcb_seg segment(unsigned sel, unsigned ar, uint32_t limit)
{
	return (struct utcb_seg){.sel = (uint16_t)sel, .ar = (uint16_t)ar, .limit = limit};
}

void load_processor(struct guest_vm *vm, uint64_t rip, uint64_t paging)
{
	enum {
		CR0_PE = 1,
		CR0_ET = 0x10,
		CR0_NE = 0x20,
		CR4_PAE = 0x20,
		EFER_LME = 0x100,
		EFER_LMA = 0x400,
		RFLAGS_ONE = 2
	};
	enum { DR7_RESET = 0x400, CR0_PG_BIT = 31, TSS_LIMIT = 103 };
	struct utcb_state *s = vm->cpu[0].s;

	place_gdt(vm, paging);
	s->rip = rip;
	s->rflags = RFLAGS_ONE;
	s->cr0 = CR0_PE | CR0_ET | CR0_NE | (paging ? 1ul << CR0_PG_BIT : 0);
	s->cr3 = paging;
	s->cr4 = paging ? CR4_PAE : 0;
	s->efer = paging ? EFER_LME | EFER_LMA : 0;
	s->dr7 = DR7_RESET;
	s->cs = segment(CODE_SELECTOR, paging ? VMX_AR_CODE64 : VMX_AR_CODE32, ~0u);
	s->ss = s->ds = s->es = s->fs = s->gs = segment(DATA_SELECTOR, VMX_AR_DATA32, ~0u);
	s->tr = segment(TASK_SELECTOR, VMX_AR_TSS, TSS_LIMIT);
	s->ldtr = segment(0, VMX_AR_UNUSABLE, 0);
	s->gdtr = (struct utcb_seg){.limit = TASK_SELECTOR + 7, .base = LOAD_GDT_AT};
	s->idtr = (struct utcb_seg){0};
}

bool load(struct guest_vm *vm, const struct load_image *image)
{
	return load_is_multiboot(&image->file[0]) ? load_multiboot(vm, image) : load_linux(vm, image);
}
