/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine belongs to one run at a time: a file per machine says whose it is. Runs of one inventory share its folder
 * of locks, over a network file system if need be. A lock holds while its process lives (where it can be seen) and
 * its time is not over (anywhere); the owner renews it. How old it is tells the clock of whoever keeps the folder, as
 * dates of files, so that hosts need not agree on the time.
 */
#pragma once

#include "host/environment.h"
#include "host/error.h"

#include <stddef.h>

/* How long a lock holds that is not renewed, and how often its owner renews it. */
enum { LOCK_SECONDS = 300, LOCK_RENEW_SECONDS = 5 };

struct lock_info {
	char owner[64], host[ENVIRONMENT_HOST_SIZE], purpose[256], since[32];
	char boot[40]; /* of the host: that two hosts have one name is no rare thing */
	long pid;
	unsigned long long started; /* of the process, in ticks since boot: process ids are used again */
	unsigned long long space;   /* namespace in which the process id means something */
	long long age;              /* seconds since it was renewed */
};

enum lock_state { LOCK_FREE, LOCK_MINE, LOCK_HELD, LOCK_STALE };

/* Who has the machine; *info is set unless it is free. LOCK_STALE: the owner is gone, or its time is over. */
enum lock_state lock_look(const char *folder, const char *machine, struct lock_info *info);

/* Takes a machine that is free, or whose owner is gone; false with who has it. */
bool lock_take(const char *folder, const char *machine, const char *purpose, struct error *error) must_check;

/* Renews our lock; false when it is known not to be ours any more. */
bool lock_renew(const char *folder, const char *machine);

/* Gives it back, if it is ours. */
void lock_release(const char *folder, const char *machine);

/* Removes a lock that is stale or ours; with force any. */
bool lock_break(const char *folder, const char *machine, bool force, struct error *error) must_check;

/* "anna on labhost, process 123, since ..., for ..." */
void lock_describe(const struct lock_info *info, char *out, size_t size);
