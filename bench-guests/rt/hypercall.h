/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercall stubs: ARG1..5 are RDI RSI RDX RAX R8, results come back in RDI RSI RDX RAX; RCX and R11 are lost.
 * Every stub is inline and adds no instruction to what the ABI needs: user code is part of each measurement.
 */
#pragma once

#include <hedron/abi.h>
#include <hedron/crd.h>
#include <hedron/utcb.h>

typedef unsigned long sel_t;

#define RT_SEL_PD ((sel_t)HEDRON_ROOT_SEL_PD) /* the roottask's own PD, EC and SC */
#define RT_SEL_EC ((sel_t)HEDRON_ROOT_SEL_EC)
#define RT_SEL_SC ((sel_t)HEDRON_ROOT_SEL_SC)

/* All registers of the interface, for code that wants to see exactly what comes back. */
struct hc_regs {
	unsigned long rdi, rsi, rdx, rax, r8;
};

#define HC_ALWAYS static inline __attribute__((always_inline))

/* By number of arguments, for hypercalls that return a status only. OUT2 may change, other registers may not. */

HC_ALWAYS enum status hc_1(unsigned long a1)
{
	__asm__ volatile("syscall" : "+D"(a1) : : "rsi", "rcx", "r11", "memory");
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_2(unsigned long a1, unsigned long a2)
{
	__asm__ volatile("syscall" : "+D"(a1), "+S"(a2) : : "rcx", "r11", "memory");
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_3(unsigned long a1, unsigned long a2, unsigned long a3)
{
	__asm__ volatile("syscall" : "+D"(a1), "+S"(a2) : "d"(a3) : "rcx", "r11", "memory");
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_4(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4)
{
	__asm__ volatile("syscall" : "+D"(a1), "+S"(a2) : "d"(a3), "a"(a4) : "rcx", "r11", "memory");
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_5(unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	register unsigned long r8 __asm__("r8") = a5;

	__asm__ volatile("syscall" : "+D"(a1), "+S"(a2) : "d"(a3), "a"(a4), "r"(r8) : "rcx", "r11", "memory");
	return (enum status)(a1 & 0xff);
}

/* Any hypercall; `regs` is input and output. The result is OUT1's status. */
HC_ALWAYS enum status hc_raw(struct hc_regs *regs)
{
	register unsigned long r8 __asm__("r8") = regs->r8;

	__asm__ volatile("syscall"
			 : "+D"(regs->rdi), "+S"(regs->rsi), "+d"(regs->rdx), "+a"(regs->rax), "+r"(r8)
			 :
			 : "rcx", "r11", "memory");
	regs->r8 = r8;
	return (enum status)(regs->rdi & 0xff);
}

/* Message transfer. */

HC_ALWAYS enum status hc_call(sel_t pt)
{
	return hc_1(HC_ARG1(HC_CALL, 0, pt));
}
HC_ALWAYS enum status hc_call_nonblock(sel_t pt)
{
	return hc_1(HC_ARG1(HC_CALL, CALL_NONBLOCK, pt));
}

/* Does not return: the next call starts at the portal's entry. */
HC_ALWAYS _Noreturn void hc_reply(void)
{
	__asm__ volatile("syscall" : : "D"(HC_ARG1(HC_REPLY, 0, 0)) : "memory");
	__builtin_unreachable();
}

/* Creation. `sel` is the new capability's selector in the caller's object space, `parent` a PD. */

HC_ALWAYS enum status hc_create_pd(sel_t sel, sel_t parent, crd_t objects, unsigned flags)
{
	return hc_3(HC_ARG1(HC_CREATE_PD, flags, sel), parent, objects);
}

HC_ALWAYS enum status hc_create_ec(sel_t sel, sel_t parent, unsigned cpu, unsigned long utcb, unsigned long sp,
				   sel_t events, unsigned flags)
{
	return hc_5(HC_ARG1(HC_CREATE_EC, flags, sel), parent, (utcb & ~0xffful) | cpu, sp, events);
}

HC_ALWAYS enum status hc_create_sc(sel_t sel, sel_t parent, sel_t ec, unsigned prio, unsigned long quantum_us)
{
	return hc_4(HC_ARG1(HC_CREATE_SC, 0, sel), parent, ec, quantum_us << 12 | prio);
}

HC_ALWAYS enum status hc_create_pt(sel_t sel, sel_t parent, sel_t ec, unsigned long mtd, unsigned long rip)
{
	return hc_5(HC_ARG1(HC_CREATE_PT, 0, sel), parent, ec, mtd, rip);
}

HC_ALWAYS enum status hc_create_sm(sel_t sel, sel_t parent, unsigned long count)
{
	return hc_3(HC_ARG1(HC_CREATE_SM, 0, sel), parent, count);
}

HC_ALWAYS enum status hc_create_kp(sel_t sel, sel_t parent)
{
	return hc_2(HC_ARG1(HC_CREATE_KP, 0, sel), parent);
}

HC_ALWAYS enum status hc_create_vcpu(sel_t sel, unsigned cpu, sel_t parent, sel_t state, sel_t vlapic, sel_t fpu)
{
	return hc_5(HC_ARG1(HC_CREATE_VCPU, 0, sel), parent << 12 | cpu, state, vlapic, fpu);
}

/* Delegation and revocation. */

/* `got`, if not null, describes the resulting item when the status is SUCCESS. */
HC_ALWAYS enum status hc_delegate(sel_t src, sel_t dst, crd_t from, unsigned long meta, crd_t to,
				  struct utcb_item *got)
{
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, src), dst, from, meta, to};
	enum status st = hc_raw(&r);

	if (got)
		*got = (struct utcb_item){r.rdx, r.rax};
	return st;
}

/* `pd` counts only with REVOKE_REMOTE. */
HC_ALWAYS enum status hc_revoke(crd_t crd, unsigned flags, sel_t pd)
{
	if (flags & REVOKE_REMOTE)
		return hc_3(HC_ARG1(HC_REVOKE, flags, 0), crd, pd);
	return hc_2(HC_ARG1(HC_REVOKE, flags, 0), crd);
}

HC_ALWAYS enum status hc_lookup(crd_t crd, crd_t *found)
{
	unsigned long a1 = HC_ARG1(HC_PD_CTRL, PD_CTRL_LOOKUP, 0);

	__asm__ volatile("syscall" : "+D"(a1), "+S"(crd) : : "rcx", "r11", "memory");
	*found = crd;
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_pd_access_page(crd_t guest_page)
{
	return hc_2(HC_ARG1(HC_PD_CTRL, PD_CTRL_ACCESS_PAGE, 0), guest_page);
}

HC_ALWAYS enum status hc_msr_read(unsigned msr, unsigned long *value)
{
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR, msr), 0, 0, 0, 0};
	enum status st = hc_raw(&r);

	*value = r.rsi;
	return st;
}

HC_ALWAYS enum status hc_msr_write(unsigned msr, unsigned long value)
{
	return hc_2(HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR | PD_CTRL_MSR_WRITE, msr), value);
}

/* Operations on objects. */

HC_ALWAYS enum status hc_yield(void)
{
	return hc_1(HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0));
}
HC_ALWAYS enum status hc_pt_ctrl(sel_t pt, unsigned long id)
{
	return hc_2(HC_ARG1(HC_PT_CTRL, 0, pt), id);
}

/* Extension (HIP_EXT_CONSOLE): text[] is what has to be written first. `flags`: MACHINE_CONSOLE_TAKES. */
HC_ALWAYS enum status hc_console_claim(unsigned long flags, char text[MACHINE_CONSOLE_CLAIM_TEXT])
{
	unsigned long a1 = HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_CONSOLE, MACHINE_CONSOLE_CLAIM), out[] = {flags, 0};

	__asm__ volatile("syscall" : "+D"(a1), "+S"(out[0]), "=d"(out[1]) : : "rcx", "r11", "memory");
	__builtin_memcpy(text, out, sizeof(out));
	return (enum status)(a1 & 0xff);
}

HC_ALWAYS enum status hc_console_write(const char text[MACHINE_CONSOLE_WRITE_TEXT])
{
	unsigned long in[3];

	__builtin_memcpy(in, text, sizeof(in));
	return hc_4(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_CONSOLE, MACHINE_CONSOLE_WRITE), in[0], in[1], in[2]);
}

HC_ALWAYS enum status hc_console_release(void)
{
	return hc_1(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_CONSOLE, MACHINE_CONSOLE_RELEASE));
}

HC_ALWAYS enum status hc_sc_ctrl(sel_t sc, unsigned long *consumed_us)
{
	unsigned long a1 = HC_ARG1(HC_SC_CTRL, 0, sc), high, low;

	__asm__ volatile("syscall" : "+D"(a1), "=S"(high), "=d"(low) : : "rcx", "r11", "memory");
	*consumed_us = high << 32 | (low & 0xffffffff);
	return (enum status)(a1 & 0xff);
}

/* The time of both is 0: three arguments, or the kernel refuses. */
HC_ALWAYS enum status hc_sm_up(sel_t sm)
{
	return hc_3(HC_ARG1(HC_SM_CTRL, SM_CTRL_UP, sm), 0, 0);
}
HC_ALWAYS enum status hc_sm_down(sel_t sm)
{
	return hc_3(HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, sm), 0, 0);
}
HC_ALWAYS enum status hc_sm_zero(sel_t sm)
{
	return hc_3(HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN | SM_CTRL_ZERO, sm), 0, 0);
}

HC_ALWAYS enum status hc_kp_map(sel_t kp, sel_t pd, unsigned long addr)
{
	return hc_3(HC_ARG1(HC_KP_CTRL, KP_CTRL_MAP, kp), pd, addr);
}

HC_ALWAYS enum status hc_kp_unmap(sel_t kp)
{
	return hc_1(HC_ARG1(HC_KP_CTRL, KP_CTRL_UNMAP, kp));
}
HC_ALWAYS enum status hc_vcpu_run(sel_t vcpu, unsigned long mtd)
{
	return hc_2(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN, vcpu), mtd);
}
/* Extension: only the state in `back`, and what every exit tells, returns to the page. */
HC_ALWAYS enum status hc_vcpu_run_partial(sel_t vcpu, unsigned long mtd, unsigned long back)
{
	return hc_3(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN | VCPU_CTRL_PARTIAL, vcpu), mtd, back);
}
HC_ALWAYS enum status hc_vcpu_poke(sel_t vcpu)
{
	return hc_1(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_POKE, vcpu));
}
