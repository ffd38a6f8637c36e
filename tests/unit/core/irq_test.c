/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources and their semaphores: what each interrupt and each acknowledgement does, binding, moving, and the end, with
 * interrupts that come at the wrong moment.
 */
#include "world.h"

#include "core/irq.c"

enum { SM = 140, OTHER = 141 };

static int setup(void **state)
{
	world_setup(state);
	irq_init_cache();
	host_irq = (struct host_irq){0};
	assert_int_equal(irq_open(world_pd), SUCCESS);
	return 0;
}

/* Interrupts are never closed again: the test takes back what they have. */
static int teardown(void **state)
{
	host_set_cpu(0);
	world_drop(SM);
	world_drop(OTHER);
	world_free_all();
	give_tables();
	irq_opening = IRQ_CLOSED;
	for (unsigned i = 0; i < array_size(lines_used); i++)
		assert_int_equal(lines_used[i], 0);
	for (unsigned i = 0; i < array_size(buckets); i++)
		assert_null(buckets[i]);
	return world_teardown(state);
}

#define IRQ_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct irq_line edge = {.number = 4}, level = {.number = 9, .level = true};

static struct sm *bound_to_line(struct irq_line line, unsigned cpu_id)
{
	struct sm *sm = world_sm(SM, 0);
	assert_int_equal(irq_bind_line(sm, line, cpu_id), SUCCESS);
	return sm;
}

static struct sm *bound_to_message(unsigned *vector)
{
	struct sm *sm = world_sm(SM, 0);
	struct arch_irq_message m;
	assert_int_equal(irq_bind_message(sm, 0, &m), SUCCESS);
	assert_int_equal(m.address, 0x1000);
	*vector = m.data;
	return sm;
}

static void interrupt(u32 line)
{
	const struct host_irq_line *l = &host_irq.line[line];
	unsigned self = cpu_current()->id;

	assert_true(l->routed);
	host_set_cpu(l->cpu_id);
	irq_take(cpu_current(), l->vector);
	host_set_cpu(self);
}

static struct irq_counts counts(unsigned cpu_id)
{
	struct irq_counts c;
	assert_true(irq_count(cpu_id, &c));
	return c;
}

UNIT_TEST(opened_once)
{
	assert_int_equal(host_irq.opened, 1);
	assert_int_equal(irq_open(world_pd), SUCCESS);
	assert_int_equal(host_irq.opened, 1);
	assert_false(irq_admit_guest());
}

UNIT_TEST(not_beside_guests_that_take_them)
{
	give_tables();
	irq_opening = IRQ_CLOSED;
	assert_true(irq_admit_guest());
	assert_int_equal(irq_open(world_pd), BUSY);
	assert_int_equal(host_irq.opened, 1);
	irq_dismiss_guest();
	host_irq.missing = true;
	assert_int_equal(irq_open(world_pd), BAD_FTR);
	host_irq.missing = false;
	assert_int_equal(irq_open(world_pd), SUCCESS);
}

UNIT_TEST(an_edge_ups_once)
{
	struct sm *sm = bound_to_line(edge, 0);
	assert_false(host_irq.line[4].masked);
	interrupt(4);
	assert_int_equal(sm->state, 1);
	assert_false(host_irq.line[4].masked);
	assert_int_equal(host_irq.ended, 1);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(sm->state, 1);
	interrupt(4);
	assert_int_equal(sm->state, 2);
}

UNIT_TEST(more_edges_are_masked_and_remembered)
{
	struct sm *sm = bound_to_line(edge, 0);
	interrupt(4);
	interrupt(4);
	assert_true(host_irq.line[4].masked);
	interrupt(4); /* it was on its way */
	assert_int_equal(sm->state, 1);
	assert_int_equal(host_irq.ended, 3);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_false(host_irq.line[4].masked);
	assert_int_equal(sm->state, 2);
	interrupt(4); /* that one is not acknowledged yet */
	assert_int_equal(sm->state, 2);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(sm->state, 3);
}

UNIT_TEST(a_level_is_masked_until_acknowledged)
{
	struct sm *sm = bound_to_line(level, 0);
	assert_true(host_irq.line[9].level);
	interrupt(9);
	assert_int_equal(sm->state, 1);
	assert_true(host_irq.line[9].masked);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_false(host_irq.line[9].masked);
	interrupt(9);
	interrupt(9); /* it was on its way */
	assert_int_equal(sm->state, 2);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_true(host_irq.line[9].masked);
	assert_int_equal(sm->state, 3);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_false(host_irq.line[9].masked);
}

UNIT_TEST(messages_are_remembered)
{
	unsigned vector;
	struct sm *sm = bound_to_message(&vector);
	for (unsigned i = 0; i < 5; i++)
		irq_take(cpu_current(), vector);
	assert_int_equal(sm->state, 1);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_int_equal(sm->state, 2);
	assert_int_equal(counts(0).taken, 5);
	assert_int_equal(counts(0).strays, 0);
}

UNIT_TEST(nobodys_are_counted)
{
	irq_take(cpu_current(), 17);
	irq_take_spurious(cpu_current());
	irq_take_spurious(cpu_current());
	assert_int_equal(counts(0).taken, 1);
	assert_int_equal(counts(0).strays, 1);
	assert_int_equal(counts(0).spurious, 2);
	assert_int_equal(counts(1).taken, 0);
	assert_int_equal(host_irq.ended, 1);
}

UNIT_TEST(one_source_one_semaphore)
{
	struct sm *sm = bound_to_line(edge, 0), *other = world_sm(OTHER, 0);
	struct arch_irq_message m;
	assert_int_equal(irq_bind_line(sm, level, 0), BUSY);
	assert_int_equal(irq_bind_message(sm, 0, &m), BUSY);
	assert_int_equal(irq_bind_line(other, edge, 1), BUSY);
	assert_int_equal(irq_acknowledge(other), BAD_PAR);
	assert_int_equal(irq_unbind(other), BAD_PAR);
	assert_int_equal(irq_move(other, 1), BAD_PAR);
	assert_int_equal(irq_unbind(sm), SUCCESS);
	assert_int_equal(irq_unbind(sm), BAD_PAR);
	assert_int_equal(irq_acknowledge(sm), BAD_PAR);
	assert_int_equal(irq_bind_line(other, edge, 1), SUCCESS);
	interrupt(4);
	assert_int_equal(other->state, 1);
	assert_int_equal(sm->state, 0);
}

UNIT_TEST(an_ended_semaphore_gets_none)
{
	struct sm *sm = world_sm(SM, 0);
	assert_false(sm_retire(sm));
	assert_int_equal(irq_bind_line(sm, edge, 0), BAD_CAP);
	assert_int_equal(counts(0).taken, 0);
	sm->dead = false; /* so that it ends as others do */
}

/* Of the vector: it has no other source before a grace period is over. */
UNIT_TEST(the_end_of_the_semaphore_is_that_of_the_binding)
{
	struct sm *sm = bound_to_line(edge, 1);
	unsigned vector = host_irq.line[4].vector;
	world_cpu(2)->sleeping = SLEEPING_NOT;
	world_drop(SM);
	host_dispatch();
	assert_true(host_irq.line[4].masked);
	assert_non_null(irq_vector_source(&cpus[1]->vectors, vector));
	interrupt(4);
	assert_int_equal(counts(1).strays, 1);
	world_free_all();
	assert_null(irq_vector_source(&cpus[1]->vectors, vector));
	sm = world_sm(SM, 0);
	assert_int_equal(irq_bind_line(sm, edge, 0), SUCCESS);
}

static unsigned pending;

static void take_pending(void)
{
	irq_take(cpu_current(), pending);
}

/* What is pending on this CPU when it unbinds is taken before the vector can have another source. */
UNIT_TEST(unbinding_takes_what_is_pending_here)
{
	struct sm *sm = bound_to_message(&pending);
	host_irq.window = take_pending;
	assert_int_equal(irq_unbind(sm), SUCCESS);
	assert_int_equal(host_irq.windows, 1);
	assert_int_equal(counts(0).strays, 1);
	assert_int_equal(sm->state, 0);
}

UNIT_TEST(moved_lines_are_known_at_both_places)
{
	struct sm *sm = bound_to_line(edge, 1);
	unsigned old = host_irq.line[4].vector;
	world_cpu(2)->sleeping = SLEEPING_NOT;
	assert_int_equal(irq_move(sm, 3), SUCCESS);
	assert_int_equal(host_irq.line[4].cpu_id, 3);
	host_set_cpu(1);
	irq_take(cpu_current(), old);
	host_set_cpu(0);
	assert_int_equal(sm->state, 1);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	interrupt(4);
	assert_int_equal(sm->state, 2);
	assert_int_equal(irq_move(sm, 2), OOM); /* one place after the other */
	assert_int_equal(host_irq.line[4].cpu_id, 3);
	world_free_all();
	assert_null(irq_vector_source(&cpus[1]->vectors, old));
	assert_int_equal(irq_move(sm, 2), SUCCESS);
}

UNIT_TEST(moving_keeps_the_mask)
{
	struct sm *sm = bound_to_line(level, 1);
	interrupt(9);
	assert_int_equal(irq_move(sm, 0), SUCCESS);
	assert_true(host_irq.line[9].masked);
	assert_int_equal(irq_acknowledge(sm), SUCCESS);
	assert_false(host_irq.line[9].masked);
}

UNIT_TEST(unbound_while_it_moves)
{
	struct sm *sm = bound_to_line(edge, 1);
	unsigned old = host_irq.line[4].vector;
	world_cpu(2)->sleeping = SLEEPING_NOT;
	assert_int_equal(irq_move(sm, 3), SUCCESS);
	assert_int_equal(irq_unbind(sm), SUCCESS);
	world_free_all();
	assert_null(irq_vector_source(&cpus[1]->vectors, old));
	assert_null(irq_vector_source(&cpus[3]->vectors, host_irq.line[4].vector));
}

UNIT_TEST(messages_do_not_move)
{
	unsigned vector;
	assert_int_equal(irq_move(bound_to_message(&vector), 1), BAD_PAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IRQ_TEST(opened_once),
		IRQ_TEST(not_beside_guests_that_take_them),
		IRQ_TEST(an_edge_ups_once),
		IRQ_TEST(more_edges_are_masked_and_remembered),
		IRQ_TEST(a_level_is_masked_until_acknowledged),
		IRQ_TEST(messages_are_remembered),
		IRQ_TEST(nobodys_are_counted),
		IRQ_TEST(one_source_one_semaphore),
		IRQ_TEST(an_ended_semaphore_gets_none),
		IRQ_TEST(the_end_of_the_semaphore_is_that_of_the_binding),
		IRQ_TEST(unbinding_takes_what_is_pending_here),
		IRQ_TEST(moved_lines_are_known_at_both_places),
		IRQ_TEST(moving_keeps_the_mask),
		IRQ_TEST(unbound_while_it_moves),
		IRQ_TEST(messages_do_not_move),
	};
	return cmocka_run_group_tests_name("core/irq", tests, NULL, NULL);
}
