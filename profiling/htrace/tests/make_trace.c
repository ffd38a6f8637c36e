/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage: make_trace FILE KERNEL_ADDRESS USER_ADDRESS
 * Writes a trace with every event, on two CPUs, the same each time. Samples in the kernel and in user code are at the
 * given addresses.
 */
#include "host/mem.h"
#include "host/trace_file.h"

#include <stdlib.h>
#include <string.h>

#define EC1 0xffffffffc0001000
#define EC2 0xffffffffc0002000
#define EC3 0xffffffffc0003000
#define IDLE 0xffffffffc0004000
#define PD1 0xffffffffc0010000
#define PD2 0xffffffffc0011000
#define VCPU1 0xffffffffc0020000
#define START 5000000000

static uint64_t kernel_address, user_address, now = START;

static void record(struct trace_cpu *cpu, unsigned ticks, unsigned event, unsigned extra, uint64_t a, uint64_t b)
{
	cpu->records = xreallocarray(cpu->records, cpu->count + 1, sizeof(*cpu->records));
	now += ticks;
	cpu->records[cpu->count] = (struct trace_record){
		(uint32_t)(cpu->lost + cpu->count + 1), (uint16_t)event, (uint16_t)extra, now, a, b};
	cpu->count++;
}

static void hypercall(struct trace_cpu *cpu, unsigned number, unsigned long selector)
{
	record(cpu, 100, TRACE_HYPERCALL, number, HC_ARG1(number, 0, selector), user_address);
}

static void call_and_reply(struct trace_cpu *cpu)
{
	hypercall(cpu, HC_CALL, 0x123);
	record(cpu, 40, TRACE_CALL, 0, EC1, EC2);
	record(cpu, 5, TRACE_HYPERCALL_END, SUCCESS, EC2, 0);
	hypercall(cpu, HC_REPLY, 0);
	record(cpu, 35, TRACE_REPLY, 0, EC2, EC1);
	record(cpu, 5, TRACE_HYPERCALL_END, SUCCESS, EC1, 0);
}

static void guest(struct trace_cpu *cpu)
{
	hypercall(cpu, HC_VCPU_CTRL, 0x200);
	record(cpu, 150, TRACE_VM_ENTRY, 0, VCPU1, 0);
	record(cpu, 1000, TRACE_VM_EXIT, 10, 0x7c00, 0);
	record(cpu, 200, TRACE_VM_ENTRY, 0, VCPU1, 0);
	record(cpu, 700, TRACE_VM_EXIT, 48, 0x7c04, 0x181);
	record(cpu, 120, TRACE_HYPERCALL_END, SUCCESS, EC1, 0);
}

static void wake(struct trace_cpu *from, struct trace_cpu *to)
{
	hypercall(from, HC_SM_CTRL, 0x300);
	record(from, 30, TRACE_WAKE_REMOTE, 1, 1, 1);
	record(from, 20, TRACE_HYPERCALL_END, SUCCESS, EC1, 0);
	record(to, 400, TRACE_READY, 64, EC3, 0);
	record(to, 10, TRACE_DISPATCH, 0, IDLE, 2);
	record(to, 60, TRACE_RESUME, TRACE_RESUME_IRET, EC3, PD1);
}

static void rare(struct trace_cpu *cpu)
{
	record(cpu, 500, TRACE_EXCEPTION, 14, user_address + 1, 6);
	record(cpu, 60, TRACE_RESUME, TRACE_RESUME_IRET, EC2, PD1);
	record(cpu, 70, TRACE_HELP, 0, EC2, EC1);
	record(cpu, 80, TRACE_SHOOTDOWN, 1, PD1, 0);
	record(cpu, 90, TRACE_GRACE, 0, 17, 0);
	record(cpu, 25, TRACE_NMI, TRACE_MODE_USER, user_address, 4);
	record(cpu, 15, TRACE_IRQ, 3, 0x5000, 1);
	hypercall(cpu, 255, 0);
	record(cpu, 10, TRACE_HYPERCALL_END, BAD_HYP, EC1, 0);
	record(cpu, 10, TRACE_RESUME, TRACE_RESUME_IDLE, IDLE, PD2);
}

static void samples(struct trace_cpu *cpu)
{
	for (unsigned i = 0; i < 6; i++)
		record(cpu, 1000, TRACE_SAMPLE, TRACE_MODE_KERNEL, kernel_address + i, EC1);
	for (unsigned i = 0; i < 3; i++)
		record(cpu, 1000, TRACE_SAMPLE, TRACE_MODE_USER, user_address, EC1);
	record(cpu, 1000, TRACE_SAMPLE, TRACE_MODE_GUEST, 0x7c00, EC3);
}

static void path_time(struct trace_path *path, uint64_t ticks)
{
	path->count++;
	path->sum += ticks;
	path->counters[0] += ticks + ticks / 2;
	path->counters[1] += 2 * ticks;
	path->bins[trace_bin(ticks)]++;
}

static void paths(struct trace_cpu *cpu, unsigned more)
{
	cpu->paths = xcalloc(TRACE_PATHS, sizeof(*cpu->paths));
	for (unsigned i = 0; i < 1000; i++) {
		path_time(&cpu->paths[HC_CALL], 40 + more + i % 10 + (i % 100 == 0) * 300);
		path_time(&cpu->paths[HC_REPLY], 35 + more);
	}
	path_time(&cpu->paths[TRACE_PATH_VM_EXIT], 1234567);
	path_time(&cpu->paths[TRACE_PATH_DISPATCH], 7);
}

static void describe(json_t *meta)
{
	json_object_update_new(
		meta, json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s,s], s:[{s:s,s:I,s:I},{s:s,s:I,s:I}]}", "suite", "ipc",
				"boot_line", "Hedron Hypervisor, synthetic", "kernel_build_id", "0123456789abcdef",
				"cpu_brand", "Synthetic CPU", "when", "2026-01-02T03:04:05+00:00", "counters",
				"cycles", "instructions", "cases", "name", "call_reply_same/words:0", "begin",
				(json_int_t)START, "end", (json_int_t)START + 1200, "name", "the \"rest\"", "begin",
				(json_int_t)START + 1201, "end", (json_int_t)START + 20000));
}

int main(int argc, char **argv)
{
	struct trace trace;
	struct error error;
	struct trace_cpu *one = &trace.cpus[0], *two = &trace.cpus[1];

	if (argc != 4)
		return 2;
	kernel_address = strtoull(argv[2], NULL, 0);
	user_address = strtoull(argv[3], NULL, 0);
	trace_init(&trace, 2000000);
	describe(trace.meta);
	one->known = two->known = true;
	two->lost = 12;
	for (unsigned i = 0; i < 3; i++)
		call_and_reply(one);
	guest(one);
	wake(one, two);
	rare(two);
	samples(one);
	paths(one, 0);
	paths(two, 100);
	if (!trace_check(&trace, &error) || !trace_save(&trace, argv[1], &error)) {
		complain("%s", error.text);
		return 1;
	}
	trace_free(&trace);
	return 0;
}
