/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor information page: facts about the machine. */
#pragma once

#include <hedron/hip.h>
#include <stdbool.h>

extern const struct hip *rt_hip;
extern unsigned rt_cpu; /* number of the boot CPU, on which main() runs */

unsigned rt_cpu_count(void);               /* enabled CPUs */
bool rt_cpu_enabled(unsigned cpu);         /* false also for numbers out of range */
unsigned rt_cpu_other(void);               /* an enabled CPU that is not the boot CPU, else HEDRON_CPU_MAX */
unsigned rt_mem_count(void);               /* memory descriptors of the page */
const struct hip_gas *rt_hip_serial(void); /* the kernel's serial line, or null */
const uint8_t *rt_hip_build_id(void);      /* HIP_BUILD_ID_SIZE bytes, or null if the kernel does not tell */
bool rt_hip_valid(void);                   /* signature, length, layout, version and checksum */

/* For the start of the program, with what the kernel gave it. Nothing above works before. */
void rt_hip_init(const struct hip *hip, unsigned cpu);
