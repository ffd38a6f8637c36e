#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stands in for QEMU and Bochs: HBENCH_FAKE_LOG is what the machine prints, HBENCH_FAKE_STATUS how it exits, and HBENCH_FAKE_HANG=1
# lets it stay instead. Its arguments go to HBENCH_FAKE_ARGUMENTS when that is set.

if [ "$1" = --version ]; then
	echo "Fake emulator version 1.0"
	exit 0
fi
if [ -n "${HBENCH_FAKE_ARGUMENTS-}" ]; then
	printf '%s\n' "$@" >"$HBENCH_FAKE_ARGUMENTS"
fi
if [ -n "${HBENCH_FAKE_MESSAGE-}" ]; then
	echo "$HBENCH_FAKE_MESSAGE" >&2
fi
# Bochs: the console is a file in the folder, what it says itself goes to stdout.
if [ "$2" = -f ]; then
	echo "                       Bochs x86 Emulator 0.0 (fake)"
	if [ -n "${HBENCH_FAKE_ARGUMENTS-}" ]; then
		cat bochsrc iso/boot/grub/grub.cfg >>"$HBENCH_FAKE_ARGUMENTS"
	fi
	exec >console
fi
if [ -n "${HBENCH_FAKE_LOG-}" ]; then
	cat "$HBENCH_FAKE_LOG"
fi
if [ "${HBENCH_FAKE_HANG-0}" = 1 ]; then
	sleep 1000
fi
exit "${HBENCH_FAKE_STATUS-33}"
