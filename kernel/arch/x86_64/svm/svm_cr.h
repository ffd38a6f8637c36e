/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR0 and CR4 of guests. Intel's processors have masks and shadows: a guest reads what it has written, and writes
 * exit only if they change certain bits. Those of AMD exit at every such access, so the kernel does the others
 * itself.
 */
#pragma once

#include "core/vcpu.h"

enum svm_cr_outcome {
	SVM_CR_DONE,  /* the kernel has done the access */
	SVM_CR_TELL,  /* it is the VMM's; the page has the qualification */
	SVM_CR_FAULT, /* the guest is to get a #GP */
};

/* An access to the control register has exited, before svm_run_to_host(). *length is that of the instruction: the
 * page has it, too, but that is user land's. */
enum svm_cr_outcome svm_cr_access(struct vcpu *v, unsigned number, bool write, unsigned *length);
/* The same for a debug register, which is always the VMM's. */
void svm_cr_debug_access(struct vcpu *v, unsigned number, bool write);
