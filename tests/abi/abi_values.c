/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of the interface, written down a second time: whoever changes one in the headers by accident learns it
 * here. Binaries in the field contain them, so none may ever change.
 */
#include <hedron/abi.h>
#include <hedron/crd.h>
#include <hedron/hip.h>
#include <hedron/irq.h>
#include <hedron/memory.h>
#include <hedron/utcb.h>

#include <inttypes.h>
#include <stdio.h>

static int wrong;

static void compare(const char *name, uint64_t is, uint64_t should_be)
{
	if (is == should_be)
		return;
	printf("%s is %#" PRIx64 ", should be %#" PRIx64 "\n", name, is, should_be);
	wrong++;
}

#define IS(expression, value) compare(#expression, (uint64_t)(expression), value)

static void version_and_limits(void)
{
	IS(HEDRON_API_VERSION, 13002);
	IS(VERSION, 13002);
	IS(HEDRON_SEL_NUM, 67108864);
	IS(HEDRON_SEL_EXC, 32);
	IS(HEDRON_SEL_VMI, 256);
	IS(HEDRON_CPU_MAX, 128);
	IS(HEDRON_PRIO_MAX, 127);
	IS(HEDRON_USER_END, 0x7ffffffff000);
	IS(HEDRON_ROOT_UTCB, 0x7fffffffd000);
	IS(HEDRON_ROOT_HIP, 0x7fffffffe000);
	IS(HEDRON_ROOT_SEL_PD, 32);
	IS(HEDRON_ROOT_SEL_EC, 33);
	IS(HEDRON_ROOT_SEL_SC, 34);
	IS(HEDRON_EXC_STARTUP, 30);
}

static void hypercalls(void)
{
	IS(HC_CALL, 0);
	IS(HC_REPLY, 1);
	IS(HC_CREATE_PD, 2);
	IS(HC_CREATE_EC, 3);
	IS(HC_CREATE_SC, 4);
	IS(HC_CREATE_PT, 5);
	IS(HC_CREATE_SM, 6);
	IS(HC_REVOKE, 7);
	IS(HC_PD_CTRL, 8);
	IS(HC_EC_CTRL, 9);
	IS(HC_SC_CTRL, 10);
	IS(HC_PT_CTRL, 11);
	IS(HC_SM_CTRL, 12);
	IS(HC_MACHINE_CTRL, 15);
	IS(HC_CREATE_KP, 16);
	IS(HC_KP_CTRL, 17);
	IS(HC_CREATE_VCPU, 19);
	IS(HC_VCPU_CTRL, 20);
	IS(HC_ARG1(HC_CALL, CALL_NONBLOCK, 5), 0x5100);
	IS(HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN | SM_CTRL_ZERO, 0x3ffffff), 0x3ffffff30c);
	IS(HC_ARG1(HC_CREATE_EC, CREATE_EC_GLOBAL | CREATE_EC_CALLER_UTCB, 1), 0x1903);
}

static void statuses(void)
{
	IS(SUCCESS, 0);
	IS(TIMEOUT, 1);
	IS(ABORT, 2);
	IS(BAD_HYP, 3);
	IS(BAD_CAP, 4);
	IS(BAD_PAR, 5);
	IS(BAD_FTR, 6);
	IS(BAD_CPU, 7);
	IS(BAD_DEV, 8);
	IS(OOM, 9);
	IS(BUSY, 10);
}

static void permissions(void)
{
	IS(PERM_MEM_R, 1);
	IS(PERM_MEM_W, 2);
	IS(PERM_MEM_X, 4);
	IS(PERM_PIO_A, 1);
	IS(PERM_PD_CREATE, 1);
	IS(PERM_EC_CTRL, 1);
	IS(PERM_EC_SC, 4);
	IS(PERM_EC_PT, 8);
	IS(PERM_SC_CTRL, 1);
	IS(PERM_PT_CTRL, 1);
	IS(PERM_PT_CALL, 2);
	IS(PERM_SM_UP, 1);
	IS(PERM_SM_DOWN, 2);
	IS(PERM_KP_CTRL, 1);
	IS(PERM_VCPU_CTRL, 1);
}

static void sub_operations(void)
{
	IS(EC_CTRL_YIELD, 1);
	IS(SM_CTRL_UP, 0);
	IS(SM_CTRL_DOWN, 1);
	IS(PD_CTRL_LOOKUP, 0);
	IS(PD_CTRL_ACCESS_PAGE, 1);
	IS(PD_CTRL_DELEGATE, 2);
	IS(PD_CTRL_MSR, 3);
	IS(PD_CTRL_MSR_WRITE, 4);
	IS(REVOKE_SELF, 1);
	IS(REVOKE_REMOTE, 2);
	IS(KP_CTRL_MAP, 0);
	IS(KP_CTRL_UNMAP, 1);
	IS(MACHINE_CTRL_SUSPEND, 0);
	IS(MACHINE_CTRL_MICROCODE, 1);
	IS(MACHINE_CTRL_CONSOLE, 3);
	IS(MACHINE_CONSOLE_CLAIM, 1);
	IS(MACHINE_CONSOLE_WRITE, 2);
	IS(MACHINE_CONSOLE_RELEASE, 3);
	IS(VCPU_CTRL_RUN, 0);
	IS(VCPU_CTRL_POKE, 1);
}

static void descriptors(void)
{
	IS(crd_make(CRD_MEM, 0x12345, 9, PERM_MEM_R | PERM_MEM_X), 0x12345495);
	IS(crd_make(CRD_OBJ, 34, 0, PERM_ALL), 0x2207f);
	IS(crd_kind(0x1007), CRD_OBJ);
	IS(crd_perm(0x1007), 1);
	IS(crd_order(0xf83), 31);
	IS(crd_base(0xffffffffffffffff), 0xfffffffffffff);
	IS(ITEM_TRANSLATE, 0);
	IS(ITEM_DELEGATE, 1);
	IS(ITEM_TRANSLATE_DELEGATE, 2);
	IS(ITEM_NO_HOST, 0x100);
	IS(ITEM_GUEST, 0x600);
	IS(ITEM_HYPERVISOR, 0x800);
}

static void information_page(void)
{
	IS(HIP_SIGNATURE, 0x4e524448);
	IS(HIP_FEATURE_IOMMU, 1);
	IS(HIP_FEATURE_VMX, 2);
	IS(HIP_FEATURE_SVM, 4);
	IS(HIP_FEATURE_UEFI, 8);
	IS(HIP_EXT_SERIAL, 0x200000);
	IS(HIP_EXT_MEMORY, 0x400000);
	IS(HC_MEMORY_CTRL, 65);
	IS(MEMORY_CTRL_LOOK, 0);
	IS(MEMORY_CTRL_MOVE, 1);
	IS(HIP_EXT_IRQ, 0x2000000);
	IS(HC_IRQ_CTRL, 66);
	IS(IRQ_CTRL_OPEN, 0);
	IS(IRQ_CTRL_BIND_LINE, 1);
	IS(IRQ_CTRL_BIND_MESSAGE, 2);
	IS(IRQ_CTRL_UNBIND, 3);
	IS(IRQ_CTRL_MOVE, 4);
	IS(IRQ_CTRL_ACK, 5);
	IS(IRQ_CTRL_COUNT, 6);
	IS(IRQ_LINE_NUMBER, 0xffffffff);
	IS(IRQ_LINE_ISA, 0x100000000);
	IS(IRQ_LINE_LEVEL, 0x200000000);
	IS(IRQ_LINE_LOW, 0x400000000);
	IS(IRQ_VECTORS, 222);
	IS(HIP_SERIAL, 4084);
	IS(HIP_EXT_FRAMEBUFFER, 0x100000);
	IS(HIP_EXT_TEXT, 0x800000);
	IS(HIP_FRAMEBUFFER, 4032);
	IS(HIP_EXT_BUILD_ID, 0x1000000);
	IS(HIP_BUILD_ID, 4064);
	IS(HIP_BUILD_ID_SIZE, 20);
	IS(sizeof(struct hip_framebuffer), 32);
	IS((uint32_t)HIP_MEM_MODULE, 0xfffffffe);
	IS((uint32_t)HIP_MEM_HYPERVISOR, 0xffffffff);
	IS(sizeof(struct hip), 1136);
}

static void message_buffer(void)
{
	IS(UTCB_WORDS_MAX, 508);
	IS(UTCB_ITEMS_MAX, 254);
	IS(UTCB_STATE_WORDS, 80);
	IS(sizeof(struct utcb_state), 640);
	IS((char *)UTCB_TYPED((struct utcb *)4096, 0) - (char *)4096, 4080);
	IS((char *)UTCB_TYPED((struct utcb *)4096, 253) - (char *)4096, 32);
	IS(MTD_GPR_ACDB, 1);
	IS(MTD_RIP_LEN, 8);
	IS(MTD_QUAL, 1 << 15);
	IS(MTD_SYSCALL_SWAPGS, 1 << 23);
	IS(MTD_TSC_TIMEOUT, 1 << 24);
	IS(MTD_VINTR, 1 << 26);
	IS(MTD_EOI, 1 << 27);
	IS(MTD_TPR, 1 << 28);
	IS(MTD_TLB, 1 << 30);
	IS(MTD_FPU, 0x80000000);
}

int main(void)
{
	version_and_limits();
	hypercalls();
	statuses();
	permissions();
	sub_operations();
	descriptors();
	information_page();
	message_buffer();
	return wrong != 0;
}
