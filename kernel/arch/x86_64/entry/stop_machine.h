/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holding all other CPUs: arch_hold_others() (arch_trace.h), and its other half. */
#pragma once

/* In the NMI handler: stays until the other CPU is done, if one holds us. */
void hold_answer(void);
