/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sleep types that have to be written to the PM1 control blocks for S3. Firmware gives them in AML, as the
 * package
 * \_S3_. There is no interpreter here: the definition of a constant package is recognized by its bytes, to which all
 * compilers translate it. Manual: ACPI Specification 6.5, 7.4.2 (\_Sx), 20.2 (AML encoding).
 */
#pragma once

#include "lib/types.h"

#define SLEEP_TYPE_MAX 7 /* a field of three bits */

struct sleep_types {
	bool known;
	u8 a, b; /* for PM1a and PM1b */
};

/* Looks through a table of definitions, DSDT or SSDT, whose header has been checked; the first package that is found
 * counts. */
void sleep_find_s3(u64 table, u32 length, struct sleep_types *out);
