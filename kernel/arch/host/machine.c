/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the privileged ask of the machine: kept, and answered as a test wants. */
#include "host.h"

#include "arch/machine.h"

struct host_machine host_machine;

enum status arch_suspend(unsigned type_a, unsigned type_b, u64 *waking_vector)
{
	host_machine.calls++;
	host_machine.type_a = type_a;
	host_machine.type_b = type_b;
	*waking_vector = host_machine.waking_vector;
	return host_machine.answer;
}

enum status arch_microcode_update(paddr_t pa, u64 size)
{
	host_machine.calls++;
	host_machine.blob = pa.v;
	host_machine.blob_size = size;
	return host_machine.answer;
}

bool arch_report_errors(struct cpu *cpu)
{
	(void)cpu;
	host_machine.reports++;
	return host_machine.error_ends_ec;
}

enum status arch_msr_access(u64 msr, bool write, u64 *value)
{
	host_machine.calls++;
	host_machine.msr = msr;
	host_machine.msr_written = write;
	if (write)
		host_machine.msr_value = *value;
	else
		*value = host_machine.msr_value;
	return host_machine.answer;
}
