/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IRQ_CTRL, an extension: for those who are trusted with the machine, and for drivers that acknowledge. */
#include "core/irq.h"
#include "core/sm.h"
#include "lib/bits.h"
#include "space/pd.h"
#include "syscall/syscall.h"

#define IRQ_OP(arg1) ((arg1) >> 8 & 0xf)

static struct sm *semaphore(u64 sel, unsigned perm)
{
	return (struct sm *)cap_lookup_object(sel, KOBJ_SM, perm);
}

static bool names_cpu(u64 cpu_id)
{
	return cpu_id < HEDRON_CPU_MAX && cpu_online((unsigned)cpu_id) &&
	       arch_irq_reaches(cpu_index((unsigned)cpu_id));
}

/* One of the ISA bus has its trigger mode and polarity from firmware, and so has none in the argument. */
static bool decode_line(u64 arg, struct irq_line *line)
{
	u64 number = arg & IRQ_LINE_NUMBER, flags = arg & ~IRQ_LINE_NUMBER;

	if (flags & IRQ_LINE_ISA) {
		if (number >= IRQ_MAP_ISA || flags != IRQ_LINE_ISA)
			return false;
		*line = arch_irq_isa((unsigned)nospec_index(number, IRQ_MAP_ISA));
		return true;
	}
	*line = (struct irq_line){
		.number = (u32)number, .level = flags & IRQ_LINE_LEVEL, .low = flags & IRQ_LINE_LOW};
	return !(flags & ~IRQ_LINE_FLAGS);
}

static enum status bind_line(struct sm *sm, u64 arg2, u64 cpu_id)
{
	struct irq_line line;

	if (!decode_line(arg2, &line))
		return BAD_PAR;
	if (!arch_irq_has_line(line.number))
		return BAD_DEV;
	return names_cpu(cpu_id) ? irq_bind_line(sm, line, cpu_index((unsigned)cpu_id)) : BAD_CPU;
}

static enum status bind_message(struct sm *sm, u64 cpu_id, struct regs *regs)
{
	struct arch_irq_message m;

	if (!names_cpu(cpu_id))
		return BAD_CPU;
	enum status s = irq_bind_message(sm, cpu_index((unsigned)cpu_id), &m);
	if (s == SUCCESS) {
		regs->rsi = m.address;
		regs->rdx = m.data;
	}
	return s;
}

static enum status move(struct sm *sm, u64 cpu_id)
{
	return names_cpu(cpu_id) ? irq_move(sm, cpu_index((unsigned)cpu_id)) : BAD_CPU;
}

static enum status count(u64 cpu_id, struct regs *regs)
{
	struct irq_counts c;

	if (!names_cpu(cpu_id) || !irq_count(cpu_index((unsigned)cpu_id), &c))
		return BAD_CPU;
	regs->rsi = c.taken;
	regs->rdx = c.strays;
	regs->rax = c.spurious;
	return SUCCESS;
}

static enum status acknowledge(u64 sel)
{
	struct sm *sm = semaphore(sel, PERM_SM_DOWN);
	return sm ? irq_acknowledge(sm) : BAD_CAP;
}

static enum status change(unsigned op, u64 sel, u64 arg2, u64 cpu_id, struct ec *self)
{
	struct sm *sm = semaphore(sel, PERM_SM_UP);

	if (!sm)
		return BAD_CAP;
	switch (op) {
	case IRQ_CTRL_BIND_LINE:
		return bind_line(sm, arg2, cpu_id);
	case IRQ_CTRL_BIND_MESSAGE:
		return bind_message(sm, cpu_id, &self->regs);
	case IRQ_CTRL_MOVE:
		return move(sm, cpu_id);
	default:
		return irq_unbind(sm);
	}
}

enum status sys_irq_ctrl(u64 arg1, u64 arg2, u64 cpu_id, struct ec *self, u64 unused5)
{
	unsigned op = IRQ_OP(arg1);

	(void)unused5;
	if (op > IRQ_CTRL_COUNT)
		return BAD_PAR;
	if (op != IRQ_CTRL_ACK && !self->pd->passthrough)
		return BAD_CAP;
	if (op == IRQ_CTRL_OPEN)
		return irq_open(self->pd);
	if (!irq_is_open())
		return BAD_FTR;
	if (op == IRQ_CTRL_ACK)
		return acknowledge(hc_sel(arg1));
	if (op == IRQ_CTRL_COUNT)
		return count(cpu_id, &self->regs);
	return change(op, hc_sel(arg1), arg2, cpu_id, self);
}
