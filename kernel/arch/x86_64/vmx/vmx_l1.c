/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmx/vmx_l1.h"

#include "cpu/cpu.h"

#define LEAF7_EDX_L1D_FLUSH (1u << 28)
#define LEAF7_EDX_ARCH_CAPABILITIES (1u << 29)
#define CAPABILITY_RDCL_NO (1u << 0)
#define CAPABILITY_SKIP_FLUSH (1u << 3) /* a hypervisor below us does it */
#define FLUSH_L1D 1

/* Family 6, from Nehalem to Coffee Lake: those of them that are sound say RDCL_NO. */
static bool model_may_leak(u32 signature)
{
	static const u8 models[] = {0x1a, 0x1e, 0x1f, 0x2e, 0x25, 0x2c, 0x2f, 0x2a, 0x2d, 0x3a, 0x3e, 0x3c, 0x3f,
				    0x45, 0x46, 0x3d, 0x47, 0x4f, 0x56, 0x4e, 0x5e, 0x55, 0x66, 0x8e, 0x9e};
	u32 model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	if ((signature >> 8 & 0xf) != 6)
		return false;
	for (unsigned i = 0; i < array_size(models); i++)
		if (models[i] == model)
			return true;
	return false;
}

static u32 leaf7_edx(void)
{
	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0).edx : 0;
}

bool vmx_l1_leaks(void)
{
	u64 capabilities = 0;

	if (!model_may_leak(cpuid(1, 0).eax))
		return false;
	if (leaf7_edx() & LEAF7_EDX_ARCH_CAPABILITIES)
		(void)!msr_read_safe(MSR_ARCH_CAPABILITIES, &capabilities);
	return !(capabilities & (CAPABILITY_RDCL_NO | CAPABILITY_SKIP_FLUSH));
}

bool vmx_l1_can_flush(void)
{
	return leaf7_edx() & LEAF7_EDX_L1D_FLUSH;
}

void vmx_l1_flush(void)
{
	msr_write(MSR_FLUSH_CMD, FLUSH_L1D);
}
