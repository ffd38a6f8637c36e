/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC, as a means to signal and to start CPUs; everything else about it is user land's, until interrupts
 * are opened (irq/). It stays in the mode in which firmware left it. Manual: SDM vol. 3, 11.4 (xAPIC), 11.6
 * (interrupt command register), 11.12 (x2APIC).
 */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

/* Boot processor: finds out the mode and maps the registers if they are in memory. BAD_FTR: the APIC is switched off
 * for good, and nobody can be reached. */
enum status lapic_init(void) must_check;

/*
 * The ID by which others reach the running CPU, on the boot tables. The APIC itself is asked, because CPUID may know
 * another one; only where it is switched off CPUID has to do.
 */
u32 lapic_id(void);

/* Whether a CPU with this ID can be reached: the memory-mapped mode has 8 bits for it, all ones meaning everybody. */
bool lapic_can_reach(u32 apic_id);

#define LAPIC_MODE_ON (1u << 11)

/* This CPU's mode and place of the registers, and how to get back to them when the CPU was reset. */
u64 lapic_mode(void);
void lapic_restore_mode(u64 mode);
/* Another CPU, before it sends: takes the boot processor's mode, in which firmware need not have left it. */
void lapic_join(void);
/* Whether it can. */
bool lapic_can_join(void);

/* Nobody starts a CPU there: it is firmware's ROM. */
#define LAPIC_KICK_PAGE 0xff

/* An overflow of a performance counter comes as an NMI to this CPU, if its APIC is on. */
void lapic_counter_nmi(void);

void lapic_send_nmi(u32 apic_id);
void lapic_send_init(u32 apic_id);
/* Starts the CPU in real mode at page << 12. */
void lapic_send_startup(u32 apic_id, u8 page);

/* A register of this CPU's APIC, by its offset in the memory-mapped mode. */
u32 lapic_read(unsigned offset);
void lapic_write(unsigned offset, u32 value);

/*
 * Interrupts of this CPU are the kernel's from now on: what user land or firmware have made of its local sources is
 * masked, but for NMIs. Vectors below 32, which are those of exceptions, are kept out. `vector` is that of spurious
 * interrupts.
 */
void lapic_open(u8 vector);
void lapic_end_interrupt(void);
/* Whether this interrupt is being handled: a spurious one is not. */
bool lapic_in_service(u8 vector);
