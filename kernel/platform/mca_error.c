/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/mca_error.h"

#include "lib/bits.h"

/* The codes of the two errors for which the manual says what "action required" means (SDM vol. 3, 16.9.3.2). Bit 12
 * is masked: it only tells that corrected errors are filtered. */
#define CODE_MASK 0xefffull
#define CODE_DATA_LOAD 0x134
#define CODE_INSTRUCTION_FETCH 0x150

/* Fields of MCi_MISC with software recovery: the lowest bit of the address that is valid, and the kind of address. */
#define MISC_LSB 0x3full
#define MISC_MODE (7ull << 6)
#define MISC_PHYSICAL (2ull << 6)

#define ADDR_BITS 0x000fffffffffffffull /* AMD has other things above (APM vol. 2, 9.3) */

bool mca_error_memory(const struct mca_error *e, const struct mca_features *f, u64 *addr, u64 *size)
{
	if (!(e->status & MCA_ADDR_VALID))
		return false;
	*size = PAGE_SIZE;
	if (f->ser) {
		if (!(e->status & MCA_MISC_VALID) || (e->misc & MISC_MODE) != MISC_PHYSICAL)
			return false;
		*size = max_u64(PAGE_SIZE, bit(e->misc & MISC_LSB));
	}
	*addr = e->addr & ADDR_BITS & ~(*size - 1);
	return true;
}

/* For an error that is uncorrected and enabled and has not corrupted the context, on a CPU with Intel's software
 * recovery: SDM vol. 3, tables 16-6 and 16-7. */
static enum mca_kind classify_recoverable(const struct mca_error *e, const struct mca_features *f)
{
	u64 code = e->status & CODE_MASK, addr, size;
	bool required = e->status & MCA_ACTION_REQUIRED;

	if (!(e->status & MCA_SIGNALLED))
		return required ? MCA_KIND_UNKNOWN : MCA_KIND_NO_ACTION;
	if (!required)
		return MCA_KIND_OPTIONAL;
	if (e->status & MCA_OVERFLOW)
		return MCA_KIND_LOST;
	if ((code != CODE_DATA_LOAD && code != CODE_INSTRUCTION_FETCH) || !mca_error_memory(e, f, &addr, &size))
		return MCA_KIND_UNKNOWN;
	return MCA_KIND_CONSUMED;
}

/* The same on CPUs without: AMD's (APM vol. 2, 9.3), or old ones, on which nothing is contained. */
static enum mca_kind classify_contained(const struct mca_error *e, const struct mca_features *f)
{
	if (!f->containment)
		return MCA_KIND_UNCONTAINED;
	if (e->status & MCA_OVERFLOW && !f->overflow_safe)
		return MCA_KIND_LOST;
	return MCA_KIND_CONSUMED;
}

static enum mca_kind classify(const struct mca_error *e, const struct mca_features *f)
{
	if (!(e->status & MCA_UNCORRECTED))
		return !f->ser && e->status & MCA_DEFERRED ? MCA_KIND_DEFERRED : MCA_KIND_CORRECTED;
	if (!(e->status & MCA_ENABLED)) /* no-action errors come with any value of it */
		return MCA_KIND_UNSIGNALLED;
	if (e->status & MCA_CONTEXT_CORRUPT)
		return MCA_KIND_CORRUPT;
	return f->ser ? classify_recoverable(e, f) : classify_contained(e, f);
}

void mca_error_classify(struct mca_error *e, const struct mca_features *f)
{
	e->kind = (u8)classify(e, f);
}

const char *mca_error_kind_name(unsigned kind)
{
	static const char *const names[MCA_KINDS] = {
		[MCA_KIND_CORRECTED] = "corrected",
		[MCA_KIND_DEFERRED] = "deferred",
		[MCA_KIND_UNSIGNALLED] = "uncorrected, not signalled",
		[MCA_KIND_NO_ACTION] = "uncorrected, no action required",
		[MCA_KIND_OPTIONAL] = "uncorrected, action optional",
		[MCA_KIND_CONSUMED] = "uncorrected, consumed",
		[MCA_KIND_CORRUPT] = "uncorrected, context corrupt",
		[MCA_KIND_UNCONTAINED] = "uncorrected, not contained",
		[MCA_KIND_LOST] = "uncorrected, others lost",
		[MCA_KIND_UNKNOWN] = "uncorrected, unknown action required",
	};
	return kind < MCA_KINDS ? names[kind] : "unknown";
}

/*
 * CPUs that see a consumed error of another one in a bank that they share can restart, and their instruction has
 * nothing to do with it (SDM vol. 3, table 16-20). Errors of AMD processors are told to nobody else.
 */
static bool is_affected(const struct mca_features *f, u64 mcg_status)
{
	return !f->ser || mcg_status & MCA_LOCAL || (mcg_status & (MCA_RIPV | MCA_EIPV)) != MCA_RIPV;
}

enum mca_outcome mca_error_judge(const struct mca_error *e, const struct mca_features *f, u64 mcg_status,
				 enum mca_context context, bool ours)
{
	if (e->kind >= MCA_KIND_FATAL)
		return MCA_OUTCOME_PANIC;
	if (e->kind != MCA_KIND_CONSUMED)
		return MCA_OUTCOME_GO_ON;
	if (!is_affected(f, mcg_status))
		return MCA_OUTCOME_FOREIGN;
	/* The kernel cannot replace memory of its own that has lost its contents, and would use it again. */
	return context == MCA_IN_KERNEL || ours ? MCA_OUTCOME_PANIC : MCA_OUTCOME_END;
}

enum mca_outcome mca_error_conclude(enum mca_outcome worst, u64 mcg_status)
{
	return worst < MCA_OUTCOME_END && !(mcg_status & MCA_RIPV) ? MCA_OUTCOME_PANIC : worst;
}
