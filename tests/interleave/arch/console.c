/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log, as far as it concerns several CPUs: something is left to be written, until an idle CPU has done a step.
 * What is said is shown by the explorer at once (kernel_side.c).
 */
#include "platform/console.h"

#include "kernel_side.h"
#include "lib/spinlock.h"

bool console_pending;
static struct spinlock lock;
static void (*wake)(void);

void console_run(void (*fn)(void))
{
	wake = fn;
}

/* A message that no device takes at once. */
void interleave_log(void)
{
	spin_lock(&lock);
	WRITE_ONCE(console_pending, true);
	spin_unlock(&lock);
	wake();
}

void console_drain(void)
{
	if (!spin_trylock(&lock))
		return;
	WRITE_ONCE(console_pending, false);
	spin_unlock(&lock);
}

void console_release(void) {}

size_t console_claim(char *text, size_t size)
{
	(void)text;
	(void)size;
	return 0;
}

void console_write_user(char *text, size_t length)
{
	(void)text;
	(void)length;
}

void interleave_reset_console(void)
{
	console_pending = false;
	lock = (struct spinlock){0};
}
