/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A warm reset of the machine, by what the roottask has of it: memory keeps its contents. */
#pragma once

/* Tries the firmware's reset register, the chipset's, and the keyboard controller. Returns if none does it. */
void rt_reboot(void);
