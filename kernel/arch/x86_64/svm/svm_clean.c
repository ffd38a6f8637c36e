/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svm/svm_clean.h"

#ifdef HEDRON_DEBUG

#include "arch/switch.h"
#include "lib/string.h"
#include "platform/panic.h"
#include "svm/vmcb.h"

#include <hedron/abi.h>

/* What VMCB_CLEAN stands for. Manual: APM vol. 2, 15.15.3. */
#define FROM_TO(first, last)                                              \
	{                                                                 \
		offsetof(struct vmcb, first), offsetof(struct vmcb, last) \
	}
static const struct {
	u16 from, to;
} parts[] = {
	FROM_TO(cr_reads, tlb_control),
	FROM_TO(vintr, interrupt_shadow),
	FROM_TO(nested_cr3, lbr_virtualization),
	FROM_TO(es, fs),
	FROM_TO(gdtr, ldtr),
	FROM_TO(idtr, tr),
	FROM_TO(cpl, reserved5),
	FROM_TO(efer, reserved6),
	FROM_TO(cr4, rflags),
	FROM_TO(cr2, reserved9),
	FROM_TO(pat, debugctl),
};

#define PARTS_SIZE 320

static struct kept {
	const struct vmcb *vmcb;
	u8 bytes[PARTS_SIZE];
} kept[HEDRON_CPU_MAX];

void svm_clean_keep(const struct cpu *cpu, const struct vmcb *b)
{
	struct kept *k = &kept[cpu->id];
	unsigned at = 0;

	k->vmcb = b;
	for (unsigned i = 0; i < array_size(parts); at += parts[i].to - parts[i].from, i++) {
		kassert(at + parts[i].to - parts[i].from <= PARTS_SIZE);
		memcpy(k->bytes + at, (const u8 *)b + parts[i].from, parts[i].to - parts[i].from);
	}
}

void svm_clean_check(const struct cpu *cpu, const struct vmcb *b)
{
	const struct kept *k = &kept[cpu->id];
	unsigned at = 0;

	if (b->clean == VMCB_DIRTY)
		return;
	kassert(k->vmcb == b);
	for (unsigned i = 0; i < array_size(parts); at += parts[i].to - parts[i].from, i++)
		kassert(!memcmp(k->bytes + at, (const u8 *)b + parts[i].from, parts[i].to - parts[i].from));
}

#endif
