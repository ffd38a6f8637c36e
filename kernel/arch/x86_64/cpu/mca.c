/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every CPU looks at its own banks and decides for itself, without waiting for others: if all are told of an error
 * (Intel's broadcast), those that it does not concern find either nothing or an error that is known not to be theirs.
 * Corrected errors cause no exception here; they are reported when something else makes the kernel look. Interrupts
 * for them (CMCI, thresholds) and what firmware handles first stay as firmware left them: MCi_CTL2 and, on AMD
 * processors, the masks and the configuration of each bank are not touched.
 * Manual: SDM vol. 3, 16.3, 16.8 (start), 16.10.4 (handler); APM vol. 2, 9.3 (registers), 9.5 (use).
 */
#include "cpu/mca.h"

#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/switch.h"
#include "lib/bits.h"
#include "platform/console.h"
#include "space/space_mem.h"

#define MSR_MCG_CAP 0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL 0x17b
#define MSR_MCG_EXT_CTL 0x4d0
#define MSR_MC0_CTL 0x400
#define MSR_SMCA_CTL 0xc0002000 /* scalable MCA: 16 registers for each bank, the first four as elsewhere */

#define CAP_COUNT 0xffull /* mask: how many banks there are */
#define CAP_CTL (1ull << 8)
#define CAP_SER (1ull << 24)
#define CAP_LOCAL (1ull << 27)
#define EXT_CTL_LOCAL (1ull << 0)
#define FEATURE_CONTROL_LOCAL (1ull << 20 | 1ull << 0) /* allowed, and locked */

#define LEAF1_EDX_MCE (1u << 7)
#define LEAF1_EDX_MCA (1u << 14)
#define EXT7_EBX_OVERFLOW_RECOVERY (1u << 0)
#define EXT7_EBX_CONTAINMENT (1u << 1)
#define EXT7_EBX_SCALABLE (1u << 3)

#define BANKS_MAX 64

/* The registers of a bank, in the order of their MSRs. */
enum bank_register { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC };

/* Properties of machine checks, which all CPUs have in common; constant after the boot CPU has found them. */
static struct {
	struct mca_features features;
	bool known, scalable;
} mca;

static u32 msr_of(u32 bank, enum bank_register r)
{
	return mca.scalable ? MSR_SMCA_CTL + 16 * bank + r : MSR_MC0_CTL + 4 * bank + r;
}

/* ---- Looking ---- */

/* False: the bank holds no error. ADDR and MISC exist only if STATUS says so. */
static bool read_bank(u32 bank, struct mca_error *e)
{
	u64 status = msr_read(msr_of(bank, BANK_STATUS));

	if (!(status & MCA_VALID))
		return false;
	*e = (struct mca_error){.bank = (u8)bank, .status = status};
	if (status & MCA_ADDR_VALID)
		e->addr = msr_read(msr_of(bank, BANK_ADDR));
	if (status & MCA_MISC_VALID)
		e->misc = msr_read(msr_of(bank, BANK_MISC));
	mca_error_classify(e, &mca.features);
	return true;
}

/* Whether the error is in memory that the kernel withholds from user land: image and heap, in which UTCBs and page
 * tables lie, too. */
static bool is_ours(const struct mca_error *e)
{
	u64 addr, size;

	if (!mca_error_memory(e, &mca.features, &addr, &size))
		return false;
	for (u64 page = addr >> PAGE_BITS; page < (addr + size) >> PAGE_BITS && page < space_mem_phys_end;) {
		const struct space_mem_run *run = space_mem_phys_run(page);
		if (!run->leaf)
			return true;
		page = run->end;
	}
	return false;
}

/* Reads all banks and decides. Banks are emptied unless the outcome is a panic: then whoever starts next can read
 * them. */
static enum mca_outcome look(struct cpu *cpu, enum mca_context context)
{
	enum mca_outcome worst = MCA_OUTCOME_GO_ON;
	struct mca_error e;
	u64 seen = 0;

	for (u32 bank = 0; bank < cpu->mca.banks; bank++) {
		if (!read_bank(bank, &e))
			continue;
		enum mca_outcome o = mca_error_judge(&e, &mca.features, cpu->mca.status, context, is_ours(&e));
		if (o == MCA_OUTCOME_FOREIGN)
			continue;
		worst = o > worst ? o : worst;
		mca_log_put(&cpu->mca.log, &e);
		seen |= bit(bank);
	}
	worst = mca_error_conclude(worst, cpu->mca.status);
	for (; worst != MCA_OUTCOME_PANIC && seen; seen &= seen - 1) {
		msr_write(msr_of(bit_lowest(seen), BANK_STATUS), 0);
		hazard_set(cpu, HAZARD_MCA);
	}
	return worst;
}

enum mca_outcome mca_take(struct cpu *cpu, enum mca_context context)
{
	if (!cpu->mca.banks)
		return MCA_OUTCOME_PANIC;
	cpu->mca.status = msr_read(MSR_MCG_STATUS);
	enum mca_outcome o = look(cpu, context);
	if (o == MCA_OUTCOME_PANIC)
		return o;
	if (o == MCA_OUTCOME_END && context == MCA_IN_USER)
		cpu->mca.ends_ec = true;
	msr_write(MSR_MCG_STATUS, 0); /* last: from here on another one gets through */
	return o;
}

/* ---- Reporting ---- */

static void show(const struct cpu *cpu, const struct mca_error *e, enum log_level level)
{
	klog(level, "machine check%s: CPU %u, bank %u: %s: status %#lx, address %#lx, misc %#lx",
	     e->left_over ? " before the start" : "", cpu->id, e->bank, mca_error_kind_name(e->kind), e->status,
	     e->addr, e->misc);
}

void mca_show(struct cpu *cpu)
{
	struct mca_error e;

	if (!cpu->mca.banks)
		return;
	log_error("machine check: CPU %u: MCG_STATUS %#lx", cpu->id, cpu->mca.status);
	while (mca_log_take(&cpu->mca.log, &e))
		show(cpu, &e, LOG_ERROR);
}

static void show_limited(struct cpu *cpu, const struct mca_error *e)
{
	u32 missed;

	if (!ratelimit_take(&cpu->mca.limit, arch_tsc(), &missed))
		return;
	if (missed)
		log_warn("%u machine checks of CPU %u suppressed", missed, cpu->id);
	show(cpu, e, LOG_WARN);
}

bool arch_report_errors(struct cpu *cpu)
{
	struct mca_error e;
	bool ends = cpu->mca.ends_ec;
	u32 lost = __atomic_exchange_n(&cpu->mca.log.lost, 0, __ATOMIC_RELAXED);

	cpu->mca.ends_ec = false;
	while (mca_log_take(&cpu->mca.log, &e))
		show_limited(cpu, &e);
	if (lost)
		log_warn("%u machine checks of CPU %u lost", lost, cpu->id);
	if (ends)
		log_user("killed EC: it has used memory that lost its contents, at rip %#lx on CPU %u",
			 cpu->ec->regs.rip, cpu->id);
	return ends;
}

/* ---- Starting ---- */

static void detect(u64 cap)
{
	u32 ebx = 0;

	if (cpu_is_amd() && cpuid(0x80000000, 0).eax >= 0x80000007)
		ebx = cpuid(0x80000007, 0).ebx;
	mca.features = (struct mca_features){
		.ser = cap & CAP_SER,
		.containment = ebx & EXT7_EBX_CONTAINMENT,
		.overflow_safe = ebx & EXT7_EBX_OVERFLOW_RECOVERY,
	};
	mca.scalable = ebx & EXT7_EBX_SCALABLE;
	mca.known = true;
}

static bool has_banks(void)
{
	u32 edx = cpuid(1, 0).edx;
	return edx & LEAF1_EDX_MCE && edx & LEAF1_EDX_MCA;
}

/* Empties a bank, and puts an error that it holds into the ring: a reset leaves banks as they are, and firmware may
 * leave an error of the last run. */
static void empty_bank(struct cpu *cpu, u32 bank)
{
	struct mca_error e;

	if (read_bank(bank, &e)) {
		e.left_over = true;
		mca_log_put(&cpu->mca.log, &e);
		hazard_set(cpu, HAZARD_MCA);
	}
	(void)!msr_write_safe(msr_of(bank, BANK_STATUS), 0);
}

/* Has consumed errors signalled to the CPU that they concern only, if firmware allows it (SDM vol. 3, 16.3.1.5). */
static void enable_local(u64 cap)
{
	u64 allowed;

	if (cap & CAP_LOCAL && msr_read_safe(MSR_FEATURE_CONTROL, &allowed) &&
	    (allowed & FEATURE_CONTROL_LOCAL) == FEATURE_CONTROL_LOCAL)
		(void)!msr_write_safe(MSR_MCG_EXT_CTL, EXT_CTL_LOCAL);
}

/* Processors on which bank 0 must not be enabled (SDM vol. 3, 16.3.2.1) are too old for this kernel. */
void mca_start_cpu(struct cpu *cpu)
{
	u64 cap, status;

	cpu->mca.limit = RATELIMIT_INIT(MCA_LOG_SIZE, LOG_USER_TICKS);
	if (!has_banks() || !msr_read_safe(MSR_MCG_CAP, &cap) || !(cap & CAP_COUNT))
		return;
	if (!mca.known)
		detect(cap);
	cpu->mca.banks = (u32)min_u64(cap & CAP_COUNT, BANKS_MAX);
	if (!msr_read_safe(MSR_MCG_STATUS, &status) || !msr_read_safe(msr_of(0, BANK_STATUS), &status)) {
		cpu->mca.banks = 0; /* an emulator that announces what it does not have */
		return;
	}
	for (u32 bank = 0; bank < cpu->mca.banks; bank++)
		empty_bank(cpu, bank);
	enable_local(cap);
	if (cap & CAP_CTL)
		(void)!msr_write_safe(MSR_MCG_CTL, ~0ull);
	for (u32 bank = 0; bank < cpu->mca.banks; bank++)
		(void)!msr_write_safe(msr_of(bank, BANK_CTL), ~0ull);
	(void)!msr_write_safe(MSR_MCG_STATUS, 0);
}
