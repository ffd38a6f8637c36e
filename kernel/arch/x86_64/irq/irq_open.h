/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts that come to the kernel (core/irq.h): what is switched when they are opened, and after sleep. */
#pragma once

/* This CPU, or the machine, was reset in its sleep. */
void irq_open_restore_cpu(void);
void irq_open_restore_lines(void);
