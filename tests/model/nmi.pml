/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an NMI is: kernel/arch/x86_64/entry/nmi_origin.c and arch_kick() of apic/lapic.c. Some CPUs kick one, which takes the
 * NMIs; somebody outside sends one as well. While one is handled, others merge into one that is kept. An NMI that has been sent
 * may be on its way for a while (FLIGHT), but not for as long as the handler waits before it calls kicks settled.
 *
 * Checked: no more NMIs are called foreign than came from outside, at any time. And, if the handler waits for senders (as it does
 * unless they are held up), one from outside that comes when all is quiet is called foreign. Each macro of the form WITHOUT_* takes
 * away what it names, and OLD_RULE is what was there before; spin then has to find an error.
 */

#ifndef SENDERS
#define SENDERS 3
#endif
#ifndef KICKS
#define KICKS 1 /* of each sender */
#endif

byte kicks, flying, older; /* of those that fly, `older` did so when the handler looked */
bool kicking[SENDERS], kept, blocked;
bool soon; /* what is kept has come before the time was over, and is handled then: only a handler keeps it from that */
byte ended, outside, foreign;

byte seen, owed;	/* the handler's */
bool settled, moved;	/* `moved`: an instruction was executed since the last handler */
bool lone, told;

/* ---- the CPUs that kick ---- */

active [SENDERS] proctype sender()
{
	byte left = KICKS;

	do
	:: left > 0 ->
		left--;
#ifndef WITHOUT_KICKING
		kicking[_pid] = true;
#endif
		kicks++;
#ifdef FLIGHT
		flying++;
#else
		kept = true;
#endif
		kicking[_pid] = false
	:: else -> break
	od;
	ended++
}

#ifdef FLIGHT
active proctype wires()
{
end:	do
	:: atomic { older > 0 -> older--; flying--; kept = true; soon = true }
	:: atomic { flying > older -> flying--; kept = true }
	od
}
#endif

/* One at any time, or one when nothing else happens any more. */
active proctype somebody()
{
	if
	:: atomic { outside++; kept = true }
	:: skip
	fi;
	atomic {
		ended == SENDERS && flying == 0 && !kept && !blocked && moved ->
		lone = true;
		told = false;
		outside++;
		kept = true
	}
}

/* ---- the CPU that is kicked ---- */

/* All that was counted has been sent. PATIENT: nobody is held up for long. */
inline look_at_senders()
{
	settled = true;
	n = 0;
	do
	:: n < SENDERS ->
#ifdef PATIENT
		!kicking[n];
#else
		if
		:: kicking[n] -> settled = false
		:: else
		fi;
#endif
		n++
	:: else -> break
	od
}

/* A kick that has been sent comes soon, and a kept one before the next instruction. */
#ifdef WITHOUT_SETTLED
#define SETTLED true
#else
#define SETTLED settled
#endif
#ifdef WITHOUT_NEXT
#define NEXT true
#else
#define NEXT was_moved
#endif
#ifdef WITHOUT_TIME
#define TIME true
#else
#define TIME late
#endif
#ifdef WITHOUT_EXPIRY
#define IS_OVER false
#else
#define IS_OVER (SETTLED && NEXT && TIME)
#endif

active proctype nmi_handle()
{
	byte n, now, new;
	bool was_moved, late;

end:	do
	:: atomic { kept && !blocked -> kept = false; blocked = true; was_moved = moved; moved = false; late = older == 0 && !soon; soon = false };
		atomic { now = kicks; new = now - seen };
#ifdef OLD_RULE
		if
		:: new > 1 -> seen = now - 1
		:: else -> seen = now
		fi;
		if
		:: new == 0 -> foreign++; told = true
		:: else
		fi;
#else
		seen = now;
		if
		:: IS_OVER -> owed = 0
		:: else
		fi;
#ifdef WITHOUT_OWED
		owed = new;
#else
		owed = owed + new;
#endif
		if
		:: owed == 0 -> foreign++; told = true
		:: else ->
			owed--;
			if
			:: owed > 0 ->
				look_at_senders();
				older = flying
			:: else
			fi
		fi;
#endif
		assert(foreign <= outside);
#ifdef PATIENT
		assert(!lone || told);
#endif
		blocked = false
	:: atomic { !blocked && !kept && !moved -> moved = true }
	od
}
