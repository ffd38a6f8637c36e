#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: planted_test.sh HBENCH SOURCE KERNEL ROOTTASK
# Builds a copy of the kernel with five instructions too many on the way of IPC, eight on that of exceptions, which is 3%, and none
# anywhere else: the gate must find that, say by how much, and leave all other cases alone. So must the tests called gate.*.

set -eu
export HBENCH_DB=none
hbench=$1 source=$2 kernel=$3 roottask=$4
cases=call_reply_cross/words:0,null,sm_up,yield_alone

if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "skipped: qemu-system-x86 is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tar -C "$source" --exclude=./build --exclude=./.git -cf - . | tar -C "$folder" -xf -
entry=$folder/kernel/arch/x86_64/entry/entry.S
plant() { # LABEL COUNT
	grep -q "^$1:\$" "$entry" || {
		echo "nothing was planted: $1 is not where it was"
		exit 1
	}
	sed -i "s/^$1:\$/&\n\t.rept $2\n\tnop\n\t.endr/" "$entry"
}
plant entry_ipc 5
plant entry_trap 8
{
	cmake -S "$folder" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DHEDRON_GUESTS=OFF -DHEDRON_BENCH=OFF -DBUILD_TESTING=OFF &&
		cmake --build "$folder/build" --target hypervisor
} >"$folder/log" 2>&1 || {
	tail -n 20 "$folder/log"
	exit 1
}

measure() { # KERNEL NAME
	"$hbench" run --target qemu --kernel "$1" --roottask "$roottask" --suite ipc --root-append "case=$cases" --timeout 600 \
		--quiet -o "$folder/$2.json"
}
measure "$kernel" before
measure "$folder/build/hypervisor.elf32" after

status=0
"$hbench" gate --baseline "$folder/before.json" "$folder/after.json" >"$folder/gate.txt" || status=$?
cat "$folder/gate.txt"
[ "$status" -eq 1 ] || {
	echo "hbench gate: exit code $status instead of 1"
	exit 1
}
# A call and a reply pass there once each.
grep -Eq '^call_reply_cross/words:0 .* \+10 .*WORSE' "$folder/gate.txt"
grep -Eq '^5 cases: 4 same, 1 WORSE\.$' "$folder/gate.txt"

status=0
"$source/tests/integration/gate_test.sh" "$hbench" "$(dirname "$roottask")" "$source/results" ipc qemu \
	"$folder/build/hypervisor.elf32" >"$folder/test.txt" || status=$?
[ "$status" -eq 1 ] || {
	cat "$folder/test.txt"
	echo "gate_test.sh: exit code $status instead of 1"
	exit 1
}
grep -Eq '^call_reply_cross/words:0 .*WORSE' "$folder/test.txt"
grep -Eq '^exception/state:none .*WORSE' "$folder/test.txt"
if grep -Eq '^null .*WORSE' "$folder/test.txt"; then
	echo "gate_test.sh blames a case that nothing was planted into"
	exit 1
fi
