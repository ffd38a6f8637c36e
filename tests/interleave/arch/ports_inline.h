/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/ports.h for the machine of tests/interleave. */
#pragma once

#include "lib/types.h"

static always_inline void arch_outb(u16 port, u8 v)
{
	(void)port;
	(void)v;
}
static always_inline u8 arch_inb(u16 port)
{
	(void)port;
	return 0;
}
static always_inline u32 arch_inl(u16 port)
{
	(void)port;
	return 0;
}
