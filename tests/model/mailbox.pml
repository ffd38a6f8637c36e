/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work items between CPUs: core/remote.h, arch_signal() of arch/x86_64/apic/lapic.c, and what the owner of a mailbox does between
 * kernel, user mode and sleep (entry/entry.S, entry/nmi.c). One instruction that others can notice is one step.
 *
 * MODE is how the owner sleeps: MWAIT or HALTED. x86-TSO: the owner's stores to `sleeping` go through a store buffer that
 * drains at any time; the senders' compare-and-swap drains theirs, which therefore needs no model.
 *
 * Checked: nothing ever waits for ever while an item is in the mailbox, all items arrive, those of one sender in order,
 * and whoever finds the mailbox empty signals, nobody else. The model must be able to fail: each macro of the form WITHOUT_*
 * takes away what it names, and spin then has to find an error (CMakeLists.txt).
 */

#define SENDERS 2
#define ITEMS 2 /* of each sender */
#define ALL (SENDERS * ITEMS)
#define SYSCALLS 2 /* how often user code enters the kernel by itself */

#define NOT 0
#define HALTED 1
#define MWAIT 2

/* An item is its number plus 1, 0 is the end of a list; sender and sequence follow from the number. */
#define SENDER(item) (((item) - 1) / ITEMS)
#define SEQUENCE(item) (((item) - 1) % ITEMS)

byte next[ALL + 1];
byte newest;			/* mailbox.newest */
bool written;			/* the line that MONITOR watches was written since */

byte sleeping;			/* what others see of the store that the owner made */
chan buffer = [2] of { byte };	/* and what they do not see yet */

bool nmi;			/* latched */
bool hazard;			/* HAZARD_REMOTE */

/* Where the owner is, for the NMI handler. */
mtype = { KERNEL, RESTART, IDLE, USER };
mtype place = KERNEL;
bool redirected;			/* the handler has changed where it returns to */
bool wake_up;			/* the handler returned behind HLT or MWAIT */

byte expected[SENDERS];		/* next item of each sender */
byte received;
byte batch;			/* how often the mailbox was emptied */
bool signalled[ALL + 1];	/* for that batch */

/* ---- senders ---- */

inline push(item, head, mine)
{
	head = newest;
	do
	:: atomic {
		newest == head ->
		next[item] = head;
		newest = item;
		written = true;
		mine = batch;
		break
	   }
	:: atomic { newest != head -> head = newest }
	od
}

inline signal(head, mine)
{
#ifndef WITHOUT_RULE
	if
	:: head == 0 ->
#endif
		d_step {
			assert(!signalled[mine]);
			signalled[mine] = true
		}
		if
		:: sleeping != MWAIT -> nmi = true
		:: else
		fi
#ifndef WITHOUT_RULE
	:: else
	fi
#endif
}

proctype sender(byte n)
{
	byte i, head, mine;

	for (i : 0 .. ITEMS - 1) {
		push(n * ITEMS + i + 1, head, mine);
		signal(head, mine)
	}
}

/* ---- the hardware: the owner's store buffer, NMIs at any boundary of its instructions ---- */

active proctype drain()
{
end:	do
	:: buffer ? sleeping
	od
}

active proctype nmi_handle()
{
end:	do
	:: atomic {
		nmi ->
		nmi = false;
		if
		:: newest -> hazard = true
		:: else
		fi;
#ifndef WITHOUT_REDIRECT
		redirected = hazard && place != KERNEL;
#else
		redirected = hazard && place != KERNEL && place != RESTART;
#endif
		wake_up = true
	   }
	od
}

#define FENCE empty(buffer)

/* ---- the owner ---- */

inline take_items()
{
	d_step {
		item = newest;
		newest = 0;
		written = true;
		if
		:: item -> batch++
		:: else
		fi
	};
	d_step {
		oldest = 0;
		do
		:: item ->
			following = next[item];
#ifndef WITHOUT_REVERSAL
			next[item] = oldest;
			oldest = item;
			item = following
#else
			oldest = item;
			break
#endif
		:: else -> break
		od;
		item = oldest;
		do
		:: item ->
			assert(SEQUENCE(item) == expected[SENDER(item)]);
			expected[SENDER(item)]++;
			received++;
			item = next[item]
		:: else -> break
		od;
		oldest = 0;
		following = 0
	}
}

active proctype owner()
{
	byte item, oldest, following, syscalls;

	run sender(0);
	run sender(1);

dispatch: /* dispatch_run() */
	if
	:: hazard ->
#ifndef WITHOUT_ORDER
		hazard = false;
		take_items()
#else
		take_items();
		hazard = false
#endif
	:: else
	fi;
	if
	:: goto leave
	:: goto sleep
	fi;

leave: /* the exits: test, registers, SYSRET */
	place = RESTART;
#ifndef WITHOUT_TEST
	if
	:: hazard -> goto enter
	:: else
	fi;
#endif
	if
	:: atomic { redirected -> goto enter }
	:: atomic { else -> skip } /* registers */
	fi;
	if
	:: atomic { redirected -> goto enter }
	:: atomic { else -> place = USER }
	fi;

end_user: /* until an NMI, or a hypercall */
	if
	:: redirected
	:: atomic { !redirected && syscalls < SYSCALLS -> syscalls++; place = KERNEL; goto leave }
	fi;

enter:
	atomic { redirected = false; place = KERNEL };
	goto dispatch;

sleep: /* arch_idle() */
	buffer ! MODE;
#ifndef WITHOUT_SLEEP_FENCE
	FENCE;
#endif
	place = IDLE;

restart_idle:
	if
	:: atomic { redirected -> goto idle_wake }
	:: atomic { else -> wake_up = false }
	fi;
	if
	:: hazard || redirected -> goto idle_wake
	:: else
	fi;
	if
#ifndef WITHOUT_CHECK
	:: newest || redirected -> goto idle_wake
#endif
	:: else
	fi;
	if
	:: MODE == HALTED -> skip
	:: else ->
		written = false; /* MONITOR */
		if
#ifndef WITHOUT_CHECK
		:: newest || redirected -> goto idle_wake
#endif
		:: else
		fi
	fi;

end_sleep: /* HLT, MWAIT */
	if
	:: redirected -> goto idle_wake
	:: wake_up && !redirected -> goto restart_idle
	:: MODE == MWAIT && written && !redirected -> goto restart_idle
	fi;

idle_wake:
	atomic { redirected = false; place = KERNEL };
	buffer ! NOT;
#ifndef WITHOUT_FENCE
	FENCE;
#endif
	hazard = true;
	goto dispatch
}

/* When nothing moves any more, there is nothing left to do. */
active proctype quiet()
{
	timeout -> assert(newest == 0 && received == ALL)
}
