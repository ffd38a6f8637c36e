#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: bisect_test.sh HBENCH EMULATOR LOG SUITES
# hbench bisect in a repository of a few commits, whose "kernels" say themselves what a null hypercall costs on them.

set -euo pipefail
hbench=$1
if ! command -v git >/dev/null; then
	echo "SKIP: git is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HBENCH_DB=none HBENCH_QEMU=$2 HBENCH_FAKE_LOG=$3 HBENCH_SUITES=$4 HBENCH_FAKE_FOLDER=$folder
export HBENCH_PATHCOST=$folder/pathcost HOME=$folder GIT_CONFIG_NOSYSTEM=1 NO_COLOR=1
export GIT_AUTHOR_NAME=n GIT_AUTHOR_EMAIL=n@x GIT_COMMITTER_NAME=n GIT_COMMITTER_EMAIL=n@x
printf '#!/bin/sh\necho "traced: $*"\n' >"$folder/pathcost"
chmod +x "$folder/pathcost"
echo 40 >"$folder/counts"
cd "$folder"

fail() {
	echo "FAIL: $*"
	cat out || true
	exit 1
}

# An ELF header is all that hbench looks at.
repository() { # new, with what builds a kernel; "broken" in the file count does not build, "slow" takes its time
	rm -rf repo hbench-bisect
	git init -q -b main repo
	printf '\177ELF\001\001\001' >repo/base
	head -c 121 /dev/zero >>repo/base
	cat >repo/build.sh <<-'END'
		grep -q broken count && exit 1
		if grep -q slow count; then touch "$HBENCH_FAKE_FOLDER/slow"; sleep 600; fi
		mkdir -p out && cp base out/ipc.elf && cp base out/hypervisor &&
			{ cat base; echo; cat count; } >out/hypervisor.elf32
	END
}

commit() { # COUNT SUBJECT
	printf '%s\n' "$1" >repo/count
	date +%N >repo/more
	git -C repo add -A
	git -C repo commit -q -m "$2"
}

words=(--case ipc/null --repo repo --build "sh build.sh" --kernel out/hypervisor.elf32 --roottask out/ipc.elf)
bisect() { # CODE OPTION...: what it says is in the file out
	local wanted=$1 code=0
	shift
	"$hbench" bisect "${@:1:2}" "${words[@]}" "${@:3}" >out 2>&1 || code=$?
	[[ $code == "$wanted" ]] || fail "exit code $code instead of $wanted"
}

has() { grep -qF -- "$1" out || fail "\`$1\` is missing"; }
boots() { wc -l <"$folder/boots"; }

# --- eight commits after a good one, the sixth is it: log2 of them are measured, and the commit before ---
repository
for n in $(seq 0 8); do
	commit "null $((n < 6 ? 40 : 44))" "commit $n"
done
rm -f boots
bisect 0 HEAD~8 HEAD
has "n: commit 6"
has "before: 40  after: 44  change: +4 (+10.00%)"
has "commit: $(git -C repo rev-parse HEAD~2)"
has "traced: diff $folder/hbench-bisect/$(git -C repo rev-parse HEAD~3)/hypervisor"
has "--suite ipc --emulator qemu --case null"
(($(boots) <= 6)) || fail "$(boots) boots"
[[ ! -e hbench-bisect/tree ]] || fail "the working tree is still there"
[[ $(git -C repo worktree list | wc -l) == 1 ]] || fail "git still knows the working tree"
[[ -z $(git -C repo status --porcelain) ]] || fail "the repository was changed"

# --- once more: nothing is left to do; another question needs another folder ---
rm -f boots
bisect 0 HEAD~8 HEAD --no-paths
has "n: commit 6"
[[ ! -e boots ]] || fail "measured again"
bisect 2 HEAD~7 HEAD
has "has another bisection"

# --- it got better; smaller changes on the way do not matter ---
repository
for n in 50 51 49 30 31 30; do
	commit "null $n" "now $n"
done
bisect 0 HEAD~5 HEAD --no-paths
has "n: now 30"
has "before: 49  after: 30"

# --- what does not build is skipped; beside the commit it is named as one that may be it ---
repository
for n in "null 40" "null 40" broken "null 40" "null 44" "null 44"; do
	commit "$n" "is $n"
done
bisect 0 HEAD~5 HEAD --no-paths
has "is null 44"
if grep -q "or one of these" out; then
	fail "a skipped commit that cannot be it is named"
fi
repository
for n in "null 40" "null 40" broken broken "null 44" "null 44"; do
	commit "$n" "is $n"
done
bisect 0 HEAD~5 HEAD
has "or one of these, which could not be measured:"
[[ $(grep -c "^  .*is broken" out) == 2 ]] || fail "not both are named"

# --- a change that came with a merged branch ---
repository
commit "null 40" first
git -C repo checkout -q -b side
commit "null 40" "side 1"
commit "null 45" "side 2"
git -C repo checkout -q main
echo more >repo/other
git -C repo add -A
git -C repo commit -q -m "main 1"
git -C repo merge -q -m merged side
bisect 0 main~2 main --no-paths
has "n: side 2"

# --- what cannot be answered ---
bisect 2 main main
bisect 2 main main~2
bisect 2 main nothing
bisect 4 main~2 main~1 --folder other
has "costs the same in both revisions"
rm -rf hbench-bisect
commit broken "broken end"
bisect 4 main~3 main
has "the bad revision: it does not build"
for wrong in "--case null" "--fleet x" "--machine m" "--boots 9 --boots-max 8" "--fleet x --machine m --target qemu"; do
	# shellcheck disable=SC2086 # words
	bisect 2 main~2 main $wrong
done

# --- interrupted in a build: the same command goes on ---
repository
for n in "null 40" "null 40" slow "null 44" "null 44"; do
	commit "$n" "is $n"
done
"$hbench" bisect main~4 main "${words[@]}" --no-paths >out 2>&1 &
for _ in $(seq 3000); do
	[[ ! -e slow ]] || break
	sleep 0.1
done
kill -TERM $!
code=0
wait $! || code=$?
[[ $code == 130 ]] || fail "exit code $code instead of 130"
has "interrupted; the same command goes on"
rm -f boots
"$hbench" bisect main~4 main "${words[@]}" --no-paths >out 2>&1 &
pid=$!
rm -f slow
for _ in $(seq 3000); do
	[[ ! -e slow ]] || break
	sleep 0.1
done
kill -TERM "$pid"
wait "$pid" || true
[[ ! -e boots ]] || fail "what had been measured was measured again"

# --- with noise, on a machine of a fleet: boots follow until it is clear ---
cat >machine.sh <<-END
	#!/bin/sh
	[ "\$1" = on ] || exit 0
	echo >>"$folder/boots"
	count=\$(tail -n 1 "\$HBENCH_KERNEL" | sed -n 's/^null //p')
	count=\$((count + \$(wc -l <"$folder/boots") % 2))
	sample="\"min\":\$count,\"p50\":\$count,\"p90\":\$count,\"p99\":\$count,\"p999\":\$count,\"max\":\$count"
	sed -e 's/"tsc_invariant":false/"tsc_invariant":true/' \\
		-e "s/\"min\":40,.*/\$sample,\"sum\":\$((64 * count)),\"hist\":[[\$count,1,64]]}/" \\
		"$HBENCH_FAKE_LOG" >>"$folder/m.log"
END
chmod +x machine.sh
cat >lab.yaml <<-END
	lab:
	  name: lab1
	  timeouts: {boot: 60, run: 60, settle: 0, power: 60}
	machines:
	- name: m
	  boot: itself
	  console: {type: file, path: $folder/m.log}
	  power: {type: command, on: ['$folder/machine.sh', 'on'], off: ['$folder/machine.sh', 'off']}
END
repository
for n in 40 40 44; do
	commit "null $n" "is $n"
done
rm -f boots
bisect 0 main~2 main --fleet lab.yaml --machine m
has "is 44"
has "commit: $(git -C repo rev-parse main)"
(($(boots) >= 3 * 3)) || fail "$(boots) boots are too few for a verdict"
echo "PASS: bisect"
