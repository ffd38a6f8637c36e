/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/smp.h"

#include "apic/lapic.h"
#include "arch/cpu.h"
#include "arch/switch.h"
#include "boot/suspend.h"
#include "boot/trampoline.h"
#include "cpu/desc.h"
#include "cpu/mca.h"
#include "cpu/topology.h"
#include "cpu/tsc_skew.h"
#include "mmu/kspace.h"
#include "platform/console.h"
#include "platform/hip.h"
#include "platform/panic.h"
#include "virt/virt.h"

unsigned cpu_count;
u64 cpus_online[HEDRON_CPU_MAX / 64];

u64 smp_own_stack(void);
__attribute__((noreturn)) void ap_main(void);

/* How far a CPU has come that is being started: with AP_REFUSED, the number for features_name() is above it. */
enum { AP_STARTING, AP_UP, AP_REFUSED, AP_LEFT_OFF };
#define AP_LACKING_SHIFT 8

static struct ap {
	u64 stack;                /* on which it begins */
	struct topology topology; /* valid once it is online */
	/* Atomic: the boot CPU changes AP_STARTING to AP_LEFT_OFF when it gives up, the other one to AP_UP or
	 * AP_REFUSED, and the first change counts. */
	u32 progress;
	bool invited; /* to be started, and it is not known yet what becomes of it; the boot CPU's */
} aps[HEDRON_CPU_MAX];

/* For start.S: who has it may use boot_stack; the APIC IDs of CPUs that cannot get as far as to C. */
u32 ap_lock;
u32 ap_no_long_mode[256 / 32];

unsigned smp_self(struct acpi_info *acpi)
{
	u32 id = lapic_id();

	for (u32 i = 0; i < acpi->cpu_count; i++)
		if (acpi->cpu[i].apic_id == id)
			return i;
	if (acpi->cpu_count)
		log_warn("smp: the boot CPU (APIC ID %u) is not in the MADT, which is ignored", id);
	acpi->cpu[0] = (struct acpi_cpu){.apic_id = id};
	acpi->cpu_count = 1;
	return 0;
}

void smp_prepare_cpu(unsigned n, const struct acpi_info *acpi)
{
	struct cpu *cpu = arch_cpu(n);

	cpu->id = n;
	cpu->apic_id = acpi->cpu[n].apic_id;
	sched_init(&cpu->sched);
	list_init(&cpu->dying);
	list_init(&cpu->orphans);
	list_init(&cpu->keepers);
	cpu->idle_ec = ec_create_idle(&pd_kernel, n);
	if (!cpu->idle_ec)
		panic("out of memory while making the idle EC of CPU %u", n);
	cpu->ec = cpu->idle_ec;
	cpu->space = &pd_kernel;
	cpu->sc_since = arch_tsc_twice();
	virt->prepare_cpu(n);
}

void smp_set_online(unsigned n, bool online)
{
	if (online)
		__atomic_fetch_or(&cpus_online[n / 64], bit(n % 64), __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&cpus_online[n / 64], ~bit(n % 64), __ATOMIC_RELEASE);
}

static bool ap_decide(unsigned n, u32 progress)
{
	u32 starting = AP_STARTING;
	return __atomic_compare_exchange_n(&aps[n].progress, &starting, progress, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static u32 *no_long_mode_word(u32 apic_id)
{
	return &ap_no_long_mode[apic_id / 32 % array_size(ap_no_long_mode)];
}

/* The name of what CPU n lacks and the boot CPU has. NULL: it has not refused, or not yet. */
static const char *ap_lacking(unsigned n)
{
	u32 progress = __atomic_load_n(&aps[n].progress, __ATOMIC_ACQUIRE), id = arch_cpu(n)->apic_id;

	if (__atomic_load_n(no_long_mode_word(id), __ATOMIC_ACQUIRE) >> id % 32 & 1)
		return "64-bit long mode with no-execute pages";
	return (progress & bits_low(AP_LACKING_SHIFT)) == AP_REFUSED ? features_name(progress >> AP_LACKING_SHIFT)
								     : NULL;
}

/* Called by start.S on boot_stack, with ap_lock. A CPU that nobody has started gives the lock back and stops. */
u64 smp_own_stack(void)
{
	u32 id = lapic_id();

	for (unsigned n = 0; n < cpu_count; n++)
		if (arch_cpu(n)->apic_id == id && aps[n].stack)
			return aps[n].stack;
	__atomic_store_n(&ap_lock, 0, __ATOMIC_RELEASE);
	for (;;)
		arch_halt();
}

/*
 * Compares this CPU with the boot CPU, and stops if it lacks something, at which it would fault later, or if the boot
 * CPU has given it up. The boot CPU itself comes here after sleep: it has stayed online, and nobody waits for it.
 */
static void check_in(unsigned n)
{
	if (cpu_online(n))
		return;
	u32 lacking = lapic_can_join() ? cpu_lacking() : FEATURES_APIC_MODE;
	u32 state = lacking ? AP_REFUSED | lacking << AP_LACKING_SHIFT : AP_UP;
	if (!ap_decide(n, state) || lacking)
		for (;;)
			arch_halt();
}

/* The first thing in C on another CPU, and after sleep on each: on its own stack, on the boot tables. */
void ap_main(void)
{
	struct cpu *cpu = cpu_current();

	desc_load_idt();
	check_in(cpu->id);
	cr3_write(pd_kernel.cr3[cpu->id]);
	cpu_setup(cpu->id);
	mca_start_cpu(cpu);
	lapic_join();
	virt->start_cpu(cpu);
	aps[cpu->id].topology = topology_self();
	smp_set_online(cpu->id, true);
	tsc_skew_answer(cpu->id);
	suspend_wake(cpu->id);
	hazard_set(cpu, HAZARD_REMOTE);
	arch_dispatch();
}

static u64 tsc_after(u64 us)
{
	return arch_tsc() + us * tsc_khz / 1000;
}

/* Pairs with smp_set_online(): what the CPU has written before is seen. */
static bool has_come(unsigned n)
{
	return __atomic_load_n(&cpus_online[n / 64], __ATOMIC_ACQUIRE) >> n % 64 & 1;
}

/* True if it is known what becomes of CPU n. If it has come online, its TSC is compared first, which lets it go on.
 */
static bool settle(unsigned n)
{
	if (aps[n].invited && has_come(n)) {
		tsc_skew_compare(n);
		aps[n].invited = false;
	}
	return !aps[n].invited || ap_lacking(n);
}

static bool settle_all(void)
{
	bool all = true;

	for (unsigned n = 0; n < cpu_count; n++)
		all &= settle(n);
	return all;
}

#define INIT_US 10000
#define ALONE_US 5000     /* for a CPU before the next one is started: most come one after another */
#define STARTUP_US 200000 /* of the first try; CPUs that start end the wait much earlier */
#define START_TRIES 5

static void send_startup(unsigned n)
{
	u32 id = arch_cpu(n)->apic_id;

	tsc_skew_invite(n);
	__atomic_fetch_and(no_long_mode_word(id), ~(1u << id % 32), __ATOMIC_RELAXED);
	__atomic_store_n(&aps[n].progress, AP_STARTING, __ATOMIC_RELEASE);
	lapic_send_startup(id, (u8)(trampoline_page >> PAGE_BITS));
}

/* An INIT first: firmware may have started a CPU itself, and not have waited for it. None of these CPUs can hold
 * ap_lock after it. */
static void send_init_to_all(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (!settle(n))
			lapic_send_init(arch_cpu(n)->apic_id);
	for (u64 end = tsc_after(INIT_US); arch_tsc() < end;)
		arch_relax();
	__atomic_store_n(&ap_lock, 0, __ATOMIC_RELEASE);
}

/* Starts all that have not answered, waits for all of them at once, and gives up those that still have not. The first
 * try waits a little for each one, too: CPUs that are all there would get into each other's way. */
static void try_all(unsigned tries)
{
	u64 us = (u64)STARTUP_US << tries;

	send_init_to_all();
	for (unsigned n = 0; n < cpu_count; n++) {
		if (settle(n))
			continue;
		send_startup(n);
		for (u64 end = tsc_after(tries ? 0 : ALONE_US); !settle(n) && arch_tsc() < end;)
			arch_relax();
	}
	for (u64 end = tsc_after(us); !settle_all() && arch_tsc() < end;)
		arch_relax();
	for (unsigned n = 0; n < cpu_count; n++)
		if (!settle(n) && !ap_decide(n, AP_LEFT_OFF))
			while (!settle(n)) /* it has decided first, and is about to come online or has refused */
				arch_relax();
}

#define LINES_MAX 8 /* for CPUs that do not start; those that refuse have a line each */

/* Reports CPUs that do not start. An INIT keeps them from coming up later. */
static void leave_off(void)
{
	unsigned missing = 0;

	for (unsigned n = 0; n < cpu_count; n++) {
		u32 id = arch_cpu(n)->apic_id;
		if (!aps[n].invited)
			continue;
		if (ap_lacking(n))
			log_warn("smp: CPU %u (APIC ID %u) lacks %s, which the boot CPU has, left off", n, id,
				 ap_lacking(n));
		else if (missing++ < LINES_MAX)
			log_warn("smp: CPU %u (APIC ID %u) does not start, left off", n, id);
		lapic_send_init(id);
		aps[n].invited = false;
	}
	if (missing > LINES_MAX)
		log_warn("smp: %u more CPUs do not start, left off", missing - LINES_MAX);
}

void smp_begin_at(unsigned n, u64 stack)
{
	aps[n].stack = stack;
	__atomic_store_n(&ap_lock, 0, __ATOMIC_RELEASE); /* whoever had it has been reset */
}

void smp_invite(unsigned n, u64 stack)
{
	smp_set_online(n, false);
	aps[n].stack = stack;
	aps[n].progress = AP_LEFT_OFF;
	aps[n].invited = true;
}

/* Each try waits twice as long as the one before. */
void smp_start_invited(void)
{
	for (unsigned tries = 0; tries < START_TRIES && !settle_all(); tries++)
		try_all(tries);
	leave_off();
}

static void report(unsigned started)
{
	u64 ticks = tsc_skew_bound();

	if (started > 1 && ticks != ~0ull)
		log_info("%u of %u CPUs run, their TSCs are within %lu ticks", started, cpu_count, ticks);
	else
		log_info("%u of %u CPUs run", started, cpu_count);
}

static void invite_all(void)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		u32 id = arch_cpu(n)->apic_id;
		if (cpu_online(n))
			continue;
		if (lapic_can_reach(id))
			smp_invite(n, (u64)arch_cpu(n) + CPU_STACK_TOP);
		else
			log_warn("smp: CPU %u: APIC ID %u needs x2APIC mode, left off", n, id);
	}
}

/* `apic`: what became of the local APIC, which one CPU alone needs for its performance counters only. */
static bool may_start(enum status apic)
{
	if (cpu_count == 1)
		return false;
	if (apic == BAD_FTR)
		log_warn("smp: the local APIC is switched off and cannot be switched on: one CPU");
	else if (apic != SUCCESS || !trampoline_page)
		log_warn("smp: no memory to start other CPUs with");
	return apic == SUCCESS && trampoline_page;
}

void smp_start(const struct acpi_info *acpi, struct hip *hip)
{
	unsigned started = 0;
	void *low = (void *)trampoline_page; /* as the boot tables have it */

	aps[cpu_current()->id].topology = topology_self();
	if (may_start(lapic_init())) {
		trampoline_put(low);
		invite_all();
		smp_start_invited();
		trampoline_remove(low);
	}
	for (unsigned n = 0; n < cpu_count; n++) {
		const struct topology *t = &aps[n].topology;
		if (!cpu_online(n))
			continue;
		hip_set_cpu(hip, n, acpi->cpu[n], t->package, t->core, t->thread);
		started++;
	}
	if (cpu_count > 1)
		report(started);
}
