/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Supervisor-mode access prevention: the kernel cannot touch user pages, unless RFLAGS.AC is set. */
#pragma once

/* Has all entries clear RFLAGS.AC from now on. Called once, if the boot CPU has SMAP, while the image is writable. */
void smap_setup(void);
