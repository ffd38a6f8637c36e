#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: ways_test.sh KERNEL ROOTTASK
# A machine that measures time, which is QEMU without -icount: things lie elsewhere, cold caches are measured, and what the
# machine does not have is skipped with a reason. What the numbers are depends on the host, so nobody looks at them.

set -eu
kernel=$1 roottask=$2

if ! command -v qemu-system-x86_64 >/dev/null; then
	echo "skipped: qemu-system-x86 is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$roottask" "$folder/roottask" # QEMU divides at blanks, which the path may have
cd "$folder"

# The machine ends with a status of its own, which also tells of a clock that is not stable: no wonder here.
measure() {
	rm -f "$folder/log"
	timeout 500 qemu-system-x86_64 -accel tcg -display none -serial "file:$folder/log" -monitor none -no-reboot \
		-net none -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$kernel" -cpu max -m 512 \
		-append "serial novga" -initrd "roottask $1 case=null windows=4" || true
}

expect() {
	grep -q "$1" "$folder/log" || {
		cat "$folder/log"
		echo "no line has $1"
		exit 1
	}
}
measure "ways=cold,,misses"
expect '"type":"run",.*"placement":[1-9]'
expect '"case":"null","params":{},"unit":"tsc"'
expect '"case":"null","params":{"cache":"cold"},"unit":"tsc","batch":1,'
expect '"case":"null","params":{"counter":"misses"},\("unit":"misses"\|"why":\)'
expect '"type":"end","line":5,'

# Nobody asked for cycles, and this machine has none: not a word about them.
measure ""
expect '"case":"null","params":{},"unit":"tsc"'
expect '"type":"end","line":3,'
