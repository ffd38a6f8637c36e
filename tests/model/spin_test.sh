#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Looks at every state of a model. usage: spin_test.sh SPIN MODEL holds|fails MACRO[=VALUE]...
set -euo pipefail

spin=$1 model=$2 verdict=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$spin" -a "${@/#/-D}" "$model" >spin.log || { cat spin.log; exit 1; }
# A mutation is found after few states.
optimize=-O2
[[ $verdict == fails ]] && optimize=-O0
gcc $optimize -w -DSAFETY -DMEMLIM=1000 -o pan pan.c
./pan -m1000000 >pan.log || { cat pan.log; exit 1; }
cat pan.log

if grep -qE 'search depth too small|out of memory|max search depth' pan.log; then
	echo "the search was not complete" >&2
	exit 1
fi
errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.log)
case $verdict in
holds)
	[[ $errors == 0 ]]
	;;
fails)
	# A mutation that does not change what can happen tells nothing.
	[[ $errors -gt 0 ]] || { echo "the mutation was not found" >&2; exit 1; }
	"$spin" -t -p "${@/#/-D}" "$model" 2>/dev/null | tail -n 40 || true
	;;
esac
