/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of the machine, for the consoles and for clocks, a byte or four of them: in I/O ports, and in memory
 * where they are mapped. May be called anywhere.
 */
#pragma once

#include "lib/types.h"

static always_inline void arch_outb(u16 port, u8 v);
static always_inline u8 arch_inb(u16 port);
static always_inline void arch_outl(u16 port, u32 v);
static always_inline u32 arch_inl(u16 port);

/* A register of `width` bytes, 1, 2 or 4, of which the lowest counts. */
static always_inline void arch_mmio_out(volatile void *at, unsigned width, u8 v);
static always_inline u8 arch_mmio_in(const volatile void *at, unsigned width);

#include "ports_inline.h"
