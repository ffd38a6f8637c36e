#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: repeatable_test.sh HBENCH KERNEL ROOTTASK
# Measures a kernel twice in QEMU: the counts must be the same to the instruction, and a gate on them must find planted
# faults. Once more with everything elsewhere in memory: counts do not depend on that.

set -eu
export HBENCH_DB=none
hbench=$1 kernel=$2 roottask=$3

if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "skipped: qemu-system-x86 is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for name in first second; do
	"$hbench" run --target qemu --kernel "$kernel" --roottask "$roottask" --timeout 600 --quiet -o "$folder/$name.json"
done
"$hbench" show "$folder/first.json"
"$hbench" gate --baseline "$folder/first.json" --self-test "$folder/second.json" >"$folder/gate.txt" || {
	cat "$folder/gate.txt"
	exit 1
}
tail -n 3 "$folder/gate.txt"
grep -q '^[0-9]* cases: [0-9]* same\.$' "$folder/gate.txt" || {
	cat "$folder/gate.txt"
	echo "the second measurement differs from the first"
	exit 1
}

"$hbench" run --target qemu --kernel "$kernel" --roottask "$roottask" --timeout 600 --quiet -o "$folder/moved.json" \
	--root-append placement=12345
grep -q '"placement":12345,' "$folder/moved.log"
grep -q '"placement":' "$folder/first.log" && {
	echo "things were moved although nobody asked for it"
	exit 1
}
"$hbench" gate --baseline "$folder/first.json" "$folder/moved.json" >"$folder/gate.txt" || {
	cat "$folder/gate.txt"
	echo "the counts depend on where things lie"
	exit 1
}
"$hbench" run --target qemu --kernel "$kernel" --roottask "$roottask" --timeout 600 --quiet -o "$folder/wrong.json" \
	--root-append placement=anywhere 2>"$folder/wrong.txt" && exit 1
grep -q 'placement= wants' "$folder/wrong.txt"

"$hbench" run --target qemu --kernel "$kernel" --roottask "$roottask" --timeout 600 --quiet -o "$folder/ways.json" \
	--root-append ways=cold,cycles
"$hbench" gate --baseline "$folder/first.json" "$folder/ways.json" >"$folder/gate.txt"
grep -q '"cache":"cold"},"why":"what is counted are instructions' "$folder/ways.log"
