/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers. Their portals' entries are as short as they can be, because they are part of what is measured. RDI is the
 * portal's id and [RSP] the address of the UTCB (rt/entry.h); a reply must not move RSP, because the next call starts
 * with it.
 */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/thread.h"

_Static_assert(HC_REPLY == 1, "the entries reply with this number");
_Static_assert(offsetof(struct utcb, items) == 0 && offsetof(struct utcb, state.rip) == 48,
	       "the entries use these offsets");

__asm__(".pushsection .text\n"
	".global ipc_entry_empty, ipc_entry_forward, ipc_entry_skip2\n"

	"ipc_entry_empty:\n"
	"	mov (%rsp), %rax\n"
	"	movq $0, (%rax)\n"
	"	mov $1, %edi\n"
	"	syscall\n"

	"ipc_entry_forward:\n" /* the id is ARG1 of the call */
	"	syscall\n"
	"	mov $1, %edi\n"
	"	syscall\n"

	"ipc_entry_skip2:\n"
	"	mov (%rsp), %rax\n"
	"	addq $2, 48(%rax)\n"
	"	mov $1, %edi\n"
	"	syscall\n"
	".popsection\n");

const char *ipc_serve(struct rt_ec *ec, sel_t pt, void (*entry)(void))
{
	ec->cpu = rt_cpu;
	BENCH_NEED(rt_ec_local(ec));
	BENCH_NEED(hc_create_pt(pt, RT_SEL_PD, ec->sel, 0, (uint64_t)entry));
	return NULL;
}

void ipc_unserve(struct rt_ec *ec, sel_t pt)
{
	bench_status(rt_revoke(pt));
	if (ec->sel)
		bench_status(rt_revoke(ec->sel));
	if (ec->pd && ec->pd != RT_SEL_PD)
		bench_status(rt_revoke(ec->pd));
	ec->pd = 0;
}
