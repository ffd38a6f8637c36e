/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virt/virt.h"

#include "cpu/cpu.h"
#include "lib/string.h"
#include "svm/svm.h"
#include "vmx/vmx.h"

const struct virt *virt = &vmx_virt;

#define JUMP_SIZE 5
#define OPCODE_JUMP 0xe9

/* Functions are aligned to 16 bytes, so each has room for a jump. No CPU is in one of them: there are no PDs yet. */
static void redirect(const struct virt_twin *twin)
{
	u8 *at = (u8 *)twin->of, jump[JUMP_SIZE] = {OPCODE_JUMP};
	s32 displacement = (s32)((const u8 *)twin->is - (at + JUMP_SIZE));

	memcpy(jump + 1, &displacement, sizeof(displacement));
	memcpy(at, jump, JUMP_SIZE);
}

/* The text may be mapped read-only already. The second write to CR0 serializes, too. */
static void redirect_all(const struct virt_twin *twins)
{
	u64 cr0 = cr0_read();

	cr0_write(cr0 & ~CR0_WP);
	for (; twins->of; twins++)
		redirect(twins);
	cr0_write(cr0);
}

#define EXT1_ECX_SVM (1u << 2)

/* No processor has both. */
static bool has_svm(void)
{
	return cpuid(0x80000000, 0).eax >= 0x80000001 && cpuid(0x80000001, 0).ecx & EXT1_ECX_SVM;
}

void virt_init(bool allow_tags, bool l1_flush)
{
	if (has_svm())
		virt = &svm_virt;
	if (virt->twins)
		redirect_all(virt->twins);
	virt->init(allow_tags, l1_flush);
}
