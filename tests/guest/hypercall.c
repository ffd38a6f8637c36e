/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, flags, statuses, and the order of checks.
 *
 * A hypercall is decoded from ARG1 alone: number, flags or sub-operation, selector. Programs probe for features by
 * calling numbers and looking at the status, and libraries turn statuses into errors of their own, so each status is
 * part of the interface, and so is which one comes if several things are wrong at once. The tests therefore give
 * every hypercall (a) each wrong argument alone, and (b) pairs of wrong arguments, to see the order in which they
 * are looked at. "Occupied" is always last: a creation that fails for another reason must not even notice what is at
 * the selector, and one that fails because of the selector must leave the rest as it was.
 *
 * Wrong capabilities come in all kinds: nothing there, another kind of object, the right kind without the
 * permission, selectors at and beyond the end of the object space, and those that would alias an existing one if only
 * the low 26 bits were looked at.
 *
 * Output registers: with any status but SUCCESS, OUT2 and the others hold what the caller put there.
 */
#include "guest.h"

#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/start.h"

#define SEL_ALIAS (HEDRON_SEL_NUM + RT_SEL_PD) /* the PD's selector if truncated to 26 bits */
#define SEL_HUGE ((1ul << 52) - 1)
#define NO_CPU 127u

static const sel_t no_objects[] = {GUEST_NOTHING, HEDRON_SEL_NUM - 1, HEDRON_SEL_NUM, SEL_ALIAS, SEL_HUGE};

/* Performs a hypercall and judges its status; on failure every argument register has to be as before. */
static bool attempt(int line, const char *what, struct hc_regs r, enum status want)
{
	const struct hc_regs before = r;
	enum status got = hc_raw(&r);

	if (got != want) {
		test_fail(__FILE__, line, "%s: expected %s, got %s (arguments %lx %lx %lx %lx %lx)", what,
			  rt_status(want), rt_status(got), before.rdi, before.rsi, before.rdx, before.rax, before.r8);
		return false;
	}
	if (got != SUCCESS &&
	    (r.rsi != before.rsi || r.rdx != before.rdx || r.rax != before.rax || r.r8 != before.r8)) {
		test_fail(__FILE__, line, "%s: failed, but changed an argument register", what);
		return false;
	}
	return true;
}

#define EXPECT_HC(what, want, hc, flags, sel, ...) \
	attempt(__LINE__, what, (struct hc_regs){HC_ARG1(hc, flags, sel), ##__VA_ARGS__}, want)

/* A creation that has to succeed, and its end. */
#define EXPECT_NEW(what, hc, flags, sel, ...)                                  \
	do {                                                                   \
		if (EXPECT_HC(what, SUCCESS, hc, flags, sel, ##__VA_ARGS__)) { \
			EXPECT(!sel_empty(sel));                               \
			EXPECT_OK(rt_revoke(sel));                             \
			EXPECT(sel_empty(sel));                                \
		}                                                              \
	} while (0)

static struct {
	sel_t ec_local, ec_global, ec_weak, pt, pt_weak, sm, sm_up, sm_down, fresh;
} have;

static sel_t weaker(sel_t from, unsigned perm)
{
	sel_t sel = sel_new();

	ASSERT_OK(delegate_obj(from, RT_SEL_PD, sel, perm));
	if (!EXPECT_EQ(sel_perm(sel), perm))
		guest_leave();
	return sel;
}

/* One capability of each kind, and some with fewer permissions. The global EC never runs: nobody gives it an SC. */
static void prepare(void)
{
	have.ec_local = sel_new();
	have.ec_global = sel_new();
	have.pt = sel_new();
	have.fresh = sel_new();
	have.sm = sm_make(1);
	ASSERT_OK(hc_create_ec(have.ec_local, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, 0));
	ASSERT_OK(hc_create_ec(have.ec_global, RT_SEL_PD, rt_cpu, 0, 0, GUEST_NOTHING, CREATE_EC_GLOBAL));
	ASSERT_OK(hc_create_pt(have.pt, RT_SEL_PD, have.ec_local, 0, 0x1000));
	have.ec_weak = weaker(have.ec_local, PERM_EC_CTRL);
	have.pt_weak = weaker(have.pt, PERM_PT_CALL);
	have.sm_up = weaker(have.sm, PERM_SM_UP);
	have.sm_down = weaker(have.sm, PERM_SM_DOWN);
}

/* Whatever flags: a number that is not announced is BAD_HYP, and nothing else changes. */
static void unknown_numbers(void)
{
	static const uint8_t gaps[] = {13, 14, 18};

	for (unsigned n = 0; n < 256; n++) {
		bool gap = n > HC_VCPU_CTRL || n == gaps[0] || n == gaps[1] || n == gaps[2];

		if (n >= 64 && rt_hip->api_flg >> 16)
			continue; /* extensions are announced: their tests know them */
		for (unsigned flags = 0; gap && flags < 16; flags++)
			EXPECT_HC("undefined number", BAD_HYP, n, flags, RT_SEL_PD, 1, 2, 3, 4);
	}
}

/* What API 13.2 has must be there. */
#define HAS(name, hc, flags, sel)                                         \
	static void name(void)                                            \
	{                                                                 \
		struct hc_regs r = {HC_ARG1(hc, flags, sel), 0, 0, 0, 0}; \
		EXPECT(hc_raw(&r) != BAD_HYP);                            \
	}

HAS(has_call, HC_CALL, 0, GUEST_NOTHING)
HAS(has_create_pd, HC_CREATE_PD, 0, GUEST_NOTHING)
HAS(has_create_ec, HC_CREATE_EC, 0, GUEST_NOTHING)
HAS(has_create_sc, HC_CREATE_SC, 0, GUEST_NOTHING)
HAS(has_create_pt, HC_CREATE_PT, 0, GUEST_NOTHING)
HAS(has_create_sm, HC_CREATE_SM, 0, GUEST_NOTHING)
HAS(has_revoke, HC_REVOKE, 0, 0)
HAS(has_pd_ctrl, HC_PD_CTRL, 0, 0)
HAS(has_ec_ctrl, HC_EC_CTRL, 1, 0)
HAS(has_sc_ctrl, HC_SC_CTRL, 0, GUEST_NOTHING)
HAS(has_pt_ctrl, HC_PT_CTRL, 0, GUEST_NOTHING)
HAS(has_sm_ctrl, HC_SM_CTRL, 0, GUEST_NOTHING)
HAS(has_machine_ctrl, HC_MACHINE_CTRL, 2, 0)
HAS(has_create_kp, HC_CREATE_KP, 0, GUEST_NOTHING)
HAS(has_kp_ctrl, HC_KP_CTRL, 0, GUEST_NOTHING)
HAS(has_create_vcpu, HC_CREATE_VCPU, 0, GUEST_NOTHING)
HAS(has_vcpu_ctrl, HC_VCPU_CTRL, 0, GUEST_NOTHING)

/* Parents: must be PDs with `create`; the rest of each call is right. */
static void bad_parents(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects) + 3; i++) {
		const sel_t others[] = {have.sm, have.ec_local, have.pt};
		sel_t bad = i < RT_ARRAY(no_objects) ? no_objects[i] : others[i - RT_ARRAY(no_objects)];

		EXPECT_HC("create_pd, bad parent", BAD_CAP, HC_CREATE_PD, 0, have.fresh, bad);
		EXPECT_HC("create_ec, bad parent", BAD_CAP, HC_CREATE_EC, 0, have.fresh, bad, rt_cpu);
		EXPECT_HC("create_sc, bad parent", BAD_CAP, HC_CREATE_SC, 0, have.fresh, bad, have.ec_global,
			  1 | 1 << 12);
		EXPECT_HC("create_pt, bad parent", BAD_CAP, HC_CREATE_PT, 0, have.fresh, bad, have.ec_local, 0,
			  0x1000);
		EXPECT_HC("create_sm, bad parent", BAD_CAP, HC_CREATE_SM, 0, have.fresh, bad);
	}
	EXPECT(sel_empty(have.fresh));
}

/* Selectors of new capabilities: beyond the space BAD_PAR, occupied BAD_CAP; the last of the space is fine. */
static void new_selectors(void)
{
	static const sel_t beyond[] = {HEDRON_SEL_NUM, SEL_ALIAS, HEDRON_SEL_NUM + GUEST_NOTHING, SEL_HUGE};
	sel_t last = HEDRON_SEL_NUM - 1;

	prepare();
	for (unsigned i = 0; i < RT_ARRAY(beyond); i++) {
		EXPECT_HC("create_pd, selector", BAD_PAR, HC_CREATE_PD, 0, beyond[i], RT_SEL_PD);
		EXPECT_HC("create_ec, selector", BAD_PAR, HC_CREATE_EC, 0, beyond[i], RT_SEL_PD, rt_cpu);
		EXPECT_HC("create_sc, selector", BAD_PAR, HC_CREATE_SC, 0, beyond[i], RT_SEL_PD, have.ec_global,
			  1 | 1 << 12);
		EXPECT_HC("create_pt, selector", BAD_PAR, HC_CREATE_PT, 0, beyond[i], RT_SEL_PD, have.ec_local, 0,
			  4096);
		EXPECT_HC("create_sm, selector", BAD_PAR, HC_CREATE_SM, 0, beyond[i], RT_SEL_PD);
	}
	EXPECT_NEW("create_sm, last selector", HC_CREATE_SM, 0, last, RT_SEL_PD);
	EXPECT_HC("create_pd, occupied", BAD_CAP, HC_CREATE_PD, 0, have.sm, RT_SEL_PD);
	EXPECT_HC("create_ec, occupied", BAD_CAP, HC_CREATE_EC, 0, have.sm, RT_SEL_PD, rt_cpu);
	EXPECT_HC("create_sc, occupied", BAD_CAP, HC_CREATE_SC, 0, have.sm, RT_SEL_PD, have.ec_global, 1 | 1 << 12);
	EXPECT_HC("create_pt, occupied", BAD_CAP, HC_CREATE_PT, 0, have.sm, RT_SEL_PD, have.ec_local, 0, 4096);
	EXPECT_HC("create_sm, occupied", BAD_CAP, HC_CREATE_SM, 0, have.sm, RT_SEL_PD);
	EXPECT_OK(hc_sm_down(have.sm)); /* what was there is still there, and works */
}

/* Flag bits without a meaning are ignored. */
static void ignored_flags(void)
{
	prepare();
	for (unsigned flags = 0; flags < 16; flags++) {
		EXPECT_NEW("create_pd, any flags", HC_CREATE_PD, flags, have.fresh, RT_SEL_PD);
		EXPECT_NEW("create_pt, any flags", HC_CREATE_PT, flags, have.fresh, RT_SEL_PD, have.ec_local, 0,
			   4096);
		EXPECT_NEW("create_sm, any flags", HC_CREATE_SM, flags, have.fresh, RT_SEL_PD);
		EXPECT_HC("pt_ctrl, any flags", SUCCESS, HC_PT_CTRL, flags, have.pt, 7);
		EXPECT_HC("revoke of nothing, any flags", SUCCESS, HC_REVOKE, flags, 0, 0, RT_SEL_PD);
	}
	for (unsigned flags = 0; flags < 16; flags += 2)
		EXPECT_HC("sm_ctrl up, any flags", SUCCESS, HC_SM_CTRL, flags, have.sm);
	for (unsigned flags = 1; flags < 16; flags += 4) {
		EXPECT_HC("sm_ctrl down, any flags", SUCCESS, HC_SM_CTRL, flags, have.sm);
		EXPECT_HC("ec_ctrl yield, any flags", SUCCESS, HC_EC_CTRL, flags, RT_SEL_EC);
	}
}

/* CPU, parent, UTCB address, reserved bits, selector. */
static void create_ec_order(void)
{
	unsigned long bad_utcb = HEDRON_USER_END | rt_cpu, bad_cpu = NO_CPU;

	prepare();
	EXPECT_HC("everything wrong: CPU", BAD_CPU, HC_CREATE_EC, 6, have.sm, GUEST_NOTHING,
		  HEDRON_USER_END | bad_cpu);
	EXPECT_HC("CPU and selector beyond", BAD_CPU, HC_CREATE_EC, 0, HEDRON_SEL_NUM, GUEST_NOTHING, bad_cpu);
	EXPECT_HC("CPU 4095", BAD_CPU, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, 4095);
	EXPECT_HC("CPU 128", BAD_CPU, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, 128);
	EXPECT_HC("parent before UTCB", BAD_CAP, HC_CREATE_EC, 6, have.sm, GUEST_NOTHING, bad_utcb);
	EXPECT_HC("UTCB before selector", BAD_PAR, HC_CREATE_EC, 0, have.sm, RT_SEL_PD, bad_utcb);
	EXPECT_HC("UTCB at the user limit", BAD_PAR, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, bad_utcb);
	EXPECT_HC("UTCB not canonical", BAD_PAR, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, 0x800000000000 | rt_cpu);
	EXPECT_HC("UTCB in the kernel", BAD_PAR, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, 0xffff800000000000 | rt_cpu);
	EXPECT_HC("UTCB at the very end", BAD_PAR, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, ~0xffful | rt_cpu);
	for (unsigned flags = 2; flags < 8; flags++) {
		EXPECT_HC("reserved bits", BAD_PAR, HC_CREATE_EC, flags, have.fresh, RT_SEL_PD, rt_cpu);
		EXPECT_HC("reserved bits before selector", BAD_PAR, HC_CREATE_EC, flags, have.sm, RT_SEL_PD, rt_cpu);
	}
	EXPECT_HC("selector last", BAD_CAP, HC_CREATE_EC, 0, have.sm, RT_SEL_PD, rt_cpu);
	EXPECT_NEW("stack pointer and event base are not checked", HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, rt_cpu,
		   ~0ul, ~0ul);
	EXPECT_NEW("highest UTCB page", HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, 0x7fffffffc000 | rt_cpu);
}

/* An EC that could not be made leaves the memory at its UTCB address alone. */
static void create_ec_keeps_memory(void)
{
	volatile unsigned long *page = rt_pages(1);
	unsigned long va = (unsigned long)page;

	prepare();
	*page = 0x1234;
	EXPECT_HC("occupied", BAD_CAP, HC_CREATE_EC, 0, have.sm, RT_SEL_PD, va | rt_cpu);
	EXPECT_HC("bad parent", BAD_CAP, HC_CREATE_EC, 0, have.fresh, have.sm, va | rt_cpu);
	EXPECT_HC("bad CPU", BAD_CPU, HC_CREATE_EC, 0, have.fresh, RT_SEL_PD, va | NO_CPU);
	ASSERT(can_read(va));
	EXPECT_EQ(*page, 0x1234);
}

static void create_sc_order(void)
{
	const unsigned long good = 1 | 1 << 12;

	prepare();
	EXPECT_HC("parent before EC", BAD_CAP, HC_CREATE_SC, 0, have.fresh, GUEST_NOTHING, have.ec_global, 0);
	EXPECT_HC("no EC", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, GUEST_NOTHING, good);
	EXPECT_HC("EC beyond", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, HEDRON_SEL_NUM + have.ec_global,
		  good);
	EXPECT_HC("not an EC", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.sm, good);
	EXPECT_HC("local EC", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_local, good);
	EXPECT_HC("local EC before priority", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_local, 0);
	EXPECT_HC("without create_sc", BAD_CAP, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD,
		  weaker(have.ec_global, PERM_EC_CTRL), good);
	EXPECT_HC("priority 0", BAD_PAR, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global, 1 << 12);
	EXPECT_HC("priority 128", BAD_PAR, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global, 128 | 1 << 12);
	EXPECT_HC("priority 255", BAD_PAR, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global, 255 | 1 << 12);
	EXPECT_HC("quantum 0", BAD_PAR, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global, 1);
	EXPECT_HC("quantum beyond its bits", BAD_PAR, HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global,
		  1 | 1ul << 44);
	EXPECT_HC("priority before selector", BAD_PAR, HC_CREATE_SC, 0, have.sm, RT_SEL_PD, have.ec_global, 1);
	EXPECT_HC("selector last", BAD_CAP, HC_CREATE_SC, 0, have.sm, RT_SEL_PD, have.ec_global, good);
	EXPECT_NEW("other bits are ignored", HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global,
		   good | 0xf00 | 0xfffff00000000000);
	EXPECT_NEW("largest quantum", HC_CREATE_SC, 0, have.fresh, RT_SEL_PD, have.ec_global,
		   1 | 0xffffffffull << 12);
}

static void create_pt_order(void)
{
	prepare();
	EXPECT_HC("no EC", BAD_CAP, HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, GUEST_NOTHING, 0, 4096);
	EXPECT_HC("EC beyond", BAD_CAP, HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, HEDRON_SEL_NUM + have.ec_local, 0,
		  4096);
	EXPECT_HC("not an EC", BAD_CAP, HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, RT_SEL_PD, 0, 4096);
	EXPECT_HC("global EC", BAD_CAP, HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, have.ec_global, 0, 4096);
	EXPECT_HC("without create_pt", BAD_CAP, HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, have.ec_weak, 0, 4096);
	EXPECT_NEW("any MTD and RIP", HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, have.ec_local, ~0ul, ~0ul);
	EXPECT_NEW("non-canonical RIP", HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, have.ec_local, 0, 0x8000000000000000);
	EXPECT_NEW("own EC as event handler of itself", HC_CREATE_PT, 0, have.fresh, RT_SEL_PD, have.ec_local, 0, 0);
}

static void create_pd_arguments(void)
{
	prepare();
	EXPECT_NEW("no objects", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD, 0);
	EXPECT_NEW("memory is ignored", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD, rt_mem(0x400000, 4, PERM_ALL));
	EXPECT_NEW("ports are ignored", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD, rt_pio(0, 16));
	EXPECT_NEW("objects", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD, rt_obj(0, 5, PERM_ALL));
	EXPECT_NEW("objects that are not there", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD,
		   rt_obj(GUEST_NOTHING, 5, PERM_ALL));
	EXPECT_NEW("objects beyond", HC_CREATE_PD, 0, have.fresh, RT_SEL_PD, rt_obj(HEDRON_SEL_NUM, 5, PERM_ALL));
	EXPECT_NEW("passthrough", HC_CREATE_PD, CREATE_PD_PASSTHROUGH, have.fresh, RT_SEL_PD, 0);
}

static void sm_ctrl_arguments(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++)
		for (unsigned flags = 0; flags < 4; flags++)
			EXPECT_HC("no semaphore", BAD_CAP, HC_SM_CTRL, flags, no_objects[i]);
	EXPECT_HC("not a semaphore", BAD_CAP, HC_SM_CTRL, 0, have.pt);
	EXPECT_HC("up without permission", BAD_CAP, HC_SM_CTRL, 0, have.sm_down);
	EXPECT_HC("down without permission", BAD_CAP, HC_SM_CTRL, 1, have.sm_up);
	EXPECT_HC("zero without permission", BAD_CAP, HC_SM_CTRL, 3, have.sm_up);
	EXPECT_HC("permission before time, up", BAD_CAP, HC_SM_CTRL, 0, have.sm_down, 1, 1);
	EXPECT_HC("permission before time, down", BAD_CAP, HC_SM_CTRL, 1, have.sm_up, 1, 1);
	for (unsigned flags = 0; flags < 4; flags++) {
		EXPECT_HC("time, high half", BAD_PAR, HC_SM_CTRL, flags, have.sm, 1, 0);
		EXPECT_HC("time, low half", BAD_PAR, HC_SM_CTRL, flags, have.sm, 0, 1);
		EXPECT_HC("time, both", BAD_PAR, HC_SM_CTRL, flags, have.sm, ~0ul, ~0ul);
	}
	EXPECT_HC("down", SUCCESS, HC_SM_CTRL, 1, have.sm_down);
	EXPECT_HC("up", SUCCESS, HC_SM_CTRL, 0, have.sm_up);
	EXPECT_HC("zero", SUCCESS, HC_SM_CTRL, 3, have.sm_down);
	EXPECT_HC("up, zero bit ignored", SUCCESS, HC_SM_CTRL, 2, have.sm_up);
	EXPECT_HC("down after it", SUCCESS, HC_SM_CTRL, 1, have.sm_down);
}

static void pt_ctrl_arguments(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++)
		EXPECT_HC("no portal", BAD_CAP, HC_PT_CTRL, 0, no_objects[i], 1);
	EXPECT_HC("not a portal", BAD_CAP, HC_PT_CTRL, 0, have.sm, 1);
	EXPECT_HC("without ct", BAD_CAP, HC_PT_CTRL, 0, have.pt_weak, 1);
	EXPECT_HC("any id", SUCCESS, HC_PT_CTRL, 0, have.pt, ~0ul);
}

static void sc_ctrl_arguments(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++)
		EXPECT_HC("no SC", BAD_CAP, HC_SC_CTRL, 0, no_objects[i], 1, 2);
	EXPECT_HC("not an SC", BAD_CAP, HC_SC_CTRL, 0, have.sm, 1, 2);
	for (unsigned flags = 0; flags < 16; flags++)
		EXPECT_HC("own SC", SUCCESS, HC_SC_CTRL, flags, RT_SEL_SC);
}

static void ec_ctrl_arguments(void)
{
	prepare();
	for (unsigned flags = 0; flags < 16; flags++)
		if ((flags & 3) != EC_CTRL_YIELD)
			EXPECT_HC("unknown operation", BAD_PAR, HC_EC_CTRL, flags, RT_SEL_EC);
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++) {
		EXPECT_HC("unknown operation comes before the selector", BAD_PAR, HC_EC_CTRL, 0, no_objects[i]);
		EXPECT_HC("yield does not look at the selector", SUCCESS, HC_EC_CTRL, EC_CTRL_YIELD, no_objects[i]);
	}
}

static void call_arguments(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++)
		for (unsigned flags = 0; flags < 2; flags++)
			EXPECT_HC("no portal", BAD_CAP, HC_CALL, flags, no_objects[i], 1, 2, 3, 4);
	EXPECT_HC("not a portal", BAD_CAP, HC_CALL, 0, have.sm);
	EXPECT_HC("an EC is not a portal", BAD_CAP, HC_CALL, 0, have.ec_local);
	EXPECT_HC("without call permission", BAD_CAP, HC_CALL, 0, weaker(have.pt, PERM_PT_CTRL));
	EXPECT_HC("portal beyond", BAD_CAP, HC_CALL, 0, HEDRON_SEL_NUM + have.pt);
}

/* Delegate needs two PDs, of any permission; lookup needs nothing. */
static void pd_ctrl_arguments(void)
{
	crd_t some = rt_obj(have.sm, 0, PERM_ALL);

	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++) {
		EXPECT_HC("delegate from no PD", BAD_CAP, HC_PD_CTRL, 2, no_objects[i], RT_SEL_PD, some, 1, some);
		EXPECT_HC("delegate to no PD", BAD_CAP, HC_PD_CTRL, 2, RT_SEL_PD, no_objects[i], some, 1, some);
	}
	EXPECT_HC("delegate from no PD", BAD_CAP, HC_PD_CTRL, 2, have.sm, RT_SEL_PD, some, 1, some);
	EXPECT_HC("delegate to no PD", BAD_CAP, HC_PD_CTRL, 2, RT_SEL_PD, have.sm, some, 1, some);
	for (unsigned flags = 0; flags < 16; flags += 4)
		EXPECT_HC("lookup with any other flags", SUCCESS, HC_PD_CTRL, flags, SEL_HUGE, rt_obj(have.sm, 0, 0));
}

static void revoke_arguments(void)
{
	prepare();
	for (unsigned i = 0; i < RT_ARRAY(no_objects); i++)
		EXPECT_HC("remote, no PD", BAD_CAP, HC_REVOKE, REVOKE_REMOTE, 0, rt_obj(have.sm, 0, PERM_ALL),
			  no_objects[i]);
	EXPECT_HC("remote, not a PD", BAD_CAP, HC_REVOKE, REVOKE_REMOTE, 0, rt_obj(have.sm, 0, PERM_ALL), have.sm);
	EXPECT_HC("null", SUCCESS, HC_REVOKE, REVOKE_SELF, 0, 0);
	EXPECT_HC("null with other fields", SUCCESS, HC_REVOKE, REVOKE_SELF, 0, ~3ul);
	EXPECT_HC("objects beyond", SUCCESS, HC_REVOKE, REVOKE_SELF, 0, rt_obj(HEDRON_SEL_NUM, 0, PERM_ALL));
	EXPECT_HC("objects that would alias", SUCCESS, HC_REVOKE, REVOKE_SELF, 0, rt_obj(SEL_ALIAS, 0, PERM_ALL));
	EXPECT(!sel_empty(RT_SEL_PD));
	EXPECT_OK(hc_sm_down(have.sm));
}

/* Selectors beyond the object space are empty for every look-up, whatever their low bits. */
static void lookup_beyond(void)
{
	for (unsigned bit = 26; bit < 52; bit++)
		EXPECT(sel_empty(1ul << bit | RT_SEL_PD));
	EXPECT(!sel_empty(RT_SEL_PD));
}

static const struct test tests[] = {
	TEST(unknown_numbers),
	TEST(has_call),
	TEST(has_create_pd),
	TEST(has_create_ec),
	TEST(has_create_sc),
	TEST(has_create_pt),
	TEST(has_create_sm),
	TEST(has_revoke),
	TEST(has_pd_ctrl),
	TEST(has_ec_ctrl),
	TEST(has_sc_ctrl),
	TEST(has_pt_ctrl),
	TEST(has_sm_ctrl),
	TEST(has_machine_ctrl),
	TEST(has_create_kp),
	TEST(has_kp_ctrl),
	TEST(has_create_vcpu),
	TEST(has_vcpu_ctrl),
	TEST(bad_parents),
	TEST(new_selectors),
	TEST(ignored_flags),
	TEST(create_ec_order),
	TEST(create_ec_keeps_memory),
	TEST(create_sc_order),
	TEST(create_pt_order),
	TEST(create_pd_arguments),
	TEST(sm_ctrl_arguments),
	TEST(pt_ctrl_arguments),
	TEST(sc_ctrl_arguments),
	TEST(ec_ctrl_arguments),
	TEST(call_arguments),
	TEST(pd_ctrl_arguments),
	TEST(revoke_arguments),
	TEST(lookup_beyond),
};

bool main(void)
{
	return guest_run("hypercall", tests, RT_ARRAY(tests));
}
