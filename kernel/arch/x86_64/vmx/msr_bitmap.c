/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which MSRs a guest uses without exits. There are four bitmaps for all guests: for passthrough PDs and others, and
 * for guests that have written an MSR that the host must save and put right at each exit ("MSR pass-through") and
 * others. Until then that MSR is what the VMM has set it to, and need not be read back (vmx_switch.c). Manual: SDM
 * vol. 3, 25.6.9.
 */
#include "cpu/cpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "vmx/vmx.h"

#define HIGH_MSRS 0xc0000000u
#define RANGE_BYTES 1024 /* read low, read high, write low, write high: a bit for each of 8192 MSRs */

enum { MSR_R = 1, MSR_W = 2, MSR_W_PASSTHROUGH = 4 };

static const struct {
	u32 msr;
	bool passthrough;
	u8 access;
} passed[] = {
	{MSR_FS_BASE, false, MSR_R | MSR_W},
	{MSR_GS_BASE, false, MSR_R | MSR_W},
	{MSR_KERNEL_GS_BASE, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_TSC_AUX, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_SPEC_CTRL, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_ARCH_CAPABILITIES, false, MSR_R},
	{MSR_PRED_CMD, false, MSR_R | MSR_W},
	{MSR_FLUSH_CMD, false, MSR_R | MSR_W},
	{MSR_TSC, true, MSR_R | MSR_W},
	{MSR_APIC_BASE, true, MSR_R | MSR_W},
	{MSR_TSC_ADJUST, true, MSR_R | MSR_W},
	{MSR_MPERF, true, MSR_R | MSR_W},
	{MSR_APERF, true, MSR_R | MSR_W},
	{MSR_TSC_DEADLINE, true, MSR_R | MSR_W},
};

static u8 *bitmaps[2][2];

static void pass(u8 *bitmap, u32 msr, bool write)
{
	u32 low = msr & (RANGE_BYTES * 8 - 1);
	u32 range = (write ? 2 : 0) + (msr >= HIGH_MSRS);
	bitmap[range * RANGE_BYTES + low / 8] &= (u8) ~(1u << low % 8);
}

static u8 *make(bool passthrough, bool msr_passthrough)
{
	u8 *bitmap = page_alloc();
	if (!bitmap)
		return NULL;
	memset(bitmap, 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < array_size(passed); i++) {
		if (passed[i].passthrough && !passthrough)
			continue;
		if (passed[i].access & MSR_R)
			pass(bitmap, passed[i].msr, false);
		if (passed[i].access & MSR_W || (msr_passthrough && passed[i].access & MSR_W_PASSTHROUGH))
			pass(bitmap, passed[i].msr, true);
	}
	return bitmap;
}

enum status msr_bitmap_init(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (!(bitmaps[i >> 1][i & 1] = make(i >> 1, i & 1)))
			return OOM;
	return SUCCESS;
}

void msr_bitmap_hide_spec_ctrl(void)
{
	for (unsigned passthrough = 0; passthrough < 2; passthrough++)
		if (bitmaps[passthrough][false]) /* SPEC_CTRL is one of the low MSRs, whose reads come first */
			bitmaps[passthrough][false][MSR_SPEC_CTRL / 8] |= (u8)(1u << MSR_SPEC_CTRL % 8);
}

u64 msr_bitmap(bool passthrough, bool msr_passthrough)
{
	return heap_phys(bitmaps[passthrough][msr_passthrough]).v;
}
