/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment of the process. */
#pragma once

/* Value of an environment variable, or the fallback when it is not set or empty. */
const char *environment(const char *name, const char *fallback);
