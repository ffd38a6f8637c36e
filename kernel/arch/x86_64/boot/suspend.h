/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suspend to RAM (ACPI S3): memory survives, CPUs are reset, the boot CPU begins again in real mode at the waking
 * vector.
 *
 * Any CPU may ask. All come in, each keeps its state on its own kernel stack, the boot CPU puts the machine to sleep
 * and starts the others when it wakes up; each then returns from where it was. Nothing above this file knows that
 * time has passed. Manual: ACPI Specification 6.5, 4.8.3.2 (PM1 control), 5.2.10 (FACS), 7.4.2.2 (S3), 16.3.
 */
#pragma once

#include "platform/acpi.h"

/* Boot time, on the boot CPU, after the others were started. */
void suspend_init(const struct acpi_info *acpi);

/* A CPU that has just been started: if it slept, it goes on there. */
void suspend_wake(unsigned cpu);
