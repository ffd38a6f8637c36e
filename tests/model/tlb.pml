/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flushes of translations: kernel/arch/x86_64/mmu/tlb.c and switch_space() of switch_inline.h. One CPU enters and leaves a PD
 * whose tables two others change, each with a flush behind. One instruction that others can notice is one step; stores that
 * matter are followed by serializing instructions or locks, so the order of memory is that of the program.
 *
 * Checked: in user mode no translation is used that is older than a change whose flush has come to its end, and every flush
 * does come to its end. Each macro of the form WITHOUT_* takes away what it names; spin then has to find an error.
 */

#define FLUSHERS 2
#define ROUNDS 3 /* how often the PD is entered */
#define NONE 255

byte table;	/* version of the tables */
byte finished;	/* version whose flush is over */
byte tlb = NONE; /* the version that the CPU has cached under the PD's tag */

bool stale = true, in_mask; /* tlb_stale[n], and n in tlb_active */
bool ec_in, space_in;	 /* cpu->ec is of the PD; cpu->space is the PD */
bool cr3_in;
bool lock;
byte asked, done;
byte ended;

/* ---- the CPU ---- */

/* NMIs come between any two instructions; the handler is over before the next one. */
active proctype nmi_handle()
{
end:	do
	:: atomic {
		asked != done ->
		if
		:: cr3_in -> tlb = NONE
		:: else
		fi;
		done = asked
	   }
	od
}

active proctype cpu()
{
	byte round;
	bool was_stale;

	do
	:: round < ROUNDS ->
		round++;
		ec_in = true;
		cr3_in = true; /* with PCID: nothing is flushed */
		space_in = true;
#ifndef WITHOUT_MARK
		do
		:: atomic { was_stale = stale; stale = false };
			if
			:: was_stale ->
#ifndef WITHOUT_USER
				in_mask = true;
#endif
				tlb = NONE /* CR3 again, with a flush */
			:: else -> break
			fi
		od;
#endif
		/* User mode: whatever is not cached is loaded. */
		atomic {
			if
			:: tlb == NONE -> tlb = table
			:: else
			fi;
			assert(tlb >= finished)
		};
		assert(tlb == NONE || tlb >= finished);
		ec_in = false;
		cr3_in = false;
		space_in = false
	:: else -> break
	od
}

/* ---- the others ---- */

inline leave_mask()
{
	in_mask = false;
#ifndef WITHOUT_SECOND_LOOK
	if
	:: !stale -> in_mask = true
	:: else
	fi
#endif
}

active [FLUSHERS] proctype flusher()
{
	byte mine, until;
	bool runs;

	atomic { table++; mine = table };
#ifndef WITHOUT_LOCK
	atomic { !lock -> lock = true };
#endif
	until = done;
	if
	:: in_mask ->
#ifndef WITHOUT_ORDER
		stale = true;
		runs = ec_in;
		runs = runs || space_in;
#else
		runs = ec_in;
		runs = runs || space_in;
		stale = true;
#endif
		if
		:: runs -> atomic { asked++; until = asked }
		:: else -> leave_mask()
		fi
	:: else
	fi;
#ifndef WITHOUT_LOCK
	lock = false;
#endif
	done >= until;
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
