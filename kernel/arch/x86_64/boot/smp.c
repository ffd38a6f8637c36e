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
#include "vmx/vmx.h"

unsigned cpu_count;
u64 cpus_online[HEDRON_CPU_MAX / 64];

__attribute__((noreturn)) void ap_main(void);

u64 ap_stack;
static struct topology ap_topology;

unsigned smp_self(struct acpi_info *acpi)
{
	struct topology t = topology_self(acpi);
	for (u32 i = 0; i < acpi->cpu_count; i++)
		if (acpi->cpu[i].apic_id == t.id.apic_id)
			return i;
	if (acpi->cpu_count)
		log_warn("smp: the boot CPU (APIC ID %u) is not in the MADT, which is ignored", t.id.apic_id);
	acpi->cpu[0] = t.id;
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
	cpu->idle_ec = ec_create_idle(&pd_kernel, n);
	if (!cpu->idle_ec)
		panic("out of memory while making the idle EC of CPU %u", n);
	cpu->ec = cpu->idle_ec;
	cpu->space = &pd_kernel;
	cpu->sc_since = arch_tsc();
	vmx_prepare_cpu(n);
}

void smp_set_online(unsigned n, bool online)
{
	if (online)
		__atomic_fetch_or(&cpus_online[n / 64], bit(n % 64), __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&cpus_online[n / 64], ~bit(n % 64), __ATOMIC_RELEASE);
}

/*
 * The state of the CPU that is being started: its number and one of these. Atomic: the boot CPU changes AP_STARTING
 * to AP_LEFT_OFF when it gives up, the other one to AP_UP or AP_REFUSED, and the first change counts.
 */
enum { AP_STARTING, AP_UP, AP_REFUSED, AP_LEFT_OFF };
static u32 ap_progress;
u32 ap_no_long_mode; /* written by start.S if the CPU that is being started cannot get as far as to C */

#define AP_NUMBER_SHIFT 2
#define AP_LACKING_SHIFT 16 /* above it, with AP_REFUSED: the number for features_name() */
_Static_assert(HEDRON_CPU_MAX << AP_NUMBER_SHIFT <= 1 << AP_LACKING_SHIFT, "numbers fit");

static u32 ap_word(unsigned n, u32 state)
{
	return n << AP_NUMBER_SHIFT | state;
}

static bool ap_decide(unsigned n, u32 state)
{
	u32 starting = ap_word(n, AP_STARTING);
	return __atomic_compare_exchange_n(&ap_progress, &starting, ap_word(n, state), false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* The name of what CPU n lacks and the boot CPU has. NULL: it has not refused, or not yet. */
static const char *ap_lacking(unsigned n)
{
	u32 word = __atomic_load_n(&ap_progress, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&ap_no_long_mode, __ATOMIC_ACQUIRE))
		return "64-bit long mode with no-execute pages";
	return (word & bits_low(AP_LACKING_SHIFT)) == ap_word(n, AP_REFUSED) ? features_name(word >> AP_LACKING_SHIFT)
									     : NULL;
}

/*
 * Compares this CPU with the boot CPU, and stops if it lacks something, at which it would fault later, or if the boot
 * CPU has given it up. The boot CPU itself comes here after sleep: it has stayed online, and nobody waits for it.
 */
static void check_in(unsigned n)
{
	if (cpu_online(n))
		return;
	u32 lacking = cpu_lacking();
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
	vmx_start_cpu(cpu);
	ap_topology = topology_self(NULL);
	smp_set_online(cpu->id, true);
	tsc_skew_answer(cpu->id);
	suspend_wake(cpu->id);
	hazard_set(cpu, HAZARD_REMOTE);
	arch_dispatch();
}

static void wait_us(u64 us)
{
	u64 end = arch_tsc() + us * tsc_khz / 1000;
	while (arch_tsc() < end)
		arch_relax();
}

static bool is_settled(unsigned n)
{
	return __atomic_load_n(&cpus_online[n / 64], __ATOMIC_ACQUIRE) >> n % 64 & 1 || ap_lacking(n);
}

/* Waits until CPU n is online or has refused; false if that takes longer than `us`. */
static bool wait_settled(unsigned n, u64 us)
{
	for (u64 end = arch_tsc() + us * tsc_khz / 1000; arch_tsc() < end; arch_relax())
		if (is_settled(n))
			return true;
	return false;
}

#define INIT_US 10000
#define STARTUP_US 200000 /* of the first try; CPUs that start end the wait much earlier */
#define START_TRIES 5

/* Reports a CPU that does not start. An INIT keeps it from coming up later, on a stack that is another CPU's then. */
static void leave_off(unsigned n, u32 apic_id)
{
	const char *lacking = ap_lacking(n);

	if (lacking)
		log_warn("smp: CPU %u (APIC ID %u) lacks %s, which the boot CPU has, left off", n, apic_id, lacking);
	else
		log_warn("smp: CPU %u (APIC ID %u) does not start, left off", n, apic_id);
	lapic_send_init(apic_id);
}

static void send_startup(unsigned n, u32 apic_id, u64 stack)
{
	lapic_send_init(apic_id);
	wait_us(INIT_US);
	tsc_skew_invite(n);
	__atomic_store_n(&ap_stack, stack, __ATOMIC_RELAXED);
	__atomic_store_n(&ap_no_long_mode, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&ap_progress, ap_word(n, AP_STARTING), __ATOMIC_RELEASE);
	lapic_send_startup(apic_id, (u8)(trampoline_page >> PAGE_BITS));
}

/* Each try waits twice as long as the one before, and begins with an INIT: firmware may have started the CPU itself,
 * and not have waited for it. */
bool smp_start_cpu(unsigned n, u64 stack)
{
	u32 apic_id = arch_cpu(n)->apic_id;
	int tries = 0;

	smp_set_online(n, false);
	do {
		send_startup(n, apic_id, stack);
		if (!wait_settled(n, (u64)STARTUP_US << tries) && !ap_decide(n, AP_LEFT_OFF))
			while (!is_settled(n)) /* it has decided first, and is about to come online or has refused */
				arch_relax();
	} while (!is_settled(n) && ++tries < START_TRIES);
	if (cpu_online(n)) {
		tsc_skew_compare(n);
		return true;
	}
	leave_off(n, apic_id);
	return false;
}

static void report(unsigned started)
{
	u64 ticks = tsc_skew_bound();

	if (started > 1 && ticks != ~0ull)
		log_info("%u of %u CPUs run, their TSCs are within %lu ticks", started, cpu_count, ticks);
	else
		log_info("%u of %u CPUs run", started, cpu_count);
}

void smp_start(const struct acpi_info *acpi, struct hip *hip)
{
	unsigned self = cpu_current()->id, started = 1;
	struct topology t = topology_self(acpi);
	void *low = (void *)trampoline_page; /* as the boot tables have it */

	hip_set_cpu(hip, self, acpi->cpu[self], t.package, t.core, t.thread);
	if (cpu_count == 1)
		return;
	if (!low || lapic_init() != SUCCESS) {
		log_warn("smp: no memory to start other CPUs with");
		return;
	}
	trampoline_put(low);
	for (unsigned n = 0; n < cpu_count; n++) {
		if (n == self)
			continue;
		if (!lapic_can_reach(acpi->cpu[n].apic_id))
			log_warn("smp: CPU %u: APIC ID %u needs x2APIC mode, left off", n, acpi->cpu[n].apic_id);
		else if (smp_start_cpu(n, (u64)arch_cpu(n) + CPU_STACK_TOP))
			hip_set_cpu(hip, n, acpi->cpu[n], ap_topology.package, ap_topology.core, ap_topology.thread),
				started++;
	}
	trampoline_remove(low);
	report(started);
}
