/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For core/remote.c: in a run of a scenario for that, whoever sends a work item behind another waits until they are
 * taken. Outside of one the CPUs have their turns one after the other, and nobody can wait for the next.
 */
#pragma once

#include "lib/types.h"

extern u32 interleave_crowd;
#define REMOTE_CROWD interleave_crowd
