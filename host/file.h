/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files and folders. */
#pragma once

#include "host/error.h"

#include <stddef.h>

/* Reads a file of at most `max` bytes; a NUL follows the data. NULL on error. To be freed. */
char *file_read(const char *path, size_t max, size_t *size, struct error *error) must_check;

/* Replaces a file in one step: readers see the old or the new content, never a part. */
bool file_replace(const char *path, const char *data, size_t size, struct error *error) must_check;

/* Creates a folder and those above it that are missing (mkdir -p). */
bool file_make_folders(const char *path, struct error *error) must_check;

/*
 * Opens a regular file that is there, below an open folder: no link and no ".." leads out, the host's kernel sees to
 * that. access: O_RDONLY or O_WRONLY. -1: there is none such.
 */
int file_open_below(int folder, const char *path, int access) must_check;

/* Removes a folder with all that is in it (rm -rf); one that is not there is no error. */
void file_remove_folder(const char *path);
