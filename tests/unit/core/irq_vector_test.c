/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors of a CPU: each has one source, all are given out, and one that comes back rests. */
#include "unit.h"

#include "core/irq_vector.h"

static struct irq_vectors v;
static char sources[IRQ_VECTORS + 1];

static struct irq *source(unsigned n)
{
	return (struct irq *)&sources[n];
}

UNIT_TEST(all_are_given_out)
{
	memset(&v, 0, sizeof(v));
	for (unsigned n = 0; n < IRQ_VECTORS; n++)
		assert_int_equal(irq_vector_take(&v, source(n)), n);
	assert_int_equal(irq_vector_take(&v, source(IRQ_VECTORS)), IRQ_VECTOR_NONE);
	for (unsigned n = 0; n < IRQ_VECTORS; n++)
		assert_ptr_equal(irq_vector_source(&v, n), source(n));
	assert_null(irq_vector_source(&v, IRQ_VECTORS));
	irq_vector_give(&v, 77);
	assert_null(irq_vector_source(&v, 77));
	assert_int_equal(irq_vector_take(&v, source(IRQ_VECTORS)), 77);
}

UNIT_TEST(what_comes_back_rests)
{
	memset(&v, 0, sizeof(v));
	for (unsigned n = 0; n < 3 * IRQ_VECTORS; n++) {
		assert_int_equal(irq_vector_take(&v, source(0)), n % IRQ_VECTORS);
		irq_vector_give(&v, n % IRQ_VECTORS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_given_out),
		cmocka_unit_test(what_comes_back_rests),
	};
	return cmocka_run_group_tests_name("core/irq_vector", tests, NULL, NULL);
}
