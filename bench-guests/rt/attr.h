/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of functions and parameters, by names that say what they are for. */
#pragma once

#define RT_MUST_CHECK __attribute__((warn_unused_result)) /* a caller that ignores the result does not compile */
#define RT_PRINTF(f, va) __attribute__((format(printf, f, va)))
#define RT_UNUSED __attribute__((unused)) /* a parameter that the type of the function demands and nobody reads */
