/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/smp.h"

#include "apic/lapic.h"
#include "arch_switch.h"
#include "boot/suspend.h"
#include "boot/trampoline.h"
#include "cpu/topology.h"
#include "lib/panic.h"
#include "mmu/kspace.h"
#include "platform/console.h"
#include "platform/hip.h"

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
	cpu->sc_since = arch_tsc();
}

void smp_set_online(unsigned n, bool online)
{
	if (online)
		__atomic_fetch_or(&cpus_online[n / 64], bit(n % 64), __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&cpus_online[n / 64], ~bit(n % 64), __ATOMIC_RELEASE);
}

/* Nothing is done that cannot be done again until whoever has started the CPU has noticed: until then it may be reset. */
static void report(unsigned n)
{
	u64 stack = __atomic_load_n(&ap_stack, __ATOMIC_RELAXED);

	ap_topology = topology_self(NULL);
	smp_set_online(n, true);
	while (__atomic_load_n(&ap_stack, __ATOMIC_ACQUIRE) == stack)
		arch_relax();
}

/* The first thing in C on another CPU, and after sleep on each: on its own stack, on the boot tables. */
void ap_main(void)
{
	struct cpu *cpu = cpu_current();

	cr3_write(pd_kernel.cr3[cpu->id]);
	cpu_setup(cpu->id);
	/* The boot CPU has stayed online while the machine slept, and nobody waits for it. */
	if (!cpu_online(cpu->id))
		report(cpu->id);
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

static bool wait_online(unsigned n, u64 us)
{
	for (u64 end = arch_tsc() + us * tsc_khz / 1000; arch_tsc() < end; arch_relax())
		if (__atomic_load_n(&cpus_online[n / 64], __ATOMIC_ACQUIRE) >> n % 64 & 1)
			return true;
	return false;
}

#define INIT_US	    10000
#define STARTUP_US  50000
#define START_TRIES 6

/* Each try is twice as patient: an emulator's CPU may be late, a CPU may have missed its start while firmware still used it. */
bool smp_start_cpu(unsigned n, u64 stack)
{
	u32 apic_id = arch_cpu(n)->apic_id;
	bool up = false;

	for (int i = 0; i < START_TRIES && !up; i++) {
		smp_set_online(n, false);
		__atomic_store_n(&ap_stack, stack, __ATOMIC_RELEASE);
		lapic_send_init(apic_id);
		wait_us(INIT_US);
		lapic_send_startup(apic_id, (u8)(trampoline_page >> PAGE_BITS));
		up = wait_online(n, STARTUP_US << i);
	}
	/* So that it does not come up on another one's stack. */
	if (!up)
		lapic_send_init(apic_id);
	__atomic_store_n(&ap_stack, 0, __ATOMIC_RELEASE);
	return up;
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
		else if (!smp_start_cpu(n, (u64)arch_cpu(n) + CPU_STACK_TOP))
			log_warn("smp: CPU %u (APIC ID %u) does not start, left off", n, acpi->cpu[n].apic_id);
		else
			hip_set_cpu(hip, n, acpi->cpu[n], ap_topology.package, ap_topology.core, ap_topology.thread), started++;
	}
	trampoline_remove(low);
	log_info("%u of %u CPUs run", started, cpu_count);
}
