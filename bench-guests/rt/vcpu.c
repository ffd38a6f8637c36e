/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/vcpu.h"

#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/port.h"
#include "rt/sel.h"
#include "rt/size.h"

enum { PIC_MASTER = 0x20, PIC_SLAVE = 0xa0, PIC_MASK = 1 };

enum status rt_mask_interrupts(void)
{
	enum status st = rt_ports(PIC_MASTER, 1);

	if (st == SUCCESS)
		st = rt_ports(PIC_SLAVE, 1);
	if (st != SUCCESS)
		return st;
	rt_out8(PIC_MASTER + PIC_MASK, 0xff);
	rt_out8(PIC_SLAVE + PIC_MASK, 0xff);
	return SUCCESS;
}

#define GUEST_ONLY (ITEM_NO_HOST | ITEM_GUEST)

static enum status page(sel_t kp, unsigned long va)
{
	enum status st = hc_create_kp(kp, RT_SEL_PD);

	return st == SUCCESS ? hc_kp_map(kp, RT_SEL_PD, va) : st;
}

enum status rt_vcpu_pages(struct rt_vcpu *v)
{
	enum status st;

	if (!v->pd)
		v->pd = RT_SEL_PD;
	if (!v->sel)
		v->sel = rt_sels(2);
	if (!v->state) {
		unsigned long va = rt_va(3, 1);

		v->state = &((struct utcb *)va)->state;
		v->vlapic = (uint8_t *)(va + RT_PAGE);
		v->fpu = (uint8_t *)(va + 2 * RT_PAGE);
	}
	st = page(v->sel + RT_VCPU_SEL_STATE, (unsigned long)v->state & -RT_PAGE);
	if (st == SUCCESS)
		st = page(v->sel + RT_VCPU_SEL_VLAPIC, (unsigned long)v->vlapic);
	if (st == SUCCESS)
		st = page(v->sel + RT_VCPU_SEL_FPU, (unsigned long)v->fpu);
	return st;
}

enum status rt_vcpu(struct rt_vcpu *v)
{
	enum status st = rt_vcpu_pages(v);

	if (st != SUCCESS)
		return st;
	return hc_create_vcpu(v->sel, v->cpu, v->pd, v->sel + RT_VCPU_SEL_STATE, v->sel + RT_VCPU_SEL_VLAPIC,
			      v->sel + RT_VCPU_SEL_FPU);
}

/*
 * What the roottask has of the pool is not executable, and rights only shrink; so the guest gets it from the
 * hypervisor.
 */
enum status rt_guest_map(sel_t pd, uint64_t gpa, const void *ram, size_t pages, unsigned rights)
{
	return rt_mem_delegate(RT_SEL_PD, rt_phys(ram), pd, gpa, pages, rights, GUEST_ONLY | ITEM_HYPERVISOR);
}

/* A delegation without rights takes away what is at the target. */
enum status rt_guest_unmap(sel_t pd, uint64_t gpa, size_t pages)
{
	return rt_mem_delegate(RT_SEL_PD, 0, pd, gpa, pages, 0, GUEST_ONLY | ITEM_HYPERVISOR);
}

enum status rt_guest_ports(sel_t pd, uint16_t base, unsigned order)
{
	return hc_delegate(RT_SEL_PD, pd, rt_pio(base, order), ITEM_DELEGATE | GUEST_ONLY | ITEM_HYPERVISOR,
			   rt_pio(base, order), NULL);
}
