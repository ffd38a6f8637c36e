/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The revisions between two, as git knows them. Names are full hashes, to be freed. */
#pragma once

#include "host/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The hash of whatever names a commit; NULL when nothing has that name. */
char *revision_find(const char *repo, const char *name, struct error *error) must_check;

/* The commit before, on the line that it was made on. */
char *revision_parent(const char *repo, const char *revision, struct error *error) must_check;

/* True when `old` came before `new`, so that there is something between them. */
bool revision_before(const char *repo, const char *old, const char *new, struct error *error) must_check;

/*
 * What may be the first bad commit: ancestors of `bad` (and itself, last) that are none of a good one, those first
 * that halve the rest best. Its list ends with NULL; NULL on error.
 */
char **revision_candidates(const char *repo, const char *bad, char *const *goods, size_t count,
			   struct error *error) must_check;

/* "1a2b3c4 2026-11-30 A. U. Thor: subject". */
char *revision_describe(const char *repo, const char *revision);

/* Puts a revision into a working tree of its own, which is made the first time. */
bool revision_check_out(const char *repo, const char *tree, const char *revision, struct error *error) must_check;

/* Takes that working tree away again. */
void revision_remove_tree(const char *repo, const char *tree);
