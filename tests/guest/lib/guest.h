/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What conformance roottasks have in common: faults are caught, whatever a test created is revoked after it, a
 * watchdog ends a run in which everybody waits, and ECs and PDs are made with one line.
 *
 * Faults of main(): FAULTS(code) tells whether `code` raised an exception and leaves it in guest_fault; a fault
 * outside fails the running test. Faults of other ECs made here fail the test and kill the EC. The functions can_*()
 * work in all.
 */
#pragma once

#include "rt/portal.h"
#include "rt/test.h"

bool guest_run(const char *suite, const struct test *tests, size_t n);
bool guest_run_tables(const char *suite, const struct test *const *tables); /* both lists end with a null */
void guest_alive(void); /* for long tests: the watchdog starts again */

/* Selectors for the running test: revoked, with everything below, when it ends. */
#define GUEST_SEL 0x200000ul
#define GUEST_SEL_ORDER 16
#define GUEST_NOTHING 0x180000ul /* nobody ever creates anything in [GUEST_NOTHING, GUEST_SEL) */
sel_t sel_new(void);
sel_t sel_block(unsigned order);
void guest_clean(void); /* within a test: revokes what it has created so far, and starts again */

/* Faults. */

struct guest_fault {
	unsigned vector;
	unsigned long rip, rsp, rflags, error, cr2;
};
extern struct guest_fault guest_fault; /* the last one caught */

struct guest_jump {
	unsigned long reg[8];
	struct guest_jump *up;
};
int guest_mark(struct guest_jump *j) __attribute__((returns_twice));
_Noreturn void guest_jump(struct guest_jump *j);
void guest_push(struct guest_jump *j);
void guest_pop(struct guest_jump *j);

#define FAULTS(code)                           \
	({                                     \
		struct guest_jump jump_;       \
		volatile bool faulted_ = true; \
		guest_push(&jump_);            \
		if (!guest_mark(&jump_)) {     \
			code;                  \
			guest_pop(&jump_);     \
			faulted_ = false;      \
		}                              \
		faulted_;                      \
	})

/* Leaves the running test from any depth, and so do ASSERT* and SKIP. For the EC of main() only: others use EXPECT*.
 */
_Noreturn void guest_leave(void);

#undef TEST_LEAVE
#define TEST_LEAVE guest_leave()

/* One access; the page must hold a `ret` for can_exec. Error code and address of a failure are in guest_fault. */
bool can_read(unsigned long va);
bool can_write(unsigned long va);
bool can_exec(unsigned long va);
bool can_in(uint16_t port);
bool can_out(uint16_t port); /* writes 0xff */

/* Event portals for ECs other than main's; they start threads, and a fault fails the test and kills the EC. */
extern sel_t guest_events;

/* ECs. Made or the test ends. */

struct server {
	struct rt_ec ec;
	sel_t pt;
};
void server_make(struct server *s, rt_handler *fn, void *arg);
void server_make_in(struct server *s, sel_t pd, sel_t events, rt_handler *fn, void *arg);
sel_t server_pt(const struct server *s, rt_handler *fn, void *arg);
sel_t victim_make(void); /* a portal whose EC is killed at its first instruction: the call ends with ABORT */
void thread_make(struct rt_ec *ec, unsigned prio, void (*fn)(void *), void *arg);
sel_t sm_make(unsigned long count);

/* Waits, by yielding, until *word is `value`; false after very many tries. */
bool soon(const volatile unsigned long *word, unsigned long value);

/* Other PDs: an agent runs functions of this image, and thus hypercalls, in a PD of its own. */

sel_t pd_make(void); /* sees the image, has guest_events at 0..31 */

struct agent {
	sel_t pd;
	struct server server;
};
typedef unsigned long agent_fn(unsigned long a, unsigned long b, unsigned long c);
void agent_make(struct agent *a);
void agent_make_in(struct agent *a, sel_t pd);
unsigned long agent_do(struct agent *a, agent_fn *fn, unsigned long x, unsigned long y, unsigned long z);
enum status agent_hc(struct agent *a, struct hc_regs *regs);
bool agent_can_read(struct agent *a, unsigned long va);
bool agent_can_write(struct agent *a, unsigned long va);
bool agent_can_exec(struct agent *a, unsigned long va);
bool agent_can_in(struct agent *a, uint16_t port);
crd_t agent_lookup(struct agent *a, crd_t crd);

/* Sets the agent's windows, sends it one item, and returns what arrived there. */
struct utcb_item agent_send(struct agent *a, crd_t xlt, crd_t del, crd_t crd, unsigned long meta);

/* Looks a selector up: its permissions, or 0 if there is nothing. */
unsigned sel_perm(sel_t sel);
static inline bool sel_empty(sel_t sel)
{
	return !sel_perm(sel);
}

enum status delegate_obj(sel_t from, sel_t pd, sel_t to, unsigned perm);

/* Does it within `ms` at least once in many times: a single time may be that of others who use the same processor. */
bool guest_quick(void (*fn)(void), unsigned ms);

/* Deterministic random numbers (xorshift64*), the same in each run with the same "seed=N" on the command line. */
uint64_t guest_random(void);
void guest_seed(uint64_t seed);
