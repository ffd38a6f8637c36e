/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MACHINE_CTRL: for those who are trusted with the machine. */
#include "arch/machine.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "platform/console.h"
#include "space/pd.h"
#include "syscall/syscall.h"

#define BLOB_SIZE_MAX (2 * MiB)
#define BLOB_SIZE_BITS 41

/* ARG1[19:12] and [27:20] are the sleep types. */
static enum status suspend(struct ec *self, u64 arg1)
{
	return arch_suspend(arg1 >> 12 & 0xff, arg1 >> 20 & 0xff, &self->regs.rsi);
}

/* ARG1[52:12] is the size in bytes. */
static enum status update_microcode(u64 arg1, u64 pa)
{
	u64 size = arg1 >> 12 & bits_low(BLOB_SIZE_BITS);
	return size > BLOB_SIZE_MAX ? BAD_PAR : arch_microcode_update(paddr(pa), size);
}

/* What the kernel has to say goes out first; the caller writes it, because the line is shared. */
static enum status claim_console(struct regs *regs)
{
	char text[MACHINE_CONSOLE_CLAIM_TEXT] = {0};

	console_claim(text, regs->rsi & MACHINE_CONSOLE_TAKES ? sizeof(text) : 0);
	memcpy(&regs->rsi, text, sizeof(regs->rsi));
	memcpy(&regs->rdx, text + sizeof(regs->rsi), sizeof(regs->rdx));
	return SUCCESS;
}

static enum status write_console(const struct regs *regs)
{
	const u64 words[] = {regs->rsi, regs->rdx, regs->rax};
	char text[MACHINE_CONSOLE_WRITE_TEXT];
	size_t length = 0;

	_Static_assert(sizeof(words) == sizeof(text), "three registers");
	memcpy(text, words, sizeof(text));
	while (length < sizeof(text) && text[length])
		length++;
	console_write_user(text, length);
	return SUCCESS;
}

static enum status console(u64 what, struct regs *regs)
{
	switch (what) {
	case MACHINE_CONSOLE_CLAIM:
		return claim_console(regs);
	case MACHINE_CONSOLE_WRITE:
		return write_console(regs);
	case MACHINE_CONSOLE_RELEASE:
		console_release();
		return SUCCESS;
	default:
		return BAD_PAR;
	}
}

enum status sys_machine_ctrl(u64 arg1, u64 arg2, struct ec *self)
{
	if (!self->pd->passthrough)
		return BAD_CAP;
	switch (hc_op(arg1)) {
	case MACHINE_CTRL_SUSPEND:
		return suspend(self, arg1);
	case MACHINE_CTRL_MICROCODE:
		return update_microcode(arg1, arg2);
	case MACHINE_CTRL_CONSOLE:
		return console(arg1 >> 12, &self->regs);
	default:
		return BAD_PAR;
	}
}
