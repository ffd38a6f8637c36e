/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What errors of machine checks mean: the kinds of SDM vol. 3, table 16-6, the overwritten ones of table 16-7, who
 * is affected after table 16-20, and the rules of APM vol. 2, 9.3, each as a row of a table.
 */
#include "unit.h"

#include "platform/mca_error.h"

#define V MCA_VALID
#define OVER MCA_OVERFLOW
#define UC MCA_UNCORRECTED
#define EN MCA_ENABLED
#define MISC MCA_MISC_VALID
#define ADDR MCA_ADDR_VALID
#define PCC MCA_CONTEXT_CORRUPT
#define S MCA_SIGNALLED
#define AR MCA_ACTION_REQUIRED

#define LOAD 0x134ull /* MCACOD */
#define FETCH 0x150ull
#define SCRUB 0xc0ull
#define FILTERED 0x1000ull
#define PHYSICAL 0x8cull /* MCi_MISC: bit 12 and above of a physical address */
#define LINEAR 0x4cull

#define CONSUMED (V | UC | EN | MISC | ADDR | S | AR)

static const struct mca_features intel = {.ser = true}, plain = {0}, amd = {.containment = true},
				 amd_safe = {.containment = true, .overflow_safe = true};

static const struct row {
	const char *what;
	const struct mca_features *f;
	u64 status, misc;
	enum mca_kind kind;
} rows[] = {
	/* Intel */
	{"corrected", &intel, V | EN, 0, MCA_KIND_CORRECTED},
	{"corrected, others lost", &intel, V | OVER | EN, 0, MCA_KIND_CORRECTED},
	{"corrected, bits without meaning", &intel, V | S | AR | MCA_DEFERRED, 0, MCA_KIND_CORRECTED},
	{"corrected, corrupt by a sticky bit", &intel, V | EN | PCC, 0, MCA_KIND_CORRECTED},
	{"UCNA", &intel, V | UC | EN, 0, MCA_KIND_NO_ACTION},
	{"UCNA, others lost", &intel, V | OVER | UC | EN, 0, MCA_KIND_NO_ACTION},
	{"UCNA, not enabled", &intel, V | UC, 0, MCA_KIND_UNSIGNALLED},
	{"UCNA with AR is none", &intel, V | UC | EN | AR, 0, MCA_KIND_UNKNOWN},
	{"SRAO", &intel, V | UC | EN | MISC | ADDR | S | SCRUB, PHYSICAL, MCA_KIND_OPTIONAL},
	{"SRAO without a place", &intel, V | UC | EN | S, 0, MCA_KIND_OPTIONAL},
	{"SRAO, others lost", &intel, V | OVER | UC | EN | MISC | ADDR | S, PHYSICAL, MCA_KIND_OPTIONAL},
	{"SRAR, load", &intel, CONSUMED | LOAD, PHYSICAL, MCA_KIND_CONSUMED},
	{"SRAR, fetch", &intel, CONSUMED | FETCH, PHYSICAL, MCA_KIND_CONSUMED},
	{"SRAR, filtered", &intel, CONSUMED | FILTERED | LOAD, PHYSICAL, MCA_KIND_CONSUMED},
	{"SRAR, others lost", &intel, CONSUMED | OVER | LOAD, PHYSICAL, MCA_KIND_LOST},
	{"SRAR of an unknown kind", &intel, CONSUMED | SCRUB, PHYSICAL, MCA_KIND_UNKNOWN},
	{"SRAR without an address", &intel, (CONSUMED & ~ADDR) | LOAD, PHYSICAL, MCA_KIND_UNKNOWN},
	{"SRAR without MISC", &intel, (CONSUMED & ~MISC) | LOAD, PHYSICAL, MCA_KIND_UNKNOWN},
	{"SRAR with a linear address", &intel, CONSUMED | LOAD, LINEAR, MCA_KIND_UNKNOWN},
	{"SRAR, not enabled", &intel, (CONSUMED & ~EN) | LOAD, PHYSICAL, MCA_KIND_UNSIGNALLED},
	{"SRAR, corrupt", &intel, CONSUMED | PCC | LOAD, PHYSICAL, MCA_KIND_CORRUPT},
	{"corrupt", &intel, V | UC | EN | PCC, 0, MCA_KIND_CORRUPT},
	{"corrupt, not enabled", &intel, V | UC | PCC, 0, MCA_KIND_UNSIGNALLED},
	/* Nobody has promised recovery: bits 55 and 56 mean nothing. */
	{"corrected", &plain, V | EN, 0, MCA_KIND_CORRECTED},
	{"uncorrected", &plain, V | UC | EN, 0, MCA_KIND_UNCONTAINED},
	{"what would be SRAR", &plain, CONSUMED | LOAD, PHYSICAL, MCA_KIND_UNCONTAINED},
	{"what would be SRAO", &plain, V | UC | EN | MISC | ADDR | S, PHYSICAL, MCA_KIND_UNCONTAINED},
	{"corrupt", &plain, V | UC | EN | PCC, 0, MCA_KIND_CORRUPT},
	/* AMD */
	{"corrected", &amd, V | EN, 0, MCA_KIND_CORRECTED},
	{"deferred", &amd, V | EN | ADDR | MCA_DEFERRED, 0, MCA_KIND_DEFERRED},
	{"consumed", &amd, V | UC | EN | ADDR, 0, MCA_KIND_CONSUMED},
	{"consumed, thread corrupt", &amd, V | UC | EN | ADDR | AR, 0, MCA_KIND_CONSUMED},
	{"consumed, others lost", &amd, V | OVER | UC | EN | ADDR, 0, MCA_KIND_LOST},
	{"consumed, others lost to nobody's harm", &amd_safe, V | OVER | UC | EN | ADDR, 0, MCA_KIND_CONSUMED},
	{"corrupt", &amd_safe, V | UC | EN | PCC, 0, MCA_KIND_CORRUPT},
	{"masked", &amd_safe, V | UC, 0, MCA_KIND_UNSIGNALLED},
};

static struct mca_error made(const struct mca_features *f, u64 status, u64 misc)
{
	struct mca_error e = {.status = status, .misc = misc, .addr = 0x12345678};

	mca_error_classify(&e, f);
	return e;
}

UNIT_TEST(kinds)
{
	for (unsigned i = 0; i < array_size(rows); i++) {
		struct mca_error e = made(rows[i].f, rows[i].status, rows[i].misc);

		if (e.kind != rows[i].kind)
			fail_msg("row %u, %s: %s", i, rows[i].what, mca_error_kind_name(e.kind));
	}
}

UNIT_TEST(every_kind_has_a_name)
{
	for (unsigned c = 0; c < MCA_KINDS; c++)
		for (unsigned other = 0; other <= MCA_KINDS; other++)
			assert_true(c == other || strcmp(mca_error_kind_name(c), mca_error_kind_name(other)));
}

/* ---- what happens ---- */

enum { KERNEL = MCA_IN_KERNEL, USER = MCA_IN_USER, GUEST = MCA_IN_GUEST };

static const struct scene {
	const struct mca_features *f;
	u64 status, mcg;
	int context;
	bool ours;
	enum mca_outcome outcome; /* of the bank; then of it alone, concluded */
	enum mca_outcome concluded;
} scenes[] = {
	/* Nothing for software to do, wherever it hits; but somewhere the code has to go on. */
	{&intel, V | EN, MCA_RIPV, KERNEL, false, MCA_OUTCOME_GO_ON, MCA_OUTCOME_GO_ON},
	{&intel, V | EN, MCA_RIPV, USER, true, MCA_OUTCOME_GO_ON, MCA_OUTCOME_GO_ON},
	{&intel, V | EN, 0, USER, false, MCA_OUTCOME_GO_ON, MCA_OUTCOME_PANIC},
	{&intel, V | UC | EN, MCA_RIPV, KERNEL, false, MCA_OUTCOME_GO_ON, MCA_OUTCOME_GO_ON},
	{&intel, V | UC | EN | S | ADDR, MCA_RIPV, KERNEL, true, MCA_OUTCOME_GO_ON, MCA_OUTCOME_GO_ON},
	{&intel, V | UC | EN | S | ADDR, 0, GUEST, false, MCA_OUTCOME_GO_ON, MCA_OUTCOME_PANIC},
	{&amd, V | MCA_DEFERRED, MCA_RIPV, KERNEL, true, MCA_OUTCOME_GO_ON, MCA_OUTCOME_GO_ON},
	/* Consumed, on the CPU that has done it: it can be continued there, or cannot. */
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, USER, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, GUEST, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, KERNEL, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&intel, CONSUMED | LOAD, MCA_EIPV, USER, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&intel, CONSUMED | FETCH, 0, USER, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&intel, CONSUMED | FETCH, 0, KERNEL, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_LOCAL, GUEST, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&amd, V | UC | EN | ADDR, MCA_RIPV, USER, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&amd, V | UC | EN | ADDR, 0, USER, false, MCA_OUTCOME_END, MCA_OUTCOME_END},
	{&amd, V | UC | EN | ADDR, MCA_RIPV, KERNEL, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	/* The kernel's memory. */
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, USER, true, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&intel, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, GUEST, true, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&amd, V | UC | EN | ADDR, MCA_RIPV, USER, true, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	/* Consumed by another thread of the core, in a bank that both have. */
	{&intel, CONSUMED | LOAD, MCA_RIPV, USER, false, MCA_OUTCOME_FOREIGN, MCA_OUTCOME_FOREIGN},
	{&intel, CONSUMED | FETCH, MCA_RIPV, KERNEL, true, MCA_OUTCOME_FOREIGN, MCA_OUTCOME_FOREIGN},
	/* The end, whoever was hit. */
	{&intel, V | UC | EN | PCC, MCA_RIPV, USER, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&intel, CONSUMED | OVER | LOAD, MCA_RIPV | MCA_EIPV, USER, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&intel, CONSUMED | SCRUB, MCA_RIPV | MCA_EIPV, GUEST, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
	{&plain, CONSUMED | LOAD, MCA_RIPV | MCA_EIPV, USER, false, MCA_OUTCOME_PANIC, MCA_OUTCOME_PANIC},
};

UNIT_TEST(outcomes)
{
	for (unsigned i = 0; i < array_size(scenes); i++) {
		const struct scene *s = &scenes[i];
		struct mca_error e = made(s->f, s->status, PHYSICAL);
		enum mca_outcome o = mca_error_judge(&e, s->f, s->mcg, (enum mca_context)s->context, s->ours);

		if (o != s->outcome || mca_error_conclude(o, s->mcg) != s->concluded)
			fail_msg("scene %u: %d, concluded %d", i, o, mca_error_conclude(o, s->mcg));
	}
}

/* No bank with an error: told for another's sake, or by broken hardware. */
UNIT_TEST(without_an_error)
{
	assert_int_equal(mca_error_conclude(MCA_OUTCOME_GO_ON, MCA_RIPV), MCA_OUTCOME_GO_ON);
	assert_int_equal(mca_error_conclude(MCA_OUTCOME_GO_ON, MCA_EIPV), MCA_OUTCOME_PANIC);
	assert_int_equal(mca_error_conclude(MCA_OUTCOME_GO_ON, 0), MCA_OUTCOME_PANIC);
}

/* ---- where ---- */

static const struct place {
	const struct mca_features *f;
	u64 status, addr, misc;
	bool known;
	u64 base, size;
} places[] = {
	{&intel, ADDR | MISC, 0x12345678, PHYSICAL, true, 0x12345000, 0x1000},
	{&intel, ADDR | MISC, 0x12345678, 2 << 6 | 6, true, 0x12345000, 0x1000},
	{&intel, ADDR | MISC, 0x12345678, 2 << 6 | 21, true, 0x12200000, 0x200000},
	{&intel, ADDR | MISC, 0x12345678, 2 << 6 | 63, true, 0, 1ull << 63},
	{&intel, ADDR | MISC, 0xfff0000012345678, PHYSICAL, true, 0x12345000, 0x1000},
	{&intel, ADDR | MISC, 0x12345678, 0 << 6 | 12, false, 0, 0}, /* a segment offset */
	{&intel, ADDR | MISC, 0x12345678, 1 << 6 | 12, false, 0, 0}, /* a linear address */
	{&intel, ADDR | MISC, 0x12345678, 3 << 6 | 12, false, 0, 0}, /* a memory address */
	{&intel, ADDR | MISC, 0x12345678, 7 << 6 | 12, false, 0, 0}, /* "generic" */
	{&intel, ADDR, 0x12345678, PHYSICAL, false, 0, 0},
	{&intel, MISC, 0x12345678, PHYSICAL, false, 0, 0},
	{&amd, ADDR, 0x0c00000012345678, 0, true, 0x12345000, 0x1000}, /* LSB in bits 61:56 */
	{&amd, MISC, 0x12345678, PHYSICAL, false, 0, 0},
};

UNIT_TEST(memory)
{
	for (unsigned i = 0; i < array_size(places); i++) {
		const struct place *p = &places[i];
		struct mca_error e = {.status = V | p->status, .addr = p->addr, .misc = p->misc};
		u64 base = 0, size = 0;
		bool known = mca_error_memory(&e, p->f, &base, &size);

		if (known != p->known || (known && (base != p->base || size != p->size)))
			fail_msg("place %u: %d, %#lx, %#lx", i, known, (unsigned long)base, (unsigned long)size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),    cmocka_unit_test(every_kind_has_a_name),
		cmocka_unit_test(outcomes), cmocka_unit_test(without_an_error),
		cmocka_unit_test(memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
