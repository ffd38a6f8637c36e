/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "vmexit": what running a guest costs. Names and parameters of the cases are fixed: results are compared
 * over time. A window is one round trip guest -> VMM -> guest with the least a VMM has to do: it writes the state it
 * changes, makes the hypercall and looks at the exit. "state" says what comes back: everything, as in API 13.2, or
 * only what this VMM needs (the extension; the case is skipped on kernels without it).
 */
#pragma once

#include "guest/vm.h"
#include "rt/sel.h"

enum { SEL_VM = RT_SEL_PROGRAM, SEL_OTHER = RT_SEL_PROGRAM + 4, SEL_PD = RT_SEL_PROGRAM + 8, SEL_NEW };

extern struct vm vmexit_vm, vmexit_other;
extern bool vmexit_minimal;    /* the running case's windows ask for little state */
extern unsigned vmexit_reason; /* what each of them has to end with */

/* Setups by what the guest does; their argument is the value of "state": 0 whole, 1 minimal. */
const char *vmexit_setup_cr0(long state);
const char *vmexit_setup_cr4(long state);
const char *vmexit_setup_syscall(long state);
const char *vmexit_setup_exception(long state);
const char *vmexit_setup_window(long state);
const char *vmexit_setup_timer(long state);
const char *vmexit_setup_apic(long state);
const char *vmexit_setup_reentry(long state);
const char *vmexit_setup_poked(long state);
const char *vmexit_setup_plain(long state);
const char *vmexit_setup_switch(long state);
const char *vmexit_setup_poke_other(long state);
const char *vmexit_setup_cpuid(long state);
const char *vmexit_setup_hlt(long state);
const char *vmexit_setup_vmcall(long state);
const char *vmexit_setup_in(long state);
const char *vmexit_setup_out(long state);
const char *vmexit_setup_rdmsr(long state);
const char *vmexit_setup_wrmsr(long state);
const char *vmexit_setup_cr8(long state);
const char *vmexit_setup_ept(long state);
const char *vmexit_setup_rdtsc(long state);
void vmexit_unmake(void);
void vmexit_unmake_apic(void);

/* Pokes of a vCPU that another CPU runs. */
const char *vmexit_setup_poke_running(long unused);
uint64_t vmexit_window_poke_running(void);
uint64_t vmexit_window_poke_latency(void);
void vmexit_unmake_poke_running(void);
