/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports of the machine, for the consoles and for clocks: a byte out, a byte or four of them in. May be called
 * anywhere.
 */
#pragma once

#include "lib/types.h"

static always_inline void arch_outb(u16 port, u8 v);
static always_inline u8 arch_inb(u16 port);
static always_inline u32 arch_inl(u16 port);

#include "ports_inline.h"
