/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/smp.h"

#include "apic/lapic.h"
#include "arch_switch.h"
#include "cpu/topology.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mmu/kspace.h"
#include "platform/console.h"
#include "platform/hip.h"

unsigned cpu_count;
u64 cpus_online[HEDRON_CPU_MAX / 64];

extern u8 ap_trampoline[], ap_trampoline_end[], ap_entry[], boot_gdt[], boot_base[];
__attribute__((noreturn)) void ap_main(void);

/* Read by the next CPU to start, as the address of its stack. */
u64 ap_stack;
static struct topology ap_topology;

/* The words behind the trampoline's code, in the order of start.S. */
struct trampoline_data {
	u32 target, selector;
	u16 gdt_limit;
	u32 gdt_base;
	u16 padding;
	u32 load;
} packed;

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

/*
 * Who starts, and how far: the CPU number and one of these. The boot CPU gives up, or the other one comes up, but not both: whoever changes
 * the word first has decided.
 */
enum { AP_STARTING, AP_UP, AP_LEFT_OFF };
static u32 ap_progress;

static u32 ap_word(unsigned n, u32 state) { return n << 2 | state; }

static bool ap_decide(unsigned n, u32 state)
{
	u32 starting = ap_word(n, AP_STARTING);
	return __atomic_compare_exchange_n(&ap_progress, &starting, ap_word(n, state), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The first thing in C on another CPU: on its own stack, on the boot tables. */
void ap_main(void)
{
	struct cpu *cpu = cpu_current();

	if (!ap_decide(cpu->id, AP_UP))
		for (;;)
			arch_halt();
	cr3_write(pd_kernel.cr3[cpu->id]);
	cpu_setup(cpu->id);
	ap_topology = topology_self(NULL);
	__atomic_fetch_or(&cpus_online[cpu->id / 64], bit(cpu->id % 64), __ATOMIC_RELEASE);
	hazard_set(cpu, HAZARD_REMOTE);
	arch_dispatch();
}

#define LOW_MEMORY_END 0x9f000
#define START_TRIES    2

/* A page of RAM below the firmware's data area; the page at 0 is left alone. */
static u64 find_low_page(const struct boot_info *boot)
{
	for (u64 pa = LOW_MEMORY_END - PAGE_SIZE; pa >= PAGE_SIZE; pa -= PAGE_SIZE)
		for (u32 i = 0; i < boot->map_count; i++) {
			const struct boot_map *m = &boot->map[i];
			if (m->type == HIP_MEM_RAM && m->addr <= pa && pa + PAGE_SIZE - m->addr <= m->size)
				return pa;
		}
	return 0;
}

static void install_trampoline(void *page)
{
	u64 size = (u64)(ap_trampoline_end - ap_trampoline), load = kspace_image.v;
	/* The section is linked at its load address; the image may be elsewhere. */
	u64 moved = load - (u64)boot_base;

	memcpy(page, ap_trampoline + moved, size);
	*(struct trampoline_data *)((u8 *)page + size - sizeof(struct trampoline_data)) = (struct trampoline_data){
		.target = (u32)((u64)ap_entry + moved),
		.selector = 0x18,
		.gdt_limit = 31,
		.gdt_base = (u32)((u64)boot_gdt + moved),
		.load = (u32)load,
	};
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

#define INIT_US	   10000
#define STARTUP_US 1000000 /* patience costs nothing where all is well */

static bool start(unsigned n, u64 page)
{
	u32 apic_id = arch_cpu(n)->apic_id;

	__atomic_store_n(&ap_progress, ap_word(n, AP_STARTING), __ATOMIC_RELEASE);
	__atomic_store_n(&ap_stack, (u64)arch_cpu(n) + CPU_STACK_TOP, __ATOMIC_RELEASE);
	lapic_send_init(apic_id);
	wait_us(INIT_US);
	for (int i = 0; i < START_TRIES; i++) {
		lapic_send_startup(apic_id, (u8)(page >> PAGE_BITS));
		if (wait_online(n, STARTUP_US))
			return true;
	}
	if (!ap_decide(n, AP_LEFT_OFF)) {
		while (!wait_online(n, STARTUP_US))
			arch_relax(); /* at the last moment */
		return true;
	}
	/* So that it does not come up on another one's stack. */
	lapic_send_init(apic_id);
	return false;
}

void smp_start(const struct boot_info *boot, const struct acpi_info *acpi, struct hip *hip)
{
	unsigned self = cpu_current()->id, started = 1;
	struct topology t = topology_self(acpi);
	u64 low = find_low_page(boot);
	void *saved = buddy_alloc(0);

	hip_set_cpu(hip, self, acpi->cpu[self], t.package, t.core, t.thread);
	if (cpu_count == 1)
		goto out;
	if (!low || !saved || lapic_init() != SUCCESS) {
		log_warn("smp: no memory to start other CPUs with");
		goto out;
	}
	memcpy(saved, (void *)low, PAGE_SIZE);
	install_trampoline((void *)low);
	for (unsigned n = 0; n < cpu_count; n++) {
		if (n == self)
			continue;
		if (!lapic_can_reach(acpi->cpu[n].apic_id))
			log_warn("smp: CPU %u: APIC ID %u needs x2APIC mode, left off", n, acpi->cpu[n].apic_id);
		else if (!start(n, low))
			log_warn("smp: CPU %u (APIC ID %u) does not start, left off", n, acpi->cpu[n].apic_id);
		else
			hip_set_cpu(hip, n, acpi->cpu[n], ap_topology.package, ap_topology.core, ap_topology.thread), started++;
	}
	memcpy((void *)low, saved, PAGE_SIZE);
	log_info("%u of %u CPUs run", started, cpu_count);
out:
	if (saved)
		buddy_free(saved, 0);
}
