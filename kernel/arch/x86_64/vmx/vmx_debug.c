/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmx/vmx_debug.h"

#include "arch_switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_switch.h"

/* DR6, and in the same places the exit qualification. The last two have the opposite sense in DR6. */
#define DR6_BREAKPOINTS 0xful
#define DR6_BUS_LOCK (1ul << 11)
#define DR6_ACCESS (1ul << 13)
#define DR6_STEP (1ul << 14)
#define DR6_TRANSACTION (1ul << 16)

#define DR7_GENERAL_DETECT (1ul << 13)

/* DR6 is still in the CPU. Of the bits, those of breakpoints are replaced, the guest clears others itself. */
static void update_dr6(u64 qualification)
{
	u64 dr6;

	DR_READ(6, dr6);
	dr6 = (dr6 & ~DR6_BREAKPOINTS) | DR6_TRANSACTION;
	dr6 |= qualification & (DR6_BREAKPOINTS | DR6_ACCESS | DR6_STEP);
	dr6 &= ~(qualification & (DR6_BUS_LOCK | DR6_TRANSACTION));
	DR_WRITE(6, dr6);
}

/* No exit has changed these, and no event injection does. INT1 leaves them alone; DEBUGCTL is always 0. */
static void update_registers(void)
{
	update_dr6(vmread(VMCS_EXIT_QUAL));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GENERAL_DETECT);
}

/* Delivery ends the halt, the blocking of one instruction, and what else was pending. Only the first are saved so. */
static void update_state(u32 info)
{
	u64 state = vmread(VMCS_GUEST_INTR_STATE) & ~(u64)(INTR_STATE_STI | INTR_STATE_MOV_SS);

	if (info & INTR_NMI_UNBLOCKED && !(vmread(VMCS_VECTORING_INFO) & INTR_VALID))
		state |= INTR_STATE_NMI; /* the IRET comes again */
	vmwrite(VMCS_GUEST_INTR_STATE, state);
	vmwrite(VMCS_GUEST_ACTV_STATE, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
}

/*
 * RFLAGS.RF is saved as it is to be pushed. If another event was being delivered, it is repeated by its instruction
 * or lost, as without us: #DB is benign, and benign exceptions make no double fault.
 */
void vmx_debug_deliver(struct vcpu *v, u32 info)
{
	if ((info & INTR_TYPE_MASK) != INTR_TYPE_INT1)
		update_registers();
	update_state(info);
	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~INTR_NMI_UNBLOCKED);
	vmwrite(VMCS_ENTRY_INST_LEN, vmread(VMCS_EXIT_INST_LEN)); /* of INT1 */
	v->arch.pending |= PENDING_EVENT;
}
