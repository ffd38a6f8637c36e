/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel's exit qualification, of what AMD's processors say of an exit. */
#pragma once

#include "core/vcpu.h"
#include "svm/svm.h"

/* EXITINFO1 of I/O: APM vol. 2, 15.10.2. The qualification: SDM vol. 3, table 28-5. */
#define IO_IN 1u
#define IO_STRING (1u << 2)
#define IO_REP (1u << 3)
#define QUAL_IO_IN (1u << 3)
#define QUAL_IO_STRING (1u << 4)
#define QUAL_IO_REP (1u << 5)
#define QUAL_IO_IMMEDIATE (1u << 6)

_Static_assert(IO_IN << 3 == QUAL_IO_IN && IO_STRING << 2 == QUAL_IO_STRING && IO_REP << 2 == QUAL_IO_REP, "shifts");

/* The port is in the instruction if it is not in DX. If both have the same it makes no difference. */
static always_inline void svm_qual_io(const struct vcpu *v, struct utcb_state *s)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	u32 info = (u32)b->exit_info1, port = info >> 16, bytes = info >> 4 & 7;
	u64 rip = b->rip;

	s->qual[0] = port << 16 | (bytes - 1) | (info & IO_IN) << 3 | (info & (IO_STRING | IO_REP)) << 2 |
		     (port != (u16)v->regs.rdx ? QUAL_IO_IMMEDIATE : 0);
	s->inst_len = (u32)(b->exit_info2 - rip) & 15;
}

/* EXITINFO1 of a nested fault is a page fault's error code, and whether the guest's own tables were being read:
 * APM vol. 2, 15.25.6. The qualification: SDM vol. 3, table 28-7. */
#define FAULT_PRESENT 1u
#define FAULT_WRITE (1u << 1)
#define FAULT_FETCH (1u << 4)
#define FAULT_IN_TABLES (1ull << 33)
enum { QUAL_READ = 1, QUAL_WRITE = 2, QUAL_FETCH = 4, QUAL_MAY_READ = 8, QUAL_MAY_WRITE = 16, QUAL_MAY_FETCH = 32 };
#define QUAL_LINEAR (1u << 7)
#define QUAL_FINAL (1u << 8)
#define QUAL_NMI_UNBLOCKED (1u << 12)

/* Both qualifications, and the length, which is 0. Before svm_run_to_host(). */
void svm_qual_nested_fault(struct vcpu *v);

/* What most nested faults are: an access to data, of a page that is not there. */
static always_inline bool svm_qual_is_absent_data(const struct vcpu *v, const struct vmcb *b)
{
	return !(b->exit_info1 & (FAULT_PRESENT | FAULT_FETCH | FAULT_IN_TABLES)) && v->arch.svm.iret != b->rip;
}

static always_inline void svm_qual_absent_data(const struct vmcb *b, struct utcb_state *s)
{
	s->qual[0] = QUAL_LINEAR | QUAL_FINAL | (b->exit_info1 & FAULT_WRITE ? QUAL_WRITE : QUAL_READ);
	s->qual[1] = b->exit_info2;
	s->inst_len = 0;
}

u64 svm_qual_task_switch(const struct vcpu *v);
