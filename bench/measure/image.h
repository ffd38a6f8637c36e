/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel and the roottask that a machine boots, and how a result identifies them. */
#pragma once

#include "host/error.h"
#include "result/result.h"

/* False when it is no ELF file. */
bool image_check(const char *path, bool *is_64, struct error *error) must_check;

/*
 * Records name, hash and build id of an image as <kind>_file, <kind>_sha256 and <kind>_build_id. False as well when
 * the result knows already that what ran has another build id.
 */
bool image_note(struct result *result, const char *kind, const char *path, struct error *error) must_check;

/* The part of a path after the last slash. */
const char *image_name(const char *path);
