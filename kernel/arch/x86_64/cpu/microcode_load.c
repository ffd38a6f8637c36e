/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microcode updates by user land, for the running CPU only: user land visits each, one after the other, as it knows
 * which of them share a core. Manual: SDM vol. 3, 10.11.6 (loading), 10.11.7 (revision); vol. 4 (IA32_PLATFORM_ID);
 * the processor programming references of AMD's families, MSR0000_008B (PATCH_LEVEL) and MSRC001_0020 (PATCH_LOADER).
 */
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/switch.h"
#include "cpu/cpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mmu/kspace.h"
#include "platform/console.h"
#include "platform/microcode.h"
#include "platform/microcode_amd.h"
#include "space/space_mem.h"

#define MSR_PLATFORM_ID 0x17
#define MSR_BIOS_UPDT_TRIG 0x79
#define MSR_BIOS_SIGN_ID 0x8b
#define MSR_PATCH_LEVEL 0x8b
#define MSR_PATCH_LOADER 0xc0010020
#define PLATFORM_ID_SHIFT 50
#define BIOS_SIGN_ID_REV_SHIFT 32

/* Whether the range is physical memory that can be addressed, and none of it is withheld for the kernel. */
static bool is_foreign(u64 pa, u64 size)
{
	u64 page = pa >> PAGE_BITS, last = (pa + size - 1) >> PAGE_BITS;

	if (pa + size - 1 < pa || last >= space_mem_phys_end)
		return false;
	while (page <= last) {
		const struct space_mem_run *run = space_mem_phys_run(page);
		if (!run->leaf)
			return false;
		page = run->end;
	}
	return true;
}

/* Copies out of memory that is not mapped. What is checked and loaded is the copy, because user land can write to the
 * original at any time. */
static void copy_foreign(u8 *to, u64 pa, u64 size)
{
	for (u64 part; size; size -= part, pa += part, to += part) {
		part = min_u64(size, PAGE_SIZE - (pa & PAGE_MASK));
		memcpy(to, kspace_window_open(paddr(pa), KPTE_RO), part);
		kspace_window_close();
	}
}

static bool is_intel(void)
{
	struct cpuid l = cpuid(0, 0);
	return l.ebx == 0x756e6547 && l.edx == 0x49656e69 && l.ecx == 0x6c65746e; /* GenuineIntel */
}

static unsigned platform(void)
{
	u64 id;
	return msr_read_safe(MSR_PLATFORM_ID, &id) ? id >> PLATFORM_ID_SHIFT & 7 : 0;
}

/* CPUID loads the revision into the MSR, which has to be 0 before (SDM vol. 3, 10.11.7). */
static bool read_revision_intel(u32 *revision)
{
	u64 v;
	if (!msr_write_safe(MSR_BIOS_SIGN_ID, 0))
		return false;
	cpuid(1, 0);
	if (!msr_read_safe(MSR_BIOS_SIGN_ID, &v))
		return false;
	*revision = (u32)(v >> BIOS_SIGN_ID_REV_SHIFT);
	return true;
}

static bool read_revision_amd(u32 *revision)
{
	u64 v;
	if (!msr_read_safe(MSR_PATCH_LEVEL, &v))
		return false;
	*revision = (u32)v;
	return true;
}

/* What the CPU has made of an update. */
static enum status outcome(u32 before, u32 after, u32 wanted)
{
	if (after != wanted)
		return BAD_PAR;
	log_info("CPU %u: microcode %#x becomes %#x", cpu_current()->id, before, after);
	return SUCCESS;
}

static enum status load_intel(const void *blob, u64 size)
{
	u32 before, after;

	if (!microcode_valid(blob, size))
		return BAD_PAR;
	if (!is_intel() || !read_revision_intel(&before))
		return BAD_FTR;
	if (!microcode_matches(blob, cpuid(1, 0).eax, platform()))
		return BAD_PAR;
	u32 wanted = microcode_revision(blob);
	if (before == wanted)
		return SUCCESS;
	if (!msr_write_safe(MSR_BIOS_UPDT_TRIG, (u64)blob + MICROCODE_HEADER_SIZE) || !read_revision_intel(&after))
		return BAD_PAR;
	return outcome(before, after, wanted);
}

/* The patch goes to the start of the block, which is aligned more than a section of a container has to be. Family 17h
 * may keep translations of the patch as they are while it is loaded, so none may be left in the TLB. */
static bool give_to_amd(u8 *block, const struct microcode_amd_patch *patch)
{
	memmove(block, patch->data, patch->size);
	bool taken = msr_write_safe(MSR_PATCH_LOADER, (u64)block);
	for (u64 at = 0; at < patch->size; at += PAGE_SIZE)
		invlpg((u64)block + at);
	return taken;
}

static enum status load_amd(u8 *blob, u64 size)
{
	struct microcode_amd_patch patch;
	u32 before, after;

	if (!microcode_amd_find(blob, size, cpuid(1, 0).eax, &patch))
		return BAD_PAR;
	if (!cpu_is_amd() || !read_revision_amd(&before))
		return BAD_FTR;
	if (!patch.size)
		return BAD_PAR;
	if (before == patch.revision)
		return SUCCESS;
	if (!give_to_amd(blob, &patch) || !read_revision_amd(&after))
		return BAD_PAR;
	return outcome(before, after, patch.revision);
}

/* How much of the memory is the update; 0: none is there. Containers do not say where they end: they fill it. */
static u64 update_size(const void *header, u64 size)
{
	return microcode_amd_begins(header) ? size : microcode_size(header, size);
}

enum status arch_microcode_update(paddr_t pa, u64 size)
{
	if (size < MICROCODE_HEADER_SIZE || !is_aligned(pa.v, MICROCODE_ALIGN) || !is_foreign(pa.v, size))
		return BAD_PAR;
	u8 header[MICROCODE_HEADER_SIZE];
	copy_foreign(header, pa.v, sizeof(header));
	size = update_size(header, size);
	if (!size)
		return BAD_PAR;
	u64 pages = (size + PAGE_SIZE - 1) >> PAGE_BITS;
	unsigned order = pages > 1 ? bit_highest(pages - 1) + 1 : 0;
	u8 *blob = page_alloc_block(order);
	if (!blob)
		return OOM;
	copy_foreign(blob, pa.v, size);
	enum status s = microcode_amd_begins(blob) ? load_amd(blob, size) : load_intel(blob, size);
	page_free_block(blob, order);
	return s;
}
