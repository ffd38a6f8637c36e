/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed items: what they mean for each kind, how windows are fitted to each other, and what comes back. The memory
 * space is a fake that records what it is asked to do; the others are the real ones.
 */
#include "host.h"
#include "lib/bits.h"
#include "space/delegate.h"
#include "space/pd.h"

#include "hog.h"
#include "unit.h"

#define HEAP (64 * MiB)
#define SEL_LIMIT HEDRON_SEL_NUM
#define ORDERS 32

static struct pd root, user, other;

static void revoke(struct pd *pd, crd_t crd, bool self)
{
	delegate_revoke(pd, crd, self);
	host_revoke_rest();
}
static struct hog hog;

static struct {
	struct kobject o;
} aligned(KOBJECT_ALIGN) object[8];

/* ---- the memory space ---- */

static struct mem_call {
	unsigned count;
	struct pd *src, *dst;
	u64 from, to;
	unsigned order, perm, flags;
} mem;
static enum status mem_status;

enum status space_mem_delegate(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
			       unsigned how)
{
	unsigned perm = how & PERM_ALL, flags = how & ~PERM_ALL;

	mem = (struct mem_call){mem.count + 1, src, dst, src_page, dst_page, order, perm, flags};
	return mem_status;
}

void space_mem_revoke(struct pd *pd, u64 page, unsigned order)
{
	mem = (struct mem_call){.count = mem.count + 1, .dst = pd, .to = page, .order = order};
}

enum status space_mem_delegate_step(struct space_obj_delegation *d)
{
	(void)d;
	fail_msg("no delegation of memory was left");
	return OOM;
}

bool space_mem_free_step(struct pd *pd)
{
	(void)pd;
	return false;
}

/* ---- helpers ---- */

UNIT_FIXTURE(setup)
{
	struct pd *all[] = {&root, &user, &other};

	host_reset(HEAP);
	assert_int_equal(space_pio_boot(&pd_kernel), SUCCESS);
	for (unsigned i = 0; i < array_size(all); i++) {
		*all[i] = (struct pd){.root = all[i] == &root, .obj.refs = 1};
		assert_int_equal(space_obj_init(&all[i]->objs, &all[i]->account), SUCCESS);
		/* Behind the window of slots, and what speculation can reach, lies what is not slots. */
		for (unsigned entry = 128; entry < PAGE_SIZE / sizeof(u64); entry++)
			all[i]->objs.pdpt[entry] = ~0ull;
		space_pio_init(&all[i]->pio);
	}
	memset(object, 0, sizeof object);
	mem = (struct mem_call){0};
	mem_status = SUCCESS;
	return 0;
}

static crd_t crd_at(const struct pd *pd, u64 sel)
{
	const struct cap_slot *s = space_obj_slot(&pd->objs, sel);
	return s && s->cap ? crd_make(CRD_OBJ, sel, 0, cap_perm(s->cap)) : 0;
}

static void make(struct pd *pd, u64 sel, unsigned i, unsigned perm)
{
	assert_int_equal(space_obj_insert_root(pd, sel, &object[i].o, perm), SUCCESS);
}

static crd_t mem_crd(u64 base, unsigned order, unsigned perm)
{
	return crd_make(CRD_MEM, base, order, perm);
}
static crd_t pio_crd(u64 base, unsigned order, unsigned perm)
{
	return crd_make(CRD_PIO, base, order, perm);
}
static crd_t obj_crd(u64 base, unsigned order, unsigned perm)
{
	return crd_make(CRD_OBJ, base, order, perm);
}

static const crd_t nothing = 0;

/* Runs an item and compares what comes back. */
static void item(struct pd *src, struct pd *dst, crd_t crd, u64 meta, crd_t xlt, crd_t del, crd_t got, u64 got_meta)
{
	struct utcb_item out = {~0ul, ~0ul};

	assert_int_equal(delegate_item(src, dst, (struct utcb_item){crd, meta}, xlt, del, &out), SUCCESS);
	assert_int_equal(host_delegate_rest(), SUCCESS);
	assert_int_equal(out.crd, got);
	assert_int_equal(out.meta, got_meta);
}

/* A plain delegation: one window for all. */
static void give(struct pd *src, struct pd *dst, crd_t crd, u64 meta, crd_t window, crd_t got)
{
	item(src, dst, crd, meta | ITEM_DELEGATE, 0, window, got, (meta | ITEM_DELEGATE) & ITEM_FLAGS_MASK);
}

static u64 random64(void)
{
	return (u64)unit_random(1u << 31) << 33 ^ (u64)unit_random(1u << 31) << 16 ^ unit_random(1u << 16);
}

/* ---- windows ---- */

/* Bit by bit, as the text says it. */
static void fit(u64 *s, unsigned so, u64 *r, unsigned ro, u64 hotspot, unsigned *order)
{
	for (unsigned i = 0; i < so; i++)
		*s &= ~bit(i);
	for (unsigned i = 0; i < ro; i++)
		*r &= ~bit(i);
	for (unsigned i = so; i < ro; i++)
		*r |= hotspot & bit(i);
	for (unsigned i = ro; i < so; i++)
		*s |= hotspot & bit(i);
	*order = so < ro ? so : ro;
}

UNIT_TEST(memory_windows)
{
	for (unsigned n = 0; n < 8 * ORDERS * ORDERS; n++) {
		unsigned so = n / ORDERS % ORDERS, ro = n % ORDERS, order;
		u64 s = random64() >> 12, r = random64() >> 12, spot = random64() >> 12;
		crd_t crd = mem_crd(s, so, 7), window = mem_crd(r, ro, 5);
		fit(&s, so, &r, ro, spot, &order);
		give(&user, &other, crd, spot << 12, window, mem_crd(r, order, 5));
		assert_int_equal(mem.count, n + 1);
		assert_ptr_equal(mem.src, &user);
		assert_ptr_equal(mem.dst, &other);
		assert_int_equal(mem.from, s);
		assert_int_equal(mem.to, r);
		assert_int_equal(mem.order, order);
		assert_int_equal(mem.perm, 5);
	}
}

static u64 objects_in(const struct pd *pd)
{
	u64 count = 0;
	for (unsigned i = 0; i < array_size(object); i++)
		for (struct mdb_node *n = object[i].o.caps ? space_obj_slot(&root.objs, i * 5)->node.next : NULL; n;
		     n = n->next) {
			u64 sel;
			count += space_obj_owner(container_of(n, struct cap_slot, node), &sel) == pd;
		}
	return count;
}

/* Of eight capabilities 5 selectors apart, exactly those arrive that are in the source window, each in its place. */
UNIT_TEST(object_windows)
{
	for (unsigned i = 0; i < array_size(object); i++)
		make(&root, i * 5, i, PERM_ALL);
	for (unsigned n = 0; n < 4 * ORDERS * ORDERS; n++) {
		unsigned so = n / ORDERS % ORDERS, ro = n % ORDERS, order, expected = 0;
		u64 s = unit_random(64), r = random64() >> (12 + unit_random(40)), spot = unit_random(64);
		crd_t crd = obj_crd(s, so, 3), window = obj_crd(r, ro, PERM_ALL);
		fit(&s, so, &r, ro, spot, &order);
		give(&root, &user, crd, spot << 12, window, obj_crd(r, order, 3));
		for (unsigned i = 0; i < array_size(object); i++) {
			u64 at = r + (i * 5 - s);
			if (i * 5 < s || i * 5 - s >= bit(order) || r >= SEL_LIMIT || at >= SEL_LIMIT)
				continue;
			assert_int_equal(crd_at(&user, at), obj_crd(at, 0, 3));
			expected++;
		}
		assert_int_equal(objects_in(&user), expected);
		revoke(&root, obj_crd(0, 31, PERM_ALL), false);
		assert_int_equal(objects_in(&user), 0);
	}
}

UNIT_TEST(port_windows)
{
	for (unsigned n = 0; n < 4 * ORDERS * ORDERS; n++) {
		unsigned so = n / ORDERS % ORDERS, ro = n % ORDERS, order = so < ro ? so : ro;
		u64 s = unit_random(1 << 17), r = unit_random(2) ? s ^ (unit_random(64)) : unit_random(1 << 17);
		crd_t crd = pio_crd(s, so, PERM_ALL), window = pio_crd(r, ro, 9);
		s = s >> so << so;
		r = r >> ro << ro;
		u64 first = max_u64(s, r), end = min_u64(s + bit(so), r + bit(ro));
		crd_t got = first < end ? pio_crd(first, order, 9) : nothing;
		/* The hotspot is of no importance. */
		give(&root, &user, crd, ITEM_HYPERVISOR | random64() << 12, window, got);
		bool some = first < end && first < PIO_PORTS;
		assert_int_equal(space_pio_lookup(&user, first),
				 some ? pio_crd(first, order < 16 ? order : 16, 1) : nothing);
		assert_int_equal(user.pio.held.count != 0, some);
		revoke(&user, pio_crd(0, 31, 1), true);
		assert_int_equal(user.pio.held.count, 0);
	}
}

/* ---- kinds, permissions, metadata ---- */

UNIT_TEST(kinds_must_match)
{
	make(&user, 4, 0, PERM_ALL);
	for (unsigned kind = 0; kind < 4; kind++)
		for (unsigned window = 0; window < 4; window++) {
			crd_t crd = crd_make(kind, 4, 0, 31), del = crd_make(window, 4, 0, 31);
			bool same = kind == window && kind != CRD_NULL;
			mem.count = 0;
			give(&user, &other, crd, 0, del, same ? crd : nothing);
			assert_int_equal(mem.count, same && kind == CRD_MEM);
			assert_int_equal(crd_at(&other, 4), window == 3 && kind == 3 ? crd : nothing);
		}
}

UNIT_TEST(no_permission_left)
{
	make(&user, 4, 0, PERM_ALL);
	give(&user, &other, obj_crd(4, 0, 0x15), 0, obj_crd(4, 0, 0x0a), nothing);
	assert_int_equal(object[0].o.caps, 1);
	give(&root, &other, pio_crd(4, 0, 0x15), ITEM_HYPERVISOR, pio_crd(4, 0, 0x0a), nothing);
	/* Memory is unmapped then. */
	give(&user, &other, mem_crd(4, 2, 5), 0, mem_crd(8, 2, 2), mem_crd(8, 2, 0));
	assert_int_equal(mem.count, 1);
	assert_int_equal(mem.perm, 0);
	/* Undefined bits come back, but give no access. */
	give(&user, &other, mem_crd(4, 2, 0x18), 0, mem_crd(8, 2, 0x1f), mem_crd(8, 2, 0x18));
	assert_int_equal(mem.perm, 0);
	give(&root, &other, pio_crd(4, 0, 0x1e), ITEM_HYPERVISOR, pio_crd(4, 0, 0x1f), pio_crd(4, 0, 0x1e));
	assert_int_equal(space_pio_lookup(&other, 4), 0);
}

/* The result tells the windows, not what the source had. */
UNIT_TEST(result_is_independent_of_the_source)
{
	give(&user, &other, obj_crd(16, 4, 7), 0, obj_crd(32, 4, 0x1f), obj_crd(32, 4, 7));
	give(&user, &other, pio_crd(16, 4, 1), 0, pio_crd(0, 16, 0x1f), pio_crd(16, 4, 1));
	assert_int_equal(space_pio_lookup(&other, 16), 0);
	make(&user, 16, 0, 2);
	give(&user, &other, obj_crd(16, 4, 7), 0, obj_crd(32, 4, 0x1f), obj_crd(32, 4, 7));
	assert_int_equal(crd_at(&other, 32), obj_crd(32, 0, 2));
	give(&user, &other, obj_crd(16, 4, 5), 0, obj_crd(48, 4, 0x1f), obj_crd(48, 4, 5));
	assert_int_equal(crd_at(&other, 48), 0);
	/* Selectors that do not exist. */
	give(&user, &other, obj_crd(SEL_LIMIT + 16, 0, 7), 0, obj_crd(64, 0, 0x1f), obj_crd(64, 0, 7));
	assert_int_equal(crd_at(&other, 64), 0);
	give(&user, &other, obj_crd(16, 0, 7), 0, obj_crd(SEL_LIMIT, 0, 0x1f), obj_crd(SEL_LIMIT, 0, 7));
	assert_int_equal(crd_at(&other, 0), 0);
	give(&user, &other, obj_crd(16, 0, 7), 0, obj_crd(1ul << 51, 0, 31), obj_crd(1ul << 51, 0, 7));
}

UNIT_TEST(metadata)
{
	for (u64 meta = 0; meta <= ITEM_FLAGS_MASK; meta++) {
		struct utcb_item out;
		struct utcb_item in = {mem_crd(1, 0, 7), meta | 0xabcde000};
		assert_int_equal(delegate_item(&user, &other, in, 0, mem_crd(2, 0, 7), &out), SUCCESS);
		bool delegated = (meta & 3) == 1 || (meta & 3) == 2;
		assert_int_equal(out.crd, delegated ? mem_crd(2, 0, 7) : nothing);
		assert_int_equal(out.meta, (meta & 3) == 2 ? meta | 1 : meta);
		assert_int_equal(mem.flags & (ITEM_NO_HOST | ITEM_GUEST),
				 delegated ? meta & (ITEM_NO_HOST | ITEM_GUEST) : 0);
		mem.flags = 0;
	}
}

UNIT_TEST(no_result_wanted)
{
	struct utcb_item in = {mem_crd(1, 0, 7), ITEM_DELEGATE};

	assert_int_equal(delegate_item(&user, &other, in, 0, mem_crd(2, 0, 7), NULL), SUCCESS);
	assert_int_equal(mem.count, 1);
}

UNIT_TEST(hypervisor_as_source)
{
	give(&root, &other, mem_crd(1, 0, 7), ITEM_HYPERVISOR, mem_crd(2, 0, 7), mem_crd(2, 0, 7));
	assert_ptr_equal(mem.src, &pd_kernel);
	give(&user, &other, mem_crd(1, 0, 7), ITEM_HYPERVISOR, mem_crd(2, 0, 7), mem_crd(2, 0, 7));
	assert_ptr_equal(mem.src, &user);
	assert_int_equal(mem.flags & ITEM_HYPERVISOR, 0);
	give(&root, &root, pio_crd(0, 16, 1), ITEM_HYPERVISOR, pio_crd(0, 16, 1), pio_crd(0, 16, 1));
	assert_int_equal(space_pio_lookup(&root, 0xcf8), pio_crd(0, 16, 1));
	give(&user, &user, pio_crd(0, 16, 1), ITEM_HYPERVISOR, pio_crd(0, 16, 1), pio_crd(0, 16, 1));
	assert_int_equal(space_pio_lookup(&user, 0xcf8), 0);
	/* It has no objects. */
	make(&root, 4, 0, PERM_ALL);
	give(&root, &other, obj_crd(4, 0, 1), ITEM_HYPERVISOR, obj_crd(4, 0, 1), obj_crd(4, 0, 1));
	assert_int_equal(crd_at(&other, 4), 0);
	make(&user, 4, 1, PERM_ALL);
	give(&user, &other, obj_crd(4, 0, 1), ITEM_HYPERVISOR, obj_crd(4, 0, 1), obj_crd(4, 0, 1));
	assert_int_equal(crd_at(&other, 4), obj_crd(4, 0, 1));
}

static bool host_allows(const struct pd *pd, u32 port)
{
	return pd->pio.host[0] && !(pd->pio.host[port >> 15][port >> 3 & PAGE_MASK] >> (port & 7) & 1);
}

static bool guest_allows(const struct pd *pd, u32 port)
{
	return pd->pio.guest[0] && !(pd->pio.guest[port >> 15][port >> 3 & PAGE_MASK] >> (port & 7) & 1);
}

UNIT_TEST(where_ports_are_mapped)
{
	for (u64 bits = 0; bits < 8; bits++) {
		u64 meta = bits << 8;
		u32 port = 0x1000 + (u32)bits;
		bool host = !(meta & ITEM_NO_HOST), guest = meta & ITEM_GUEST;
		give(&root, &user, pio_crd(port, 0, 1), meta | ITEM_HYPERVISOR, pio_crd(port, 0, 1),
		     pio_crd(port, 0, 1));
		assert_int_equal(host_allows(&user, port), host);
		assert_int_equal(guest_allows(&user, port), guest);
		assert_int_equal(space_pio_lookup(&user, port), host || guest ? pio_crd(port, 0, 1) : nothing);
		revoke(&user, pio_crd(port, 0, 1), true);
		assert_false(host_allows(&user, port) || guest_allows(&user, port));
	}
}

/* For objects these bits mean nothing. */
UNIT_TEST(where_of_objects_is_ignored)
{
	make(&user, 4, 0, PERM_ALL);
	give(&user, &other, obj_crd(4, 0, 1), ITEM_NO_HOST | ITEM_GUEST, obj_crd(4, 0, 1), obj_crd(4, 0, 1));
	assert_int_equal(crd_at(&other, 4), obj_crd(4, 0, 1));
}

/* ---- translation ---- */

UNIT_TEST(translate_objects)
{
	const crd_t all = obj_crd(0, 31, 0);

	make(&user, 4, 0, PERM_ALL);
	give(&user, &other, obj_crd(4, 0, 3), 0, obj_crd(9, 0, 0x1f), obj_crd(9, 0, 3));
	item(&other, &user, obj_crd(9, 0, 0x1f), 0xf0f8, all, 0, obj_crd(4, 0, 3), 0xf8 & ~3);
	item(&other, &user, obj_crd(9, 0, 0), ITEM_TRANSLATE, obj_crd(5, 0, 0), 0, nothing, 0);
	item(&other, &user, obj_crd(9, 0, 0), ITEM_TRANSLATE, pio_crd(0, 31, 31), 0, nothing, 0);
	item(&user, &other, obj_crd(4, 0, 0), ITEM_TRANSLATE, all, 0, nothing, 0);
	item(&user, &user, obj_crd(4, 0, 0), ITEM_TRANSLATE, all, 0, obj_crd(4, 0, 31), 0);
	item(&user, &user, obj_crd(5, 0, 0), ITEM_TRANSLATE, all, 0, nothing, 0);
	item(&user, &user, obj_crd(4 + SEL_LIMIT, 0, 0), ITEM_TRANSLATE, all, 0, nothing, 0);
	assert_int_equal(object[0].o.caps, 2);
}

UNIT_TEST(translate_ports)
{
	const crd_t all = pio_crd(0, 31, 0);

	give(&root, &root, pio_crd(0x60, 4, 1), ITEM_HYPERVISOR, pio_crd(0, 16, 1), pio_crd(0x60, 4, 1));
	give(&root, &user, pio_crd(0x64, 2, 1), 0, pio_crd(0, 16, 1), pio_crd(0x64, 2, 1));
	item(&user, &root, pio_crd(0x65, 0, 0), ITEM_TRANSLATE, all, 0, pio_crd(0x60, 4, 1), 0);
	item(&user, &root, pio_crd(0x65, 0, 0), ITEM_TRANSLATE, pio_crd(0x66, 1, 0), 0, pio_crd(0x66, 1, 1), 0);
	item(&user, &root, pio_crd(0x65, 0, 0), ITEM_TRANSLATE, pio_crd(0x70, 1, 0), 0, nothing, 0);
	item(&user, &user, pio_crd(0x65, 0, 0), ITEM_TRANSLATE, all, 0, pio_crd(0x64, 2, 1), 0);
	item(&user, &user, pio_crd(0x68, 0, 0), ITEM_TRANSLATE, all, 0, nothing, 0);
	item(&user, &user, pio_crd(PIO_PORTS + 0x65, 0, 0), ITEM_TRANSLATE, all, 0, nothing, 0);
}

UNIT_TEST(memory_has_no_translation)
{
	item(&user, &user, mem_crd(1, 0, 7), ITEM_TRANSLATE, mem_crd(0, 31, 7), mem_crd(0, 31, 7), nothing, 0);
	assert_int_equal(mem.count, 0);
	item(&user, &other, mem_crd(1, 0, 7), ITEM_TRANSLATE_DELEGATE | 1 << 12, mem_crd(0, 31, 7), mem_crd(0, 31, 7),
	     mem_crd(1, 0, 7), ITEM_TRANSLATE_DELEGATE | ITEM_DELEGATE);
	assert_int_equal(mem.count, 1);
}

UNIT_TEST(translate_then_delegate)
{
	const crd_t all = obj_crd(0, 31, 31);

	make(&user, 4, 0, PERM_ALL);
	item(&user, &other, obj_crd(4, 0, 3), ITEM_TRANSLATE_DELEGATE | 7 << 12, all, all, obj_crd(7, 0, 3), 3);
	assert_int_equal(crd_at(&other, 7), obj_crd(7, 0, 3));
	item(&other, &user, obj_crd(7, 0, 3), ITEM_TRANSLATE_DELEGATE | 9 << 12, all, all, obj_crd(4, 0, 3), 2);
	assert_int_equal(crd_at(&user, 9), 0);
	item(&other, &user, obj_crd(7, 0, 3), ITEM_TRANSLATE_DELEGATE, obj_crd(5, 0, 1), 0, nothing, 3);
	/* The fourth kind does nothing. */
	item(&user, &other, obj_crd(4, 0, 3), 3 | 20 << 12, all, all, nothing, 3);
	assert_int_equal(crd_at(&other, 20), 0);
}

/* ---- failures ---- */

UNIT_TEST(failures)
{
	struct utcb_item in = {mem_crd(1, 0, 7), ITEM_DELEGATE}, out;
	static const enum status all[] = {BAD_PAR, OOM};

	for (unsigned i = 0; i < array_size(all); i++) {
		mem_status = all[i];
		assert_int_equal(delegate_item(&user, &other, in, 0, mem_crd(2, 0, 7), &out), all[i]);
	}
	make(&user, 4, 0, PERM_ALL);
	hog_take(&hog, 0);
	in.crd = obj_crd(4, 0, 1);
	assert_int_equal(delegate_item(&user, &other, in, 0, in.crd, &out), OOM);
	in = (struct utcb_item){pio_crd(4, 0, 1), ITEM_DELEGATE | ITEM_HYPERVISOR};
	assert_int_equal(delegate_item(&root, &other, in, 0, in.crd, &out), OOM);
	hog_release(&hog);
}

/* ---- the rest ---- */

UNIT_TEST(first_objects_of_a_pd)
{
	static struct pd empty;

	assert_int_equal(space_obj_init(&empty.objs, &empty.account), SUCCESS);
	make(&root, 36, 0, 3);
	make(&root, 39, 1, PERM_ALL);
	assert_int_equal(delegate_initial(&root, &other, obj_crd(36, 2, 0x1f)), SUCCESS);
	assert_int_equal(crd_at(&other, 0), obj_crd(0, 0, 3));
	assert_int_equal(crd_at(&other, 3), obj_crd(3, 0, 31));
	assert_int_equal(delegate_initial(&root, &user, obj_crd(0, 31, 1)), SUCCESS);
	assert_int_equal(host_delegate_rest(), SUCCESS);
	assert_int_equal(crd_at(&user, 39), obj_crd(39, 0, 1));
	assert_int_equal(delegate_initial(&root, &user, nothing), SUCCESS);
	assert_int_equal(delegate_initial(&root, &user, mem_crd(0, 0, 7)), SUCCESS);
	assert_int_equal(delegate_initial(&root, &user, pio_crd(0, 0, 1)), SUCCESS);
	assert_int_equal(mem.count, 0);
	hog_take(&hog, 0);
	assert_int_equal(delegate_initial(&root, &empty, obj_crd(36, 2, 0x1f)), OOM);
	hog_release(&hog);
}

UNIT_TEST(revocation)
{
	make(&root, 36, 0, 7);
	give(&root, &user, obj_crd(36, 0, 7), 0, obj_crd(8, 0, 7), obj_crd(8, 0, 7));
	revoke(&root, nothing, true);
	revoke(&root, obj_crd(39, 0, 7), true);
	revoke(&root, obj_crd(36 + SEL_LIMIT, 0, 7), true);
	revoke(&root, obj_crd(SEL_LIMIT, 31, 0), true);
	assert_int_equal(object[0].o.caps, 2);
	/* The base is rounded down. */
	revoke(&root, obj_crd(39, 2, 2), false);
	assert_int_equal(crd_at(&user, 8), obj_crd(8, 0, 5));
	revoke(&root, obj_crd(39, 2, 5), true);
	assert_int_equal(crd_at(&user, 8), 0);
	assert_int_equal(crd_at(&root, 36), obj_crd(36, 0, 2));

	give(&root, &user, pio_crd(0x60, 4, 1), ITEM_HYPERVISOR, pio_crd(0, 16, 1), pio_crd(0x60, 4, 1));
	revoke(&user, pio_crd(0x60, 4, 0x1e), true);
	revoke(&user, pio_crd(0x60 + PIO_PORTS, 4, 1), true);
	revoke(&user, pio_crd(0x60, 4, 1), false);
	assert_int_equal(space_pio_lookup(&user, 0x60), pio_crd(0x60, 4, 1));
	revoke(&user, pio_crd(0x67, 2, 1), true);
	assert_int_equal(space_pio_lookup(&user, 0x64), 0);
	assert_int_equal(space_pio_lookup(&user, 0x60), pio_crd(0x60, 2, 1));

	/* Memory is told the range as it is. */
	revoke(&user, mem_crd(5, 2, 0), false);
	assert_ptr_equal(mem.dst, &user);
	assert_int_equal(mem.to, 5);
	assert_int_equal(mem.order, 2);
}

UNIT_TEST(look_up)
{
	host_set_pd(&user);
	make(&user, 4, 0, 5);
	give(&root, &user, pio_crd(0x60, 4, 1), ITEM_HYPERVISOR, pio_crd(0, 16, 1), pio_crd(0x60, 4, 1));
	assert_int_equal(delegate_lookup(&user, obj_crd(4, 9, 0)), obj_crd(4, 0, 5));
	assert_int_equal(delegate_lookup(&user, obj_crd(5, 9, 0)), 0);
	assert_int_equal(delegate_lookup(&user, obj_crd(4 + SEL_LIMIT, 0, 0)), 0);
	assert_int_equal(delegate_lookup(&user, pio_crd(0x6b, 1, 0)), pio_crd(0x60, 4, 1));
	assert_int_equal(delegate_lookup(&user, pio_crd(0x6b + PIO_PORTS, 1, 0)), 0);
	assert_int_equal(delegate_lookup(&user, mem_crd(0, 31, 7)), 0);
	assert_int_equal(delegate_lookup(&user, nothing), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_windows, setup),
		cmocka_unit_test_setup(object_windows, setup),
		cmocka_unit_test_setup(port_windows, setup),
		cmocka_unit_test_setup(kinds_must_match, setup),
		cmocka_unit_test_setup(no_permission_left, setup),
		cmocka_unit_test_setup(result_is_independent_of_the_source, setup),
		cmocka_unit_test_setup(metadata, setup),
		cmocka_unit_test_setup(no_result_wanted, setup),
		cmocka_unit_test_setup(hypervisor_as_source, setup),
		cmocka_unit_test_setup(where_ports_are_mapped, setup),
		cmocka_unit_test_setup(where_of_objects_is_ignored, setup),
		cmocka_unit_test_setup(translate_objects, setup),
		cmocka_unit_test_setup(translate_ports, setup),
		cmocka_unit_test_setup(memory_has_no_translation, setup),
		cmocka_unit_test_setup(translate_then_delegate, setup),
		cmocka_unit_test_setup(failures, setup),
		cmocka_unit_test_setup(first_objects_of_a_pd, setup),
		cmocka_unit_test_setup(revocation, setup),
		cmocka_unit_test_setup(look_up, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
