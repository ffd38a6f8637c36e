/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "start/roottask.h"

#include "core/dispatch.h"
#include "core/ec.h"
#include "core/sc.h"
#include "mm/page.h"
#include "platform/console.h"
#include "platform/panic.h"
#include "platform/phys.h"
#include "space/pd.h"
#include "start/elf.h"

#include <hedron/hip.h>

static struct elf_image elf; /* too large for the stack */

static void check(enum status s, const char *what)
{
	if (s != SUCCESS)
		panic("cannot create the roottask: %s: %s", what, s == OOM ? "out of memory" : "refused");
}

/* The pages that lie in the file as they are in memory: mapped in place. */
static enum status map_in_place(struct pd *pd, const struct elf_segment *s, u64 module, u64 pages)
{
	unsigned perm = (s->r ? PERM_MEM_R : 0) | (s->w ? PERM_MEM_W : 0) | (s->x ? PERM_MEM_X : 0);
	u64 dst = s->vaddr >> PAGE_BITS, src = (module + s->offset) >> PAGE_BITS;

	for (u64 i = 0; i < pages;) {
		/* Both sides are aligned to the block; the larger alignment is not worth the bother for a few pages.
		 * A larger one than a superpage might be left to an EC, and there is none yet. */
		unsigned fit = order_fit(dst | src | (dst + i) | (src + i), pages - i);
		unsigned order = (unsigned)min_u64(fit, PTAB_LEVEL_BITS);
		enum status e = space_mem_delegate(&pd_kernel, pd, src + i, dst + i, order, perm | ITEM_HYPERVISOR);
		if (e != SUCCESS)
			return e;
		i += 1ull << order;
	}
	return SUCCESS;
}

/* A page that is not, or not only, the file's: a copy of the file's part on the kernel's memory, zeroes behind. */
static enum status map_own_page(struct pd *pd, const struct elf_segment *s, u64 module, u64 va)
{
	u8 *page = page_take_zeroed(&pd->account);
	if (!page)
		return OOM;
	u64 file_end = s->vaddr + s->filesz, start = max_u64(va, s->vaddr);
	if (start < file_end) {
		u64 size = min_u64(file_end, va + PAGE_SIZE) - start;
		if (!phys_read(module + s->offset + (start - s->vaddr), page + (start - va), size))
			return BAD_PAR;
	}
	return space_mem_map_program_page(pd, va, page, s->w, s->x);
}

/*
 * Pages that belong to the file up to their end, or to the end of the segment, are mapped in place: user land sees
 * what else is on them. With memory beyond the file's part the page on the border must be a copy.
 */
static enum status map_segment(struct pd *pd, const struct elf_segment *s, u64 module)
{
	u64 first = align_down(s->vaddr, PAGE_SIZE), end = align_up(s->vaddr + s->memsz, PAGE_SIZE);
	u64 file_end = s->vaddr + s->filesz;
	u64 in_place = s->memsz > s->filesz ? align_down(max_u64(file_end, first), PAGE_SIZE) : end;

	enum status e = map_in_place(pd, s, module, (in_place - first) >> PAGE_BITS);
	for (u64 va = in_place; va < end && e == SUCCESS; va += PAGE_SIZE)
		e = map_own_page(pd, s, module, va);
	return e;
}

static void load(struct pd *pd, const struct boot_module *module)
{
	if (!is_aligned(module->image.addr, PAGE_SIZE))
		panic("roottask refused: the module at %#lx is not on a page boundary", module->image.addr);
	enum elf_error e = elf_parse(module->image, &elf);
	if (e != ELF_OK)
		panic("roottask refused: Bad ELF: %s", elf_error_text(e));
	for (u32 i = 0; i < elf.count; i++)
		check(map_segment(pd, &elf.segment[i], module->image.addr), "its memory");
}

void roottask_create(struct cpu *cpu, const struct boot_info *boot, const struct hip *hip)
{
	struct pd *pd;
	struct ec *ec;
	struct sc *sc;

	if (!boot->module_count)
		panic("roottask refused: the boot loader passed no module");
	check(pd_create(&pd_kernel, true, &pd), "its PD");
	check(account_move(&pd_kernel.account, &pd->account, account_look(&pd_kernel.account).left), "its memory");
	pd->root = true;
	load(pd, &boot->module[0]);
	kobject_publish(&pd->obj);
	check(space_mem_map_kernel_page(pd, HEDRON_ROOT_HIP, hip, SPACE_MEM_HIP), "its HIP");

	struct ec_config cfg = {.pd = pd,
				.utcb_pd = pd,
				.utcb_va = HEDRON_ROOT_UTCB,
				.rsp = HEDRON_ROOT_HIP,
				.cpu_id = cpu->id,
				.global = true};
	check(ec_create(&cfg, &ec), "its EC");
	ec->regs.rip = elf.entry;
	ec->regs.rdi = cpu->id;
	ec->cont = CONT_IRET; /* every register is as promised, also those that SYSRET loses */
	kobject_publish(&ec->obj);
	check(sc_create(pd, ec, 1, 10000, &sc), "its SC");

	check(space_obj_insert_root(pd, HEDRON_ROOT_SEL_PD, &pd->obj, PERM_PD_ALL), "its capabilities");
	check(space_obj_insert_root(pd, HEDRON_ROOT_SEL_EC, &ec->obj, PERM_EC_ALL), "its capabilities");
	kobject_publish(&sc->obj);
	check(space_obj_insert_root(pd, HEDRON_ROOT_SEL_SC, &sc->obj, PERM_SC_ALL), "its capabilities");
	dispatch_ready(cpu, sc);
}
