/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest with a Multiboot header: looks at what its loader gave it and at its board, then resets. */
#include <stdbool.h>
#include <stdint.h>

enum { COM1 = 0x3f8, KEYBOARD_COMMAND = 0x64, RESET = 0xfe };
#define LOADER_MAGIC 0x2badb002u
#define NOWHERE 0xf0000000u /* no memory and no device */

__attribute__((section(".text.header"), used, aligned(4))) static const uint32_t header[] = {0x1badb002, 3,
											     -(0x1badb002u + 3)};

struct module {
	uint32_t start, end, words, reserved;
};

struct info {
	uint32_t flags, lower, upper, device, words, modules_count, modules;
};

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* In one instruction. */
static void say(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	__asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(COM1) : "memory");
}

static void check(const char *what, bool right)
{
	say(what);
	say(right ? ": right\n" : ": WRONG\n");
}

/* Does what is at `at` begin so? */
static bool is(const void *at, const char *text)
{
	const char *c = at;

	while (*text && *c == *text) {
		c++;
		text++;
	}
	return !*text;
}

/* Boot loaders put the name of a file before its words. */
static bool ends(uint32_t at, const char *text)
{
	for (const char *c = (const char *)at; *c; c++)
		if (is(c, text))
			return true;
	return false;
}

/* What is nowhere reads as ones; what is written there is lost, whatever the instruction. */
static bool nowhere(void)
{
	volatile uint32_t *there = (volatile uint32_t *)NOWHERE;
	uint32_t words[4] = {0}, count = 4, value = 5;
	const void *from = (const void *)NOWHERE;
	void *to = words;
	bool zero;

	*there = 0x12345678;
	*there |= 1;
	*(volatile uint8_t *)(NOWHERE + 1) = 0;
	if (*there != 0xffffffff || *(volatile uint16_t *)(NOWHERE + 2) != 0xffff)
		return false;
	__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	if (words[0] != 0xffffffff || words[3] != 0xffffffff || count || to != words + 4)
		return false;
	__asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(NOWHERE) : "memory");
	__asm__ volatile("testb $1, (%1)" : "=@ccz"(zero) : "r"(NOWHERE));
	return value == 0xffffffff && !zero;
}

/* Register D of the clock through INS, twice: bit 7, its memory is valid, and nothing else. */
static bool strings(void)
{
	uint8_t seconds[2] = {0xee, 0xee};
	uint32_t count = 2;
	void *to = seconds;

	out8(0x70, 0xd);
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x71) : "memory");
	return seconds[0] == 0x80 && seconds[1] == 0x80 && !count && to == seconds + 2;
}

/* A count of the timer, by polling: about 10 ms, in which the processor's own counter goes on. */
static bool timer(void)
{
	uint64_t before = __builtin_ia32_rdtsc();

	out8(0x61, 1);
	out8(0x43, 0xb0);
	out8(0x42, 0xa9);
	out8(0x42, 0x2e);
	while (!(in8(0x61) & 0x20))
		;
	return __builtin_ia32_rdtsc() > before;
}

/* Firmwares put ACPI's first table somewhere here, on a boundary of 16 bytes. */
static bool tables(void)
{
	for (const uint8_t *at = (const uint8_t *)0xe0000; at < (const uint8_t *)0x100000; at += 16)
		if (is(at, "RSD PTR "))
			return true;
	return false;
}

/* ---- APICs. Interrupts are off: what is requested stays so. ---- */

enum {
	VECTOR = 0x41,
	TIMER_TRIES = 100000000,
	APIC_BASE = 0x1b,
	X2_ON = 0xc00,
	DEADLINE = 0x6e0,
	DEADLINE_MODE = 2 << 17
};
#define LAPIC 0xfee00000u
#define IOAPIC 0xfec00000u

static volatile uint32_t *word(uint32_t at)
{
	return (volatile uint32_t *)at;
}

static uint64_t read_msr(uint32_t msr)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(msr));
	return value;
}

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "A"(value), "c"(msr));
}

static uint32_t by_memory(uint32_t at)
{
	return *word(LAPIC + at);
}

static uint32_t by_msr(uint32_t at)
{
	return (uint32_t)read_msr(0x800 + at / 16);
}

static bool is_requested_soon(uint32_t (*read)(uint32_t at))
{
	for (unsigned n = 0; n < TIMER_TRIES; n++)
		if (read(0x200 + VECTOR / 32 * 16) >> VECTOR % 32 & 1)
			return true;
	return false;
}

/* The timer counts once; then the IO-APIC's pin 0, which is level triggered by nothing, is set up and read back. */
static bool xapic(void)
{
	*word(LAPIC + 0x320) = VECTOR;
	*word(LAPIC + 0x380) = 10000;
	if (!is_requested_soon(by_memory) || by_memory(0x30) != 0x30014)
		return false;
	*word(IOAPIC) = 0x10;
	*word(IOAPIC + 0x10) = 0x8042;
	*word(IOAPIC) = 1;
	if (*word(IOAPIC + 0x10) >> 16 != 23)
		return false;
	*word(IOAPIC) = 0x10;
	return *word(IOAPIC + 0x10) == 0x8042;
}

/* What was requested before is gone when the APIC was off. Then the timer goes off at a time of the TSC's. */
static bool x2apic(void)
{
	uint64_t base = read_msr(APIC_BASE);

	write_msr(APIC_BASE, base & ~(uint64_t)X2_ON);
	if (by_memory(0x30) != 0xffffffff)
		return false;
	write_msr(APIC_BASE, base);
	write_msr(APIC_BASE, base | X2_ON);
	if (by_memory(0x30) != 0xffffffff || by_msr(0x30) != 0x30014 || by_msr(0x220))
		return false;
	write_msr(0x80f, 0x1ff);
	write_msr(0x832, VECTOR | DEADLINE_MODE);
	write_msr(DEADLINE, __builtin_ia32_rdtsc() + 100000);
	return is_requested_soon(by_msr) && !read_msr(DEADLINE);
}

static void __attribute__((used)) guest_main(uint32_t magic, const struct info *i)
{
	const struct module *m = (const struct module *)i->modules;

	say("a guest by Multiboot\n");
	check("magic", magic == LOADER_MAGIC);
	check("memory", i->flags & 1 && i->lower == 640 && i->upper == 15 * 1024);
	check("words", i->flags & 4 && ends(i->words, "some words"));
	check("modules", i->flags & 8 && i->modules_count == 2 && ends(m[0].words, "of the first"));
	check("contents", is((const char *)m[0].start, "first module") && is((const char *)m[1].start, "second") &&
				  m[0].end - m[0].start == 12 && m[1].start % 4096 == 0);
	check("nowhere", nowhere());
	check("strings", strings());
	check("timer", timer());
	check("tables", tables());
	check("xAPIC", xapic());
	check("x2APIC", x2apic());
	out8(KEYBOARD_COMMAND, RESET);
	for (;;)
		;
}

__asm__(".globl _start\n"
	"_start: mov $stack_end, %esp\n"
	"	push %ebx\n"
	"	push %eax\n"
	"	call guest_main\n"
	".bss\n"
	"	.align 16\n"
	"	.skip 4096\n"
	"stack_end:\n"
	".text\n");
