/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/suspend.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/switch.h"
#include "boot/pm1.h"
#include "boot/smp.h"
#include "boot/suspend_state.h"
#include "boot/suspend_switch.h"
#include "boot/trampoline.h"
#include "core/dispatch.h"
#include "irq/irq_open.h"
#include "core/rcu.h"
#include "core/remote.h"
#include "mmu/kspace.h"
#include "platform/console.h"
#include "platform/serial.h"

/* What the firmware says; constant after boot. */
static struct {
	bool possible;
	unsigned boot_cpu;
	struct sleep_types types;
	struct hip_gas pm1a, pm1b; /* the second may be missing */
	paddr_t facs;
} machine;

/* The state of a sleep, of which there is one at a time: from the CPU that asks for it until the last CPU leaves it.
 * Counters are atomic. */
static struct {
	u32 busy;                  /* a sleep is in progress; atomic */
	u32 expected;              /* CPUs that take part */
	u32 arrived;               /* have come in: nobody runs user code or holds a lock once this is `expected` */
	u32 lying;                 /* have stored registers and written back caches; not the boot CPU */
	u32 over;                  /* 1: memory and firmware tables are as they were, all may leave */
	u32 inside;                /* have not left yet */
	u64 stack[HEDRON_CPU_MAX]; /* to come back to; 0: that CPU does not sleep */
	struct work work[HEDRON_CPU_MAX];
	/* written by the boot CPU, read by the others once it is over */
	u32 vector; /* what was in the FACS, as is x_vector */
	u64 x_vector;
	enum status result;
} sleep;

/* ---- Firmware ---- */

/* The part of the FACS that matters. */
struct facs {
	char signature[4];
	u32 length, hardware_signature, vector, lock, flags;
	u64 x_vector; /* 0: the 16-bit vector counts */
} packed;

static void put_trampoline(void)
{
	trampoline_put(kspace_window_open(paddr(trampoline_page), KPTE_RW));
	kspace_window_close();
	struct facs *facs = kspace_window_open(machine.facs, KPTE_RW);
	sleep.vector = facs->vector;
	sleep.x_vector = facs->x_vector;
	facs->vector = (u32)trampoline_page;
	facs->x_vector = 0;
	kspace_window_close();
}

static void remove_trampoline(void)
{
	struct facs *facs = kspace_window_open(machine.facs, KPTE_RW);
	facs->vector = sleep.vector;
	facs->x_vector = sleep.x_vector;
	kspace_window_close();
	trampoline_remove(kspace_window_open(paddr(trampoline_page), KPTE_RW));
	kspace_window_close();
}

#define SLEEP_MS 10000 /* a machine that still runs then does not fall asleep any more */

static void pm1_sleep(void)
{
	u16 a = pm1_read(&machine.pm1a), b = machine.pm1b.addr ? pm1_read(&machine.pm1b) : 0;
	u16 to_a = pm1_with_type(a, machine.types.a), to_b = pm1_with_type(b, machine.types.b);

	pm1_write(&machine.pm1a, to_a);
	if (machine.pm1b.addr)
		pm1_write(&machine.pm1b, to_b);
	wbinvd();
	pm1_write(&machine.pm1a, to_a | PM1_SLEEP);
	if (machine.pm1b.addr)
		pm1_write(&machine.pm1b, to_b | PM1_SLEEP);
	for (u64 end = arch_tsc() + (u64)SLEEP_MS * tsc_khz; arch_tsc() < end;)
		arch_relax();
	pm1_write(&machine.pm1a, a);
	if (machine.pm1b.addr)
		pm1_write(&machine.pm1b, b);
}

/* ---- What each CPU does ---- */

static u32 count(const u32 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}
static void add(u32 *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}

/*
 * Until all are here some still run, and may wait for this CPU: flushes are answered by its NMI handler, grace
 * periods here. Work items that arrive now are taken afterwards.
 */
static void gather(struct cpu *cpu)
{
	add(&sleep.arrived);
	while (count(&sleep.arrived) < sleep.expected) {
		if (READ_ONCE(cpu->rcu_asked))
			rcu_quiesce(cpu);
		arch_relax();
	}
}

/* The boot CPU; returns if the machine stays awake. */
static void fall_asleep(void)
{
	while (count(&sleep.lying) < sleep.expected - 1)
		arch_relax();
	put_trampoline();
	smp_begin_at(machine.boot_cpu, sleep.stack[machine.boot_cpu]);
	pm1_sleep();
}

/* The others; returns if the machine stays awake. */
static void lie_down(void)
{
	wbinvd();
	add(&sleep.lying);
	while (!count(&sleep.over))
		arch_relax();
}

void suspend_wake(unsigned cpu)
{
	if (sleep.stack[cpu])
		suspend_switch_back(sleep.stack[cpu]);
}

/* The last one lets the next sleep begin. */
static void leave(void)
{
	if (!__atomic_sub_fetch(&sleep.inside, 1, __ATOMIC_ACQ_REL))
		__atomic_store_n(&sleep.busy, 0, __ATOMIC_RELEASE);
}

/*
 * A CPU that does not come back is lost with all its ECs. It held no lock when it lay down. From now on it looks to
 * other CPUs as one that sleeps in its idle EC, in the kernel's PD, and has answered all requests: so none asks it,
 * signals it or waits for it. Its work items are never taken. Its struct cpu can be written here, because all other
 * CPUs wait for the sleep to be over.
 */
static void lose(unsigned n)
{
	struct cpu *cpu = arch_cpu(n);

	log_error("suspend: CPU %u does not wake up, its threads are lost", n);
	cpu->sc = NULL;
	cpu->ec = cpu->idle_ec;
	cpu->space = &pd_kernel;
	cpu->sleeping = SLEEPING_MWAIT;
	rcu_lose_cpu(cpu);
	sleep.stack[n] = 0;
	leave();
}

static void wake_others(void)
{
	unsigned awake = 0;

	for (unsigned n = 0; n < cpu_count; n++)
		if (n != machine.boot_cpu && sleep.stack[n])
			smp_invite(n, sleep.stack[n]);
	smp_start_invited();
	for (unsigned n = 0; n < cpu_count; n++) {
		if (cpu_online(n))
			awake++;
		else if (sleep.stack[n])
			lose(n);
	}
	serial_restore();
	irq_open_restore_lines();
	log_info("suspend: back from S3 with %u of %u CPUs", awake, sleep.expected);
}

static void end_sleep(bool slept)
{
	if (slept)
		wake_others();
	else
		log_error("suspend: the machine does not fall asleep");
	remove_trampoline();
	sleep.result = slept ? SUCCESS : BAD_FTR;
	__atomic_store_n(&sleep.over, 1, __ATOMIC_RELEASE);
}

/* The whole sleep, as a CPU sees it. The caller holds no lock. The current EC goes on as if nothing had happened. */
static void take_part(struct cpu *cpu)
{
	bool boot = cpu->id == machine.boot_cpu;
	struct suspend_state state;

	gather(cpu);
	suspend_state_save(cpu, &state);
	bool slept = suspend_switch(&sleep.stack[cpu->id], boot ? fall_asleep : lie_down);
	suspend_state_restore(cpu, &state, slept);
	if (boot)
		end_sleep(slept);
	while (!count(&sleep.over))
		arch_relax();
	sleep.stack[cpu->id] = 0;
	cpu->sc_since = arch_tsc_twice(); /* nobody pays for sleep; and the TSC may have started over */
	if (cpu->sc)
		dispatch_set_current(cpu, cpu->sc);
	/* Signals that came in between are lost: whatever they were about is looked for. */
	hazard_set(cpu, HAZARD_REMOTE | HAZARD_RCU);
}

static void take_part_there(struct work *w)
{
	(void)w;
	take_part(cpu_current());
	leave();
}

/* ---- The hypercall ---- */

static void call_others(unsigned self)
{
	u32 online = 0;

	for (unsigned n = 0; n < cpu_count; n++)
		online += cpu_online(n);
	sleep.arrived = sleep.lying = sleep.over = 0;
	sleep.expected = sleep.inside = online;
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != self && cpu_online(n))
			remote_call(n, &sleep.work[n], take_part_there);
}

enum status arch_suspend(unsigned type_a, unsigned type_b, u64 *waking_vector)
{
	struct cpu *cpu = cpu_current();

	if (type_a > SLEEP_TYPE_MAX || type_b > SLEEP_TYPE_MAX)
		return BAD_PAR;
	if (!machine.possible)
		return BAD_FTR;
	if (type_a != machine.types.a || (machine.pm1b.addr && type_b != machine.types.b))
		return BAD_PAR;
	if (__atomic_exchange_n(&sleep.busy, 1, __ATOMIC_ACQUIRE))
		return BAD_PAR;
	call_others(cpu->id);
	take_part(cpu);
	enum status s = sleep.result;
	if (s == SUCCESS)
		*waking_vector = sleep.vector;
	/* So that this CPU may ask again at once. The others wait for nobody any more. */
	while (count(&sleep.inside) > 1)
		arch_relax();
	leave();
	return s;
}

void suspend_init(const struct acpi_info *acpi)
{
	machine.boot_cpu = cpu_current()->id;
	machine.types = acpi->s3;
	machine.pm1a = acpi->pm1a_cnt;
	machine.pm1b = acpi->pm1b_cnt;
	machine.facs = paddr(acpi->facs);
	machine.possible = acpi->s3.known && pm1_usable(&acpi->pm1a_cnt) &&
			   (!acpi->pm1b_cnt.addr || pm1_usable(&acpi->pm1b_cnt)) && acpi->facs && trampoline_page &&
			   (acpi->facs & PAGE_MASK) <= PAGE_SIZE - sizeof(struct facs);
}
