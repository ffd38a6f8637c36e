#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: fleet_bmc_test.sh BUILD
# A machine that has a management controller and no other line to the world: `hbench fleet` switches it by IPMI and listens by
# Serial over LAN, although somebody has left a session open. The controller is ipmi_sim, the machine QEMU, all in a network
# namespace. Ends with 77, which means skipped, where there can be none.

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:/usr/sbin:/sbin

if [[ ${1:-} != --inside ]]; then
	build=$(readlink -f "$1")
	map=()
	((EUID == 0)) || map=(-r)
	unshare "${map[@]}" -n -m true 2>/dev/null || {
		echo "SKIP: this system forbids namespaces: unshare ${map[*]} -n -m (containers do, and sysctls)"
		exit 77
	}
	for program in ipmi_sim ipmitool; do
		command -v $program >/dev/null || {
			echo "SKIP: $program is missing: install openipmi and ipmitool"
			exit 77
		}
	done
	exec unshare "${map[@]}" -n -m --pid --fork --kill-child --mount-proc "$here/fleet_bmc_test.sh" --inside "$build"
fi

build=$2
hbench=$build/hbench
lab=$(mktemp -d "${TMPDIR:-/tmp}/fleet-bmc.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cd "$lab"
cp "$build/hypervisor.elf32" "$build/ipc.elf" .
export HBENCH_DB=none TMPDIR=$lab

fail() {
	echo "FAIL: $*"
	for log in sim.txt run.txt qemu.txt power.txt run/*/power.txt run/*/*/console.*.log; do
		[[ -f $log ]] && { echo "--- $log"; tail -n 30 "$log" | tr -cd '[:print:]\n' | cut -c 1-160; }
	done
	exit 1
}

ip link set lo up
words="suite=ipc windows=2 case=null,sm"
# What the controller does to the machine. QEMU waits for the controller to listen.
cat >chassis.sh <<'END'
#!/bin/sh
# usage: CONTROLLER get|set|check power [0|1]
on() { [ -f pid ] && kill -0 "$(cat pid)" 2>/dev/null; }
echo "$@" >>power.txt
case "$2 $3 ${4:-}" in
"get power "*) if on; then echo power:1; else echo power:0; fi ;;
"set power 1")
	on && exit
	setsid qemu-system-x86_64 -cpu max -machine pc -m 512 -display none -vga none -monitor none -net none -no-reboot \
		-serial telnet:127.0.0.1:9003,server=on,wait=on -icount shift=4 -device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel hypervisor.elf32 -append "serial novga" -initrd "ipc.elf $WORDS" </dev/null >qemu.txt 2>&1 &
	echo $! >pid
	;;
"set power 0") on && kill "$(cat pid)"; rm -f pid ;;
esac
END
chmod +x chassis.sh
cat >lan.conf <<'END'
name "bmc"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 9001
    priv_limit admin
    guid a123456789abcdefa123456789abcdef
  endlan
  sol "telnet:127.0.0.1:9003" 115200
  chassis_control "./chassis.sh 0x20"
  user 2 true "lab" "secret" operator 10 none md2 md5 straight
END
cat >bmc.emu <<'END'
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
END
cat >lab.yaml <<'END'
lab: {name: test, timeouts: {boot: 400, run: 400, settle: 0, power: 25}, retries: 0}
machines:
  - name: server
    boot: itself
    metric: instructions
    console: {type: ipmi}
    power: {type: ipmi, host: 127.0.0.1, port: 9001, user: lab, password_file: password, cipher_suite: 3, privilege: operator}
END
(umask 077 && printf secret >password)
mkdir state
bmc=(ipmitool -I lanplus -H 127.0.0.1 -p 9001 -U lab -f password -C 3 -L OPERATOR)
export WORDS=${words//,/,,} # QEMU divides modules at commas
setsid ipmi_sim -c lan.conf -f bmc.emu -s state -n </dev/null >sim.txt 2>&1 &

"$hbench" fleet check --strict -i lab.yaml || fail "the inventory"
for _ in {1..300}; do
	"$hbench" fleet power -i lab.yaml server status >status.txt 2>&1 && break
	sleep 0.2
done
grep -q 'is off' status.txt || fail "the controller does not answer: $(tail -n 1 status.txt)"

# A session that nobody has ended.
setsid script -qec "${bmc[*]} sol activate" /dev/null < <(sleep infinity) >stale.txt 2>&1 &
for _ in {1..300}; do
	grep -qs operational stale.txt && break
	sleep 0.2
done
grep -q operational stale.txt || fail "no session to be left over: $(tail -n 1 stale.txt)"
pkill -KILL -x ipmitool || fail "it is gone by itself" # in this namespace of processes only
[[ $("${bmc[@]}" sol activate 2>&1 </dev/null || true) == *"already active"* ]] || fail "the controller does not mind"

code=0
"$hbench" fleet run -i lab.yaml -k hypervisor.elf32 --suite ipc --root-append "${words#* }" -o run >run.txt 2>&1 || code=$?
cat run.txt
[[ $code == 0 ]] || fail "exit code $code"
grep -Eq '^server +ipc +1 +1 +ok *$' run.txt || fail "not measured"
grep -q '"type":"end"' run/server/ipc/console.1.log || fail "the console has no end"
! grep -q SOL run/server/ipc/console.1.log || fail "words of ipmitool are in the console"
! grep -q secret run/server/power.txt run/server/ipc/power.txt || fail "the password is in a command line"
"$hbench" fleet power -i lab.yaml server status | grep -q 'is off' || fail "the machine is on"
[[ $("${bmc[@]}" sol activate 2>&1 </dev/null || true) == *operational* ]] || fail "the session was not given back"
echo "PASS: fleet.bmc"
