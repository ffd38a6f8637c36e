/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/code.h"

#include "cpu/cpu.h"
#include "lib/string.h"

#define OPCODE_JUMP 0xe9
#define WORD 8 /* bytes */

u64 code_begin(void)
{
	u64 cr0 = cr0_read();

	cr0_write(cr0 & ~CR0_WP);
	return cr0;
}

/* Serializes, too. */
void code_end(u64 begun)
{
	cr0_write(begun);
}

/* The bytes before keep their values; what is behind may be the end of the text. */
void code_write(u8 *at, const void *code, unsigned size)
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

void code_write_displacement(u8 *at, const void *to)
{
	s32 d = displacement(at + sizeof(d), to);
	code_write(at, &d, sizeof(d));
}

void code_write_jump(u8 *at, const void *to)
{
	u8 jump[CODE_JUMP_SIZE] = {OPCODE_JUMP};
	s32 d = displacement(at + CODE_JUMP_SIZE, to);

	memcpy(jump + 1, &d, sizeof(d));
	code_write(at, jump, CODE_JUMP_SIZE);
}
