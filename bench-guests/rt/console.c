/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COM1, polled. Locking: a spin lock that gives up, because its holder may be a preempted EC of lower priority; then
 * lines may mix, but nobody waits for ever.
 */
#include "rt/console.h"

#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/port.h"
#include "rt/size.h"

#include <stdbool.h>

enum { COM1 = 0x3f8, DATA = COM1, IER, FCR, LCR, MCR, LSR };
enum { LSR_THRE = 0x20, LSR_TEMT = 0x40 };

#define WAIT_POLLS 1000000 /* about a second of port reads; a byte takes 87 microseconds */
#define LOCK_POLLS 1000000

static bool usable;
static bool locked;

static bool wait_for(uint8_t bit)
{
	for (unsigned i = 0; usable && i < WAIT_POLLS; i++)
		if (rt_in8(LSR) & bit)
			return true;
	usable = false;
	return false;
}

/* The kernel may have set the same line up and still be sending. */
void rt_console_init(void)
{
	usable = rt_ports(COM1, 3) == SUCCESS;
	if (!wait_for(LSR_TEMT))
		return;
	rt_out8(IER, 0);
	rt_out8(LCR, 0x80);
	rt_out8(DATA, 1); /* divisor 1: 115200 baud */
	rt_out8(IER, 0);
	rt_out8(LCR, 3); /* 8n1 */
	rt_out8(MCR, 3); /* DTR, RTS */
}

void rt_console_drain(void)
{
	wait_for(LSR_TEMT);
}

static void put(char c)
{
	if (wait_for(LSR_THRE))
		rt_out8(DATA, (uint8_t)c);
}

static bool lock(void)
{
	for (unsigned i = 0; i < LOCK_POLLS; i++) {
		if (!__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
			return true;
		rt_pause();
	}
	return false;
}

void rt_write(const char *text, size_t len)
{
	bool mine = lock();

	for (; len && usable; text++, len--) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
	if (mine)
		__atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

void rt_printf(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	rt_write(text, rt_min((size_t)rt_vsnprintf(text, sizeof(text), fmt, ap), sizeof(text) - 1));
	va_end(ap);
}
