/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svm/svm_qual.h"

#include "arch/memory.h"
#include "arch/switch.h"

/* ---- nested faults ---- */

static u64 rights_of(const struct vcpu *v, u64 gpa)
{
	unsigned order;
	u64 leaf = gpa < HEDRON_USER_END ? ptab_lookup(&v->pd->mem.guest, gpa >> PAGE_BITS, &order) : 0;

	if (!(leaf & PTE_P))
		return 0;
	return QUAL_MAY_READ | (leaf & PTE_W ? QUAL_MAY_WRITE : 0) | (leaf & PTE_NX ? 0 : QUAL_MAY_FETCH);
}

static u64 access_of(const struct vcpu *v, const struct vmcb *b, u64 info)
{
	u64 how = QUAL_LINEAR | (info & FAULT_IN_TABLES ? 0 : QUAL_FINAL);

	if (info & FAULT_FETCH && !(info & FAULT_IN_TABLES))
		how |= QUAL_FETCH;
	else
		how |= info & FAULT_WRITE ? QUAL_WRITE | (info & FAULT_IN_TABLES ? QUAL_READ : 0) : QUAL_READ;
	return v->arch.svm.iret == b->rip ? how | QUAL_NMI_UNBLOCKED : how;
}

void svm_qual_nested_fault(struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	u64 info = b->exit_info1, rights = info & FAULT_PRESENT ? rights_of(v, b->exit_info2) : 0;

	v->state->qual[0] = access_of(v, b, info) | rights;
	v->state->qual[1] = b->exit_info2;
	v->state->inst_len = 0;
}

/* ---- task switches ---- */

/* EXITINFO2 of a task switch: APM vol. 2, 15.14.1. The qualification: SDM vol. 3, table 28-2. */
#define TASK_IRET (1ull << 36)
#define TASK_JUMP (1ull << 38)
enum { QUAL_TASK_CALL, QUAL_TASK_IRET, QUAL_TASK_JUMP, QUAL_TASK_GATE };
#define QUAL_TASK_SOURCE 30

u64 svm_qual_task_switch(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	u64 source = QUAL_TASK_CALL;

	if (b->exit_info2 & TASK_IRET)
		source = QUAL_TASK_IRET;
	else if (b->exit_info2 & TASK_JUMP)
		source = QUAL_TASK_JUMP;
	else if (svm_cut(b))
		source = QUAL_TASK_GATE;
	return (u16)b->exit_info1 | source << QUAL_TASK_SOURCE;
}
