/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching trace points. Each is one instruction that another one of the same length, or its longer beginning,
 * replaces; no CPU is in the middle of one, because the others are stopped in their NMI handlers, which they leave by
 * IRET, a serializing instruction (SDM vol. 3, 9.1.3).
 */
#include "arch/trace.h"
#include "cpu/cpu.h"
#include "lib/string.h"
#include "platform/panic.h"
#include "trace/hooks.h"

#define JUMP_SIZE 5
#define OPCODE_JUMP 0xe9

static const u8 nop[JUMP_SIZE] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

/* As arch_trace_point() makes them. */
struct site {
	u8 *at;
	const void *on;
	u64 events, paths;
};

extern const struct site trace_sites_start[], trace_sites_end[];

#define PATCH_MAX 6 /* bytes */

static u8 originals[HOOKS][PATCH_MAX]; /* what is there while they are off */
static bool originals_known;

#define WORD 8 /* bytes */

/*
 * By one store: this CPU is not stopped, an NMI may come between any two instructions, and its handler has a point,
 * too. The bytes before keep their values; what is behind may be the end of the text.
 */
static void write_code(u8 *at, const void *code, unsigned size)
{
	u8 *word = at + size - WORD;
	u64 value;

	memcpy(&value, word, WORD);
	memcpy((u8 *)&value + WORD - size, code, size);
	__asm__ volatile("mov %1, %0" : "=m"(*(u8(*)[WORD])word) : "r"(value));
}

static s32 displacement(const u8 *end, const void *to)
{
	return (s32)((const u8 *)to - end);
}

static void write_displacement(u8 *at, const void *to)
{
	s32 d = displacement(at + sizeof(d), to);
	write_code(at, &d, sizeof(d));
}

static void write_jump(u8 *at, const void *to)
{
	u8 jump[JUMP_SIZE] = {OPCODE_JUMP};
	s32 d = displacement(at + JUMP_SIZE, to);

	memcpy(jump + 1, &d, sizeof(d));
	write_code(at, jump, JUMP_SIZE);
}

static void patch_site(const struct site *s, bool on)
{
	if (on)
		write_jump(s->at, s->on);
	else
		write_code(s->at, nop, JUMP_SIZE);
}

static void patch_hook(const struct hook_site *s, bool on)
{
	const struct hook *h = &hooks[s->number];

	if (!on)
		write_code(s->at, originals[s->number], PATCH_MAX);
	else if (h->opcode_size)
		write_displacement(s->at + h->opcode_size, h->to);
	else
		write_jump(s->at, h->to);
}

static void remember_originals(void)
{
	for (const struct hook_site *s = hook_sites_start; s < hook_sites_end; s++) {
		kassert(!originals[s->number][0]); /* one site each */
		memcpy(originals[s->number], s->at, PATCH_MAX);
	}
	originals_known = true;
}

void arch_trace_patch(u64 events, u64 paths)
{
	u64 cr0 = cr0_read();

	if (!originals_known)
		remember_originals();
	cr0_write(cr0 & ~CR0_WP); /* the text is mapped read-only */
	for (const struct site *s = trace_sites_start; s < trace_sites_end; s++)
		patch_site(s, s->events & events || s->paths & paths);
	for (const struct hook_site *s = hook_sites_start; s < hook_sites_end; s++)
		patch_hook(s, hooks[s->number].events & events || hooks[s->number].paths & paths);
	cr0_write(cr0); /* serializes, too */
}
