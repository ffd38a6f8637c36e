#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Tests the explorer: each mutation breaks a copy of the kernel's code, or of the explored machine's, in one way, and the explorer
must find it. Mutations are made in a scratch folder, with the compiler's command lines of the build folder.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Mutation:
    """`edits`: (file, text, its replacement). `also`: sources to compile again besides those edited, for edited headers."""

    def __init__(self, name, scenario, *edits, also=()):
        self.name, self.scenario, self.edits, self.also = name, scenario, edits, also

    def sources(self):
        edited = [file for file, _, _ in self.edits if not file.endswith(".h")]
        return list(dict.fromkeys([*edited, *self.also]))


SM = "kernel/core/sm.c"
RCU = "kernel/core/rcu.c"
REVOKE = "kernel/space/space_obj_revoke.c"
TLB = "kernel/arch/x86_64/mmu/tlb.c"
DRAIN = "kernel/core/drain.c"
ARCH = "tests/interleave/arch/arch.c"

SETTLES = (
    (SM, "if (unlikely(list_empty(&sm->waiters)) || unlikely(sm->owed < 0)) {",
     "if (sm->state == -1 || unlikely(list_empty(&sm->waiters)) || unlikely(sm->owed < 0)) {"),
    (SM, "\tif (unlikely(sm->owed > 0)) {",
     "\twhile (sm->owed > 0 && !list_empty(&sm->waiters)) {\n\t\tstruct ec *w = first_waiter(sm);\n"
     "\t\tsm->owed--;\n\t\tdequeue_locked(w);\n\t\tec_wake(cpu_current(), w, SUCCESS);\n\t}\n"
     "\tif (unlikely(sm->owed > 0)) {"),
)

MUTATIONS = [
    Mutation("a down hands units on and then goes to sleep", "sm.down_meets_up", *SETTLES),
    Mutation("the end of a semaphore overtakes an up", "sm.end_meets_up",
             (SM, "if (unlikely(sm->owed > 0)) {", "if (sm->owed > 0 && !sm->dead) {")),
    Mutation("a unit for a down that is about to queue is dropped", "sm.down_meets_up",
             (SM, "\t\tsm->owed++;\n", "")),
    Mutation("an up for one who left counts twice", "sm.killed_while_upped",
             (SM, "> 0)\n\t\tsm->owed--;", "> 0)\n\t\t(void)sm;")),
    Mutation("the lock of a semaphore is dropped early", "sm.three_cpus",
             (SM, "\tstruct ec *ec = first_waiter(sm);\n\tdequeue_locked(ec);\n\tspin_unlock(&sm->lock);",
              "\tspin_unlock(&sm->lock);\n\tstruct ec *ec = first_waiter(sm);\n\tdequeue_locked(ec);")),
    Mutation("the end of a semaphore takes no lock", "sm.end_with_waiters",
             (SM, "\tbool more = false;\n\n\tspin_lock(&sm->lock);", "\tbool more = false;\n\n"),
             (SM, "\t\tmore = abort_waiters_locked(sm);\n\tspin_unlock(&sm->lock);", "\t\tmore = abort_waiters_locked(sm);")),
    Mutation("a return by IRET does not look at hazards", "sm.preempt_loop",
             ("tests/interleave/kernel_side.c", "if (!cpu->hazard)\n\t\t\treturn WAY_USER;\n\t\tcpu->ec->cont = way",
              "if (!cpu->hazard || way == TRAP)\n\t\t\treturn WAY_USER;\n\t\tcpu->ec->cont = way")),
    Mutation("a return by SYSRET does not look at hazards", "sm.preempt_loop",
             ("tests/interleave/kernel_side.c", "if (!cpu->hazard)\n\t\t\treturn WAY_USER;\n\t\tcpu->ec->cont = way",
              "if (!(cpu->hazard & ~(u32)HAZARD_REMOTE))\n\t\t\treturn WAY_USER;\n\t\tcpu->ec->cont = way")),
    Mutation("a CPU does not look at its mailbox before it sleeps", "sm.wake_idle",
             (ARCH, "return !cpu->hazard && !__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED);",
              "return !cpu->hazard;")),
    Mutation("a signal looks at `sleeping` before the work item is there", "sm.wake_then_loop",
             ("kernel/core/remote.c", "\tif (!mailbox_push(&cpu->mailbox, w)) {",
              "\tbool asleep = __atomic_load_n(&cpu->sleeping, __ATOMIC_SEQ_CST) == SLEEPING_MWAIT;\n"
              "\tif (!mailbox_push(&cpu->mailbox, w) || asleep) {")),
    Mutation("work items are taken before the hazard is cleared", "sm.wake_then_loop",
             ("kernel/core/dispatch.c", "\t\thazard_clear(cpu, HAZARD_REMOTE);\n\t\tremote_take(cpu);",
              "\t\tremote_take(cpu);\n\t\thazard_clear(cpu, HAZARD_REMOTE);")),
    Mutation("work items are taken by a load and a store", "sm.wake_then_loop",
             ("kernel/core/remote.h", "__atomic_exchange_n(&m->newest, NULL, __ATOMIC_ACQUIRE);",
              "m->newest;\n\tm->newest = NULL;"), also=("kernel/core/remote.c",)),
    Mutation("who waits for room does not let others go first", "sm.crowds_meet",
             ("kernel/core/unfinished.c", "\t\tif (is_wanted(cpu))\n\t\t\treturn false;\n\tu->crowded = 0;",
              "\t\tarch_relax();\n\tu->crowded = 0;")),
    Mutation("who waits for room waits for a CPU that is lost", "sm.crowd_of_the_lost",
             ("kernel/core/remote.c", "return cpu_online(cpu_id) && ", "return ")),
    Mutation("a killed EC stays in the queue of its semaphore", "sm.killed_waiter",
             ("kernel/core/ec.c", "\tif (sm)\n\t\tsm_forget(sm, ec);", "\t(void)sm;")),
    Mutation("SCs of a killed EC are forgotten", "ipc.kill_server",
             ("kernel/core/ec.c", "\tec_unpark(cpu, end);\n", "")),
    Mutation("who was not let go by an answer helps for ever", "ipc.kill_helped",
             ("kernel/core/dispatch.c", "\telse if ((helper = helper_in_vain(cpu, ec)))\n\t\tec_unhelp(helper);\n", "")),
    Mutation("an EC ends while others help it", "ipc.kill_helped",
             ("kernel/core/reap.c", "unfinished_bury(ec) || ec_release_helpers(ec)", "unfinished_bury(ec)")),
    Mutation("SCs that were parked together do not leave the ready queue", "sc.ends_with_equals",
             ("kernel/core/sc.c", "\tsched_dequeue(&cpu->sched, &sc->link, sc->prio);\n}\n\nvoid sc_retire",
              "\tlist_unlink(&sc->link);\n}\n\nvoid sc_retire")),
    Mutation("objects are freed without a grace period", "object.",
             ("kernel/core/reap.c", "\tif (used_by_nobody(type))\n", "\tif (!has_owner_cpu(type))\n")),
    Mutation("a grace period waits for nobody", "object.delegate",
             (RCU, "\tif (__atomic_load_n(&other->sleeping, __ATOMIC_RELAXED))\n\t\treturn;", "\treturn;")),
    Mutation("the queue of a grace period is taken by a load and a store", "rcu.lost_cpu",
             (RCU, "rcu.batch = __atomic_exchange_n(&rcu.queue, NULL, __ATOMIC_SEQ_CST);",
              "rcu.batch = rcu.queue;\n\trcu.queue = NULL;")),
    Mutation("a CPU leads while something of its own gets ripe", "rcu.",
             (RCU, "if (unlikely(rcu_has_ripe(cpu))) { /* the one", "if (false) { /* the one")),
    Mutation("two CPUs lead a grace period", "rcu.",
             (RCU, "if (__atomic_load_n(&rcu.busy, __ATOMIC_RELAXED) || __atomic_exchange_n(&rcu.busy, 1, __ATOMIC_ACQ_REL))",
              "if (__atomic_load_n(&rcu.busy, __ATOMIC_RELAXED))")),
    Mutation("nobody answers a grace period on the way out", "object.two",
             (RCU, "\thazard_clear(cpu, HAZARD_RCU);\n\tanswer_if_asked(cpu);", "\thazard_clear(cpu, HAZARD_RCU);")),
    Mutation("an EC is freed where it was found, not on its owner CPU", "sm.killed",
             ("kernel/core/reap.c", "if (cpu_count > 1 && has_owner_cpu(o->type)) {", "if (false) {")),
    Mutation("references are counted by a load and a store", "sm.killed_while",
             ("kernel/core/reap.c", "\tif (!__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))\n\t\tqueue(o);",
              "\tif (!--o->refs)\n\t\tqueue(o);")),
    Mutation("a slot is not looked at again under the lock", "object.two",
             ("kernel/space/slot.h", "if (likely(slot_read(s) == c))", "if (true || slot_read(s) == c)"),
             also=[REVOKE]),
    Mutation("a dying capability is passed by", "object.revoke_interrupted",
             (REVOKE, "\treturn c & perm || (c && !cap_perm(c));", "\treturn c & perm;"),
             (REVOKE, "\tif (c && !cap_perm(c))\n\t\trevoke_slow(s, 0, 0, false);", "\t(void)c;")),
    Mutation("a capability goes while somebody's place is below it", "object.revoke",
             (REVOKE, "\tif (mdb_ends_with_place(w)) {", "\tif (false) {"),
             (REVOKE, "\tif (!mdb_is_empty(w))\n\t\treturn mdb_leave(w);", "")),
    Mutation("an interrupted revocation does not go on", "object.revoke_interrupted",
             ("kernel/core/unfinished.c", "\tif (begun || !reap_all(cpu))\n\t\tkeep(cpu, cpu->ec);",
              "\tif (!begun && !reap_all(cpu))\n\t\tkeep(cpu, cpu->ec);")),
    Mutation("a thread that dies leaves its revocation as it is", "object.revoke_overtaken",
             ("kernel/core/unfinished.c", "\treturn space_obj_revoke_step(&ec->unfinished.revocation);\n}",
              "\treturn ec && false;\n}")),
    Mutation("a thread that dies without references leaves its revocation as it is", "object.revoke_bequeathed",
             ("kernel/core/reap.c", "unlikely(ec_leaves_much((struct ec *)o))", "false")),
    Mutation("a revocation keeps its own thread alive", "object.revoke_itself",
             ("kernel/core/unfinished.c", "\tspace_obj_revoke_leave(&u->revocation);\n\ttake_from", "\ttake_from")),
    Mutation("a thread that dies keeps the place of a PD that it makes", "object.create_pd_interrupted",
             ("kernel/core/unfinished.c", "\t\tspace_obj_cancel(ec->pd, ec->unfinished.slot);\n", "")),
    Mutation("a PD that is not finished stays", "object.create_pd_interrupted",
             ("kernel/core/unfinished.c", "\t\tkobject_caps_gone(&d->dst->obj);\n", "")),
    Mutation("an interrupted thread forgets what it has killed", "object.dismantle_interrupted",
             ("kernel/core/unfinished.c", "\ttake_from_ec(cpu, u, &cpu->dying, HAZARD_REAP); /* for the moment */\n", "")),
    # One of the two alone is no fault: what is kept is taken over by whoever waits for memory.
    Mutation("what was sent is kept by an interrupted thread, and not waited for", "memory.sent_to_the_preempted",
             ("kernel/core/dispatch.c", "\t\treap_sent(cpu);", "\t\t(void)!reap_all(cpu);"),
             (RCU, "\tawait_kept(cpu);\n\tawait_sent", "\tawait_sent")),
    Mutation("the time of an SC is not looked at again", "sc.time_read_elsewhere",
             ("kernel/core/sc.c", "account != __atomic_load_n(&sc->account, __ATOMIC_RELAXED)", "false")),
    Mutation("a charge begins with the time of the next", "sc.time_read_elsewhere",
             ("kernel/core/dispatch.h", "\tarch_add_here(&sc->account, now + 1 - cpu->sc_since);\n",
              "\tu64 since = cpu->sc_since;\n\t__atomic_store_n(&cpu->sc_since, now, __ATOMIC_RELEASE);\n"
              "\tarch_add_here(&sc->account, now + 1 - since);\n"),
             also=("kernel/core/dispatch.c", "kernel/core/sc.c", "kernel/core/ec.c", "kernel/core/sm.c")),
    Mutation("a server keeps what it has killed when it loses its time", "object.dismantle_bereft",
             ("kernel/core/sc.c", "unfinished_disown(cpu, &ec_chain_end(sc->ec)->unfinished);",
              "unfinished_disown(cpu, &sc->ec->unfinished);")),
    Mutation("who revokes ports does not finish what others have begun", "port.revoke_overtaken",
             ("kernel/space/pio_revoke.c", "struct pio_job *j = pio_revoke_job_locked(range);",
              "struct pio_job *j = *next == range.base ? NULL : pio_revoke_job_locked(range);")),
    Mutation("ports are taken from a PD, and not from those below it", "port.",
             ("kernel/space/pio_revoke.c", "struct pio_range *c = pio_range_given(&j->taken->pd->pio, b);",
              "struct pio_range *c = NULL;")),
    Mutation("stale marks are set by a store", "tlb.",
             (TLB, "__atomic_exchange_n(&pd->tlb_stale[n], 1, __ATOMIC_SEQ_CST); /* a barrier, too */",
              "__atomic_store_n(&pd->tlb_stale[n], 1, __ATOMIC_RELAXED);")),
    Mutation("a flush waits for nobody", "tlb.",
             (TLB, "\tspin_unlock(&pd->tlb_lock);\n\twait_for(s);", "\tspin_unlock(&pd->tlb_lock);")),
    Mutation("a CPU that left is not looked at again", "tlb.unmap_twice",
             (TLB, "\tif (!__atomic_load_n(&pd->tlb_stale[n], __ATOMIC_SEQ_CST))\n\t\tactivate(pd, n);\n", "")),
    Mutation("a switch says late whom it enters", "tlb.",
             (ARCH, "\t__atomic_store_n(&cpu->ec, to, __ATOMIC_RELAXED);\n\tswitch_space(cpu, from, to);",
              "\tswitch_space(cpu, from, to);\n\t__atomic_store_n(&cpu->ec, to, __ATOMIC_RELAXED);")),
    Mutation("a load of CR3 does not serialize", "tlb.",
             ("tests/interleave/kernel_side.c", "void interleave_cr3_write(u64 v)\n{\n\tmemory_drain();",
              "void interleave_cr3_write(u64 v)\n{")),
    Mutation("a poke is a plain store", "vcpu.poke",
             ("kernel/core/vcpu.c", "\tif (__atomic_exchange_n(&v->poked, true, __ATOMIC_SEQ_CST))\n\t\treturn SUCCESS;",
              "\t__atomic_store_n(&v->poked, true, __ATOMIC_RELAXED);")),
    Mutation("a vCPU is loaded by a plain store", "vcpu.",
             ("tests/interleave/arch/vcpu.c", "__atomic_store_n(&cpu->vcpu, v, __ATOMIC_SEQ_CST);",
              "__atomic_store_n(&cpu->vcpu, v, __ATOMIC_RELAXED);")),
    Mutation("the work item of a poke is not forgotten", "vcpu.poke",
             ("kernel/core/vcpu.c", "\t(void)__atomic_exchange_n(&v->poke_sent, false, __ATOMIC_SEQ_CST);", "")),
    Mutation("a CPU that is lost still owes its answer", "rcu.lost_cpu",
             (RCU, "\tanswer_if_asked(lost);", "\t(void)lost;")),
    Mutation("a CPU that is lost still runs a PD", "tlb.lost_cpu",
             (ARCH, "\tcpu->space = &pd_kernel;\n", "")),
    Mutation("who waits for memory answers nobody", "memory.scarce",
             (RCU, "{\n\tanswer_if_asked(cpu);\n\tremote_take(cpu);", "{\n\tremote_take(cpu);")),
    Mutation("who waits for memory takes no work items", "memory.scarce_work",
             (RCU, "\tremote_take(cpu);\n\tif (!list", "\tif (!list")),
    Mutation("a hypercall that waits for memory forgets whose", "memory.scarce",
             ("kernel/core/unfinished.c", "\t\tu->delegation = kept;\n\t} else", "\t} else")),
    Mutation("only CPUs that sleep already are woken for a message", "console.log_meets_sleep",
             (DRAIN, "READ_ONCE(cpu->ec) == cpu->idle_ec", "READ_ONCE(cpu->sleeping)")),
    Mutation("whoever logs looks for idle CPUs before others can see it", "console.log_meets_sleep",
             (DRAIN, "\t__atomic_thread_fence(__ATOMIC_SEQ_CST);\n", "")),
    Mutation("a CPU that got busy keeps to itself that it was to write", "console.passed_on",
             (DRAIN, "false, __ATOMIC_SEQ_CST);\n\tif (READ_ONCE(console_pending))\n\t\twake();\n}\n\nvoid drain_start",
              "false, __ATOMIC_SEQ_CST);\n}\n\nvoid drain_start")),
    Mutation("a CPU that is called away tells nobody", "console.log_meets_wake",
             (DRAIN, "\t__atomic_store_n(&draining, false, __ATOMIC_SEQ_CST);\n\tif (READ_ONCE(console_pending))\n\t\twake();\n",
              "\t__atomic_store_n(&draining, false, __ATOMIC_SEQ_CST);\n")),
]


class Build:
    """How the build folder compiles and links the explorer."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        out = subprocess.run(["ninja", "-C", folder, "-t", "commands", "interleave"], capture_output=True, text=True, check=True)
        lines = [line for line in out.stdout.splitlines() if "interleave" in line]
        self.compile = {}
        for line in lines:
            words = shlex.split(line)
            if "-c" in words:
                self.compile[os.path.relpath(words[words.index("-c") + 1], ROOT)] = words
        self.link = shlex.split(lines[-1].replace(": &&", "").replace("&& :", ""))

    def make(self, mutation, scratch):
        """The mutated explorer; raises if a text is not there any more, or does not compile."""
        for part in ("kernel", "tests/interleave"):
            subprocess.run(["cp", "-r", str(ROOT / part), str(scratch / pathlib.Path(part).name)], check=True)

        def place(file):
            return scratch / file.replace("tests/interleave", "interleave", 1)

        for file, old, new in mutation.edits:
            text = place(file).read_text()
            if text.count(old) != 1:
                raise RuntimeError(f"{file} has this text {text.count(old)} times, not once: {old.strip()[:60]!r}")
            place(file).write_text(text.replace(old, new))
        objects = {}
        for source in mutation.sources():
            words = self.compile[source]
            target = scratch / (source.replace("/", "_") + ".o")
            objects[words[words.index("-o") + 1]] = str(target)
            swapped = [self.swap(w, scratch) for w in words]
            swapped[swapped.index("-o") + 1] = str(target)
            swapped = self.without_dependencies(swapped)
            subprocess.run([*swapped, "-Wno-error"], cwd=self.folder, check=True, capture_output=True, text=True)
        program = scratch / "explorer"
        words = [objects.get(w, w) for w in self.link]
        words[words.index("-o") + 1] = str(program)
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True, text=True)
        return program

    @staticmethod
    def swap(word, scratch):
        """A word of a command line, about the copy instead of the sources."""
        for part in ("tests/interleave", "kernel"):
            word = word.replace(str(ROOT / part), str(scratch / pathlib.Path(part).name))
        return word

    @staticmethod
    def without_dependencies(words):
        """The compiler must not write into the build folder what the mutated source depends on."""
        for flag in ("-MT", "-MF"):
            i = words.index(flag)
            del words[i:i + 2]
        words.remove("-MD")
        return words


def judge(build, mutation, seconds):
    """(found, what is said about it)"""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="interleave-") as folder:
        try:
            program = build.make(mutation, pathlib.Path(folder))
        except subprocess.CalledProcessError as e:
            return False, f"does not build: {e.stderr[-800:]}"
        except RuntimeError as e:
            return False, str(e)
        only = ["--scenario", mutation.scenario] if mutation.scenario else []
        run = subprocess.run([program, "--seconds", str(seconds), "--quiet", *only], capture_output=True, text=True)
    took = time.monotonic() - start
    said = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "data race"))]
    if run.returncode == 1 and said:
        return True, f"{took:5.1f} s  {said[0][:150]}"
    return False, f"not found in {took:.1f} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build folder of the preset `host`")
    parser.add_argument("--seconds", type=float, default=10, help="for each scenario of a mutation (default 10)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="mutations with this in their name")
    args = parser.parse_args()
    build, failed = Build(args.build), 0
    mutations = [m for m in MUTATIONS if args.only in m.name]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for mutation, (found, said) in zip(mutations, pool.map(lambda m: judge(build, m, args.seconds), mutations)):
            failed += not found
            print(f"{'found' if found else 'NOT FOUND':9} {mutation.name}: {said}", flush=True)
    print(f"{len(mutations) - failed} passed, {failed} failed")
    return 1 if failed or not mutations else 0


if __name__ == "__main__":
    sys.exit(main())
