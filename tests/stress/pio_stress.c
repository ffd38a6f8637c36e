/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports that many CPUs give, take back in parts and lose at the same time. Each CPU gives from a PD of its own: when
 * it has taken something back, nobody has it from there. In the end all is gone, with all nodes.
 */
#include "arch/space.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/pio_lock.h"
#include "space/pio_range.h"
#include "space/pio_revoke.h"

#include "stress.h"

#define CPUS 4
#define ROUNDS (20000 * STRESS_SCALE) /* of each CPU */
#define PORTS 256                     /* few, so that all want the same */

static struct pd pds[CPUS];
static u32 lost; /* ports that others have taken away */

/* Other CPUs may be at it, too. */
enum status arch_pio_bitmap_attach(struct pd *pd)
{
	(void)pd;
	return SUCCESS;
}

static struct block random_block(struct stress_random *r)
{
	unsigned order = stress_random(r, 6) ? stress_random(r, 5) : stress_random(r, 9);
	return block_make(stress_random(r, PORTS), order);
}

static u32 ports_of(struct pd *pd)
{
	u32 count = 0;
	for (u64 port = 0; port < PORTS;) {
		crd_t c = space_pio_lookup(pd, port);
		if (c)
			must(crd_base(c) <= port && port < crd_base(c) + (1ull << crd_order(c)));
		port = c ? crd_base(c) + (1ull << crd_order(c)) : port + 1;
		count += c ? 1u << crd_order(c) : 0;
	}
	return count;
}

/* Nothing of the block is derived from pd any more: nobody else gives from it. */
static void check_taken(struct pd *pd, struct block b)
{
	pio_lock_take();
	must(!pio_range_given(&pd->pio, b));
	pio_lock_release();
}

static void delegate(struct pd *from, struct pd *to, struct block b, unsigned where)
{
	must(space_pio_delegate(from, to, (u32)b.base, b.order, where) == SUCCESS);
	must(host_delegate_rest() == SUCCESS);
}

static void revoke(struct pd *pd, struct block b, bool self)
{
	space_pio_revoke(pd, (u32)b.base, b.order, self);
	host_revoke_rest();
}

static void give_and_take(unsigned cpu, struct stress_random *r)
{
	struct pd *own = &pds[cpu];
	u64 had = PORTS; /* a port; if it has gone, others took it away */
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct block b = random_block(r);
		struct pd *other = &pds[stress_random(r, CPUS)];
		unsigned what = stress_random(r, 8);
		if (had < PORTS && !space_pio_lookup(own, had)) {
			__atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
			had = PORTS;
		}
		if (what == 4)
			had = PORTS;
		else if (had == PORTS && space_pio_lookup(own, b.base))
			had = b.base;
		if (what < 4) {
			delegate(own, other, b, 1 + stress_random(r, 3));
		} else if (what < 6) {
			revoke(own, b, what == 4);
			check_taken(own, b);
		} else if (what == 6) {
			b = block_make(PORTS / CPUS * cpu + b.base % (PORTS / CPUS), b.order % 6);
			delegate(&pd_kernel, own, b, PIO_HOST);
		} else {
			crd_t c = space_pio_translate(own, b.base, other, block_make(0, 16));
			must(!c || block_has(block_of_crd(c), b.base));
		}
	}
}

/* PDs end one by one, while others still give to them. */
static void give_until_the_end(unsigned cpu, struct stress_random *r)
{
	give_and_take(cpu, r);
	while (!space_pio_close(&pds[cpu]))
		;
	must(!ports_of(&pds[cpu]));
	check_taken(&pds[cpu], block_make(0, 16));
}

static void all_is_gone(void)
{
	must(pd_kernel.pio.held.count == 1 && !pd_kernel.pio.given.count && !pio_revoke_jobs);
	for (unsigned i = 0; i < CPUS; i++) {
		must(!pds[i].pio.held.count && !pds[i].pio.given.count);
		for (unsigned page = 0; page < PIO_HOST_PAGES && pds[i].pio.host[0]; page++)
			for (unsigned byte = 0; byte < PAGE_SIZE; byte++)
				must(pds[i].pio.host[page][byte] == 0xff);
		for (unsigned page = 0; page < PIO_GUEST_PAGES && pds[i].pio.guest[0]; page++)
			for (unsigned byte = 0; byte < PAGE_SIZE; byte++)
				must(pds[i].pio.guest[page][byte] == 0xff);
	}
}

int main(void)
{
	host_reset(STRESS_HEAP);
	host_set_cpus(CPUS);
	must(space_pio_boot(&pd_kernel) == SUCCESS);
	for (unsigned i = 0; i < CPUS; i++)
		pds[i] = (struct pd){.obj.refs = 1};
	pd_kernel.obj.refs = 1;
	do /* until they have met */
		stress_run((void (*const[])(unsigned, struct stress_random *)){give_and_take, give_and_take,
									       give_and_take, give_and_take, NULL});
	while (!lost);
	revoke(&pd_kernel, block_make(0, 16), false);
	all_is_gone();
	stress_run((void (*const[])(unsigned, struct stress_random *)){give_until_the_end, give_until_the_end,
								       give_until_the_end, give_until_the_end, NULL});
	all_is_gone();
	printf("ports: %u were revoked by another CPU first\n", lost);
	return 0;
}
