# SPDX-License-Identifier: GPL-2.0-or-later
"""
Commands for GDB that show what the kernel is doing: `gdb build/release/hypervisor -x profiling/gdb/hedron.py`, then
`target remote :1234` (QEMU: -s -S) and `help hedron`. All CPUs have to be stopped, as they are at a prompt.

Values of some types are printed in words, too: capabilities, CRDs, lists, physical addresses.

Addresses and layouts come from the debug information and kernel/mm/layout.h; nothing is repeated here.
"""

import pathlib
import re

import gdb

LAYOUT = pathlib.Path(__file__).resolve().parents[2] / "kernel/mm/layout.h"
FRAME = 0x000ffffffffff000  # where an entry of a page table leads
ENTRIES = 512
CHAIN_MAX = 64  # a chain of calls that is longer has a circle
TYPES = {"KOBJ_PD": "pd", "KOBJ_EC": "ec", "KOBJ_SC": "sc", "KOBJ_PT": "pt", "KOBJ_SM": "sm", "KOBJ_KP": "kp", "KOBJ_VCPU": "vcpu"}
PERMISSIONS = {"KOBJ_PD": ("create",), "KOBJ_EC": ("ctrl", "", "sc", "pt"), "KOBJ_SC": ("ctrl",), "KOBJ_PT": ("ctrl", "call"),
               "KOBJ_SM": ("up", "down"), "KOBJ_KP": ("ctrl",), "KOBJ_VCPU": ("ctrl",)}


# ---- Reading ----

def layout(name):
    """A constant of kernel/mm/layout.h."""
    found = re.search(rf"^#define {name} (0x[0-9a-f]+|\d+)\b", LAYOUT.read_text(), re.MULTILINE)
    return int(found[1], 0)


def at(kind, address):
    """The struct at an address."""
    return gdb.Value(int(address)).cast(gdb.lookup_type(f"struct {kind}").pointer()).dereference()


def container(kind, member, address):
    """The struct one of whose members is at this address."""
    field = next(field for field in gdb.lookup_type(f"struct {kind}").fields() if field.name == member)
    return at(kind, int(address) - field.bitpos // 8)


def nodes(anchor):
    """Addresses of the nodes of a circular list. A node that was unlinked leads into a list that it is not on."""
    seen = {int(anchor.address)}
    node = int(anchor["next"])
    while node not in seen:
        seen.add(node)
        yield node
        node = int(at("list", node)["next"])
    if node != int(anchor.address):
        raise gdb.error(f"{hexa(anchor.address)} is on no list")


def constant(enum, value):
    """Name of an enumerator, or the number."""
    for field in gdb.lookup_type(f"enum {enum}").fields():
        if field.enumval == int(value):
            return field.name
    return str(int(value))


def bits(value, enum, prefix):
    """Names of the bits that are set, of an enum with a name for each."""
    names = {field.enumval: field.name.removeprefix(prefix) for field in gdb.lookup_type(f"enum {enum}").fields()}
    return flags(value, [names.get(1 << bit, "") for bit in range(max(names).bit_length())])


def flags(value, names):
    """The same, of a list."""
    found = [name for bit, name in enumerate(names) if int(value) >> bit & 1 and name]
    unknown = int(value) >> len(names) << len(names)
    return " ".join(found + ([hex(unknown)] if unknown else []))


def hexa(value):
    return f"{int(value):#x}"


# ---- CPUs ----

def cpus():
    """struct cpu of each that is online."""
    count, online = int(gdb.parse_and_eval("cpu_count")), gdb.parse_and_eval("cpus_online")
    for number in range(count):
        if int(online[number // 64]) >> number % 64 & 1:
            yield cpu(number)


def cpu(number):
    return at("cpu", layout("CPU_AREA") + number * layout("CPU_AREA_SIZE"))


def current_cpu():
    """Of the thread that GDB looks at: QEMU numbers them from 1."""
    thread = gdb.selected_thread()
    return cpu(thread.num - 1 if thread else 0)


# ---- Words for objects ----

def pd_words(pd):
    own = int(pd) == int(gdb.parse_and_eval("&pd_kernel"))
    return f"{hexa(pd)}{' (kernel)' if own else ' (roottask)' if pd.dereference()['root'] else ''}"


def ec_words(ec):
    """One line for an EC; takes the struct."""
    parts = [f"EC {hexa(ec.address)} of PD {pd_words(ec['pd'])}", f"rip {hexa(ec['regs']['rip'])}",
             bits(ec["special"], "ec_special", "EC_")]
    if int(ec["sm"]):
        parts.append(f"waits on SM {hexa(ec['sm'])}")
    if int(ec["callee"]):
        parts.append(f"{'helps' if ec['helping'] else 'called'} EC {hexa(ec['callee'])}")
    return ", ".join(part for part in parts if part)


def running(cpu):
    """Who pays on a CPU."""
    return sc_words(cpu["sc"].dereference()) if int(cpu["sc"]) else "nobody"


def sc_words(sc):
    is_current = int(sc["account"]) & 1  # sc_is_current(): its state is that of the others
    state = "running" if is_current else constant("sc_state", sc["state"]).removeprefix("SC_").lower()
    whose = f"of EC {hexa(sc['ec'])}, runs EC {hexa(chain(sc['ec'])[-1])}"
    return f"SC {hexa(sc.address)}: priority {int(sc['prio'])}, {state}, {whose}"


def chain(ec, to="callee"):
    """The EC and whom it waits for, to the end; or who waits for it (`to` is "caller")."""
    found = [ec]
    while int(found[-1].dereference()[to]) and len(found) < CHAIN_MAX:
        found.append(found[-1].dereference()[to])
    return found


def object_words(address):
    """One line for an object of any type."""
    obj = at("kobject", address)
    kind = constant("kobject_type", obj["type"])
    head = f"{kind.removeprefix('KOBJ_')} {hexa(address)}: {int(obj['caps'])} caps, {int(obj['refs'])} refs"
    if kind not in TYPES:
        return head
    value = at(TYPES[kind], address)
    more = {"KOBJ_PD": lambda: "roottask's" if value["root"] else "",
            "KOBJ_EC": lambda: f"CPU {int(value['cpu_id'])}, {bits(value['special'], 'ec_special', 'EC_') or 'local'}, "
                               f"PD {pd_words(value['pd'])}",
            "KOBJ_SC": lambda: f"priority {int(value['prio'])}, EC {hexa(value['ec'])}",
            "KOBJ_PT": lambda: f"EC {hexa(value['ec'])}, rip {hexa(value['rip'])}, "
                               f"mtd {hexa(value['mtd'])}, id {hexa(value['id'])}",
            "KOBJ_SM": lambda: sm_count(value),
            "KOBJ_VCPU": lambda: f"CPU {int(value['cpu_id'])}, PD {pd_words(value['pd'])}, "
                                 + (f"run by EC {hexa(value['ec'])}" if int(value["ec"]) else "not running"),
            "KOBJ_KP": lambda: constant("kp_state", value["state"]).removeprefix("KP_").lower()}[kind]()
    return f"{head}, {more}" if more else head


def sm_count(sm):
    """The count, or how many wait."""
    waiting = sum(1 for _ in nodes(sm["waiters"]))
    return f"{waiting} waiting" if waiting else f"count {int(sm['state'])}"


# ---- Capability spaces ----

def tables(address, level):
    """(index, address of what it leads to) of the entries of the tables that are there, down to pages of slots."""
    entries = at("list", address).address.cast(gdb.lookup_type("unsigned long").pointer())
    for index in range(2 if level == 3 else ENTRIES):
        entry = int(entries[index])
        if not entry & 1:
            continue
        target = layout("HEAP_MAP") + (entry & FRAME)
        if level == 1:
            yield index, target
        else:
            for below, page in tables(target, level - 1):
                yield index * ENTRIES ** (level - 1) + below, page


def capabilities(pd):
    """(selector, word) of each capability of a PD."""
    slot = gdb.lookup_type("struct cap_slot")
    count = 4096 // slot.sizeof
    for number, page in tables(int(pd["objs"]["pdpt"]), 3):
        slots = gdb.Value(page).cast(slot.pointer())
        for index in range(count):
            word = int(slots[index]["cap"])
            if word:
                yield number * count + index, word


def permissions(word):
    kind = constant("kobject_type", at("kobject", word & ~63)["type"])
    return flags(word & 31, PERMISSIONS.get(kind, ()))


# ---- Commands ----

class Hedron(gdb.Command):
    """What the kernel is doing. An ADDRESS may be any expression."""

    def __init__(self):
        super().__init__("hedron", gdb.COMMAND_DATA, prefix=True)


class Command(gdb.Command):
    """A command `hedron NAME`: subclasses yield lines."""

    def __init__(self):
        super().__init__(f"hedron {type(self).__name__.lower()}", gdb.COMMAND_DATA)

    def invoke(self, text, _from_tty):
        try:
            for line in self.lines(gdb.string_to_argv(text)):
                gdb.write(line + "\n")
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error} (before the kernel has made its page tables, there is nothing to see)") from None
        except (gdb.error, ValueError) as error:
            raise gdb.GdbError(str(error)) from None


def address_of(words, default):
    """Of an expression; a dot, or nothing, stands for the current one."""
    return int(default()) if not words or words[0] == "." else int(gdb.parse_and_eval(words[0]))


class Cpus(Command):
    """hedron cpus: what each CPU runs, and what keeps it from the short way out."""

    def lines(self, _words):
        for one in cpus():
            yield f"CPU {int(one['id'])} at {hexa(one.address)}"
            yield f"  running  {running(one)}"
            yield f"  {'idle' if int(one['ec']) == int(one['idle_ec']) else ec_words(one['ec'].dereference())}"
            if int(one["space"]):
                yield f"  address space of PD {pd_words(one['space'])}"
            if int(one["hazard"]):
                yield f"  hazards: {bits(one['hazard'], 'hazard', 'HAZARD_')}"
            if int(one["sleeping"]):
                yield f"  sleeps: {constant('sleeping', one['sleeping'])}"


class Queue(Command):
    """hedron queue [CPU]: the SCs that are ready, in the order in which they will run; of all CPUs or one."""

    def lines(self, words):
        for one in [cpu(int(words[0], 0))] if words else cpus():
            yield f"CPU {int(one['id'])}:"
            yield f"  running   {running(one)}"
            if int(one["preempted"]):
                yield f"  preempted {sc_words(one['preempted'].dereference())}"
            queues = one["sched"]["queue"]
            for prio in range(queues.type.range()[1], -1, -1):
                for node in nodes(queues[prio]):
                    yield f"  {prio:<9} {sc_words(container('sc', 'link', node))}"


class Ec(Command):
    """hedron ec [ADDRESS]: registers and state of an EC (the current one) and whom it waits for.

    Registers are those of user mode when it last entered the kernel; what of them is on the way in or out is in the CPU."""

    def lines(self, words):
        ec = at("ec", address_of(words, lambda: current_cpu()["ec"]))
        yield ec_words(ec)
        events = f"events from selector {hexa(ec['event_base'])}"
        yield f"  CPU {int(ec['cpu_id'])}, goes on by {constant('ec_cont', ec['cont'])}, {events}"
        bases = f"FS base {hexa(ec['fs_base'])}, GS base {hexa(ec['gs_base'])}"
        yield f"  UTCB at {hexa(ec['utcb_va'])}, here {hexa(ec['utcb'])}; {bases}"
        names = [field.name for field in ec["regs"].type.fields()]
        for start in range(0, len(names), 4):
            yield "  " + "  ".join(f"{name:>6} {int(ec['regs'][name]):016x}" for name in names[start:start + 4])
        for number, link in enumerate(chain(ec.address)[1:], 1):
            yield f"  {'-' * number}> {ec_words(link.dereference())}"
        for node in nodes(ec["helpers"]):
            yield f"  helped by {ec_words(container('ec', 'helper_link', node))}"
        for sc in parked(ec):
            yield f"  parked here: {sc_words(sc)}"


def parked(ec):
    """The SCs that wait until the EC can run: one, or the first of each priority with those behind it."""
    for node in nodes(ec["parked_more" if ec["several"] else "parked"]):
        sc = container("sc", "link", node)
        yield sc
        if sc["leads"]:
            yield from (container("sc", "link", peer) for peer in nodes(sc["peers"]))


class Chain(Command):
    """hedron chain [ADDRESS]: the chain of calls that an EC (the current one) is in, from the first caller to the last one called.

    A star marks the EC. Below each are those who help it; at the end is who pays."""

    def lines(self, words):
        ec = at("ec", address_of(words, lambda: current_cpu()["ec"])).address
        callers, called = chain(ec, "caller"), chain(ec)
        links = callers[:0:-1] + called
        for depth, link in enumerate(links):
            one = link.dereference()
            yield f"{'* ' if int(link) == int(ec) else '  '}{'  ' * depth}{ec_words(one)}"
            for node in nodes(one["helpers"]):
                yield f"  {'  ' * depth}  helped by {ec_words(container('ec', 'helper_link', node))}"
        if len(callers) == CHAIN_MAX or len(called) == CHAIN_MAX:
            yield f"and so on: more than {CHAIN_MAX} links, or a circle"
        for payer in cpus():
            if int(payer["sc"]) and int(payer["sc"].dereference()["ec"]) in [int(link) for link in links]:
                yield f"paid on CPU {int(payer['id'])} by {running(payer)}"


class Object(Command):
    """hedron object ADDRESS: what a kernel object is."""

    def lines(self, words):
        if not words:
            raise gdb.GdbError("hedron object ADDRESS")
        yield object_words(address_of(words, int))


class Caps(Command):
    """hedron caps [PD [FIRST [LAST]]]: the capabilities of a protection domain, or those in a range; a dot is the current PD."""

    def lines(self, words):
        pd = at("pd", address_of(words, lambda: current_cpu()["ec"].dereference()["pd"]))
        first = int(words[1], 0) if len(words) > 1 else 0
        last = int(words[2], 0) if len(words) > 2 else first if len(words) > 1 else (1 << 64) - 1
        count = 0
        for selector, word in capabilities(pd):
            if first <= selector <= last:
                yield f"{selector:#9x}  {permissions(word):<10}  {object_words(word & ~63)}"
                count += 1
        yield f"{count} capabilities of PD {pd_words(pd.address)}"


class Sm(Command):
    """hedron sm ADDRESS: a semaphore and who waits on it."""

    def lines(self, words):
        if not words:
            raise gdb.GdbError("hedron sm ADDRESS")
        sm = at("sm", address_of(words, int))
        yield f"SM {hexa(sm.address)}: {sm_count(sm)}"
        for node in nodes(sm["waiters"]):
            yield f"  {ec_words(container('ec', 'sm_link', node))}"


# ---- Printers ----

class Words:
    """A printer: some words for a value."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        return self.text


def capability_words(value):
    word = int(value)
    return f"{object_words(word & ~63)}, {permissions(word)}" if word else "empty"


def crd_words(value):
    word = int(value)
    kind = ("null", "memory", "ports", "objects")[word & 3]
    return f"{kind} {word >> 12:#x}, order {word >> 7 & 31}, permissions {word >> 2 & 31:#x}"


def list_words(value):
    if not value.address or not int(value["next"]):
        return "not initialized"
    return f"list of {sum(1 for _ in nodes(value))}"


PRINTERS = {"cap_t": capability_words, "crd_t": crd_words, "list": list_words, "paddr_t": lambda value: hexa(value["v"])}


def printer(value):
    """GDB asks for each value. One that cannot be read is printed as usual."""
    words = PRINTERS.get(value.type.name or value.type.tag)
    try:
        return Words(words(value)) if words else None
    except gdb.error:
        return None


gdb.pretty_printers.append(printer)
for command in (Hedron, Cpus, Queue, Ec, Chain, Object, Caps, Sm):
    command()
