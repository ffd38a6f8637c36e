/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes by which files and results are told apart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* SHA-256 as 64 lowercase hexadecimal digits. False when libgcrypt cannot be used. */
bool hash_sha256(const void *data, size_t size, char out[65]);
