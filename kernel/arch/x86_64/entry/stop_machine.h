/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stopping all other CPUs for a moment: their half. The half of the CPU that asks for it is arch_stop_machine(). */
#pragma once

/* In the NMI handler: if another CPU has stopped the machine, waits until that CPU is done. */
void stop_machine_answer(void);
