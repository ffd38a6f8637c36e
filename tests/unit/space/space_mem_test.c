/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of PDs: each rule of delegation and revocation, the kernel's own pages, TLBs, shortage, and random work
 * against a model. */
#include "space/space_mem_fixture.h"

#include "hog.h"

#include <pthread.h>

/* ---- sizes ---- */

UNIT_TEST(superpages_are_used_where_they_fit)
{
	assert_int_equal(give(&a, 0x40000, 0x80000, 18, RWX), SUCCESS);
	assert_int_equal(order_at(&a, 0x80000), 18);
	assert_int_equal(give(&a, 0x40000, 0x600, 9, RWX), SUCCESS);
	assert_int_equal(order_at(&a, 0x600), 9);
	/* From leaf to leaf: the same sizes, or parts. */
	assert_int_equal(delegate_mem(&a, &b, 0x80000, 0xc0000, 18, RWX), SUCCESS);
	assert_int_equal(order_at(&b, 0xc0000), 18);
	assert_int_equal(delegate_mem(&a, &b, 0x80200, 0x200, 9, RWX), SUCCESS);
	assert_int_equal(order_at(&b, 0x200), 9);
	assert_host(&b, 0x233, 0x40233, RWX);
	assert_int_equal(delegate_mem(&a, &b, 0x80000, 0, 3, RWX), SUCCESS);
	assert_int_equal(order_at(&b, 0), 0);
}

UNIT_TEST(small_leaves_stay_small)
{
	for (u64 page = 0; page < 512; page++)
		assert_int_equal(give(&a, 0x40000 + page, 0x200 + page, 0, RWX), SUCCESS);
	assert_int_equal(delegate_mem(&a, &b, 0x200, 0x400, 9, RWX), SUCCESS);
	assert_int_equal(order_at(&b, 0x400), 0);
	assert_host(&b, 0x5ff, 0x401ff, RWX);
}

/* ---- rights ---- */

UNIT_TEST(rights_are_the_intersection)
{
	static const struct {
		unsigned first, second, left;
	} cases[] = {
		{RWX, RWX, 7}, {RWX, 1, 1}, {RWX, 2, 3}, {RWX, 4, 5}, {RWX, 6, 7},
		{1, RWX, 1},   {3, 5, 1},   {5, 3, 1},   {3, 31, 3},  {31, 31, 7},
		{2, 2, 3},     {4, 4, 5},   {RWX, 0, 0}, {RWX, 8, 0}, {RWX, 24, 0},
	};
	for (unsigned i = 0; i < array_size(cases); i++) {
		assert_int_equal(give(&a, 0x300, 9, 0, cases[i].first), SUCCESS);
		assert_int_equal(give(&b, 0x400, 9, 0, RWX), SUCCESS);
		assert_int_equal(delegate_mem(&a, &b, 9, 9, 0, cases[i].second | ITEM_GUEST), SUCCESS);
		if (cases[i].left) {
			assert_host(&b, 9, 0x300, cases[i].left);
			assert_guest(&b, 9, 0x300, cases[i].left, MEM_WB);
		} else {
			assert_no_host(&b, 9);
			assert_no_guest(&b, 9);
		}
	}
}

UNIT_TEST(undefined_rights_are_no_rights)
{
	assert_int_equal(give(&a, 0x300, 9, 0, RWX), SUCCESS);
	assert_int_equal(give(&a, 0x300, 9, 0, 8 | 16), SUCCESS);
	assert_no_host(&a, 9);
}

/* ---- what is mapped where ---- */

UNIT_TEST(host_and_guest_are_separate)
{
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0x300, 9, 0, RWX | ITEM_NO_HOST), SUCCESS);
	assert_no_host(&a, 9);
	assert_no_guest(&a, 9);
	assert_null(a.mem.guest.root);
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0x300, 9, 0, RWX | ITEM_NO_HOST | 1 << 9), SUCCESS);
	assert_no_host(&a, 9);
	assert_guest(&a, 9, 0x300, 7, MEM_WB);
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0x301, 9, 0, RWX | 1 << 10), SUCCESS);
	assert_host(&a, 9, 0x301, RWX);
	assert_guest(&a, 9, 0x301, 7, MEM_WB);
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0x301, 9, 0, ITEM_NO_HOST | ITEM_GUEST), SUCCESS);
	assert_host(&a, 9, 0x301, RWX);
	assert_no_guest(&a, 9);
}

UNIT_TEST(invalid_ranges_are_ignored)
{
	static const struct {
		u64 from, to;
		unsigned order;
	} cases[] = {
		{1, 16, 1},
		{16, 1, 1},
		{USER_PAGES, 16, 0},
		{16, USER_PAGES, 0},
		{0, USER_PAGES - 1, 1},
		{USER_PAGES - 1, 16, 1},
		{16, ~0ull >> 12, 0},
		{0, (1ull << 35) - (1ull << 20), 20},
	};
	for (unsigned i = 0; i < array_size(cases); i++) {
		assert_int_equal(give(&a, cases[i].from, cases[i].to, cases[i].order, RWX), SUCCESS);
		assert_int_equal(delegate_mem(&a, &b, cases[i].from, cases[i].to, cases[i].order, RWX | ITEM_GUEST),
				 SUCCESS);
	}
	for (u64 i = PTAB_ENTRIES; i--;) {
		assert_int_equal(a.mem.host.root[i], 0);
		assert_int_equal(b.mem.host.root[i], 0);
	}
	assert_null(b.mem.guest.root);
}

UNIT_TEST(the_last_user_page_is_usable)
{
	assert_int_equal(give(&a, 0x300, USER_PAGES - 1, 0, RWX), SUCCESS);
	assert_int_equal(delegate_mem(&a, &b, USER_PAGES - 1, 0, 0, RWX), SUCCESS);
	assert_host(&b, 0, 0x300, RWX);
}

UNIT_TEST(absent_source_pages_unmap)
{
	assert_int_equal(give(&a, 0x300, 8, 1, RWX), SUCCESS); /* pages 8 and 9 */
	assert_int_equal(give(&b, 0x400, 16, 2, RWX), SUCCESS);
	assert_int_equal(delegate_mem(&a, &b, 8, 16, 2, RWX), SUCCESS);
	assert_host(&b, 16, 0x300, RWX);
	assert_host(&b, 17, 0x301, RWX);
	assert_no_host(&b, 18);
	assert_no_host(&b, 19);
	assert_int_equal(host_tlb.host, 1);
	assert_ptr_equal(host_tlb.pd, &b);
}

UNIT_TEST(a_pd_may_delegate_to_itself)
{
	assert_int_equal(give(&a, 0x400, 0x400, 9, RWX), SUCCESS);
	assert_int_equal(delegate_mem(&a, &a, 0x410, 0x418, 3, PERM_MEM_R), SUCCESS);
	assert_host(&a, 0x418, 0x410, PERM_MEM_R);
	assert_host(&a, 0x417, 0x417, RWX);
	assert_int_equal(delegate_mem(&a, &a, 0x400, 0x400, 9, PERM_MEM_R | ITEM_GUEST), SUCCESS);
	assert_host(&a, 0x400, 0x400, PERM_MEM_R);
	assert_guest(&a, 0x419, 0x411, PERM_MEM_R, MEM_WB);
}

/* ---- revocation ---- */

UNIT_TEST(revocation_takes_from_both_tables)
{
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0x400, 0x400, 9, RWX | ITEM_GUEST), SUCCESS);
	assert_int_equal(delegate_mem(&a, &b, 0x400, 0x400, 9, RWX), SUCCESS);
	space_mem_revoke(&a, 0x404, 2);
	assert_no_host(&a, 0x404);
	assert_no_guest(&a, 0x407);
	assert_host(&a, 0x408, 0x408, RWX);
	assert_guest(&a, 0x403, 0x403, 7, MEM_WB);
	assert_host(&b, 0x404, 0x404, RWX); /* there is no tree */
	assert_int_equal(host_tlb.host, 1);
	assert_int_equal(host_tlb.guest, 1);
}

UNIT_TEST(invalid_revocations_are_ignored)
{
	assert_int_equal(give(&a, 0x400, 0, 3, RWX), SUCCESS);
	space_mem_revoke(&a, 1, 1);
	space_mem_revoke(&a, bit(35) - 1, 0);
	space_mem_revoke(&a, USER_PAGES & ~1ull, 1);
	space_mem_revoke(&a, ~0ull >> 12, 0);
	assert_host(&a, 1, 0x401, RWX);
	assert_int_equal(host_tlb.host, 0);
}

UNIT_TEST(everything_at_once)
{
	u64 before = page_free_count();
	assert_int_equal(give(&a, 0x400, 0x12345, 0, RWX), SUCCESS);
	assert_int_equal(give(&a, 0x400, bit(27) + 5, 0, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
	assert_no_host(&a, 0x12345);
	host_revoke_rest();
	assert_int_equal(page_free_count(), before);
}

/* All is gone at once; the tables are freed in pieces. */
UNIT_TEST(a_thousand_tables)
{
	u64 before = page_free_count();
	unsigned pieces = 0;

	for (u64 n = 0; n < 1000; n++)
		assert_int_equal(give(&a, 0x400, n << 9, 0, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
	for (u64 n = 0; n < 1000; n++)
		assert_no_host(&a, n << 9);
	assert_int_equal(host_tlb.host, 1);
	while (space_obj_revoke_step(space_obj_unfinished()))
		pieces++;
	assert_in_range(pieces, 1000 / 10, 1000 / 10 + 4 * 6);
	assert_int_equal(page_free_count(), before);
}

/* Who does not go on leaves them to the next one, or to the end of the PD. */
UNIT_TEST(tables_left_behind)
{
	u64 before = page_free_count();

	for (u64 n = 0; n < 300; n++)
		assert_int_equal(give(&a, 0x400, n << 9, 0, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
	assert_true(before > page_free_count() + 200);
	assert_int_equal(give(&a, 0x400, 0x12345, 0, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
	host_revoke_rest();
	assert_int_equal(page_free_count(), before);
	for (u64 n = 0; n < 300; n++)
		assert_int_equal(give(&a, 0x400, n << 9, 0, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
}

/* ---- TLBs ---- */

UNIT_TEST(flushes_happen_only_when_needed)
{
	assert_int_equal(give(&a, 0x400, 8, 3, RWX), SUCCESS);
	assert_int_equal(give(&a, 0x400, 8, 3, RWX), SUCCESS);
	space_mem_revoke(&a, 64, 3);
	assert_int_equal(host_tlb.host, 0);
	space_mem_revoke(&a, 8, 3);
	assert_int_equal(host_tlb.host, 1);
	assert_int_equal(host_tlb.guest, 0);
	assert_int_equal(host_tlb.va, 8 << PAGE_BITS);
	assert_int_equal(host_tlb.order, 3);
}

UNIT_TEST(others_flushes_are_waited_for)
{
	/* As if another CPU had taken this page away and were still at its flush. */
	a.mem.flushing = 1;
	space_mem_revoke(&a, 8, 3);
	assert_int_equal(host_tlb.host, 1);
	assert_int_equal(a.mem.flushing, 1);
	a.mem.flushing = 0;
}

/* ---- the kernel's pages ---- */

UNIT_TEST(private_pages_cannot_be_delegated)
{
	void *page = page_alloc_zeroed();
	u64 frame = heap_phys(page).v >> PAGE_BITS;
	assert_int_equal(give(&b, 0x300, 5, 0, RWX), SUCCESS);
	assert_int_equal(space_mem_map_kernel_page(&a, 0x7000, page, SPACE_MEM_PRIVATE), SUCCESS);
	assert_host(&a, 7, frame, PERM_MEM_R | PERM_MEM_W);
	assert_int_equal(delegate_mem(&a, &b, 7, 5, 0, RWX | ITEM_GUEST), SUCCESS);
	assert_no_host(&b, 5);
	assert_no_guest(&b, 5);
	space_mem_unmap_kernel_page(&a, 0x7000, page);
	assert_no_host(&a, 7);
	assert_int_equal(host_tlb.host, 2);
	assert_ptr_equal(host_tlb.pd, &a);
	page_free(page);
}

UNIT_TEST(the_information_page_is_read_only_for_all)
{
	void *page = page_alloc_zeroed();
	u64 frame = heap_phys(page).v >> PAGE_BITS;
	assert_int_equal(space_mem_map_kernel_page(&a, HEDRON_ROOT_HIP, page, SPACE_MEM_HIP), SUCCESS);
	assert_host(&a, HEDRON_ROOT_HIP >> PAGE_BITS, frame, PERM_MEM_R);
	assert_int_equal(delegate_mem(&a, &b, HEDRON_ROOT_HIP >> PAGE_BITS, 5, 0, ALL | ITEM_GUEST), SUCCESS);
	assert_host(&b, 5, frame, PERM_MEM_R);
	assert_guest(&b, 5, frame, 1, MEM_WB);
	assert_int_equal(delegate_mem(&b, &a, 5, 6, 0, ALL), SUCCESS);
	assert_host(&a, 6, frame, PERM_MEM_R);
	page_free(page);
}

UNIT_TEST(kernel_pages_replace_and_can_be_replaced)
{
	void *page = page_alloc_zeroed();
	u64 frame = heap_phys(page).v >> PAGE_BITS;
	assert_int_equal(give(&a, 0x400, 0x400, 9, RWX), SUCCESS);
	assert_int_equal(space_mem_map_kernel_page(&a, 0x405000, page, SPACE_MEM_PRIVATE), SUCCESS);
	assert_host(&a, 0x405, frame, PERM_MEM_R | PERM_MEM_W);
	assert_host(&a, 0x404, 0x404, RWX);
	assert_int_equal(host_tlb.host, 1);
	/* Something else is there now: unmapping leaves it alone. */
	assert_int_equal(give(&a, 0x999, 0x405, 0, RWX), SUCCESS);
	space_mem_unmap_kernel_page(&a, 0x405000, page);
	assert_host(&a, 0x405, 0x999, RWX);
	page_free(page);
}

UNIT_TEST(kernel_pages_stay_in_user_space)
{
	void *page = page_alloc_zeroed();
	static const u64 bad[] = {HEDRON_USER_END, HEDRON_USER_END + PAGE_SIZE, 1,
				  0xfff,           0xffffc00000000000,          ~0xfffull};
	for (unsigned i = 0; i < array_size(bad); i++) {
		assert_int_equal(space_mem_map_kernel_page(&a, bad[i], page, SPACE_MEM_PRIVATE), BAD_PAR);
		assert_int_equal(space_mem_map_guest_page(&a, bad[i], page), BAD_PAR);
		space_mem_unmap_kernel_page(&a, bad[i], page);
	}
	assert_int_equal(space_mem_map_kernel_page(&a, 0, page, SPACE_MEM_PRIVATE), SUCCESS);
	space_mem_unmap_kernel_page(&a, 0, page);
	page_free(page);
}

UNIT_TEST(guests_get_an_access_page)
{
	void *page = page_alloc_zeroed();
	assert_int_equal(space_mem_map_guest_page(&a, 0xfee00000, page), SUCCESS);
	assert_guest(&a, 0xfee00, heap_phys(page).v >> PAGE_BITS, 3, MEM_WB);
	assert_no_host(&a, 0xfee00);
	assert_ptr_equal(space_mem_guest_root(&a), a.mem.guest.root);
	assert_non_null(space_mem_guest_root(&b));
	page_free(page);
}

UNIT_TEST(the_kernels_half_is_left_alone)
{
	for (unsigned i = PTAB_ENTRIES / 2; i < PTAB_ENTRIES; i++)
		a.mem.host.root[i] = HOST_HEAP_PHYS | PTE_P | PTE_W;
	assert_int_equal(give(&a, 0x300, 8, 3, RWX), SUCCESS);
	space_mem_revoke(&a, 0, 31);
	for (unsigned i = PTAB_ENTRIES / 2; i < PTAB_ENTRIES; i++)
		assert_int_equal(a.mem.host.root[i], HOST_HEAP_PHYS | PTE_P | PTE_W);
}

/* ---- shortage ---- */

static enum status short_of_memory(u64 left)
{
	struct hog hog = {0};
	enum status st[3];

	assert_int_equal(give(&a, 0x40000, 0x40000, 18, RWX), SUCCESS);
	hog_take(&hog, left);
	space_mem_revoke(&a, 0x41001, 0);
	assert_no_host(&a, 0x41001);
	if (left > 1)
		assert_host(&a, 0x41002, 0x41002, RWX);
	else if (left)
		assert_host(&a, 0x42000, 0x42000, RWX); /* another 2 MiB */
	st[0] = delegate_mem(&a, &b, 0x41000, 0x1000, 12, RWX | ITEM_GUEST);
	st[1] = space_mem_map_kernel_page(&b, 0x7000000000, buddy_page_virt(buddy_page(b.mem.host.root)),
					  SPACE_MEM_PRIVATE);
	st[2] = give(&b, 0x80000, 0x2000000, 4, RWX);
	hog_release(&hog);
	for (unsigned i = 0; i < array_size(st); i++)
		assert_true(st[i] == SUCCESS || st[i] == OOM);
	space_mem_revoke(&a, 0, 31);
	space_mem_revoke(&b, 0, 31);
	return st[0] == SUCCESS && st[1] == SUCCESS ? st[2] : OOM;
}

/* All of the superpage goes, and is flushed, when a part of it is taken away; others stay. */
UNIT_TEST(a_revocation_needs_no_memory)
{
	struct hog hog = {0};

	assert_int_equal(give(&a, 0x40000, 0x40000, 10, RWX | ITEM_GUEST), SUCCESS);
	hog_take(&hog, 0);
	space_mem_revoke(&a, 0x40007, 0);
	hog_release(&hog);
	assert_no_host(&a, 0x40007);
	assert_no_host(&a, 0x40006);
	assert_host(&a, 0x40200, 0x40200, RWX);
	assert_int_equal(host_tlb.host, 1);
	assert_int_equal(host_tlb.va, 0x40000ull << PAGE_BITS);
	assert_int_equal(host_tlb.order, 9);
	assert_int_equal(host_tlb.guest, 1);
}

static void shortage_at_every_allocation(void **state)
{
	u64 left = 0;
	for (bool done = false; !done; left++) {
		done = short_of_memory(left) == SUCCESS;
		assert_true(left < 64);
		assert_int_equal(teardown(state), 0);
		setup(state);
	}
	assert_true(left > 8);
	struct hog hog = {0};
	static struct pd pd;
	hog_take(&hog, 0);
	assert_int_equal(space_mem_init(&pd.mem, &pd.account, page_take_zeroed(&pd.account)), OOM);
	assert_null(space_mem_guest_root(&a));
	hog_release(&hog);
}

/* ---- random work ---- */

#define WINDOW_ORDER 12
#define WINDOW (1u << WINDOW_ORDER)

struct cell {
	u64 frame;
	unsigned rights;
};

static struct model {
	struct cell host[WINDOW], guest[WINDOW];
} models[2];

static unsigned implied(unsigned perm)
{
	return perm & RWX ? (perm & RWX) | PERM_MEM_R : 0;
}

static void set(struct cell *c, u64 frame, unsigned rights)
{
	*c = (struct cell){rights ? frame : ~0ull, rights};
}

static void model_delegate(int from, int to, u64 src, u64 dst, unsigned order, unsigned perm, unsigned flags)
{
	static struct cell old[WINDOW];
	u64 count = 1ull << order;

	for (u64 n = 0; n < count; n++)
		if (from < 0)
			set(&old[n], src + n, src + n >= 0x6600 && src + n < 0x6800 ? 0 : RWX);
		else
			old[n] = models[from].host[src + n];
	for (u64 n = 0; n < count; n++) {
		unsigned rights = old[n].rights & implied(perm);
		if (!(flags & ITEM_NO_HOST))
			set(&models[to].host[dst + n], old[n].frame, rights);
		if (flags & ITEM_GUEST)
			set(&models[to].guest[dst + n], old[n].frame, rights);
	}
}

static void random_step(struct pd *const pd[2])
{
	unsigned order = unit_random(3) ? unit_random(5) : unit_random(WINDOW_ORDER + 1);
	u64 src = (u64)unit_random(WINDOW >> order) << order, dst = (u64)unit_random(WINDOW >> order) << order;
	int from = (int)unit_random(3) - 1, to = (int)unit_random(2);
	unsigned perm = unit_random(4) ? RWX : unit_random(32);
	unsigned flags = unit_random(2) ? 0 : unit_random(8) << 8;

	if (!unit_random(4)) {
		space_mem_revoke(pd[to], dst, order);
		model_delegate(to, to, dst, dst, order, 0, ITEM_GUEST);
		return;
	}
	if (from < 0)
		src += 0x6000; /* the image lies within this window */
	assert_int_equal(delegate_mem(from < 0 ? &pd_kernel : pd[from], pd[to], src, dst, order, perm | flags),
			 SUCCESS);
	model_delegate(from, to, src, dst, order, perm, flags);
}

static void compare(struct pd *pd, const struct model *m)
{
	for (u64 page = 0; page < WINDOW; page++) {
		unsigned rights, type;
		assert_int_equal(host_page(pd, page, &rights), m->host[page].frame);
		assert_int_equal(rights, m->host[page].rights);
		assert_int_equal(guest_page(pd, page, &rights, &type), m->guest[page].frame);
		assert_int_equal(rights, m->guest[page].rights);
	}
}

UNIT_TEST(random_work_matches_the_model)
{
	struct pd *const pd[2] = {&a, &b};
	memset(models, 0, sizeof(models));
	for (int i = 0; i < 2; i++)
		for (u64 page = 0; page < WINDOW; page++)
			models[i].host[page].frame = models[i].guest[page].frame = ~0ull;
	for (unsigned round = 0; round < 400; round++) {
		for (unsigned i = 0; i < 20; i++)
			random_step(pd);
		compare(&a, &models[0]);
		compare(&b, &models[1]);
	}
}

/* ---- several CPUs ---- */

#define CPUS 4

/* Delegation both ways, within a PD and from physical memory, and revocation, all in the same few tables. */
static void *work(void *cpu)
{
	struct pd *const pd[2] = {&a, &b};
	u64 random = (u64)cpu + 1;

	host_set_cpu((unsigned)(u64)cpu);
	for (unsigned round = 0; round < 5000; round++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		u64 r = random >> 33;
		unsigned order = r % 3 ? r % 4 : r % 13;
		u64 src = r >> 4 & (WINDOW - 1) & ~bits_low(order), dst = r >> 9 & (WINDOW - 1) & ~bits_low(order);
		struct pd *from = r & 1 << 22 ? &pd_kernel : pd[r >> 23 & 1], *to = pd[r >> 24 & 1];
		if (r & 1 << 25)
			space_mem_revoke(to, dst, order);
		else if (delegate_mem(from, to, src, dst, order, RWX | (r & ITEM_GUEST)) != SUCCESS)
			return to;
	}
	return NULL;
}

UNIT_TEST(cpus_work_at_the_same_time)
{
	pthread_t threads[CPUS];
	for (u64 n = 0; n < CPUS; n++)
		assert_int_equal(pthread_create(&threads[n], NULL, work, (void *)n), 0);
	for (unsigned n = 0; n < CPUS; n++) {
		void *failed;
		pthread_join(threads[n], &failed);
		assert_null(failed);
	}
	assert_int_equal(a.mem.flushing, 0);
	assert_int_equal(b.mem.flushing, 0);
	/* Whatever the order was, only pages of this window can have come about. */
	for (u64 page = 0; page < WINDOW; page++) {
		unsigned rights;
		u64 frame = host_page(&a, page, &rights);
		assert_true(frame < WINDOW ? rights == RWX : frame == ~0ull);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(superpages_are_used_where_they_fit),
		T(small_leaves_stay_small),
		T(rights_are_the_intersection),
		T(undefined_rights_are_no_rights),
		T(host_and_guest_are_separate),
		T(invalid_ranges_are_ignored),
		T(the_last_user_page_is_usable),
		T(absent_source_pages_unmap),
		T(a_pd_may_delegate_to_itself),
		T(revocation_takes_from_both_tables),
		T(invalid_revocations_are_ignored),
		T(everything_at_once),
		T(a_thousand_tables),
		T(tables_left_behind),
		T(flushes_happen_only_when_needed),
		T(others_flushes_are_waited_for),
		T(private_pages_cannot_be_delegated),
		T(the_information_page_is_read_only_for_all),
		T(kernel_pages_replace_and_can_be_replaced),
		T(kernel_pages_stay_in_user_space),
		T(guests_get_an_access_page),
		T(the_kernels_half_is_left_alone),
		T(a_revocation_needs_no_memory),
		T(shortage_at_every_allocation),
		T(random_work_matches_the_model),
		T(cpus_work_at_the_same_time),
	};
	return cmocka_run_group_tests(tests, claim, NULL);
}
