/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLB tags and flushes. A PD has a PCID for life, if there is one left; PDs without have PCID 0 and are flushed at each switch.
 * Manual: SDM vol. 3, 4.10.
 */
#pragma once

struct pd;

/* Chooses the PCID and fills in pd->cr3. */
void tlb_init_pd(struct pd *pd);
/* Gives the PCID back; nothing of the PD is left in the TLB then. */
void tlb_free_pd(struct pd *pd);
