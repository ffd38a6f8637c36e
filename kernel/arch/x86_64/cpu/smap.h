/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Supervisor-mode access prevention: the kernel cannot touch user pages, unless RFLAGS.AC is set. */
#pragma once

/* The entries clear AC from now on. Once, on a CPU that has SMAP, while the image is still writable. */
void smap_setup(void);
