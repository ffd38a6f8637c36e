/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's command line: words separated by spaces, unknown ones are ignored, the last of a kind counts.
 *
 *   serial[=LINE]   messages on a serial line (platform/serial_word.h)
 *   novga           no text on the screen
 *   nopcid          no TLB tags for PDs       novpid         no TLB tags for VMs
 *   nomwait         idle CPUs halt            l1flush        no data of others in L1 when a VM runs
 *   heap=N[KMG]     size of the kernel heap   log=LEVEL      error, warn, info or debug
 *   log=ram[:SIZE[@ADDRESS]]                  a log in RAM (platform/ramlog.h)
 *   panic=reboot    a panic resets the machine at once
 */
#pragma once

#include "platform/serial_word.h"

struct cmdline {
	struct serial_word serial;
	bool vga, pcid, vpid, mwait, l1_flush;
	u64 heap;      /* bytes; 0 = by rule (platform/memmap.h) */
	int log_level; /* enum log_level */
	u64 ramlog;    /* bytes of the log in RAM; 0 = none */
	u64 ramlog_at; /* its physical address; 0 = by rule (platform/memmap.h) */
	bool panic_reboots;
};

void cmdline_parse(const char *text, struct cmdline *out);
