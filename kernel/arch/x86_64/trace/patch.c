/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switching trace points. Each is one instruction that another one of the same length, or its longer beginning,
 * replaces (cpu/code.h).
 */
#include "arch/trace.h"
#include "cpu/code.h"
#include "lib/string.h"
#include "platform/panic.h"
#include "trace/hooks.h"

static const u8 nop[CODE_JUMP_SIZE] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

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

static void patch_site(const struct site *s, bool on)
{
	if (on)
		code_write_jump(s->at, s->on);
	else
		code_write(s->at, nop, CODE_JUMP_SIZE);
}

static void patch_hook(const struct hook_site *s, bool on)
{
	const struct hook *h = &hooks[s->number];

	if (!on)
		code_write(s->at, originals[s->number], PATCH_MAX);
	else if (h->opcode_size)
		code_write_displacement(s->at + h->opcode_size, h->to);
	else
		code_write_jump(s->at, h->to);
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
	if (!originals_known)
		remember_originals();
	u64 begun = code_begin();
	for (const struct site *s = trace_sites_start; s < trace_sites_end; s++)
		patch_site(s, s->events & events || s->paths & paths);
	for (const struct hook_site *s = hook_sites_start; s < hook_sites_end; s++)
		patch_hook(s, hooks[s->number].events & events || hooks[s->number].paths & paths);
	code_end(begun);
}
