/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virt/virt.h"

#include "cpu/cpu.h"
#include "lib/string.h"
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

void virt_init(bool allow_tags, bool l1_flush)
{
	if (virt->twins)
		redirect_all(virt->twins);
	virt->init(allow_tags, l1_flush);
}
