/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/mca_log.h"

#include "lib/compiler.h"

void mca_log_put(struct mca_log *log, const struct mca_error *e)
{
	u32 at = log->written;

	if (at - READ_ONCE(log->read) == MCA_LOG_SIZE) {
		__atomic_add_fetch(&log->lost, 1, __ATOMIC_RELAXED);
		return;
	}
	log->error[at % MCA_LOG_SIZE] = *e;
	__atomic_store_n(&log->written, at + 1, __ATOMIC_RELEASE);
}

bool mca_log_take(struct mca_log *log, struct mca_error *e)
{
	u32 at = log->read;

	if (at == __atomic_load_n(&log->written, __ATOMIC_ACQUIRE))
		return false;
	*e = log->error[at % MCA_LOG_SIZE];
	__atomic_store_n(&log->read, at + 1, __ATOMIC_RELEASE);
	return true;
}
