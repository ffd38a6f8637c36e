/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suite `ipc`: its tables. */
#pragma once

#include "guest.h"

extern const struct test ipc_call_tests[], ipc_help_tests[], ipc_item_tests[];
