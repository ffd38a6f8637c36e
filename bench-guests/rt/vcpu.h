/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs: the objects one is made of, and the memory of its guest. docs/vmm.md is the introduction.
 * Locking: none, only one EC creates.
 */
#pragma once

#include "rt/attr.h"
#include "rt/hip.h"
#include "rt/hypercall.h"
#include "rt/vmx.h"

#include <stddef.h>

/* Everything a run can take from the state page. TLB and FPU are no state of it. */
#define RT_VCPU_ALL                                                                                                  \
	(MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS | MTD_DS_ES | MTD_FS_GS |  \
	 MTD_CS_SS | MTD_TR | MTD_LDTR | MTD_GDTR | MTD_IDTR | MTD_CR | MTD_DR | MTD_SYSENTER | MTD_CTRL | MTD_INJ | \
	 MTD_STA | MTD_TSC | MTD_EFER_PAT | MTD_PDPTE | MTD_SYSCALL_SWAPGS | MTD_TSC_TIMEOUT)

/* Selectors of a vCPU, from rt_vcpu.sel on. */
enum { RT_VCPU_SEL, RT_VCPU_SEL_STATE, RT_VCPU_SEL_VLAPIC, RT_VCPU_SEL_FPU, RT_VCPU_SELS };

/*
 * Fill in what differs from 0, then create. A zero `pd`, whose nested page table the guest has, is the roottask's
 * own. The three kernel pages are mapped in the roottask. On failure, and after all capabilities were revoked, the
 * structure may be used again.
 */
struct rt_vcpu {
	sel_t pd;
	unsigned cpu;
	sel_t sel; /* of the vCPU, and three more behind it for its kernel pages; 0: new ones */
	struct utcb_state *state;
	uint8_t *vlapic, *fpu;
};

enum status rt_vcpu(struct rt_vcpu *v) RT_MUST_CHECK;
enum status rt_vcpu_pages(struct rt_vcpu *v) RT_MUST_CHECK; /* only the kernel pages */

static inline bool rt_has_vcpus(void)
{
	return rt_hip->api_flg & (HIP_FEATURE_VMX | HIP_FEATURE_SVM);
}
/* AMD's kind: no secondary controls, and some others that are missing (docs/abi.md). */
static inline bool rt_has_svm(void)
{
	return rt_hip->api_flg & HIP_FEATURE_SVM;
}
static inline bool rt_has_vcpu_partial(void)
{
	return rt_hip->api_flg & HIP_EXT_VCPU_PARTIAL;
}

/*
 * Masks the legacy interrupt controllers. Firmware leaves its timer on; the kernel takes no device interrupts, but a
 * pending one ends every run (or, in a passthrough VM, is the guest's).
 */
enum status rt_mask_interrupts(void) RT_MUST_CHECK;

/* Secondary controls that may be 1. */
static inline uint32_t rt_vmx_ctrl1(void)
{
	return (uint32_t)(rt_hip->cap_vmx_sec_exec >> 32);
}

/* Lets the guests of `pd` see RAM of rt_pages(), or no longer what is at these addresses. */
enum status rt_guest_map(sel_t pd, uint64_t gpa, const void *ram, size_t pages, unsigned rights) RT_MUST_CHECK;
enum status rt_guest_unmap(sel_t pd, uint64_t gpa, size_t pages) RT_MUST_CHECK;

/* Lets the guests of `pd` use 2^order ports; without them the accesses exit. */
enum status rt_guest_ports(sel_t pd, uint16_t base, unsigned order) RT_MUST_CHECK;
