/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child process in a process group of its own. The kernel kills it when hbench dies. */
#pragma once

#include "host/error.h"

#include <sys/types.h>

struct child {
	pid_t pid;   /* 0: none */
	int exit_fd; /* readable when the child has ended */
	int status;  /* as of waitpid(), once ended */
};

/*
 * Starts argv[0] (searched in PATH) in a folder. stdout goes to out, stderr to err, stdin is empty. The child gets
 * SIGKILL when its parent dies.
 */
bool child_start(struct child *child, char *const argv[], const char *folder, int out, int err,
		 struct error *error) must_check;

/* The same with an stdin. */
bool child_start_talking(struct child *child, char *const argv[], const char *folder, int in, int out, int err,
			 struct error *error) must_check;

/* Waits until the child has ended, at most `seconds`; false when it has not. */
bool child_wait(struct child *child, double seconds);

/* True when the child has ended; its status is then known. */
bool child_ended(struct child *child);

/* Ends the child: SIGTERM, and SIGKILL when it has not gone after two seconds. */
void child_end(struct child *child);

/* Runs a program to its end, at most `seconds`; true when it exits with 0. */
bool child_run(char *const argv[], const char *folder, int out, int err, double seconds,
	       struct error *error) must_check;
