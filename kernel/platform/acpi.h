/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the few facts that the kernel needs from the ACPI tables, at boot. Tables are untrusted: one with a bad
 * length is left out with a log line; one with a wrong checksum, which firmware that patches its tables leaves, is
 * used if there is no better one. Manual: ACPI Specification 6.5, 5.2; PCI Firmware Specification 3.3, 4.1.2; IA-PC
 * HPET Specification 1.0a, 3.2.4.
 */
#pragma once

#include "platform/bootinfo.h"
#include "platform/irq_map.h"
#include "platform/serial_table.h"
#include "platform/sleep.h"

#include <hedron/hip.h>

#define ACPI_KEPT_MAX 128

struct acpi_cpu {
	u32 acpi_id, apic_id;
};

struct acpi_info {
	u64 root;                          /* physical address of the XSDT, else the RSDT; 0 = none */
	u64 dmar;                          /* of the DMAR table; 0 = none */
	u64 facs;                          /* of the FACS; 0 = none */
	u64 mcfg_base, mcfg_size;          /* PCI segment 0; 0 = none */
	struct hip_gas pm1a_cnt, pm1b_cnt; /* PM1 control blocks; all zero = none */
	struct hip_gas reset;              /* the reset register, of a byte, and what to write; zero address = none */
	u8 reset_value;
	struct sleep_types s3; /* the values to write to these to suspend */
	u16 pm_timer;          /* port of the power management timer; 0 = none */
	u8 pm_timer_bits;      /* 24 or 32 */
	u64 hpet;              /* registers of the first HPET; 0 = none */
	/* where the tables are that were looked at: firmware may have them in what it calls RAM */
	u32 kept_count;
	struct range kept[ACPI_KEPT_MAX];
	u32 self;                       /* APIC ID of the boot CPU, as the caller says */
	struct serial_found spcr, dbg2; /* the serial lines that these tables name */
	struct irq_map irq;
	u32 cpu_count;
	/* The enabled CPUs in the order of the MADT: the index is the CPU number. Of too many the first ones; if the
	 * boot CPU is not among them, it is the last. */
	struct acpi_cpu cpu[HEDRON_CPU_MAX];
};

/* False: no usable ACPI at all; *out is then valid but empty. `self`: the APIC ID of the running CPU. */
bool acpi_parse(const struct boot_info *boot, u32 self, struct acpi_info *out) must_check;
