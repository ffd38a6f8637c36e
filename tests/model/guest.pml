/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flushes of guests' translations: flush_guests() of kernel/arch/x86_64/mmu/tlb.c, enter_refreshed() of vmx/vmx_run.c and
 * the NMI handler. One CPU, which has a vCPU loaded all the time, enters and leaves the guest, whose tables others
 * change.
 *
 * Checked: the guest uses no translation that is older than a change whose flush has come to its end, and every flush does. Each
 * macro of the form WITHOUT_* takes away what it names, and MARKED_BY_OTHERS has those who flush say that the CPU is out; spin then
 * has to find an error.
 */

#define FLUSHERS 3
#define ROUNDS 2
#define NONE 255
#define FRESH 0
#define STALE 1
#define OUT 2

byte table, finished, tlb = NONE;
byte mark = STALE;
byte asked, done, ended;
bool in_guest, hazard;

/* NMIs come between any two instructions; one that hits the guest brings it out, to the way in. */
active proctype nmi_handle()
{
end:	do
	:: atomic {
		asked != done ->
		if
		:: in_guest -> in_guest = false
		:: else ->
			if
			:: mark != FRESH ->
#ifndef MARKED_BY_OTHERS
				mark = OUT;
#endif
#ifndef WITHOUT_HAZARD
				hazard = true
#else
				skip
#endif
			:: else
			fi
		fi;
		done = asked
	   }
	od
}

active proctype cpu()
{
	byte round, was;

	do
	:: round < ROUNDS ->
		round++;
again:		if
		:: mark == FRESH
		:: else ->
			do
			:: atomic { was = mark; mark = FRESH };
				if
				:: was != FRESH -> tlb = NONE
				:: else -> break
				fi
			od
		fi;
		/* The restart range: an NMI in it goes back to the test of the hazards. */
		if
		:: atomic { hazard -> hazard = false }; goto again
		:: atomic { !hazard -> in_guest = true }
		fi;
		do
		:: atomic {
			in_guest ->
			if
			:: tlb == NONE -> tlb = table
			:: else
			fi;
			assert(tlb >= finished)
		   }
		:: atomic { in_guest -> in_guest = false }; break
		:: !in_guest -> goto again
		od
	:: else -> break
	od
}

active [FLUSHERS] proctype flusher()
{
	byte mine, until, seen;

	atomic { table++; mine = table };
	seen = mark;
	if
	:: seen == OUT
	:: else ->
#ifndef WITHOUT_MARK
		mark = STALE;
#endif
		atomic { asked++; until = asked };
		done >= until;
#ifdef MARKED_BY_OTHERS
		atomic {
			if
			:: mark == STALE -> mark = OUT
			:: else
			fi
		}
#endif
	fi;
	atomic {
		if
		:: mine > finished -> finished = mine
		:: else
		fi;
		ended++
	}
}

active proctype quiet()
{
	timeout -> assert(ended == FLUSHERS)
}
