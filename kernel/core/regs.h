/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of user mode, or of a guest. */
#pragma once

#include "arch/x86_64/entry/gpr.h"
#include "lib/types.h"

struct regs {
	GPR_LIST(GPR_MEMBER)
	u64 rip, rflags;
	u64 error; /* code of the last trap */
	u64 cr2;   /* address of the last page fault of this EC */
};
