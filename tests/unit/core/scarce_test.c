/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that other CPUs keep for themselves is free memory. */
#include "core/scarce.h"

#include "world.h"

#include "../hog.h"

#include <pthread.h>

static struct hog hog;

/* CPU 1 runs user code, and comes into the kernel for whatever is sent to it. */
static void *other_cpu(void *stop)
{
	host_set_cpu(1);
	while (!__atomic_load_n((bool *)stop, __ATOMIC_ACQUIRE)) {
		remote_take(cpu_current());
		arch_relax();
	}
	return NULL;
}

static enum scarce await(struct unfinished *u)
{
	bool stop = false;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, other_cpu, &stop), 0);
	enum scarce answer = scarce_await(cpu_current(), u, world_pd);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return answer;
}

/* Semaphores that were deleted on CPU 1 are on its list, and their page is not free. */
UNIT_TEST(lists_of_other_cpus_are_free_memory)
{
	struct unfinished u = {0};

	struct ec *self = world_thread(100, 0, 5);
	assert_runs(host_dispatch(), self);
	for (u64 sel = 200; sel < 210; sel++)
		world_sm(sel, 0);
	host_set_cpu(1);
	host_revoke(world_pd, 200, 4, PERM_ALL, true);
	world_free_all();
	host_set_cpu(0);
	(void)page_reclaim();
	assert_true(slab_is_kept(1));
	hog_take(&hog, 0);
	u64 before = page_free_count();
	assert_int_equal(await(&u), SCARCE_TRY);
	assert_false(slab_is_kept(1));
	assert_true(page_free_count() > before);
	assert_int_equal(await(&u), SCARCE_OOM); /* that was all */
	scarce_end(&u);
	assert_int_equal(scarce_await(cpu_current(), &u, world_pd), SCARCE_TRY); /* and nobody is asked in vain */
	hog_release(&hog);
}

/* Many pages of slots are looked at in pieces; whoever is more important does not wait for the last one. */
UNIT_TEST(seeking_can_be_interrupted)
{
	enum { PAGES = 400, AT = 0x10000 };
	struct cap_slot *slot[PAGES];
	struct unfinished u = {0};
	struct cpu *cpu = cpu_current();
	struct ec *self = world_thread(100, 0, 5);
	unsigned pieces = 1;

	assert_runs(host_dispatch(), self);
	for (u64 i = 0; i < PAGES; i++)
		assert_int_equal(space_obj_reserve(world_pd, AT + i * CAP_SLOTS_PER_PAGE, &slot[i]), SUCCESS);
	hazard_set(cpu, HAZARD_SCHED);
	u64 before = page_free_count();
	for (u32 unswept = ~0u; scarce_await(cpu, &u, world_pd) == SCARCE_LATER; pieces++) {
		assert_true(u.unswept && u.unswept < unswept);
		unswept = u.unswept;
	}
	assert_in_range(pieces, 4, PAGES);
	assert_int_equal(scarce_await(cpu, &u, world_pd), SCARCE_OOM); /* each page once */
	scarce_end(&u);
	/* Empty ones are a reason to try again at once, and then the rest is looked at. */
	for (u64 i = 0; i < PAGES; i += PAGES / 2)
		space_obj_cancel(world_pd, slot[i]);
	for (unsigned found = 0; found < 2; found++) {
		while (scarce_await(cpu, &u, world_pd) == SCARCE_LATER)
			;
		assert_int_equal(page_free_count(), before + found + 1);
		assert_int_equal(u.scarce, SCARCE_TRIED);
	}
	scarce_end(&u);
	for (u64 i = 0; i < PAGES; i++)
		if (i % (PAGES / 2))
			space_obj_cancel(world_pd, slot[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(lists_of_other_cpus_are_free_memory),
		WORLD_TEST(seeking_can_be_interrupted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
