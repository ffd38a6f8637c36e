/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: APM vol. 2, 16.4 (the timer), 16.6 (IRR, ISR, TPR); SDM vol. 3, 11.5.4, 11.8. */
#include "svm/svm_timer.h"

#include "apic/lapic.h"
#include "arch/cpu.h"
#include "cpu/cpu.h"
#include "cpu/desc.h"
#include "entry/frame.h"

#define TPR 0x80
#define EOI 0xb0
#define SPURIOUS 0xf0
#define ISR_HIGHEST 0x170 /* vectors 224 to 255 */
#define IRR_HIGHEST 0x270
#define LVT_TIMER 0x320
#define LVT_LINT0 0x350
#define INITIAL_COUNT 0x380
#define CURRENT_COUNT 0x390
#define DIVIDE 0x3e0

#define MASKED (1u << 16)
#define DIVIDE_BY_1 0xb
#define SOFTWARE_ENABLED (1u << 8)

/*
 * Taking the interrupt lets in others of its class, of the highest priority, and no more: their gates lead to an
 * IRET, too. Whoever else uses this class loses interrupts (docs/caveats.md), until interrupts are opened: then the
 * kernel's entries are there instead (irq/), which take them.
 */
#define CLASS 0xf0u
#define CLASS_SIZE 16
#define BELOW_CLASS 0xe0u
#define VECTOR (unsigned)ENTRY_IRQ_TIMER
#define VECTOR_BIT (1u << (VECTOR & 31))
#define CLASS_BITS 0xffff0000u

#define RATE_SHIFT 24

static u64 rate; /* ticks of the timer for 2^RATE_SHIFT of the TSC; 0: no timer. Constant */

extern const u8 svm_timer_interrupt[];
__asm__(".pushsection .text\n\t.balign 16, 0xcc\n\t.globl svm_timer_interrupt\nsvm_timer_interrupt:\n\tiretq\n\t"
	".popsection");

static bool is_free(void)
{
	return lapic_read(LVT_TIMER) & MASKED;
}

void svm_timer_init(void)
{
	if (!(lapic_mode() & 1u << 11) || !is_free())
		return;
	u32 divide = lapic_read(DIVIDE);
	lapic_write(DIVIDE, DIVIDE_BY_1);
	lapic_write(INITIAL_COUNT, ~0u);
	u64 start = arch_tsc(), passed;
	while ((passed = arch_tsc() - start) < tsc_khz)
		arch_relax();
	u64 count = ~0u - lapic_read(CURRENT_COUNT);
	lapic_write(INITIAL_COUNT, 0);
	lapic_write(DIVIDE, divide);
	rate = (count << RATE_SHIFT) / passed;
	desc_set_interrupts(CLASS, CLASS_SIZE, svm_timer_interrupt);
}

static u32 count_of(u64 ticks)
{
	u64 count = ((ticks * rate) >> RATE_SHIFT) + 1; /* ticks have 32 bits, and the rate is less than 2^32 */
	return count < ~0u ? (u32)count : ~0u;
}

bool svm_timer_start(u64 ticks)
{
	if (!rate || !is_free())
		return false;
	u32 spurious = lapic_read(SPURIOUS);
	if (!(spurious & SOFTWARE_ENABLED)) /* as INIT leaves it */
		lapic_write(SPURIOUS, spurious | SOFTWARE_ENABLED);
	lapic_write(DIVIDE, DIVIDE_BY_1);
	lapic_write(LVT_TIMER, VECTOR);
	lapic_write(INITIAL_COUNT, count_of(ticks));
	return true;
}

void svm_timer_stop(void)
{
	if (lapic_read(LVT_TIMER) != VECTOR)
		return;
	lapic_write(INITIAL_COUNT, 0);
	lapic_write(LVT_TIMER, VECTOR | MASKED);
}

/* The legacy interrupt controller, which knows no priorities of ours, is kept out meanwhile. */
bool svm_timer_take(void)
{
	if (!rate || !(lapic_read(IRR_HIGHEST) & VECTOR_BIT))
		return false;
	u32 lint0 = lapic_read(LVT_LINT0), tpr = lapic_read(TPR);
	lapic_write(LVT_LINT0, lint0 | MASKED);
	lapic_write(TPR, BELOW_CLASS);
	(void)lapic_read(TPR);
	__asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
	if (lapic_read(ISR_HIGHEST) & CLASS_BITS)
		lapic_write(EOI, 0);
	lapic_write(TPR, tpr);
	lapic_write(LVT_LINT0, lint0);
	return true;
}
