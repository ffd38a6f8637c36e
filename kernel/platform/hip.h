/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills in the hypervisor information page (hedron/hip.h has its layout). */
#pragma once

#include "platform/acpi.h"
#include "platform/bootinfo.h"

#include <hedron/hip.h>

#define HIP_CLAIMED_MAX 8

/*
 * Step 1: enters all that is known from the boot loader and ACPI. `claimed` are the kernel's own ranges in any order
 * (at most HIP_CLAIMED_MAX), rounded out to pages here. The whole page is zeroed first, because user land will see
 * it. No CPU is enabled yet.
 */
void hip_init(struct hip *hip, const struct boot_info *boot, const struct acpi_info *acpi,
	      const struct range *claimed, unsigned claimed_count);

/*
 * Step 2: the caller adds what it finds out: CPUs with hip_set_cpu(), api_flg (|= HIP_FEATURE_VMX), freq_tsc,
 * cap_vmx_sec_exec. The page has 8 bits for each identifier of a CPU; of longer ones it shows the low 8 bits.
 */
void hip_set_cpu(struct hip *hip, unsigned cpu, struct acpi_cpu id, unsigned package, unsigned core, unsigned thread);

/* Part of step 2, where the kernel has a serial line: where it is. */
void hip_set_serial(struct hip *hip, struct hip_gas line);

/* Part of step 2, where the image has one: HIP_BUILD_ID_SIZE bytes. */
void hip_set_build_id(struct hip *hip, const u8 *id);

/* Step 3: the checksum. May be repeated after later changes. */
void hip_finish(struct hip *hip);
