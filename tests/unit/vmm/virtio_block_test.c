/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virtio_driver.h"

#include "vmm/virtio_block.h"

/* Pages and a part of one, whose last sector is not whole. */
enum { PAGES = 3, IMAGE = 2 * 4096 + 5 * 512 + 100, SECTORS = 21, WRITABLE = 2 };
enum { READ = 0, WRITE_TO = 1, FLUSH = 4, GET_ID = 8 };
enum { HEADER = 16, DATA_AT = BUFFERS_AT + 64, STATUS_AT = BUFFERS_AT + 32, UNTOUCHED = 0xee };

static uint8_t image[IMAGE], pages[WRITABLE * DISK_PAGE];
static uint32_t moved[PAGES];
static struct disk disk;
static struct virtio_block block;

UNIT_FIXTURE(setup)
{
	for (unsigned n = 0; n < IMAGE; n++)
		image[n] = (uint8_t)(n / 512);
	memset(moved, 0, sizeof(moved));
	disk = (struct disk){image, IMAGE, moved, pages, WRITABLE, 0};
	pci_reset(&bus);
	device = &block.virtio;
	if (!virtio_block_add(&block, &disk, &bus, driver_memory, NULL))
		return 1;
	driver_start();
	return 0;
}

/* Returns the status. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t size)
{
	struct {
		uint32_t type, unused;
		uint64_t sector;
	} header = {type, 0, sector};

	memcpy(driver_buffer(0), &header, HEADER);
	ram[STATUS_AT] = UNTOUCHED;
	driver_describe(0, 0, BUFFERS_AT, HEADER, NEXT);
	driver_describe(0, 1, DATA_AT, size, type == WRITE_TO ? NEXT : NEXT_WRITE);
	driver_describe(0, 2, STATUS_AT, 1, WRITE);
	driver_offer(0, 0);
	driver_notify(0);
	assert_false(driver_is_broken());
	return ram[STATUS_AT];
}

static uint32_t written(void)
{
	return driver_used(0)->chain[(driver_used(0)->index - 1) % QUEUE_SIZE].written;
}

UNIT_TEST(test_read)
{
	assert_int_equal(driver_read(REG_CONFIG, 8), SECTORS);
	assert_int_equal(request(READ, 7, 1024), 0);
	assert_int_equal(ram[DATA_AT], 7);
	assert_int_equal(ram[DATA_AT + 1023], 8);
	assert_int_equal(written(), 1025);
}

UNIT_TEST(test_write)
{
	memset(ram + DATA_AT, 0x77, 2048);
	assert_int_equal(request(WRITE_TO, 7, 1024), 0); /* the end of one page, the start of the next */
	assert_int_equal(written(), 1);
	assert_int_equal(disk.used, 2);
	for (unsigned n = 6; n < 10; n++) {
		uint8_t expected = n == 7 || n == 8 ? 0x77 : (uint8_t)n;

		assert_int_equal(request(READ, n, 512), 0);
		assert_int_equal(ram[DATA_AT], expected);
		assert_int_equal(ram[DATA_AT + 511], expected);
	}
	assert_int_equal(image[7 * 512], 7);
	assert_int_equal(request(WRITE_TO, 7, 512), 0);  /* again, without another page */
	assert_int_equal(request(WRITE_TO, 20, 512), 1); /* no page is left */
	assert_int_equal(request(READ, 20, 512), 0);
	assert_int_equal(ram[DATA_AT], 20);
}

/* The last page is a part of one. */
UNIT_TEST(test_write_last)
{
	memset(ram + DATA_AT, 0x77, 512);
	assert_int_equal(request(WRITE_TO, 20, 512), 0);
	assert_int_equal(request(READ, 19, 1024), 0);
	assert_int_equal(ram[DATA_AT], 19);
	assert_int_equal(ram[DATA_AT + 512], 0x77);
}

UNIT_TEST(test_outside)
{
	static const uint64_t sectors[] = {SECTORS, SECTORS - 1, ~0ul / 512, ~0ul, 1ul << 55, -1ul << 55};

	for (unsigned n = 0; n < sizeof(sectors) / sizeof(*sectors); n++) {
		assert_int_equal(request(READ, sectors[n], 1024), 1);
		assert_int_equal(request(WRITE_TO, sectors[n], 1024), 1);
	}
}

UNIT_TEST(test_others)
{
	assert_int_equal(request(FLUSH, 0, 0), 0);
	assert_int_equal(request(GET_ID, 0, 20), 0);
	assert_string_equal((char *)ram + DATA_AT, "image");
	assert_int_equal(request(GET_ID, 0, 19), 1);
	assert_int_equal(request(99, 0, 512), 2);
}

/* Without a whole header, or without room for a status, there is nobody to be told. */
UNIT_TEST(test_no_request)
{
	driver_describe(0, 0, BUFFERS_AT, HEADER - 1, NEXT);
	driver_describe(0, 1, STATUS_AT, 1, WRITE);
	driver_offer(0, 0);
	driver_notify(0);
	assert_true(driver_is_broken());
	driver_start();
	driver_describe(0, 0, BUFFERS_AT, HEADER, 0);
	driver_offer(0, 0);
	driver_notify(0);
	assert_true(driver_is_broken());
	driver_start();
	driver_describe(0, 0, BUFFERS_AT, HEADER, NEXT);
	driver_describe(0, 1, STATUS_AT, 0, WRITE);
	driver_offer(0, 0);
	driver_notify(0);
	assert_true(driver_is_broken());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_read, setup),       cmocka_unit_test_setup(test_write, setup),
		cmocka_unit_test_setup(test_write_last, setup), cmocka_unit_test_setup(test_outside, setup),
		cmocka_unit_test_setup(test_others, setup),     cmocka_unit_test_setup(test_no_request, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
