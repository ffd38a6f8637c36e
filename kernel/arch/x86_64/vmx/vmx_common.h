/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMX on CPUs that differ, as the kinds of CPUs of one processor may: what all of them have. A vCPU belongs to one
 * CPU, but VMMs are told of all at once.
 */
#pragma once

#include "vmx/vmx.h"

/* Takes from *all what `one` has not, and adds what it must have. NULL, or a difference with which that is not
 * possible; *all is undefined then. */
const char *vmx_common_merge(struct vmx *all, const struct vmx *one);

/* Whether a CPU that has `one` can do all that *all says, and must do no more. */
bool vmx_common_covers(const struct vmx *one, const struct vmx *all);
