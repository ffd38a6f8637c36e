/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/pic.h"

enum { EOI = 0x20, READ_REQUESTED = 0x0a, READ_SERVED = 0x0b, POLL = 0x0c };

static struct pic pic;

/* As operating systems do: vectors from 0x30 and 0x38 on, nothing masked. */
UNIT_FIXTURE(setup)
{
	pic_reset(&pic);
	for (unsigned chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? 0xa0 : 0x20;

		pic_write(&pic, port, 0x11);
		pic_write(&pic, port + 1, chip ? 0x38 : 0x30);
		pic_write(&pic, port + 1, chip ? 2 : 4);
		pic_write(&pic, port + 1, 1);
		assert_int_equal(pic_read(&pic, port + 1), 0);
	}
	return 0;
}

static void pulse(unsigned irq)
{
	pic_set_line(&pic, irq, false);
	pic_set_line(&pic, irq, true);
}

static void take(unsigned vector)
{
	assert_true(pic_wants(&pic));
	assert_int_equal(pic_acknowledge(&pic), vector);
}

UNIT_TEST(test_edges)
{
	assert_false(pic_wants(&pic));
	for (unsigned irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		pulse(irq);
		assert_true(pic_is_requested(&pic, irq));
		take(0x30 + irq);
		assert_false(pic_is_requested(&pic, irq));
		assert_false(pic_wants(&pic)); /* a line that stays high is one edge */
		if (irq >= 8)
			pic_write(&pic, 0xa0, EOI);
		pic_write(&pic, 0x20, EOI);
		assert_false(pic_wants(&pic));
	}
}

/* 0, 1, 8 to 15, 3 to 7: each waits for what is before it, and interrupts what is behind it. */
UNIT_TEST(test_priorities)
{
	static const unsigned order[] = {7, 6, 5, 4, 3, 15, 14, 13, 12, 11, 10, 9, 8, 1, 0};

	for (unsigned i = 0; i < 15; i++) {
		if (order[i] >= 8 && i > 5)
			continue; /* the second chip is in service: its next one waits for the first chip's EOI */
		pulse(order[i]);
		take(0x30 + order[i]);
	}
	pulse(5);
	assert_false(pic_wants(&pic));
	for (unsigned i = 0; i < 5; i++) /* 0, 1, 2, 3, 4 */
		pic_write(&pic, 0x20, EOI);
	assert_false(pic_wants(&pic)); /* 5 itself is still being served */
	pic_write(&pic, 0x20, EOI);
	take(0x35);
}

/* While the second chip is served, its more important inputs wait for the first chip, unless that is told better. */
UNIT_TEST(test_fully_nested)
{
	pulse(15);
	take(0x3f);
	pulse(8);
	assert_false(pic_wants(&pic));
	setup(NULL);
	pic_write(&pic, 0x20, 0x11);
	pic_write(&pic, 0x21, 0x30);
	pic_write(&pic, 0x21, 4);
	pic_write(&pic, 0x21, 0x11); /* special fully nested */
	pulse(15);
	take(0x3f);
	pulse(8);
	take(0x38);
	pulse(9);
	assert_false(pic_wants(&pic));
}

UNIT_TEST(test_level)
{
	pic_write(&pic, 0x4d0, 0xff);
	pic_write(&pic, 0x4d1, 0xff);
	assert_int_equal(pic_read(&pic, 0x4d0), 0xf8);
	assert_int_equal(pic_read(&pic, 0x4d1), 0xde);
	pic_set_line(&pic, 11, true);
	take(0x3b);
	assert_false(pic_wants(&pic));
	pic_write(&pic, 0xa0, EOI);
	pic_write(&pic, 0x20, EOI);
	take(0x3b); /* nobody has served the device */
	pic_set_line(&pic, 11, false);
	pic_write(&pic, 0xa0, EOI);
	pic_write(&pic, 0x20, EOI);
	assert_false(pic_wants(&pic));
}

UNIT_TEST(test_masks)
{
	pic_write(&pic, 0x21, 0xff);
	pulse(3);
	assert_false(pic_wants(&pic));
	assert_int_equal(pic_read(&pic, 0x21), 0xff);
	pic_write(&pic, 0x20, READ_REQUESTED);
	assert_int_equal(pic_read(&pic, 0x20), 1 << 3);
	pic_write(&pic, 0x21, 0);
	take(0x33);
	pic_write(&pic, 0x20, READ_SERVED);
	assert_int_equal(pic_read(&pic, 0x20), 1 << 3);
	/* Special mask: what is masked while it is being served holds nobody back. */
	pulse(4);
	assert_false(pic_wants(&pic));
	pic_write(&pic, 0x20, 0x68);
	pic_write(&pic, 0x21, 1 << 3);
	take(0x34);
	pic_write(&pic, 0x20, 0x48);
	pulse(5);
	assert_false(pic_wants(&pic));
}

UNIT_TEST(test_spurious)
{
	pulse(10);
	pic_set_line(&pic, 10, false);
	assert_false(pic_wants(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x37);
	pic_write(&pic, 0x20, READ_SERVED);
	assert_int_equal(pic_read(&pic, 0x20), 0); /* it is not being served */
}

UNIT_TEST(test_rotation)
{
	pulse(3);
	take(0x33);
	pic_write(&pic, 0x20, 0xa0); /* rotate: 3 is the lowest now, 4 the highest */
	pulse(3);
	pulse(0);
	pulse(4);
	take(0x34);
	pic_write(&pic, 0x20, 0x64); /* EOI of 4 by name */
	take(0x30);
	pic_write(&pic, 0x20, 0x60);
	take(0x33);
	pic_write(&pic, 0x20, 0x63);
	pic_write(&pic, 0x20, 0xc7); /* as after a reset */
	pulse(7);
	pulse(0);
	take(0x30);
}

UNIT_TEST(test_auto_eoi)
{
	pic_write(&pic, 0x20, 0x11);
	pic_write(&pic, 0x21, 0x30);
	pic_write(&pic, 0x21, 4);
	pic_write(&pic, 0x21, 3);
	pulse(6);
	take(0x36);
	pic_write(&pic, 0x20, READ_SERVED);
	assert_int_equal(pic_read(&pic, 0x20), 0);
	pic_write(&pic, 0x20, 0x80); /* rotate at each */
	pulse(6);
	take(0x36);
	pulse(6);
	pulse(7);
	take(0x37);
}

/* A chip that ends its interrupts by itself has the next one at once: its line to the first chip falls in between. */
UNIT_TEST(test_auto_eoi_of_second)
{
	pic_write(&pic, 0xa0, 0x11);
	pic_write(&pic, 0xa1, 0x38);
	pic_write(&pic, 0xa1, 2);
	pic_write(&pic, 0xa1, 3);
	pulse(8);
	pulse(9);
	take(0x38);
	pic_write(&pic, 0x20, EOI);
	take(0x39);
}

/* A chip that is told to be the only one gets no word 3. */
UNIT_TEST(test_single)
{
	pic_write(&pic, 0x20, 0x13);
	pic_write(&pic, 0x21, 0x40);
	pic_write(&pic, 0x21, 1);
	pic_write(&pic, 0x21, 0xfe);
	assert_int_equal(pic_read(&pic, 0x21), 0xfe);
	pic_write(&pic, 0x20, 0x12);
	pic_write(&pic, 0x21, 0x40);
	pic_write(&pic, 0x21, 0xfd);
	assert_int_equal(pic_read(&pic, 0x21), 0xfd);
}

UNIT_TEST(test_poll)
{
	pic_write(&pic, 0x20, POLL);
	assert_int_equal(pic_read(&pic, 0x20), 0);
	pulse(1);
	pic_write(&pic, 0x20, POLL);
	assert_int_equal(pic_read(&pic, 0x20), 0x81);
	assert_false(pic_wants(&pic));
	pic_write(&pic, 0x20, EOI);
}

/* Whatever is written: a vector is one of the two chips', and reads end. */
UNIT_TEST(test_random)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};

	for (unsigned i = 0; i < 200000; i++) {
		uint16_t port = ports[unit_random(6)];

		switch (unit_random(4)) {
		case 0:
			pic_write(&pic, port, (uint8_t)unit_random(256));
			break;
		case 1:
			pic_read(&pic, port);
			break;
		case 2:
			pic_set_line(&pic, unit_random(16), unit_random(2));
			break;
		default:
			if (pic_wants(&pic)) {
				unsigned vector = pic_acknowledge(&pic);

				assert_true((vector & ~7u) == pic.chip[0].base || (vector & ~7u) == pic.chip[1].base);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_edges, setup),    cmocka_unit_test_setup(test_priorities, setup),
		cmocka_unit_test_setup(test_level, setup),    cmocka_unit_test_setup(test_fully_nested, setup),
		cmocka_unit_test_setup(test_masks, setup),    cmocka_unit_test_setup(test_spurious, setup),
		cmocka_unit_test_setup(test_rotation, setup), cmocka_unit_test_setup(test_auto_eoi, setup),
		cmocka_unit_test_setup(test_single, setup),   cmocka_unit_test_setup(test_auto_eoi_of_second, setup),
		cmocka_unit_test_setup(test_poll, setup),     cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
