/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/ports.h for x86_64. */
#pragma once

#include "lib/types.h"

static always_inline void arch_outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static always_inline u8 arch_inb(u16 port)
{
	u8 v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static always_inline void arch_outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static always_inline u32 arch_inl(u16 port)
{
	u32 v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static always_inline void arch_mmio_out(volatile void *at, unsigned width, u8 v)
{
	if (width == 4)
		*(volatile u32 *)at = v;
	else if (width == 2)
		*(volatile u16 *)at = v;
	else
		*(volatile u8 *)at = v;
}

static always_inline u8 arch_mmio_in(const volatile void *at, unsigned width)
{
	if (width == 4)
		return (u8) * (const volatile u32 *)at;
	if (width == 2)
		return (u8) * (const volatile u16 *)at;
	return *(const volatile u8 *)at;
}
