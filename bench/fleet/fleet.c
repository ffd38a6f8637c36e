/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/fleet.h"

#include "fleet/lock.h"
#include "fleet/outcome.h"
#include "fleet/worker.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/mem.h"
#include "measure/run.h"
#include "result/finding.h"

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

/* One machine of the run. */
struct slot {
	const struct inventory_machine *machine;
	struct fleet_note *note;
	pid_t pid;      /* of its worker; 0: none runs */
	bool locked;    /* we have the lock, or had it until lock_lost */
	bool started;   /* a worker runs, or has run: there is one only */
	bool lock_lost; /* somebody else has the machine now */
};

struct fleet {
	const struct plan *plan;
	struct slot *slots;
	unsigned running, jobs; /* workers, and how many there may be at a time */
	bool told;              /* the workers have been told to end */
	double renewed;         /* when the locks were renewed: seconds, as clock_seconds() counts */
};

static const char *lock_folder(const struct fleet *f)
{
	return f->plan->inventory->lab.folders.locks;
}

/* --- what else happens to machines than work --- */

static void note_outcome(const struct fleet *f, const struct inventory_machine *m, const char *suite,
			 enum outcome_verdict verdict, const char *why)
{
	char *path = plan_path(f->plan, m, suite, "outcome.json"), *folder = plan_path(f->plan, m, suite, "");
	struct outcome outcome;
	struct error error;

	if (file_make_folders(folder, &error) && outcome_load(&outcome, path, &error) && !outcome_final(&outcome)) {
		outcome.verdict = verdict;
		snprintf(outcome.why, sizeof(outcome.why), "%.500s", why);
		if (!outcome_save(&outcome, path, &error))
			complain("%s", error.text);
	}
	free(folder);
	free(path);
}

static void note_all(const struct fleet *f, const struct inventory_machine *m, enum outcome_verdict verdict,
		     const char *why)
{
	if (plan_looks_first(f->plan, m))
		note_outcome(f, m, FINDING_SUITE, verdict, why);
	for (unsigned i = 0; i < f->plan->suite_count; i++)
		if (inventory_allows(m, f->plan->suites[i]))
			note_outcome(f, m, f->plan->suites[i], verdict, why);
}

/* --- workers --- */

static _Noreturn void work(const struct fleet *f, const struct slot *s, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* and leave the machine in order */
	if (getppid() != parent)
		_exit(1);
	_exit(worker_run(f->plan, s->machine) ? 0 : 1);
}

/* In a process group of its own: Ctrl-C comes from us only, once. */
static void start(struct fleet *f, struct slot *s)
{
	pid_t parent = getpid();

	s->started = true;
	fflush(NULL);
	s->pid = fork();
	if (!s->pid) {
		setpgid(0, 0);
		work(f, s, parent);
	}
	if (s->pid > 0) {
		f->running++;
		return;
	}
	s->pid = 0;
	note_all(f, s->machine, OUTCOME_INTERRUPTED, strerror(errno));
}

static void start_more(struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count && f->running < f->jobs && !run_interrupted(); i++)
		if (f->slots[i].locked && !f->slots[i].started && !f->slots[i].lock_lost)
			start(f, &f->slots[i]);
}

/* Leaves the machine as the inventory says if its worker could not, or died before it came to that. */
static void look_after(const struct fleet *f, struct slot *s, int status)
{
	struct error error;

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (!WIFEXITED(status))
		note_all(f, s->machine, OUTCOME_INTERRUPTED, "its process died");
	if (worker_leave(f->plan, s->machine, &error))
		return;
	snprintf(s->note->text, sizeof(s->note->text), "could not be left as it should: %.400s", error.text);
	complain("%s: %s", s->machine->name, s->note->text);
}

static void reap(struct fleet *f)
{
	int status;

	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct slot *s = &f->slots[i];

		if (!s->pid || waitpid(s->pid, &status, WNOHANG) != s->pid)
			continue;
		s->pid = 0;
		f->running--;
		if (!s->lock_lost)
			look_after(f, s, status);
		if (!s->lock_lost && s->locked)
			lock_release(lock_folder(f), s->machine->name);
		s->locked = false;
	}
}

static void end_workers(struct fleet *f)
{
	if (f->told || !run_interrupted())
		return;
	f->told = true;
	complain("interrupted: the machines are left as the inventory says, please wait");
	for (unsigned i = 0; i < f->plan->machine_count; i++)
		if (f->slots[i].pid)
			kill(f->slots[i].pid, SIGTERM);
}

/* Whoever took the lock away has the machine now: nothing of it may be touched any more, not even its power. */
static void lose_lock(const struct fleet *f, struct slot *s)
{
	s->lock_lost = true;
	if (s->pid)
		kill(s->pid, SIGKILL);
	note_all(f, s->machine, OUTCOME_LOCKED, "the lock was taken away");
	complain("%s: the lock was taken away", s->machine->name);
}

static void renew_locks(struct fleet *f)
{
	if (clock_seconds() < f->renewed + LOCK_RENEW_SECONDS)
		return;
	f->renewed = clock_seconds();
	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct slot *s = &f->slots[i];

		if (s->locked && !s->lock_lost && !lock_renew(lock_folder(f), s->machine->name))
			lose_lock(f, s);
	}
}

static void take_locks(struct fleet *f)
{
	struct error error;

	for (unsigned i = 0; i < f->plan->machine_count; i++) {
		struct slot *s = &f->slots[i];

		s->locked = lock_take(lock_folder(f), s->machine->name, f->plan->folder, &error);
		if (s->locked)
			continue;
		note_all(f, s->machine, OUTCOME_LOCKED, error.text);
		complain("%s", error.text);
	}
}

static void release_locks(struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count; i++)
		if (f->slots[i].locked && !f->slots[i].lock_lost)
			lock_release(lock_folder(f), f->slots[i].machine->name);
}

static bool work_left(const struct fleet *f)
{
	for (unsigned i = 0; i < f->plan->machine_count && !run_interrupted(); i++)
		if (f->slots[i].locked && !f->slots[i].started && !f->slots[i].lock_lost)
			return true;
	return f->running;
}

bool fleet_run(const struct plan *plan, unsigned jobs, struct fleet_note *notes)
{
	struct fleet f = {.plan = plan, .jobs = jobs, .renewed = clock_seconds()};

	f.slots = xcalloc(plan->machine_count, sizeof(*f.slots));
	for (unsigned i = 0; i < plan->machine_count; i++)
		f.slots[i] = (struct slot){.machine = plan->machines[i], .note = &notes[i]};
	take_locks(&f);
	while (work_left(&f)) {
		start_more(&f);
		poll(NULL, 0, LOOK_MS);
		reap(&f);
		end_workers(&f);
		renew_locks(&f);
	}
	release_locks(&f);
	free(f.slots);
	return !run_interrupted();
}
