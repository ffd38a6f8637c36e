#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
profiling/decode.py against the assembler and the disassembler: what is written here has that kind, and in the kernel itself the
kinds found in the bytes are those of the disassembler's mnemonics. usage: decode_test.py BUILD ASSEMBLER
"""

import re
import sys
import unittest

import assembly
import decode

BUILD, ASSEMBLER = sys.argv[1:3]

# Every kind but "event", which no instruction is.
EXAMPLES = {
    "syscall": "syscall; sysenter",
    "sysret": "sysretl; sysretq; sysexitl; sysexitq",
    "int": "int3; int $0x80",
    "iret": "iretq; iretl",
    "swapgs": "swapgs",
    "cr0_write": "mov %rax, %cr0; lmsw %ax; lmsw (%rax)",
    "cr2_write": "mov %r9, %cr2",
    "cr3_write": "mov %rdi, %cr3; mov %r15, %cr3",
    "cr4_write": "mov %rcx, %cr4",
    "cr8_write": "mov %rax, %cr8; mov %r12, %cr8",
    "cr_read": "mov %cr3, %rax; mov %cr2, %r10; mov %cr8, %rax; smsw %ax; smsw (%rbx)",
    "clts": "clts",
    "lock": "lock incl (%rax); lock xadd %rax, (%r8); lock cmpxchg16b (%rdi); lock btsq $1, 8(%r9); xchg %eax, (%rdi);"
            "xchg %r8b, 3(%r9)",
    "rdbase": "rdfsbase %rax; rdgsbase %r9; rdfsbase %ecx",
    "wrbase": "wrfsbase %rax; wrgsbase %r9",
    "segment": "mov %eax, %ds; mov %cx, %gs; pop %fs; lretq; ljmpl *(%rax); lcalll *(%rax); lss (%rax), %ecx",
    "xsave": "xsave (%rax); xsave64 (%r8); xsaveopt64 (%rdi); xsavec (%rax); xsaves64 64(%rax); fxsave64 (%rcx)",
    "xrstor": "xrstor64 (%rdi); xrstor (%r9); xrstors64 (%rax); fxrstor (%rcx)",
    "xgetbv": "xgetbv",
    "xsetbv": "xsetbv",
    "rdmsr": "rdmsr",
    "wrmsr": "wrmsr",
    "rdtsc": "rdtsc; rdtscp",
    "rdpmc": "rdpmc",
    "vmentry": "vmlaunch; vmresume; vmrun",
    "vmread": "vmread %rax, %rbx; vmread %rax, 8(%r9)",
    "vmwrite": "vmwrite %rax, %rbx; vmwrite (%r8), %rcx",
    "vmptr": "vmptrld (%rax); vmptrst (%r8); vmclear (%rdi)",
    "vmswitch": "vmxon (%rax); vmxoff",
    "vmstate": "vmload; vmsave",
    "gif": "stgi; clgi",
    "invept": "invept (%rax), %rcx; invept (%r8), %r9",
    "invvpid": "invvpid (%rax), %rcx",
    "invpcid": "invpcid (%rax), %rcx; invpcid (%r12), %r13",
    "invlpg": "invlpg (%rax); invlpg (%r9); invlpga",
    "dr_read": "mov %db7, %rax",
    "dr_write": "mov %rax, %db6; mov %r9, %db7",
    "ltr": "ltr %ax; ltr (%rax)",
    "lldt": "lldt %ax",
    "lgdt": "lgdt (%rax)",
    "lidt": "lidt (%rax)",
    "mfence": "mfence",
    "lfence": "lfence",
    "sfence": "sfence",
    "cacheline": "clflush (%rax); clflushopt (%r8); clwb (%rax)",
    "wbinvd": "wbinvd; invd",
    "pause": "pause",
    "hlt": "hlt",
    "mwait": "monitor; mwait",
    "cpuid": "cpuid",
    "io": "in $0x60, %al; in %dx, %eax; out %al, $0x80; out %ax, %dx; insb; rep outsl",
    "cli": "cli; sti",
    "popf": "popfq",
    "rep": "rep movsq; rep stosb; repne scasb",
    "div": "div %rcx; idivl (%r8); divb %ah",
}

# Look like some of the above.
PLAIN = """xchg %rax, %rbx; xchg %bx, %bx; nop; xchg %r8, %rax; movsq; stosb; mov %ds, %eax; mov (%rax), %rbx; not %rax; mul %rcx
testb $1, (%rax); call *(%rax); jmp *(%rax); push (%rax); nopw 0(%rax,%rax,1); cmpxchg16b (%rdi); rdrand %rax; rdseed %rcx
sgdt (%rax); sidt (%rax); str %ax; pshufb %xmm0, %xmm1; pcmpeqb %xmm0, %xmm1; tzcnt %rax, %rbx; bsf %rax, %rcx
crc32b (%rax), %ecx; movbe (%rax), %ecx; prefetcht0 (%rax); vaddps %ymm0, %ymm1, %ymm2; endbr64; bswap %r8; ldmxcsr (%rax)
stmxcsr (%rax); lar %ax, %cx; pushfq; ret; leave; verr %ax; ud2; vmcall"""

MNEMONICS = {
    **dict.fromkeys(("sysretq", "sysretl", "sysret"), "sysret"), **dict.fromkeys(("iretq", "iret"), "iret"), "swapgs": "swapgs",
    **dict.fromkeys(("rdfsbase", "rdgsbase"), "rdbase"), **dict.fromkeys(("wrfsbase", "wrgsbase"), "wrbase"),
    **dict.fromkeys(("xsave64", "xsaveopt64", "fxsave64", "xsave", "xsaveopt", "xsavec64", "xsaves64"), "xsave"),
    **dict.fromkeys(("xrstor64", "fxrstor64", "xrstor"), "xrstor"), "rdtscp": "rdtsc", "monitor": "mwait", "sti": "cli",
    **dict.fromkeys(("divq", "divl", "idiv", "idivl", "idivq"), "div"), "invd": "wbinvd", "clflush": "cacheline",
    **dict.fromkeys(("vmlaunch", "vmresume", "vmrun"), "vmentry"), **dict.fromkeys(("vmptrld", "vmclear"), "vmptr"),
    **dict.fromkeys(("vmxon", "vmxoff"), "vmswitch"), **dict.fromkeys(("vmload", "vmsave"), "vmstate"),
    **dict.fromkeys(("stgi", "clgi"), "gif"), "invlpga": "invlpg", **dict.fromkeys(("in", "out"), "io"),
    **dict.fromkeys(("int3", "int"), "int"), "popf": "popf", "lret": "segment", "lretq": "segment", "smsw": "cr_read"}
MNEMONICS.update({name: name for name in decode.KINDS if name not in ("event", "lock", "rep", "segment", "io", "cli")})
MNEMONICS["cli"] = "cli"


def assemble(source):
    return assembly.assemble(ASSEMBLER, source)


def kind_of_string(mnemonic):
    return "io" if mnemonic.startswith(("ins", "outs")) else "rep"


def kind_of_text(text):
    """The kind by the disassembler's words."""
    text = re.sub(r"^(cs|ds|es|ss) ", "", text)  # prefixes that only make it longer
    words = text.split()
    name = words[0]
    if name == "lock" or name == "xchg" and "(" in text:
        return "lock"
    if name in ("rep", "repz", "repnz"):
        return kind_of_string(words[1]) if words[1:] else None
    control = re.search(r",%(cr|db)(\d+)$", text)
    if name == "mov" and control:
        return f"cr{control[2]}_write" if control[1] == "cr" else "dr_write"
    if name == "mov" and re.search(r"%(cr|db)\d+,", text):
        return "cr_read" if "%cr" in text else "dr_read"
    if re.search(r"^(mov|pop) .*%(ds|es|fs|gs|ss)$", text):
        return "segment"
    return MNEMONICS.get(name)


class Decode(unittest.TestCase):
    def test_every_kind_has_an_example(self):
        self.assertEqual(EXAMPLES.keys() | {"event"}, decode.KINDS.keys())

    def test_examples(self):
        for kind, source in EXAMPLES.items():
            found = assemble(source)
            self.assertEqual(len(found), source.count(";") + 1, source)
            for code, text in found:
                self.assertEqual(decode.kind(code), kind, f"{text}: {code.hex()}")

    def test_plain(self):
        for code, text in assemble(PLAIN):
            self.assertIsNone(decode.kind(code), f"{text}: {code.hex()}")

    def test_what_follows_does_not_matter(self):
        for kind, source in EXAMPLES.items():
            for code, text in assemble(source):
                for tail in (b"\xf0\x0f\x05", b"\xff" * 8, b"\x00" * 8):
                    self.assertEqual(decode.kind(code + tail), kind, text)

    def test_incomplete(self):
        for code in (b"", b"\x66", b"\x48", b"\x0f", b"\x0f\x01", b"\xf3\x0f", b"\xf6", b"\x0f\xae"):
            decode.kind(code)  # whatever it says, it does not fail

    def test_kernel(self):
        total, kinds = 0, set()
        for code, text in assembly.disassemble(f"{BUILD}/hypervisor"):
            self.assertEqual(decode.kind(code), kind_of_text(text), f"{text}: {code.hex()}")
            total += 1
            kinds.add(decode.kind(code))
        self.assertGreater(total, 5000)
        self.assertLessEqual({"sysret", "iret", "cr3_write", "lock", "xgetbv", "wrmsr", "invlpg", "ltr"}, kinds)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
