#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: slurm_test.sh BUILD MACHINE
# Slurm as the queue of a lab, in a namespace of its own: two jobs that want the same machine wait for each other, one takes all
# machines, one that is cancelled leaves its machine off, and a machine that does not answer is taken out of service. MACHINE
# is the script that stands in for machines. Ends with 77, which means skipped, without Slurm, root or namespaces.

set -euo pipefail

if [[ ${1:-} != --inside ]]; then
	build=$(readlink -f "$1") machine=$(readlink -f "$2")
	PATH=$PATH:/usr/sbin:/sbin
	for program in slurmctld slurmd munged sbatch; do
		command -v $program >/dev/null || {
			echo "SKIP: $program is not installed (slurmctld, slurmd, slurm-client, munge)"
			exit 77
		}
	done
	read -r _ _ users </proc/self/uid_map
	((EUID == 0 && users > 1)) || {
		echo "SKIP: slurmctld has to be started by root, and not by that of a user namespace"
		exit 77
	}
	unshare -n -m true 2>/dev/null || {
		echo "SKIP: this system forbids namespaces (unshare -n -m)"
		exit 77
	}
	exec unshare -n -m --pid --fork --kill-child --mount-proc "$(readlink -f "$0")" --inside "$build" "$machine"
fi

build=$2 machine=$3
hbench=$build/hbench
lab=$(mktemp -d "${TMPDIR:-/tmp}/slurm-test.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cd "$lab"
export HBENCH_DB=none

fail() {
	echo "FAIL: $*"
	tail -n 12 ./*.txt ./*.log | cut -c 1-200
	exit 1
}

wait_for() { # wait_for SECONDS COMMAND...
	local i
	for ((i = 0; i < 10 * $1; i++)); do
		"${@:2}" >/dev/null 2>&1 && return
		sleep 0.1
	done
	fail "in vain: ${*:2}"
}

# --- a lab of three machines: two that answer, one that does not ---

{
	echo "lab:"
	echo "  name: lab1"
	echo "  timeouts: {boot: 60, run: 60, settle: 0}"
	echo "  retries: 0"
	echo "machines:"
	for name in one two dead; do
		echo "  - name: $name"
		echo "    boot: itself"
		echo "    metric: instructions"
		echo "    tags: [$([[ $name == dead ]] && echo old || echo new)]"
		echo "    console: {type: file, path: $name.log}"
		echo "    power: {type: command, on: ['$machine', 'on', '{name}'], off: ['$machine', 'off', '{name}']}"
	done
} >lab.yaml
cp "$(dirname "$machine")/data/good.log" one.say
cp one.say two.say
printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0' >kernel.elf
cp kernel.elf ipc.elf

# --- Slurm. Its addresses are looked up for networks other than the loopback only. ---

ip link set lo up
ip link add lab0 type bridge
ip addr add 10.77.1.1/24 dev lab0
ip link set lab0 up
mkdir -m 700 munge state
head -c 1024 /dev/urandom >munge/key
chmod 400 munge/key
cat >slurm.conf <<END
ClusterName=lab
SlurmctldHost=$(hostname)(10.77.1.1)
AuthType=auth/munge
AuthInfo=socket=$lab/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool.%n
SlurmctldPidFile=$lab/slurmctld.pid
SlurmdPidFile=$lab/slurmd.%n.pid
SlurmctldLogFile=$lab/slurmctld.log
SlurmdLogFile=$lab/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1
KillWait=120
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
END
"$hbench" fleet slurm -i lab.yaml >nodes || fail "fleet slurm"
grep -q '^NodeName=dead .* Port=17003 .*Feature=bios,old$' nodes || fail "the nodes: $(cat nodes)"
grep -q '^PartitionName=lab1 OverSubscribe=EXCLUSIVE State=UP Nodes=one,two,dead$' nodes || fail "the partition: $(cat nodes)"
sed 's/ NodeHostname=/ NodeAddr=10.77.1.1&/; s/^PartitionName.*/& Default=YES/' nodes >>slurm.conf
export SLURM_CONF=$lab/slurm.conf
munged --force --foreground --key-file="$lab/munge/key" --socket="$lab/munge/socket" --pid-file="$lab/munge/pid" \
	--log-file="$lab/munge/log" --seed-file="$lab/munge/seed" >munged.txt 2>&1 &
wait_for 120 test -S munge/socket
slurmctld -D >slurmctld.txt 2>&1 &
wait_for 120 scontrol ping
for name in one two dead; do
	mkdir "spool.$name"
	slurmd -D -N $name >"slurmd.$name.txt" 2>&1 &
done
three_idle() {
	[[ $(sinfo -h -t idle -o %D) == 3 ]]
}
wait_for 120 three_idle

cat >job.sh <<END
#!/bin/sh
exec "$hbench" fleet run --slurm -i "$lab/lab.yaml" -k "$lab/kernel.elf" --suite ipc -o "$lab/run.\$SLURM_JOB_ID"
END

# --- jobs ---

submit() { # submit OPTIONS...: the number of the job
	sbatch --parsable -t 5 -D "$lab" -o "$lab/job.%j.txt" "$@" job.sh
}
status_of() { # status_of JOB: its exit code, once it has ended
	scontrol show job "$1" | sed -n 's/^ *JobState=\([A-Z]*\).*/\1/p; s/.*ExitCode=\([0-9]*\):.*/\1/p' | xargs
}
ended() {
	[[ $(status_of "$1") =~ ^(COMPLETED|FAILED|CANCELLED) ]]
}

first=$(submit -w one)
second=$(submit -w one)
both=$(submit -N 2 --constraint=new)
for job in $first $second $both; do
	wait_for 300 ended "$job"
	[[ $(status_of "$job") == "COMPLETED 0" ]] || fail "job $job: $(status_of "$job")"
done
grep -q '^one  *ipc  *1  *1  *ok' "job.$second.txt" || fail "the second job"
grep -q '^two  *ipc  *1  *1  *ok' "job.$both.txt" || fail "the job with two machines"
grep -q '^one  *ipc  *1  *1  *ok' "job.$both.txt" || fail "the job with two machines"
grep -q 'belongs to' ./job.*.txt && fail "jobs met on a machine"

# One that is cancelled.
rm two.say
sed -i 's/boot: 60/boot: 600/' lab.yaml
cancelled=$(submit -w two)
wait_for 120 grep -q on two.power
scancel "$cancelled"
wait_for 120 ended "$cancelled"
wait_for 120 grep -q off two.power
wait_for 120 test ! -f locks/two.lock

# One that nobody hears from.
sed -i 's/boot: 600/boot: 1/' lab.yaml
silent=$(submit --constraint=old)
wait_for 120 ended "$silent"
[[ $(status_of "$silent") == "FAILED 4" ]] || fail "job $silent: $(status_of "$silent")"
sinfo -h -R -o '%E %N' | grep -q 'hbench: silent machine dead' || fail "the dead machine is in service: $(sinfo -R)"
"$hbench" fleet run --slurm -i lab.yaml -k kernel.elf --suite ipc 2>outside.txt && fail "a run outside of a job"
grep -q 'no job of Slurm' outside.txt || fail "outside of a job"
echo "PASS: slurm"
