/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For arch/x86_64/mmu/tlb.c, which is used as it is: the registers it writes are those of the explored machine. */
#pragma once

#include "arch/pause.h"
#include "arch/switch.h"
#include "cpu/cpu.h"

u64 interleave_cr3_read(void);
void interleave_cr3_write(u64 v);
void interleave_invlpg(u64 va);

#define cr3_read interleave_cr3_read
#define cr3_write interleave_cr3_write
#define invlpg interleave_invlpg
