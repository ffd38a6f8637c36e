/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/fleet.h"

#include "fleet/fate.h"
#include "fleet/lock.h"
#include "fleet/worker.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 100 };

struct hand {
	const struct inventory_machine *machine;
	struct fleet_note *note;
	pid_t pid; /* 0: not running */
	bool locked, started, robbed;
};

struct fleet {
	const struct plan *plan;
	struct hand *hands;
	unsigned running, jobs;
	bool told;
	double renewed;
};

static const char *lock_folder(const struct fleet *f)
{
	return f->plan->inventory->lab.folders.locks;
}

/* --- what else happens to machines than work --- */

static void note_fate(const struct fleet *f, const struct inventory_machine *m, const char *suite,
		      enum fate_verdict verdict, const char *why)
{
	char *path = plan_path(f->plan, m, suite, "outcome.json"), *folder = plan_path(f->plan, m, suite, "");
	struct fate fate;
	struct error error;

	if (file_make_folders(folder, &error) && fate_load(&fate, path, &error) && !fate_final(&fate)) {
		fate.verdict = verdict;
		snprintf(fate.why, sizeof(fate.why), "%.500s", why);
		if (!fate_save(&fate, path, &error))
			complain("%s", error.text);
	}
	free(folder);
	free(path);
}

static void note_all(const struct fleet *f, const struct inventory_machine *m, enum fate_verdict verdict,
		     const char *why)
{
	for (unsigned i = 0; i < f->plan->suite_count; i++)
		if (inventory_allows(m, f->plan->suites[i]))
			note_fate(f, m, f->plan->suites[i], verdict, why);
}

/* --- workers --- */

static _Noreturn void work(const struct fleet *f, const struct hand *h, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* and leave the machine in order */
	if (getppid() != parent)
		_exit(1);
	_exit(worker_run(f->plan, h->machine) ? 0 : 1);
}

/* In a process group of its own: Ctrl-C comes from us only, once. */
static void start(struct fleet *f, struct hand *h)
{
	pid_t parent = getpid();

	h->started = true;
	fflush(NULL);
	h->pid = fork();
	if (!h->pid) {
		setpgid(0, 0);
		work(f, h, parent);
	}
	if (h->pid > 0) {
		f->running++;
		return;
	}
	h->pid = 0;
	note_all(f, h->machine, FATE_INTERRUPTED, strerror(errno));
}

static void start_more(struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count && f->running < f->jobs && !run_interrupted(); i++)
		if (f->hands[i].locked && !f->hands[i].started && !f->hands[i].robbed)
			start(f, &f->hands[i]);
}

/* The worker's machine must not stay as it is, even if the worker died of something. */
static void look_after(const struct fleet *f, struct hand *h, int status)
{
	struct error error;

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (!WIFEXITED(status))
		note_all(f, h->machine, FATE_INTERRUPTED, "its process died");
	if (worker_leave(f->plan, h->machine, &error))
		return;
	snprintf(h->note->text, sizeof(h->note->text), "could not be left as it should: %.400s", error.text);
	complain("%s: %s", h->machine->name, h->note->text);
}

static void reap(struct fleet *f)
{
	int status;

	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct hand *h = &f->hands[i];

		if (!h->pid || waitpid(h->pid, &status, WNOHANG) != h->pid)
			continue;
		h->pid = 0;
		f->running--;
		if (!h->robbed)
			look_after(f, h, status);
		if (!h->robbed && h->locked)
			lock_release(lock_folder(f), h->machine->name);
		h->locked = false;
	}
}

static void end_workers(struct fleet *f)
{
	if (f->told || !run_interrupted())
		return;
	f->told = true;
	complain("interrupted: the machines are left as the inventory says, please wait");
	for (unsigned i = 0; i < f->plan->machine_count; i++)
		if (f->hands[i].pid)
			kill(f->hands[i].pid, SIGTERM);
}

/* Who took the lock away has the machine now: hands off, its power included. */
static void rob(const struct fleet *f, struct hand *h)
{
	h->robbed = true;
	if (h->pid)
		kill(h->pid, SIGKILL);
	note_all(f, h->machine, FATE_LOCKED, "the lock was taken away");
	complain("%s: the lock was taken away", h->machine->name);
}

static void renew_locks(struct fleet *f)
{
	if (clock_seconds() < f->renewed + LOCK_RENEW_SECONDS)
		return;
	f->renewed = clock_seconds();
	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct hand *h = &f->hands[i];

		if (h->locked && !h->robbed && !lock_renew(lock_folder(f), h->machine->name))
			rob(f, h);
	}
}

static void take_locks(struct fleet *f)
{
	struct error error;

	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct hand *h = &f->hands[i];

		h->locked = lock_take(lock_folder(f), h->machine->name, f->plan->folder, &error);
		if (h->locked)
			continue;
		note_all(f, h->machine, FATE_LOCKED, error.text);
		complain("%s", error.text);
	}
}

static void release_locks(struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count; i++)
		if (f->hands[i].locked && !f->hands[i].robbed)
			lock_release(lock_folder(f), f->hands[i].machine->name);
}

static bool work_left(const struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count && !run_interrupted(); i++)
		if (f->hands[i].locked && !f->hands[i].started && !f->hands[i].robbed)
			return true;
	return f->running;
}

bool fleet_run(const struct plan *plan, unsigned jobs, struct fleet_note *notes)
{
	struct fleet f = {.plan = plan, .jobs = jobs, .renewed = clock_seconds()};

	f.hands = xcalloc(plan->machine_count, sizeof(*f.hands));
	for (unsigned i = 0; i < plan->machine_count; i++)
		f.hands[i] = (struct hand){.machine = plan->machines[i], .note = &notes[i]};
	take_locks(&f);
	while (work_left(&f)) {
		start_more(&f);
		poll(NULL, 0, LOOK_MS);
		reap(&f);
		end_workers(&f);
		renew_locks(&f);
	}
	release_locks(&f);
	free(f.hands);
	return !run_interrupted();
}
