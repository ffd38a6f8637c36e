/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virtio_driver.h"

#include "vmm/virtio_random.h"

static struct virtio_random rng;
static uint64_t counter;
static bool is_defective;

static bool source(uint64_t *value)
{
	*value = ++counter;
	return !is_defective;
}

UNIT_FIXTURE(setup)
{
	counter = 0;
	is_defective = false;
	pci_reset(&bus);
	device = &rng.virtio;
	if (!virtio_random_add(&rng, source, &bus, driver_memory, NULL))
		return 1;
	driver_start();
	return 0;
}

static uint32_t ask(uint32_t size, uint16_t flags)
{
	driver_describe(0, 0, BUFFERS_AT, size, flags);
	driver_offer(0, 0);
	driver_notify(0);
	return driver_used(0)->chain[0].written;
}

UNIT_TEST(test_sizes)
{
	static const struct {
		uint32_t asked, got;
	} sizes[] = {{8, 8}, {13, 13}, {1, 1}, {4096, 512}};

	for (unsigned n = 0; n < sizeof(sizes) / sizeof(*sizes); n++) {
		setup(NULL);
		assert_int_equal(ask(sizes[n].asked, WRITE), sizes[n].got);
		assert_int_equal(*driver_buffer(0), 1);
		assert_int_equal(*driver_buffer(sizes[n].got), 0);
	}
}

UNIT_TEST(test_no_room)
{
	ask(8, 0);
	assert_true(driver_is_broken());
}

/* Nothing is given that is not random. */
UNIT_TEST(test_defective)
{
	is_defective = true;
	ask(8, WRITE);
	assert_true(driver_is_broken());
	assert_int_equal(driver_used(0)->index, 0);
	assert_int_equal(*driver_buffer(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, setup),
		cmocka_unit_test_setup(test_no_room, setup),
		cmocka_unit_test_setup(test_defective, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
