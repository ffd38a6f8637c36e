/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes an NMI that a guest has exited by, while the CPU still holds the guest's registers. The processor keeps it
 * back until the global interrupt flag is set (APM vol. 2, 15.13.3, 15.17); the gates of the IDT switch stacks by the
 * task register, which is the guest's. So for three instructions there is another IDT, with gates that switch nothing
 * and handlers that only say what has come. They clear the flag again before their IRET lets the next NMI in, so that
 * one comes at a time.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

/* A machine check may have been kept back, too, and comes first. */
enum svm_nmi { SVM_NMI_NONE, SVM_NMI_TAKEN, SVM_NMI_MACHINE_CHECK };

/* Before the first guest. */
void svm_nmi_init(void);

extern u8 svm_nmi_window[], svm_nmi_host[]; /* what LIDT loads */

/* With the global interrupt flag clear, as before and after. Nothing that switches stacks can hit these instructions:
 * interrupts are off, and the guest's breakpoints, too. */
static always_inline enum svm_nmi svm_nmi_let_in(void)
{
	u32 what = SVM_NMI_NONE;

	__asm__ volatile("lidt svm_nmi_window\n\tstgi\n\tclgi\n\tlidt svm_nmi_host" : "+a"(what) : : "memory");
	return (enum svm_nmi)what;
}
