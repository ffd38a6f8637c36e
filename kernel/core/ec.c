/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ec.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/remote.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "platform/console.h"
#include "space/pd.h"

static struct slab_cache ec_cache, fpu_cache;

void ec_init_caches(u32 fpu_size)
{
	slab_init(&ec_cache, "ec", align_up(sizeof(struct ec), KOBJECT_ALIGN), KOBJECT_ALIGN);
	slab_init(&fpu_cache, "fpu", align_up(fpu_size, 64), 64);
}

static void init_fields(struct ec *ec)
{
	memset(ec, 0, offsetof(struct ec, unfinished));
	ec->obj.type = KOBJ_EC;
	list_init(&ec->helpers);
	list_init(&ec->helper_link);
	list_init(&ec->parked);
	list_init(&ec->sm_link);
	unfinished_init(&ec->unfinished);
}

/* An EC with its UTCB page and extended state; not in any PD yet. */
static struct ec *allocate(struct account *account)
{
	struct ec *ec = slab_take(&ec_cache, account);
	if (!ec)
		return NULL;
	init_fields(ec);
	ec->obj.account = account_name(account);
	ec->utcb = page_take_zeroed(account);
	ec->fpu = ec->utcb ? slab_take(&fpu_cache, account) : NULL;
	if (ec->fpu) {
		arch_fpu_init(ec);
		return ec;
	}
	if (ec->utcb)
		page_return(ec->utcb);
	slab_return(&ec_cache, ec, account);
	return NULL;
}

static void deallocate(struct ec *ec)
{
	struct account *account = account_named(ec->obj.account);

	slab_return(&fpu_cache, ec->fpu, account);
	page_return(ec->utcb);
	slab_return(&ec_cache, ec, account);
}

static enum status map_utcb(struct ec *ec, const struct ec_config *cfg)
{
	if (!kobject_get(&cfg->utcb_pd->obj))
		return BAD_CAP;
	enum status s = space_mem_map_kernel_page(cfg->utcb_pd, cfg->utcb_va, ec->utcb, SPACE_MEM_PRIVATE);
	if (s != SUCCESS) {
		kobject_unref(&cfg->utcb_pd->obj);
		return s;
	}
	ec->utcb_va = cfg->utcb_va;
	ec->utcb_pd = cfg->utcb_pd;
	return SUCCESS;
}

enum status ec_create(const struct ec_config *cfg, struct ec **out)
{
	if (!kobject_get(&cfg->pd->obj))
		return BAD_CAP;
	struct ec *ec = allocate(&cfg->pd->account);
	enum status s = !ec ? OOM : cfg->utcb_va ? map_utcb(ec, cfg) : SUCCESS;
	if (s != SUCCESS) {
		if (ec)
			deallocate(ec);
		kobject_unref(&cfg->pd->obj);
		return s;
	}
	ec->pd = cfg->pd;
	ec->cpu_id = cfg->cpu_id;
	ec->event_base = cfg->event_base;
	ec->regs.rsp = cfg->rsp;
	ec->regs.rflags = ARCH_USER_FLAGS;
	ec->special = cfg->global ? EC_GLOBAL : 0;
	ec->cont = cfg->global ? CONT_STARTUP : CONT_SYSRET;
	ec->caller = cfg->global ? NULL : arch_cpu(cfg->cpu_id)->idle_ec;
	*out = ec;
	return SUCCESS;
}

struct ec *ec_create_idle(struct pd *kernel, unsigned cpu_id)
{
	struct ec *ec = allocate(&kernel->account);
	if (!ec)
		return NULL;
	ec->pd = kernel;
	ec->cpu_id = cpu_id;
	ec->special = EC_GLOBAL;
	ec->cont = CONT_IDLE;
	kobject_publish(&ec->obj); /* nobody gives this reference back */
	return ec;
}

void ec_unmap_utcb(struct ec *ec)
{
	if (!ec->utcb_pd)
		return;
	space_mem_unmap_kernel_page(ec->utcb_pd, ec->utcb_va, ec->utcb);
	kobject_unref(&ec->utcb_pd->obj);
	ec->utcb_pd = NULL;
}

/* Behind those of its priority. There are as many steps as priorities, however many SCs there are. */
static void park_in_order(struct ec *ec, struct sc *sc)
{
	struct list *at = ec->parked_more.next;

	for (; at != &ec->parked_more; at = at->next) {
		struct sc *first = container_of(at, struct sc, link);

		if (first->prio == sc->prio) {
			list_push_tail(&first->peers, &sc->link);
			return;
		}
		if (first->prio < sc->prio)
			break;
	}
	list_insert_before(at, &sc->link);
	sc->leads = true;
	list_init(&sc->peers);
}

/* One is parked, and another one comes. */
static void begin_order(struct ec *ec)
{
	struct sc *only = list_first(&ec->parked, struct sc, link);

	list_init(&ec->parked);
	list_init(&ec->parked_more);
	ec->several = true;
	park_in_order(ec, only);
}

void ec_park_another(struct cpu *cpu, struct ec *ec)
{
	struct sc *sc = cpu->sc;

	if (!ec->several && list_empty(&ec->parked)) {
		ec_park_current(cpu, ec);
		return;
	}
	if (!ec->several)
		begin_order(ec);
	dispatch_drop_current(cpu);
	sc->state = SC_PARKED;
	park_in_order(ec, sc);
}

void ec_unpark_slow(struct cpu *cpu, struct ec *ec)
{
	if (!ec->several)
		return;
	while (!list_empty(&ec->parked_more)) {
		struct sc *sc = list_first(&ec->parked_more, struct sc, link);

		list_unlink(&sc->link);
		dispatch_ready_all(cpu, sc);
	}
	ec->several = false;
}

static void take_wake(struct work *w)
{
	struct ec *ec = container_of(w, struct ec, wake);
	if (!ec_is_dead(ec))
		ec_wake_here(cpu_current(), ec, ec->wake_status);
}

/* An EC waits on one semaphore at a time and is woken once for each wait, so `wake` and `wake_status` are not in use
 * when they are written here. */
void ec_wake_slow(struct ec *ec, enum status s)
{
	ec->wake_status = s;
	remote_call(ec->cpu_id, &ec->wake, take_wake);
}

void ec_help(struct ec *helper, struct ec *busy)
{
	helper->callee = busy;
	helper->helping = true;
	list_push_tail(&busy->helpers, &helper->helper_link);
	busy->special |= EC_HELPED;
}

static void let_go(struct ec *busy, struct ec *helper)
{
	helper->callee = NULL;
	helper->helping = false;
	list_remove(&helper->helper_link);
	if (list_empty(&busy->helpers))
		busy->special &= ~EC_HELPED;
}

void ec_unhelp(struct ec *helper)
{
	let_go(helper->callee, helper);
}

/* So many helpers are released at once. tests/interleave has a smaller number. */
#ifndef EC_HELPERS_PIECE
#define EC_HELPERS_PIECE 16
#endif

bool ec_release_helpers(struct ec *busy)
{
	for (unsigned n = 0; n < EC_HELPERS_PIECE && !list_empty(&busy->helpers); n++)
		let_go(busy, list_first(&busy->helpers, struct ec, helper_link));
	return !list_empty(&busy->helpers);
}

/* Cuts the edge to the EC that this one waits for. One that was called goes on without a caller (EC_ORPHAN). */
static void leave_callee(struct ec *ec)
{
	struct ec *callee = ec->callee;
	if (!callee)
		return;
	if (ec->helping) {
		ec_unhelp(ec);
		return;
	}
	callee->caller = NULL;
	callee->special = (callee->special & ~EC_EXCEPTION) | EC_ORPHAN;
	ec->callee = NULL;
}

/* Ends the call that `ec` answers. Returns the caller if it waits in an exception: without an answer it has to die,
 * too. */
static struct ec *abort_caller(struct ec *ec)
{
	struct ec *caller = ec->caller;
	bool exception = ec->special & EC_EXCEPTION;

	ec->caller = NULL;
	ec->special &= ~(EC_EXCEPTION | EC_ORPHAN);
	if (!caller || caller->cont == CONT_IDLE)
		return NULL;
	caller->callee = NULL;
	if (exception)
		return caller;
	caller->regs.rdi = ABORT;
	caller->cont = CONT_SYSRET;
	return NULL;
}

/* What waits at the end of the call chain is to be chosen again: once the chain is cut that cannot be found. If the
 * chain is too long an SC may stay there that leads there by more than EC_CHAIN_MAX links, and is chosen, and its
 * chain cut, when that end can run. An EC keeps nothing that is so far from the SC that runs it (core/unfinished.c).
 */
static always_inline void release_end(struct cpu *cpu, struct ec *ec)
{
	struct ec *end = ec_chain_end(ec);

	ec_unpark(cpu, end);
	unfinished_disown(cpu, &end->unfinished);
}

/* Returns who has to die with it, because he waits for it in an exception; or NULL. */
static always_inline struct ec *kill_one(struct ec *ec)
{
	ec->special |= EC_DEAD;
	release_end(cpu_current(), ec);
	/* An up on another CPU may clear it now: sm_forget() looks again, with the lock. */
	struct sm *sm = __atomic_load_n(&ec->sm, __ATOMIC_RELAXED);
	if (sm)
		sm_forget(sm, ec);
	ec->special &= ~EC_BLOCKED;
	if (ec->vcpu)
		vcpu_leave_run(ec);
	leave_callee(ec);
	(void)ec_release_helpers(ec);
	return abort_caller(ec);
}

/* So many die at once, behind a message of 5,000 instructions. One is about 70, and 300 more if it is helped. */
#define KILL_PIECE 4

/* The others die when they are chosen. */
static noinline cold void kill_callers(struct ec *ec)
{
	for (unsigned left = KILL_PIECE - 1; ec && left; left--)
		ec = kill_one(ec);
	if (ec)
		ec->cont = CONT_DIE;
}

void ec_kill(struct ec *ec)
{
	struct ec *caller = ec_is_dead(ec) ? NULL : kill_one(ec);

	if (unlikely(caller != NULL))
		kill_callers(caller);
	hazard_set(cpu_current(), HAZARD_SCHED);
}

static bool waits_in_call(const struct ec *ec)
{
	return ec->helping ? ec->cont == CONT_CALL : !(ec->callee->special & EC_EXCEPTION);
}

void ec_cut_chain(struct cpu *cpu, struct ec *ec)
{
	if (!waits_in_call(ec)) {
		log_user("killed EC: an exception at rip %#lx is behind %u calls", ec->regs.rip, EC_CHAIN_MAX);
		ec_kill(ec);
		return;
	}
	release_end(cpu, ec);
	leave_callee(ec);
	ec->regs.rdi = ABORT;
	ec->cont = CONT_SYSRET;
}

void ec_retire(struct ec *ec)
{
	ec_kill(ec);
	kobject_unref(&ec->pd->obj);
}

void ec_free(struct ec *ec)
{
	deallocate(ec);
}
