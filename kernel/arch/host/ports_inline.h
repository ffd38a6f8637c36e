/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/ports.h for the fake CPU. */
#pragma once

#include "lib/types.h"

void host_outb(u16 port, u8 v);
u8 host_inb(u16 port);
void host_outl(u16 port, u32 v);
u32 host_inl(u16 port);
void host_mmio_out(volatile void *at, unsigned width, u8 v);
u8 host_mmio_in(const volatile void *at, unsigned width);

static always_inline void arch_outb(u16 port, u8 v)
{
	host_outb(port, v);
}

static always_inline u8 arch_inb(u16 port)
{
	return host_inb(port);
}

static always_inline void arch_outl(u16 port, u32 v)
{
	host_outl(port, v);
}

static always_inline u32 arch_inl(u16 port)
{
	return host_inl(port);
}

static always_inline void arch_mmio_out(volatile void *at, unsigned width, u8 v)
{
	host_mmio_out(at, width, v);
}

static always_inline u8 arch_mmio_in(const volatile void *at, unsigned width)
{
	return host_mmio_in(at, width);
}
