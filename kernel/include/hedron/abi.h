/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Hedron 13.2 system call interface: numbers, statuses, permissions, limits.
 * Valid C, C++ and (the plain #defines) assembly. docs/abi.md describes each entry.
 */
#pragma once

#define HEDRON_API_VERSION 13002 /* major * 1000 + minor */

#define HEDRON_SEL_NUM 0x4000000 /* selectors per object space */
#define HEDRON_SEL_EXC 32        /* exception selectors of an event base */
#define HEDRON_SEL_VMI 256       /* VM-exit selectors */
#define HEDRON_CPU_MAX 128
#define HEDRON_PRIO_MAX 127
#define HEDRON_USER_END 0x7ffffffff000 /* first address user land cannot have */
#define HEDRON_ROOT_UTCB 0x7fffffffd000
#define HEDRON_ROOT_HIP 0x7fffffffe000
#define HEDRON_ROOT_SEL_PD 32
#define HEDRON_ROOT_SEL_EC 33
#define HEDRON_ROOT_SEL_SC 34
#define HEDRON_EXC_STARTUP 30 /* event of a global EC's first dispatch */

/* X(number, NAME, arguments of the documentation): every hypercall of API 13.2. */
#define HC_LIST(X)          \
	X(0, CALL)          \
	X(1, REPLY)         \
	X(2, CREATE_PD)     \
	X(3, CREATE_EC)     \
	X(4, CREATE_SC)     \
	X(5, CREATE_PT)     \
	X(6, CREATE_SM)     \
	X(7, REVOKE)        \
	X(8, PD_CTRL)       \
	X(9, EC_CTRL)       \
	X(10, SC_CTRL)      \
	X(11, PT_CTRL)      \
	X(12, SM_CTRL)      \
	X(15, MACHINE_CTRL) \
	X(16, CREATE_KP)    \
	X(17, KP_CTRL)      \
	X(19, CREATE_VCPU)  \
	X(20, VCPU_CTRL)

/* X(number, NAME, meaning): OUT1[7:0] of every hypercall. */
#define STATUS_LIST(X)                                             \
	X(0, SUCCESS, "done")                                      \
	X(1, TIMEOUT, "the operation would have had to wait")      \
	X(2, ABORT, "the partner died before it answered")         \
	X(3, BAD_HYP, "no such hypercall")                         \
	X(4, BAD_CAP, "no capability of that kind and permission") \
	X(5, BAD_PAR, "a parameter is out of range")               \
	X(6, BAD_FTR, "the machine lacks the feature")             \
	X(7, BAD_CPU, "no such CPU, or the object is on another")  \
	X(8, BAD_DEV, "no such device")                            \
	X(9, OOM, "the kernel's memory is exhausted")              \
	X(10, BUSY, "the object is in use")

#ifndef __ASSEMBLER__

#ifdef __cplusplus
#define HEDRON_ASSERT(x, why) static_assert(x, why)
#else
#define HEDRON_ASSERT(x, why) _Static_assert(x, why)
#endif

enum hedron_hypercall {
#define X(n, name) HC_##name = n,
	HC_LIST(X)
#undef X
};

enum status {
#define X(n, name, text) name = n,
	STATUS_LIST(X)
#undef X
};

/* ARG1: hypercall in bits 7:0, flags or sub-operation in 11:8, selector or value in 63:12. */
#define HC_ARG1(hc, flags, sel) ((unsigned long)(hc) | ((unsigned long)(flags) << 8) | ((unsigned long)(sel) << 12))

/* Permissions, by kind of capability. */
enum {
	PERM_MEM_R = 1,
	PERM_MEM_W = 2,
	PERM_MEM_X = 4,
	PERM_PIO_A = 1,
	PERM_PD_CREATE = 1,
	PERM_EC_CTRL = 1,
	PERM_EC_SC = 4,
	PERM_EC_PT = 8,
	PERM_SC_CTRL = 1,
	PERM_PT_CTRL = 1,
	PERM_PT_CALL = 2,
	PERM_SM_UP = 1,
	PERM_SM_DOWN = 2,
	PERM_KP_CTRL = 1,
	PERM_VCPU_CTRL = 1,
	PERM_ALL = 31, /* of a CRD: whatever there is */
};

/* All permissions of a kind: what the capability of a new object has (a PD's has those of its parent's). */
enum {
	PERM_PD_ALL = PERM_PD_CREATE,
	PERM_EC_ALL = PERM_EC_CTRL | PERM_EC_SC | PERM_EC_PT,
	PERM_SC_ALL = PERM_SC_CTRL,
	PERM_PT_ALL = PERM_PT_CTRL | PERM_PT_CALL,
	PERM_SM_ALL = PERM_SM_UP | PERM_SM_DOWN,
	PERM_KP_ALL = PERM_KP_CTRL,
	PERM_VCPU_ALL = PERM_VCPU_CTRL,
};

/* Sub-operations and flags: values of ARG1[11:8]. */
enum {
	CALL_NONBLOCK = 1,
	CREATE_PD_PASSTHROUGH = 1,
	CREATE_EC_GLOBAL = 1,
	CREATE_EC_CALLER_UTCB = 8,
	EC_CTRL_YIELD = 1,
	SM_CTRL_UP = 0,
	SM_CTRL_DOWN = 1,
	SM_CTRL_ZERO = 2,
	PD_CTRL_LOOKUP = 0,
	PD_CTRL_ACCESS_PAGE = 1,
	PD_CTRL_DELEGATE = 2,
	PD_CTRL_MSR = 3,
	PD_CTRL_MSR_WRITE = 4,
	REVOKE_SELF = 1,
	REVOKE_REMOTE = 2,
	KP_CTRL_MAP = 0,
	KP_CTRL_UNMAP = 1,
	MACHINE_CTRL_SUSPEND = 0,
	MACHINE_CTRL_MICROCODE = 1,
	MACHINE_CTRL_CONSOLE = 3, /* extension: ARG1[63:12] is one of enum machine_console */
	VCPU_CTRL_RUN = 0,
	VCPU_CTRL_POKE = 1,
	VCPU_CTRL_PARTIAL = 4, /* run, extension: ARG3 selects the state that comes back */
};

/* What MACHINE_CTRL_CONSOLE does; docs/abi.md. Text is in registers as in memory: it ends with a null byte, or when
 * the registers are full. */
enum machine_console {
	/* A line of the caller's begins. ARG2: MACHINE_CONSOLE_TAKES, or 0. OUT2, OUT3: what to write before it. */
	MACHINE_CONSOLE_CLAIM = 1,
	MACHINE_CONSOLE_WRITE = 2, /* ARG2..4: text for the kernel to keep */
	MACHINE_CONSOLE_RELEASE = 3,
};
#define MACHINE_CONSOLE_TAKES 1       /* the caller drives the serial line, and writes what the kernel hands over */
#define MACHINE_CONSOLE_CLAIM_TEXT 16 /* bytes */
#define MACHINE_CONSOLE_WRITE_TEXT 24

#endif
