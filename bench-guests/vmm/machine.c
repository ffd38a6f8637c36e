/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/machine.h"

#include "vmm/scale.h"

#include <stddef.h>

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
	{0xcf8, 8, read_pci, write_pci},
};

static const struct ports *find(uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if ((uint16_t)(port - ports[i].first) < ports[i].count)
			return &ports[i];
	return NULL;
}

static void set_pci_lines(struct machine *m)
{
	m->pci_lines = m->pci.lines;
	for (unsigned irq = 0; PCI_LINES >> irq; irq++)
		if (PCI_LINES >> irq & 1)
			pic_set_line(&m->pic, irq, m->pci_lines >> irq & 1);
}

/* Every level is passed on at once: a line that falls and rises between two looks has had an edge. */
static void set_lines(struct machine *m)
{
	pic_set_line(&m->pic, MACHINE_IRQ_RTC, rtc_interrupt(&m->rtc));
	pic_set_line(&m->pic, MACHINE_IRQ_SERIAL, uart_interrupt(&m->uart));
	pic_set_line(&m->pic, MACHINE_IRQ_KEYBOARD, kbc_interrupt(&m->kbc));
	if (m->pci.lines != m->pci_lines)
		set_pci_lines(m);
}

uint32_t machine_in(struct machine *m, uint16_t port, unsigned size, uint64_t now)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++, port++) {
		const struct ports *p = find(port);

		value |= (uint32_t)(p ? p->read(m, port, now) : read_bar(m, port)) << 8 * i;
		set_lines(m);
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
		set_lines(m);
	}
}

void machine_reset(struct machine *m, uint64_t epoch)
{
	pic_reset(&m->pic);
	pit_reset(&m->pit);
	rtc_reset(&m->rtc, epoch);
	kbc_reset(&m->kbc);
	uart_reset(&m->uart);
	pci_reset(&m->pci);
	m->pci_lines = 0;
	pic_write(&m->pic, PIC_LEVELS, (uint8_t)PCI_LINES);
	pic_write(&m->pic, PIC_LEVELS + 1, PCI_LINES >> 8);
}

/*
 * An edge of the timer waits until the one before has been answered, so that a guest that was not run for a while
 * still counts all of them.
 */
static uint64_t timer_next(const struct machine *m)
{
	return pic_is_requested(&m->pic, MACHINE_IRQ_TIMER) ? NEVER : pit_next(&m->pit);
}

uint64_t machine_next(const struct machine *m, uint64_t now)
{
	uint64_t timer = timer_next(m), rtc = rtc_next(&m->rtc, now);

	return timer < rtc ? timer : rtc;
}

static void run_timer(struct machine *m, uint64_t now)
{
	if (now < timer_next(m))
		return;
	pit_take(&m->pit, now);
	pic_set_line(&m->pic, MACHINE_IRQ_TIMER, false);
	pic_set_line(&m->pic, MACHINE_IRQ_TIMER, true);
}

void machine_run(struct machine *m, uint64_t now)
{
	run_timer(m, now);
	rtc_run(&m->rtc, now);
	pci_run(&m->pci);
	set_lines(m);
}
