/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel memory of protection domains: what MEMORY_CTRL does (docs/abi.md, "MEMORY_CTRL"). An extension of ours,
 * announced by HIP_EXT_MEMORY.
 */
#pragma once

#define HC_MEMORY_CTRL 65

/* Sub-operations, ARG1[11:8]. ARG1[63:12] names a PD, with the permission to create. */
enum {
	/* OUT2: bytes of kernel memory in use. OUT3: its allowance, 0 without one. OUT4: bytes it can still have. */
	MEMORY_CTRL_LOOK = 0,
	/* ARG2: another such PD, ARG3: bytes. These go from that one's allowance to the first one's. */
	MEMORY_CTRL_MOVE = 1,
};
