/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of the kernel, which has set it up, or COM1 if the kernel uses none; polled. The kernel may write to it,
 * too: it is asked for the line, and hands over what it has to say (docs/abi.md, MACHINE_CTRL). Locking: a spin lock
 * that gives up, because its holder may be a preempted EC of lower priority; then lines may mix, but nobody waits for
 * ever.
 */
#include "rt/console.h"

#include "rt/cpu.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/port.h"
#include "rt/screen.h"
#include "rt/size.h"
#include "rt/string.h"

#include <stdbool.h>

enum { COM1 = 0x3f8 };
enum { DATA, IER, FCR, LCR, MCR, LSR, REGISTERS = 8 };
enum { LSR_THRE = 0x20, LSR_TEMT = 0x40 };

#define WAIT_POLLS 1000000 /* about a second of port reads; a byte takes 87 microseconds */
#define LOCK_POLLS 1000000

static bool usable; /* false for good once the line takes no more bytes */
static bool locked; /* atomic */

/* Constant after rt_console_init(). */
static uint16_t ports = COM1;
static volatile char *registers; /* in memory; null: in ports */
static unsigned stride;          /* the width of a register in memory, and the distance to the next */

static void out(unsigned reg, uint8_t v)
{
	volatile char *at = registers + reg * stride;

	if (!registers)
		rt_out8((uint16_t)(ports + reg), v);
	else if (stride == 4)
		*(volatile uint32_t *)at = v;
	else if (stride == 2)
		*(volatile uint16_t *)at = v;
	else
		*(volatile uint8_t *)at = v;
}

static uint8_t in(unsigned reg)
{
	const volatile char *at = registers + reg * stride;

	if (!registers)
		return rt_in8((uint16_t)(ports + reg));
	if (stride == 4)
		return (uint8_t) * (const volatile uint32_t *)at;
	if (stride == 2)
		return (uint8_t) * (const volatile uint16_t *)at;
	return *(const volatile uint8_t *)at;
}

static bool wait_for(uint8_t bit)
{
	for (unsigned i = 0; usable && i < WAIT_POLLS; i++)
		if (in(LSR)&bit)
			return true;
	usable = false;
	return false;
}

/* Takes the registers from the hypervisor. */
static bool take(const struct hip_gas *line)
{
	if (line && line->space == HIP_GAS_MEMORY) {
		stride = line->bits / 8;
		registers = rt_map(line->addr, REGISTERS * stride, PERM_MEM_R | PERM_MEM_W);
		return registers;
	}
	if (line)
		ports = (uint16_t)line->addr;
	return rt_ports(ports, 3) == SUCCESS;
}

static void set_up(void)
{
	if (!wait_for(LSR_TEMT))
		return;
	out(IER, 0);
	out(LCR, 0x80);
	out(DATA, 1); /* divisor 1: 115200 baud */
	out(IER, 0);
	out(LCR, 3); /* 8n1 */
	out(MCR, 3); /* DTR, RTS */
}

void rt_console_init(void)
{
	const struct hip_gas *line = rt_hip_valid() ? rt_hip_serial() : NULL;

	rt_screen_init();
	usable = take(line);
	if (usable && !line)
		set_up();
}

static void put(char c)
{
	if (wait_for(LSR_THRE))
		out(DATA, (uint8_t)c);
}

static bool kernel_shares(void)
{
	return rt_hip->api_flg & HIP_EXT_CONSOLE;
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

static void unlock(bool mine)
{
	if (mine)
		__atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

static void put_text(const char *text, size_t len)
{
	for (; len && usable; text++, len--) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

/* From here to release_line() the kernel does not write to the line. What it had to say before is written first. */
static void claim_line(void)
{
	char text[MACHINE_CONSOLE_CLAIM_TEXT + 1] = {0};

	if (!kernel_shares())
		return;
	while (hc_console_claim(usable ? MACHINE_CONSOLE_TAKES : 0, text) == SUCCESS && *text)
		put_text(text, strlen(text));
}

/*
 * A claim is forgotten after some seconds, and on a slow line a long text takes minutes: so it is claimed anew before
 * each piece, without taking any text, for this is in the middle of a line. A piece takes 4 seconds at 300 baud.
 */
#define PIECE 128

static void put_line(const char *text, size_t len)
{
	char none[MACHINE_CONSOLE_CLAIM_TEXT];

	while (len) {
		size_t n = rt_min(len, PIECE);

		put_text(text, n);
		text += n;
		len -= n;
		if (len && kernel_shares())
			hc_console_claim(0, none);
	}
}

static void release_line(void)
{
	if (kernel_shares())
		hc_console_release();
}

/* For the kernel's log in RAM, if it keeps one. */
static void keep_text(const char *text, size_t len)
{
	if (!(rt_hip->api_flg & HIP_EXT_CONSOLE_KEEPS))
		return;
	while (len) {
		char piece[MACHINE_CONSOLE_WRITE_TEXT] = {0};
		size_t n = rt_min(len, sizeof(piece));

		memcpy(piece, text, n);
		hc_console_write(piece);
		text += n;
		len -= n;
	}
}

/* Claiming the line writes what the kernel has left to say. */
void rt_console_drain(void)
{
	claim_line();
	release_line();
	wait_for(LSR_TEMT);
}

static void write_line(const char *text, size_t len)
{
	claim_line();
	put_line(text, len);
	keep_text(text, len);
	release_line();
}

void (*rt_console_instead)(const char *text, size_t len);

void rt_write(const char *text, size_t len)
{
	bool mine;

	if (rt_console_instead) {
		rt_console_instead(text, len);
		return;
	}
	mine = lock();
	write_line(text, len);
	rt_screen_write(text, len);
	unlock(mine);
}

void rt_report(const char *text, size_t len)
{
	bool mine = lock();

	write_line(text, len);
	unlock(mine);
}

void rt_show(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	size_t len = rt_min((size_t)rt_vsnprintf(text, sizeof(text), fmt, ap), sizeof(text) - 1);
	va_end(ap);
	bool mine = lock();
	rt_screen_write(text, len);
	unlock(mine);
}

void rt_show_clear(void)
{
	bool mine = lock();

	rt_screen_home();
	unlock(mine);
}

void rt_printf(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	rt_write(text, rt_min((size_t)rt_vsnprintf(text, sizeof(text), fmt, ap), sizeof(text) - 1));
	va_end(ap);
}
