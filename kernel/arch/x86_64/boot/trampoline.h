/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page below 1 MiB in which CPUs begin in real mode: after a start-up IPI, and when the machine wakes up. It
 * belongs to user land; the code is there only while it is needed.
 */
#pragma once

#include "platform/bootinfo.h"

/* Physical address, page aligned; 0: the machine has no such page. */
extern u64 trampoline_page;

/* Boot time: chooses the page and keeps a copy of the code, which nothing maps later. */
void trampoline_init(const struct boot_info *boot);

/* `page` is where the page can be written now. What was there is kept by put() and comes back with remove(). */
void trampoline_put(void *page);
void trampoline_remove(void *page);
