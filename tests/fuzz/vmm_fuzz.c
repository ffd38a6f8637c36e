/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile guest can do to the monitor: accesses to all ports and APICs at all times, and instructions. Input:
 * records of eight bytes for the board; all of it as an instruction.
 */
#include "fuzz.h"

#include "vmm/insn.h"
#include "vmm/machine.h"
#include "vmm/scale.h"

struct record {
	uint8_t kind, size;
	uint16_t port;
	uint32_t value;
};

static void drop(void *arg, uint8_t byte)
{
	(void)arg;
	(void)byte;
}

static void reach_apics(struct machine *m, const struct record *r, uint64_t now)
{
	uint64_t at = (r->port & 1 ? LAPIC_AT : IOAPIC_AT) + (r->port >> 1 & 0x1fff), value;
	unsigned processor = r->port >> 15;
	struct lapic *l = &m->lapic[processor];

	if (r->kind & 16) {
		if (r->kind & 1)
			lapic_write_msr(l, LAPIC_MSRS + r->port % LAPIC_MSRS_COUNT, r->value, now);
		else
			lapic_read_msr(l, LAPIC_MSRS + r->port % LAPIC_MSRS_COUNT, now, &value);
	} else if (r->kind & 1) {
		machine_store(m, processor, at, 1u << r->size % 4, r->value, now);
	} else {
		machine_load(m, processor, at, 1u << r->size % 4, now);
	}
	if (r->kind & 32)
		lapic_set_base(l, LAPIC_AT | (r->value & 0xc00));
	if (r->kind & 64)
		lapic_set_deadline(l, r->value, (uint64_t)r->value << 10);
}

static void run_board(const uint8_t *data, size_t size)
{
	struct machine m = {.uart.send = drop};
	uint64_t now = 0;

	machine_reset(&m, 2, 1700000000, 1000000000);
	for (size_t at = 0; at + sizeof(struct record) <= size; at += sizeof(struct record)) {
		struct record r;
		unsigned bytes;

		memcpy(&r, data + at, sizeof(r));
		bytes = 1u << r.size % 3;
		now += r.kind & 4 ? (uint64_t)r.value << 10 : r.kind;
		if (r.kind & 8)
			reach_apics(&m, &r, now);
		else if (r.kind & 1)
			machine_out(&m, r.port, bytes, r.value, now);
		else if (r.kind & 2)
			machine_in(&m, r.port, bytes, now);
		else
			uart_receive(&m.uart, (uint8_t)r.value);
		machine_run(&m, now);
		for (unsigned n = 0; n < m.processors; n++)
			if (machine_wants(&m, n))
				CHECK(machine_acknowledge(&m, n) < 256);
		machine_run(&m, now);
		/* A VM that is due at once again and again would never run. */
		CHECK(machine_wants(&m, 0) || machine_wants(&m, 1) || machine_next(&m, now) > now ||
		      machine_next(&m, now) + 2 * NS_PER_S > now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned widths[] = {16, 32, 64};
	uint8_t *exact = malloc(size ? size : 1);

	memcpy(exact, data, size);
	for (unsigned n = 0; n < 3; n++) {
		struct insn i;

		if (insn_decode(&i, exact, (unsigned)size, widths[n]))
			CHECK(i.length && i.length <= size && i.length <= INSN_MAX && i.reg < 16);
	}
	run_board(exact, size);
	free(exact);
	return 0;
}
