/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first and only program of a Linux guest: says what it found, and resets the machine. */
#include <linux/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define CONSOLE "/console"
enum { WRITE_ONLY = 1, MAJOR_TTY = 5, MINOR_CONSOLE = 1 };

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static void say(long file, const char *text)
{
	long length = 0;

	while (text[length])
		length++;
	call(SYS_write, file, (long)text, length);
}

/* Sleeping takes the timer, its interrupt, and a processor that halts. */
static void sleep_ms(long ms)
{
	long time[2] = {ms / 1000, ms % 1000 * 1000000};

	call(SYS_nanosleep, (long)time, 0, 0);
}

static long now_ms(void)
{
	long time[2];

	call(SYS_clock_gettime, 1, (long)time, 0);
	return time[0] * 1000 + time[1] / 1000000;
}

__attribute__((force_align_arg_pointer, noreturn)) void _start(void)
{
	long file, before, slept;

	call(SYS_mknod, (long)CONSOLE, S_IFCHR | 0600, MAJOR_TTY << 8 | MINOR_CONSOLE);
	file = call(SYS_open, (long)CONSOLE, WRITE_ONLY, 0);
	say(file, "init: hello from user land\n");
	before = now_ms();
	sleep_ms(50);
	slept = now_ms() - before;
	say(file, slept >= 50 && slept < 1000 ? "init: slept 50 ms\n" : "init: the clock is wrong\n");
	call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART);
	for (;;)
		;
}
