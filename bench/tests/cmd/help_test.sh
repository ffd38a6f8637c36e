#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: help_test.sh HBENCH
# The manual page is good roff and names every option; bash completes verbs, options and values.

set -euo pipefail
hbench=$1
PATH=$(dirname "$hbench"):$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
	echo "FAIL: $*"
	exit 1
}

hbench manual >"$folder/hbench.1"
warnings=$(groff -man -Tascii -P-cbou -ww -rLL=100n "$folder/hbench.1" 2>&1 >"$folder/hbench.txt")
[[ -z $warnings ]] || fail "the manual page: $warnings"
sed -i 's/\x1b\[[0-9;]*m//g' "$folder/hbench.txt"
verbs=$(hbench --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -v '^hbench$')
[[ $(wc -w <<<"$verbs") -ge 13 ]] || fail "the help lists only: $verbs"
for verb in $verbs; do
	grep -q "hbench $verb" "$folder/hbench.txt" || fail "the manual page does not name $verb"
	for option in $(hbench "$verb" --help | grep -o -- ' --[a-z-]*' | sort -u); do
		case $option in --help | --usage) continue ;; esac
		grep -q -e "$option" "$folder/hbench.txt" || fail "the manual page does not name $option of $verb"
	done
done

# shellcheck disable=SC1090
. <(hbench completion bash)
compopt() { :; }
completes() { # completes WORDS... WANTED: the last of WORDS is the beginning of WANTED
	local wanted=${*: -1}
	COMP_WORDS=("${@:1:$#-1}")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_hbench
	[[ " ${COMPREPLY[*]} " == *" $wanted "* ]] || fail "${COMP_WORDS[*]} gives: ${COMPREPLY[*]}"
}
completes hbench ga gate
completes hbench run --ta --target
completes hbench run --target q qemu
completes hbench run -t b bochs
completes hbench run --suite i ipc
completes hbench history ipc/nu ipc/null
completes hbench list ip ipc
completes hbench completion f fish
completes hbench fleet se serve
completes hbench fleet run --suite i ipc
completes hbench show "$folder/hbench.t" "$folder/hbench.txt"
completes hbench run --kernel "$folder/hbench.1" "$folder/hbench.1"

hbench completion zsh >"$folder/zsh"
grep -q '^#compdef hbench' "$folder/zsh"
hbench completion fish >"$folder/fish"
grep -q -e "-l target -s t -x -a 'qemu bochs" "$folder/fish"
if hbench completion tcsh 2>/dev/null; then
	fail "there is no script for tcsh"
fi
echo "PASS: help"
