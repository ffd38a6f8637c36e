/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slabs: alignment, contents that stay apart, CPUs with lists of their own, shortage, and that all memory comes back.
 */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "mm/slab.h"

#include <pthread.h>

#include "unit.h"

#define HEAP (8 * MiB)

static struct slab_cache cache, other;
static u64 pages;

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	pages = page_free_count();
	slab_init(&cache, "cache", 96, 32);
	slab_init(&other, "other", 64, 64);
	return 0;
}

static void drain(struct slab_cache *c, unsigned cpus)
{
	for (unsigned n = 0; n < cpus; n++) {
		host_set_cpu(n);
		slab_drain(c);
	}
	host_set_cpu(0);
}

/* Only single pages where an object fits one: larger blocks could be had no more once memory is fragmented. */
UNIT_TEST(slabs_are_as_small_as_can_be)
{
	static const u32 sizes[] = {8, 32, 64, 96, 128, 192, 320, 384, 448, 640, 1024, 1344, 1728, 2048, 2496, 4096};
	for (unsigned i = 0; i < array_size(sizes); i++) {
		slab_init(&cache, "cache", sizes[i], sizes[i] & -sizes[i]);
		assert_int_equal(cache.order, 0);
		assert_int_equal(cache.objects, PAGE_SIZE / sizes[i]);
		assert_in_range(cache.batch, 2, 32);
	}
	slab_init(&cache, "cache", 4160, 64);
	assert_int_equal(cache.order, 1);
	assert_int_equal(cache.objects, 1);
	slab_init(&cache, "cache", 16384, 4096);
	assert_int_equal(cache.order, 2);
}

UNIT_TEST(objects_are_aligned_and_apart)
{
	unsigned char *objects[1000];
	for (unsigned i = 0; i < array_size(objects); i++) {
		objects[i] = slab_alloc(&cache);
		assert_non_null(objects[i]);
		assert_true(is_aligned((u64)objects[i], 32));
		memset(objects[i], (int)i, 96);
	}
	for (unsigned i = 0; i < array_size(objects); i++)
		for (unsigned b = 0; b < 96; b++)
			assert_int_equal(objects[i][b], i & 255);
	for (unsigned i = 0; i < array_size(objects); i++)
		slab_free(&cache, objects[i]);
	drain(&cache, 1);
	assert_int_equal(cache.in_use, 0);
	assert_int_equal(page_free_count(), pages);
}

UNIT_TEST(a_freed_object_is_the_next)
{
	void *p = slab_alloc(&cache);
	slab_free(&cache, p);
	assert_ptr_equal(slab_alloc(&cache), p);
}

UNIT_TEST(lists_hold_at_most_two_batches)
{
	void *objects[500];
	for (unsigned i = 0; i < array_size(objects); i++)
		objects[i] = slab_alloc(&cache);
	for (unsigned i = 0; i < array_size(objects); i++) {
		slab_free(&cache, objects[i]);
		assert_in_range(cache.cpu[0].count, 0, 2 * cache.batch - 1);
	}
}

UNIT_TEST(an_object_may_be_freed_elsewhere)
{
	void *objects[300];
	for (unsigned i = 0; i < array_size(objects); i++) {
		host_set_cpu(i % 3);
		objects[i] = slab_alloc(&cache);
	}
	for (unsigned i = 0; i < array_size(objects); i++) {
		host_set_cpu(i % 7);
		slab_free(&cache, objects[i]);
	}
	drain(&cache, 7);
	assert_int_equal(cache.in_use, 0);
	assert_int_equal(page_free_count(), pages);
}

UNIT_TEST(a_shortage_drains_the_lists_of_this_cpu)
{
	void *p[8];
	for (unsigned i = 0; i < array_size(p); i++)
		p[i] = slab_alloc(&cache);
	for (unsigned i = 0; i < array_size(p); i++)
		slab_free(&cache, p[i]);
	assert_true(cache.cpu[0].count);
	while (page_free_count())
		assert_non_null(page_alloc());

	/* The page that the other cache needs is the one that the list keeps. */
	assert_non_null(slab_alloc(&other));
	assert_int_equal(cache.cpu[0].count, 0);
	assert_int_equal(cache.in_use, 0);
}

UNIT_TEST(exhaustion_is_null_and_recovers)
{
	void *first = NULL, *p;
	u64 count = 0;
	for (; (p = slab_alloc(&cache)); count++) {
		*(void **)p = first;
		first = p;
	}
	assert_true(count > pages * PAGE_SIZE / 96 * 9 / 10);
	assert_null(slab_alloc(&other));
	for (void *next; first; first = next) {
		next = *(void **)first;
		slab_free(&cache, first);
	}
	assert_non_null(slab_alloc(&other));
	drain(&cache, 1);
	assert_int_equal(cache.in_use, 0);
}

static void give_to_wrong_cache(void *object)
{
	slab_free(&other, object);
	slab_drain(&other);
}

UNIT_TEST(the_wrong_cache_is_caught)
{
	assert_true(host_panics(give_to_wrong_cache, slab_alloc(&cache)));
	slab_init(&other, "other", 64, 64); /* its lock is held */
}

/* ---- random work ---- */

#define OBJECTS 3000
#define CPUS 4

UNIT_TEST(random_work_matches_the_model)
{
	static struct {
		u64 *p;
		u64 tag;
	} model[OBJECTS];
	u64 live = 0;

	memset(model, 0, sizeof(model));
	for (u64 round = 0; round < 300000; round++) {
		unsigned i = unit_random(OBJECTS);
		host_set_cpu(unit_random(CPUS));
		if (!model[i].p) {
			model[i].p = slab_alloc(&cache);
			assert_non_null(model[i].p);
			model[i].tag = model[i].p[0] = model[i].p[11] = round;
			live++;
		} else {
			assert_int_equal(model[i].p[0], model[i].tag);
			assert_int_equal(model[i].p[11], model[i].tag);
			slab_free(&cache, model[i].p);
			model[i].p = NULL;
			live--;
		}
		assert_in_range(cache.in_use, live, live + CPUS * 2 * cache.batch);
	}
	for (unsigned i = 0; i < OBJECTS; i++)
		if (model[i].p)
			slab_free(&cache, model[i].p);
	drain(&cache, CPUS);
	assert_int_equal(cache.in_use, 0);
	assert_int_equal(page_free_count(), pages);
}

static void *work(void *cpu)
{
	u64 *mine[64] = {0}, n = (u64)cpu;
	host_set_cpu((unsigned)n);
	for (u64 round = 0; round < 50000; round++) {
		u64 **p = &mine[round * (2 * n + 7) % 64];
		if (!*p) {
			*p = slab_alloc(&cache);
			**p = n;
		} else {
			if (**p != n)
				return *p;
			slab_free(&cache, *p);
			*p = NULL;
		}
	}
	for (unsigned i = 0; i < 64; i++)
		if (mine[i])
			slab_free(&cache, mine[i]);
	return NULL;
}

UNIT_TEST(cpus_work_at_the_same_time)
{
	pthread_t threads[CPUS];
	for (u64 n = 0; n < CPUS; n++)
		assert_int_equal(pthread_create(&threads[n], NULL, work, (void *)n), 0);
	for (unsigned n = 0; n < CPUS; n++) {
		void *result;
		pthread_join(threads[n], &result);
		assert_null(result);
	}
	drain(&cache, CPUS);
	assert_int_equal(cache.in_use, 0);
	assert_int_equal(page_free_count(), pages);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(slabs_are_as_small_as_can_be, setup),
		cmocka_unit_test_setup(objects_are_aligned_and_apart, setup),
		cmocka_unit_test_setup(a_freed_object_is_the_next, setup),
		cmocka_unit_test_setup(lists_hold_at_most_two_batches, setup),
		cmocka_unit_test_setup(an_object_may_be_freed_elsewhere, setup),
		cmocka_unit_test_setup(a_shortage_drains_the_lists_of_this_cpu, setup),
		cmocka_unit_test_setup(exhaustion_is_null_and_recovers, setup),
		cmocka_unit_test_setup(the_wrong_cache_is_caught, setup),
		cmocka_unit_test_setup(random_work_matches_the_model, setup),
		cmocka_unit_test_setup(cpus_work_at_the_same_time, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
