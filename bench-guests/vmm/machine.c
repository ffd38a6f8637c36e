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
};

static const struct ports *find(uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if ((uint16_t)(port - ports[i].first) < ports[i].count)
			return &ports[i];
	return NULL;
}

/* Every level is passed on at once: a line that falls and rises between two looks has had an edge. */
static void set_lines(struct machine *m)
{
	pic_set_line(&m->pic, MACHINE_IRQ_RTC, rtc_interrupt(&m->rtc));
	pic_set_line(&m->pic, MACHINE_IRQ_SERIAL, uart_interrupt(&m->uart));
	pic_set_line(&m->pic, MACHINE_IRQ_KEYBOARD, kbc_interrupt(&m->kbc));
}

uint32_t machine_in(struct machine *m, uint16_t port, unsigned size, uint64_t now)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++, port++) {
		const struct ports *p = find(port);

		value |= (uint32_t)(p ? p->read(m, port, now) : 0xff) << 8 * i;
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
	set_lines(m);
}
