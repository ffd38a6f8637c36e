/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/machine.h"

#include "vmm/scale.h"

#include <stddef.h>

#define LEVEL_LINES (PCI_LINES | 1u << MACHINE_IRQ_ACPI)

typedef uint8_t read_fn(struct machine *m, uint16_t port, uint64_t now);
typedef void write_fn(struct machine *m, uint16_t port, uint8_t value, uint64_t now);

static uint8_t read_pic(struct machine *m, uint16_t port, uint64_t now)
{
	(void)now;
	return pic_read(&m->pic, port);
}

static void write_pic(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	(void)now;
	pic_write(&m->pic, port, value);
}

static uint8_t read_pit(struct machine *m, uint16_t port, uint64_t now)
{
	return pit_read(&m->pit, port, now);
}

static void write_pit(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	pit_write(&m->pit, port, value, now);
}

static uint8_t read_rtc(struct machine *m, uint16_t port, uint64_t now)
{
	return rtc_read(&m->rtc, port, now);
}

static void write_rtc(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	rtc_write(&m->rtc, port, value, now);
}

static uint8_t read_kbc(struct machine *m, uint16_t port, uint64_t now)
{
	(void)now;
	return kbc_read(&m->kbc, port);
}

static void write_kbc(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	(void)now;
	kbc_write(&m->kbc, port, value);
}

static uint8_t read_uart(struct machine *m, uint16_t port, uint64_t now)
{
	(void)now;
	return uart_read(&m->uart, port - MACHINE_COM1);
}

static void write_uart(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	(void)now;
	uart_write(&m->uart, port - MACHINE_COM1, value);
}

static uint8_t read_pci(struct machine *m, uint16_t port, uint64_t now)
{
	(void)now;
	return pci_read(&m->pci, port);
}

static void write_pci(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	(void)now;
	pci_write(&m->pci, port, value);
}

static uint8_t read_acpi(struct machine *m, uint16_t port, uint64_t now)
{
	return acpi_read(&m->acpi, port, now);
}

static void write_acpi(struct machine *m, uint16_t port, uint8_t value, uint64_t now)
{
	acpi_write(&m->acpi, port, value, now);
}

/* Ports that no row of the table has may be a BAR's. */
static uint8_t read_bar(struct machine *m, uint16_t port)
{
	unsigned at;
	const struct pci_device *d = pci_find(&m->pci, port, &at);

	return d ? d->read(d->arg, at) : 0xff;
}

static void write_bar(struct machine *m, uint16_t port, uint8_t value)
{
	unsigned at;
	const struct pci_device *d = pci_find(&m->pci, port, &at);

	if (d)
		d->write(d->arg, at, value);
}

static const struct ports {
	uint16_t first, count;
	read_fn *read;
	write_fn *write;
} ports[] = {
	{MACHINE_COM1, UART_PORTS, read_uart, write_uart},
	{0x20, 2, read_pic, write_pic},
	{0xa0, 2, read_pic, write_pic},
	{0x40, 4, read_pit, write_pit},
	{0x61, 1, read_pit, write_pit},
	{0x60, 1, read_kbc, write_kbc},
	{0x64, 1, read_kbc, write_kbc},
	{0x70, 2, read_rtc, write_rtc},
	{0x4d0, 2, read_pic, write_pic},
	{ACPI_PORT, ACPI_PORTS, read_acpi, write_acpi},
	{0xcf8, 8, read_pci, write_pci},
};

static const struct ports *find(uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if ((uint16_t)(port - ports[i].first) < ports[i].count)
			return &ports[i];
	return NULL;
}

/* Lines lead to both kinds of controllers. */
static void set_line(struct machine *m, unsigned irq, bool high)
{
	pic_set_line(&m->pic, irq, high);
	ioapic_set_line(&m->ioapic, irq == MACHINE_IRQ_TIMER ? MACHINE_PIN_TIMER : irq, high);
}

static void set_pci_lines(struct machine *m)
{
	m->pci_lines = m->pci.lines;
	for (unsigned irq = 0; PCI_LINES >> irq; irq++)
		if (PCI_LINES >> irq & 1)
			set_line(m, irq, m->pci_lines >> irq & 1);
}

/* Every level is passed on at once: a line that falls and rises between two looks has had an edge. */
static void set_lines(struct machine *m, uint64_t now)
{
	set_line(m, MACHINE_IRQ_RTC, rtc_interrupt(&m->rtc));
	acpi_set_clock(&m->acpi, rtc_interrupt(&m->rtc));
	set_line(m, MACHINE_IRQ_SERIAL, uart_interrupt(&m->uart));
	set_line(m, MACHINE_IRQ_KEYBOARD, kbc_interrupt(&m->kbc));
	set_line(m, MACHINE_IRQ_ACPI, acpi_interrupt(&m->acpi, now));
	if (m->pci.lines != m->pci_lines)
		set_pci_lines(m);
}

uint32_t machine_in(struct machine *m, uint16_t port, unsigned size, uint64_t now)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++, port++) {
		const struct ports *p = find(port);

		value |= (uint32_t)(p ? p->read(m, port, now) : read_bar(m, port)) << 8 * i;
		set_lines(m, now);
	}
	return value;
}

void machine_out(struct machine *m, uint16_t port, unsigned size, uint32_t value, uint64_t now)
{
	for (unsigned i = 0; i < size; i++, port++) {
		const struct ports *p = find(port);

		if (p)
			p->write(m, port, (uint8_t)(value >> 8 * i), now);
		else
			write_bar(m, port, (uint8_t)(value >> 8 * i));
		set_lines(m, now);
	}
}

/* ---- Memory ---- */

static bool is_lapic(const struct lapic *l, uint64_t at)
{
	return at - LAPIC_AT < LAPIC_SIZE && lapic_is_on(l) && !lapic_is_x2(l);
}

/* Four bytes; where nothing is, reads give ones, and writes are lost, as on the bus of a PC. */
static uint32_t load(const struct machine *m, unsigned processor, uint64_t at, uint64_t now)
{
	const struct lapic *l = &m->lapic[processor];

	if (is_lapic(l, at))
		return lapic_read(l, (unsigned)(at - LAPIC_AT), now);
	return at - IOAPIC_AT < IOAPIC_SIZE ? ioapic_read(&m->ioapic, (unsigned)(at - IOAPIC_AT)) : ~0u;
}

uint64_t machine_load(struct machine *m, unsigned processor, uint64_t at, unsigned size, uint64_t now)
{
	uint64_t value = 0;

	for (unsigned n = 0; n < size; n++)
		value |= (uint64_t)(load(m, processor, (at + n) & -4ul, now) >> 8 * ((at + n) & 3) & 0xff) << 8 * n;
	return value;
}

void machine_store(struct machine *m, unsigned processor, uint64_t at, unsigned size, uint64_t value, uint64_t now)
{
	struct lapic *l = &m->lapic[processor];

	if (size != 4)
		return;
	if (is_lapic(l, at))
		lapic_write(l, (unsigned)(at - LAPIC_AT), (uint32_t)value, now);
	else if (at - IOAPIC_AT < IOAPIC_SIZE)
		ioapic_write(&m->ioapic, (unsigned)(at - IOAPIC_AT), (uint32_t)value);
}

/* ---- Interrupts ---- */

/*
 * To whom it may concern; with the lowest priority, to one of them. An INIT of the first processor would lead it to
 * the firmware (Intel SDM volume 3, 9.4.2), which resets the machine.
 */
static void send_message(void *arg, const struct apic_message *message)
{
	struct machine *m = arg;

	for (unsigned n = 0; n < m->processors; n++)
		if (lapic_accept(&m->lapic[n], message) && message->mode == APIC_LOWEST)
			break;
	if (m->lapic[0].waits)
		m->kbc.reset = true;
}

static void end_interrupt(void *arg, uint8_t vector)
{
	struct machine *m = arg;

	ioapic_end(&m->ioapic, vector);
}

/* The 8259A has a line to each processor, which all but the first mask when they are reset. */
static bool pic_passes(const struct machine *m, unsigned processor)
{
	return lapic_passes_pic(&m->lapic[processor]) && pic_wants(&m->pic);
}

bool machine_wants(const struct machine *m, unsigned processor)
{
	return lapic_wants(&m->lapic[processor]) || pic_passes(m, processor);
}

unsigned machine_acknowledge(struct machine *m, unsigned processor)
{
	return pic_passes(m, processor) ? pic_acknowledge(&m->pic) : lapic_acknowledge(&m->lapic[processor]);
}

static void reset_processor(struct machine *m, unsigned number, uint32_t hz)
{
	struct lapic *l = &m->lapic[number];

	l->send = send_message;
	l->end = end_interrupt;
	l->arg = m;
	lapic_reset(l, number, hz);
}

void machine_reset(struct machine *m, unsigned processors, uint64_t epoch, uint32_t hz)
{
	m->processors = processors;
	for (unsigned n = 0; n < processors; n++)
		reset_processor(m, n, hz);
	m->ioapic.send = send_message;
	m->ioapic.arg = m;
	ioapic_reset(&m->ioapic);
	acpi_reset(&m->acpi);
	pic_reset(&m->pic);
	pit_reset(&m->pit);
	rtc_reset(&m->rtc, epoch);
	kbc_reset(&m->kbc);
	uart_reset(&m->uart);
	pci_reset(&m->pci);
	m->pci_lines = 0;
	pic_write(&m->pic, PIC_LEVELS, (uint8_t)LEVEL_LINES);
	pic_write(&m->pic, PIC_LEVELS + 1, LEVEL_LINES >> 8);
}

static bool is_requested(const struct machine *m, uint8_t vector)
{
	for (unsigned n = 0; n < m->processors; n++)
		if (lapic_is_requested(&m->lapic[n], vector))
			return true;
	return false;
}

/* Is the last edge of the timer still to be answered? By the IO-APIC's side if that is who listens. */
static bool timer_waits(const struct machine *m)
{
	if (ioapic_is_masked(&m->ioapic, MACHINE_PIN_TIMER))
		return pic_is_requested(&m->pic, MACHINE_IRQ_TIMER);
	return is_requested(m, ioapic_vector(&m->ioapic, MACHINE_PIN_TIMER));
}

/*
 * An edge of the timer waits until the one before has been answered, so that a guest that was not run for a while
 * still counts all of them.
 */
static uint64_t timer_next(const struct machine *m)
{
	return timer_waits(m) ? NEVER : pit_next(&m->pit);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_of_devices(const struct machine *m, uint64_t now)
{
	return earlier(earlier(timer_next(m), rtc_next(&m->rtc, now)), acpi_next(&m->acpi, now));
}

uint64_t machine_next_of(const struct machine *m, unsigned processor, uint64_t now)
{
	uint64_t next = lapic_next(&m->lapic[processor]);

	return processor ? next : earlier(next, next_of_devices(m, now));
}

uint64_t machine_next(const struct machine *m, uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned n = 0; n < m->processors; n++)
		next = earlier(next, machine_next_of(m, n, now));
	return next;
}

static void run_timer(struct machine *m, uint64_t now)
{
	if (now < timer_next(m))
		return;
	pit_take(&m->pit, now);
	set_line(m, MACHINE_IRQ_TIMER, false);
	set_line(m, MACHINE_IRQ_TIMER, true);
}

void machine_run(struct machine *m, uint64_t now)
{
	run_timer(m, now);
	rtc_run(&m->rtc, now);
	for (unsigned n = 0; n < m->processors; n++)
		lapic_run(&m->lapic[n], now);
	pci_run(&m->pci);
	set_lines(m, now);
}
