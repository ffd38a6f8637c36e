/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apic/lapic.h"

#include "arch/cpu.h"
#include "arch/memory.h"
#include "arch/switch.h"
#include "mmu/kspace.h"
#include "platform/console.h"

#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLE LAPIC_MODE_ON

#define APIC_BASE_RESET 0xfee00000ull
#define LEAF1_EDX_APIC (1u << 9)
#define LEAF7_EDX_ARCH_CAPABILITIES (1u << 29)
#define CAPABILITY_XAPIC_DISABLE (1u << 21)
#define MSR_XAPIC_DISABLE_STATUS 0xbd
#define XAPIC_DISABLED (1u << 0)

#define MSR_X2APIC_ID 0x802
#define MSR_X2APIC_ICR 0x830
#define MSR_X2APIC_LVT_COUNTER 0x834
#define ID 0x20
#define LVT_COUNTER 0x340
#define LVT_NMI 0x400u
#define ICR_LOW 0x300
#define ICR_HIGH 0x310
#define ICR_NMI 0x4400u /* delivery mode 100, level assert */
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u
#define ICR_PENDING (1u << 12)

#define APIC_BASE_MODE ((u64)(APIC_BASE_ENABLE | APIC_BASE_X2APIC))

static volatile u8 *registers; /* NULL in x2APIC mode */
static u64 common_mode;

/*
 * Firmware that wants one CPU or an old interrupt controller switches the APIC off, and then nothing answers where
 * its registers should be. Some processors let it be switched on again, others not before a reset (SDM vol.
 * 3, 11.4.3).
 */
static bool switch_on(void)
{
	u64 base = msr_read(MSR_APIC_BASE), place = base & PTE_ADDR ? base & PTE_ADDR : APIC_BASE_RESET;

	if (base & APIC_BASE_ENABLE)
		return true;
	if (!msr_write_safe(MSR_APIC_BASE, (base & ~PTE_ADDR) | place | APIC_BASE_ENABLE) ||
	    !(msr_read(MSR_APIC_BASE) & APIC_BASE_ENABLE) || !(cpuid(1, 0).edx & LEAF1_EDX_APIC))
		return false;
	log_info("APIC: the local APIC was switched off by firmware, and is on now");
	return true;
}

enum status lapic_init(void)
{
	if (!switch_on())
		return BAD_FTR;
	u64 base = msr_read(MSR_APIC_BASE);
	common_mode = base & APIC_BASE_MODE;
	if (base & APIC_BASE_X2APIC)
		return SUCCESS;
	registers = kspace_map_device(paddr(base & PTE_ADDR));
	return registers ? SUCCESS : OOM;
}

/* From x2APIC the way to xAPIC is over "off", which firmware may have locked (SDM vol. 4, IA32_XAPIC_DISABLE_STATUS).
 */
bool lapic_can_join(void)
{
	u64 capabilities = 0, status = 0;

	if (!(msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC) || common_mode & APIC_BASE_X2APIC)
		return true;
	if (cpuid(0, 0).eax < 7 || !(cpuid(7, 0).edx & LEAF7_EDX_ARCH_CAPABILITIES))
		return true;
	capabilities = msr_read(MSR_ARCH_CAPABILITIES);
	if (capabilities & CAPABILITY_XAPIC_DISABLE)
		status = msr_read(MSR_XAPIC_DISABLE_STATUS);
	return !(status & XAPIC_DISABLED);
}

u64 lapic_mode(void)
{
	return msr_read(MSR_APIC_BASE);
}

/* From "off" only to xAPIC, from xAPIC to x2APIC, from x2APIC only to "off" (SDM vol. 3, 11.12.5). */
void lapic_restore_mode(u64 mode)
{
	u64 now = lapic_mode(), off = ~APIC_BASE_MODE;
	if (now == mode)
		return;
	if ((now & ~mode) & APIC_BASE_X2APIC)
		msr_write(MSR_APIC_BASE, now &= off);
	if ((mode & APIC_BASE_X2APIC) && !(now & APIC_BASE_ENABLE))
		msr_write(MSR_APIC_BASE, (mode & off) | APIC_BASE_ENABLE);
	msr_write(MSR_APIC_BASE, mode);
}

void lapic_join(void)
{
	lapic_restore_mode((lapic_mode() & ~APIC_BASE_MODE) | common_mode);
}

bool lapic_can_reach(u32 apic_id)
{
	return !registers || apic_id < 0xff;
}

static u32 reg_read(const volatile u8 *apic, unsigned offset)
{
	return *(const volatile u32 *)(apic + offset);
}
static void reg_write(volatile u8 *apic, unsigned offset, u32 v)
{
	*(volatile u32 *)(apic + offset) = v;
}

u32 lapic_id(void)
{
	u64 base = msr_read(MSR_APIC_BASE);
	if (base & APIC_BASE_X2APIC)
		return (u32)msr_read(MSR_X2APIC_ID);
	const volatile u8 *apic = base & APIC_BASE_ENABLE ? arch_phys_map(paddr(base & PTE_ADDR), PAGE_SIZE) : NULL;
	return apic ? reg_read(apic, ID) >> 24 : cpuid(1, 0).ebx >> 24;
}

/* One access: compilers load what is volatile first. */
static always_inline bool send_pending(volatile u8 *apic)
{
	bool pending;
	__asm__ volatile("testl %3, %c2(%1)"
			 : "=@ccne"(pending)
			 : "r"(apic), "i"(ICR_LOW), "i"(ICR_PENDING)
			 : "memory");
	return pending;
}

/*
 * The destination register is shared with a guest that drives the APIC and may have been interrupted between its two
 * writes: it gets its value back.
 */
static void send(u32 apic_id, u32 command)
{
	volatile u8 *apic = registers;

	if (!apic) {
		__asm__ volatile("mfence\n\tlfence"
				 :
				 :
				 : "memory"); /* a WRMSR of x2APIC does not wait for stores (SDM 11.12.3) */
		msr_write(MSR_X2APIC_ICR, (u64)apic_id << 32 | command);
		return;
	}
	u32 high = reg_read(apic, ICR_HIGH);
	while (send_pending(apic))
		arch_relax();
	reg_write(apic, ICR_HIGH, apic_id << 24);
	reg_write(apic, ICR_LOW, command);
	while (send_pending(apic))
		arch_relax();
	reg_write(apic, ICR_HIGH, high);
}

void lapic_counter_nmi(void)
{
	if (registers)
		reg_write(registers, LVT_COUNTER, LVT_NMI);
	else if (common_mode & APIC_BASE_X2APIC)
		msr_write(MSR_X2APIC_LVT_COUNTER, LVT_NMI);
}

#define MSR_X2APIC 0x800 /* the number of the register at offset 0; the others are 16 bytes apart there */

u32 lapic_read(unsigned offset)
{
	return registers ? reg_read(registers, offset) : (u32)msr_read(MSR_X2APIC + offset / 16);
}

void lapic_write(unsigned offset, u32 value)
{
	if (registers)
		reg_write(registers, offset, value);
	else
		msr_write(MSR_X2APIC + offset / 16, value);
}

#define VERSION 0x30 /* 23:16: the number of the highest LVT entry */
#define TPR 0x80
#define EOI 0xb0
#define SPURIOUS 0xf0
#define ISR 0x100 /* eight registers of 32 bits, 16 bytes apart */
#define LVT_TIMER 0x320
#define LVT_THERMAL 0x330
#define LVT_THERMAL_NUMBER 5
#define LVT_LINT0 0x350
#define LVT_ERROR 0x370

#define SOFTWARE_ENABLED (1u << 8)
#define TPR_BELOW_32 0x10u
#define LVT_MASKED (1u << 16)
#define VECTORS 256

void lapic_end_interrupt(void)
{
	lapic_write(EOI, 0);
}

bool lapic_in_service(u8 vector)
{
	return lapic_read(ISR + vector / 32 * 16u) >> vector % 32 & 1;
}

/* What somebody before has not ended would keep out all that is less important. */
static void end_all(void)
{
	for (unsigned v = VECTORS; v--;)
		if (lapic_in_service((u8)v))
			lapic_end_interrupt();
}

/* LINT1 and the entry for the performance counters are NMIs. The last one here is not everywhere. */
void lapic_open(u8 vector)
{
	static const u16 lvts[] = {LVT_ERROR, LVT_TIMER, LVT_LINT0, LVT_THERMAL};
	unsigned highest = lapic_read(VERSION) >> 16 & 0xff;

	lapic_write(SPURIOUS, SOFTWARE_ENABLED | vector);
	for (unsigned i = 0; i < array_size(lvts); i++)
		if (lvts[i] != LVT_THERMAL || highest >= LVT_THERMAL_NUMBER)
			lapic_write(lvts[i], lapic_read(lvts[i]) | LVT_MASKED);
	lapic_write(TPR, TPR_BELOW_32);
	end_all();
}

void lapic_send_nmi(u32 apic_id)
{
	send(apic_id, ICR_NMI);
}
void lapic_send_init(u32 apic_id)
{
	send(apic_id, ICR_INIT);
}
void lapic_send_startup(u32 apic_id, u8 page)
{
	send(apic_id, ICR_STARTUP | page);
}

static bool waits_sipi(const struct cpu *cpu)
{
	bool waits;
	__asm__ volatile("cmpb $0, %1" : "=@ccne"(waits) : "m"(cpu->waits_sipi) : "memory");
	return waits;
}

/*
 * `kicking` is set before the kick is counted and cleared once the NMI has been sent: whoever counts the kick can
 * tell whether its NMI is still to be sent (entry/nmi_origin.c). `waits_sipi` is read last: whoever sets it looks for
 * requests afterwards (vmx/vmx_run.c).
 */
void arch_kick(struct cpu *cpu)
{
	struct cpu *self = cpu_current();

	__atomic_store_n(&self->kicking, cpu, __ATOMIC_RELAXED);
	__atomic_fetch_add(&cpu->kicks, 1, __ATOMIC_SEQ_CST);
	lapic_send_nmi(cpu->apic_id);
	__atomic_store_n(&self->kicking, NULL, __ATOMIC_RELEASE);
	if (unlikely(waits_sipi(cpu)))
		lapic_send_startup(cpu->apic_id, LAPIC_KICK_PAGE);
}

/* The work item was written before, `sleeping` is read after: entry.S has the other half. */
void arch_signal(struct cpu *cpu)
{
	bool sees;
	__asm__ volatile("cmpl %2, %1" : "=@cce"(sees) : "m"(cpu->sleeping), "i"(SLEEPING_MWAIT) : "memory");
	if (!sees)
		arch_kick(cpu);
}
