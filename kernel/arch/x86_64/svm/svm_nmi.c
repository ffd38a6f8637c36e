/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "svm/svm_nmi.h"

#include "arch/switch.h"
#include "cpu/desc.h"
#include "entry/frame.h"

extern const u8 svm_nmi_come[], svm_nmi_machine_check[];

/* EAX belongs to svm_nmi_let_in(). */
__asm__(".pushsection .text\n\t"
	".balign 16, 0xcc\n\t.globl svm_nmi_come\nsvm_nmi_come:\n\tmov $1, %eax\n\tclgi\n\tiretq\n\t"
	".balign 16, 0xcc\n\t.globl svm_nmi_machine_check\nsvm_nmi_machine_check:\n\tmov $2, "
	"%eax\n\tclgi\n\tiretq\n\t"
	".popsection");

_Static_assert(SVM_NMI_TAKEN == 1 && SVM_NMI_MACHINE_CHECK == 2, "what the handlers say");

static aligned(16) struct desc_gate gates[TRAP_MC + 1];
struct desc_pointer window __asm__("svm_nmi_window"), host __asm__("svm_nmi_host");

void svm_nmi_init(void)
{
	desc_set_gate(&gates[TRAP_NMI], svm_nmi_come);
	desc_set_gate(&gates[TRAP_MC], svm_nmi_machine_check);
	window = (struct desc_pointer){sizeof(gates) - 1, (u64)gates};
	host = desc_idt_pointer();
}
