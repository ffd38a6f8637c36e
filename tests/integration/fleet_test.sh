#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: fleet_test.sh BUILD full|proxy|ram
# A lab in network namespaces of its own: `hbench fleet serve` on a bridge, machines that boot from it by PXE and are measured and
# compared. full: it gives addresses; two BIOS machines, one UEFI machine that boots by HTTP, one that never answers, one that
# panics, one that reboots in a loop. proxy: another server gives addresses; a BIOS machine, and a UEFI machine that boots by
# TFTP. ram: machines with neither serial line nor screen, whose log a second boot collects from their RAM; one by BIOS, one by
# UEFI, one that panics, one that fetches nothing. Ends with 77, which means skipped, where there can be no namespaces.

set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:/usr/sbin:/sbin # dnsmasq and ip, which ordinary users may not have in theirs

if [[ ${1:-} != --inside ]]; then
	build=$(readlink -f "$1") mode=$2
	map=()
	((EUID == 0)) || map=(-r)
	unshare "${map[@]}" -n -m true 2>/dev/null || {
		echo "SKIP: this system forbids namespaces: unshare ${map[*]} -n -m (containers do, and sysctls)"
		exit 77
	}
	[[ -r /dev/net/tun && -w /dev/net/tun ]] || {
		echo "SKIP: no access to /dev/net/tun; as root: modprobe tun && chmod 666 /dev/net/tun"
		exit 77
	}
	# In the namespace there is no network: what the collector is made of has to be there.
	[[ $mode != ram ]] || PYTHONPATH=$here/../../boot python3 -c 'import collector; collector.fetch_all()' || {
		echo "SKIP: the packages that the collector is made of cannot be fetched: no mirror of Debian can be reached"
		exit 77
	}
	# Whatever happens, nothing outlives the first process of the namespace.
	exec unshare "${map[@]}" -n -m --pid --fork --kill-child --mount-proc "$here/fleet_test.sh" --inside "$build" "$mode"
fi

build=$2 mode=$3
hbench=$build/hbench dhcp=$mode
[[ $mode != ram ]] || dhcp=full
ovmf=/usr/share/OVMF
lab=$(mktemp -d "${TMPDIR:-/tmp}/fleet-test.XXXXXX")
trap 'rm -rf "$lab"' EXIT
chmod 755 "$lab"
cd "$lab"
cp "$build"/{hypervisor.elf32,ipc.elf,probe.elf,hello.elf} . # QEMU divides at blanks, which the folder's name may have
export HBENCH_DB=$lab/history.db TMPDIR=$lab

fail() {
	echo "FAIL: $*"
	for log in serve.txt run.txt answer.txt; do
		[[ -f $log ]] && { echo "--- $log"; tail -n 60 "$log" | cut -c 1-220; }
	done
	for log in run/*/*/console.*.log run/mkimage.*/mkimage.txt; do
		[[ -f $log ]] && { echo "--- $log"; tail -n 12 "$log" | tr -cd '[:print:]\n' | cut -c 1-160; }
	done
	exit 1
}

network() {
	ip link set lo up
	ip link add br0 type bridge stp_state 0 forward_delay 0
	ip addr add 10.77.0.1/24 dev br0
	ip link set br0 up
	for i in 1 2 3; do
		ip tuntap add dev tap$i mode tap
		ip link set tap$i master br0 up
	done
}

# What stands for a machine's power supply: QEMU is the machine.
cat >power.sh <<'END'
#!/usr/bin/env bash
set -eu
name=$2 pid=$2.pid
qemu=(qemu-system-x86_64 -cpu max -display none -vga none -monitor none
	-chardev "file,id=log,path=$name.log,append=on" -serial chardev:log
	-device isa-debug-exit,iobase=0xf4,iosize=4 -icount "shift=$SHIFT")
direct=("${qemu[@]}" -machine pc -m 512 -net none -no-reboot
	-kernel hypervisor.elf32 -append "serial novga")
pxe() { # pxe CARD NUMBER: a network card on a tap device
	echo "-netdev tap,id=n0,ifname=tap$2,script=no,downscript=no -device $1,netdev=n0,mac=52:54:00:77:00:0$2,bootindex=1"
}
off() {
	[[ -f $pid ]] || return 0
	kill -- "-$(cat "$pid")" 2>/dev/null || true
	rm -f "$pid"
}
on() {
	# shellcheck disable=SC2046
	case $name in
	bios1) start "${qemu[@]}" -machine q35,graphics=off -m 512 -no-reboot $(pxe e1000 1) ;;
	bios2) # from its second card; nobody answers the first one
		start "${qemu[@]}" -machine q35,graphics=off -m 512 -no-reboot -netdev hubport,hubid=0,id=n9 \
			-device e1000,netdev=n9,mac=52:54:00:77:00:09 $(pxe e1000 2)
		;;
	uefi*)
		cp "$OVMF/OVMF_VARS_4M.fd" "$name.fd"
		http=()
		if [[ $MODE == full ]]; then # forbid it the other way
			http=(-fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=no
				-fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=no)
		fi
		start "${qemu[@]}" -machine q35 -m 1024 -no-reboot -device virtio-rng-pci "${http[@]}" \
			$(pxe virtio-net-pci "${name#uefi}"),romfile= \
			-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/OVMF_CODE_4M.fd" \
			-drive "if=pflash,format=raw,unit=1,file=$name.fd"
		;;
	panic) start "${direct[@]}" ;;
	direct) start "${direct[@]}" -initrd "ipc.elf ${WORDS//,/,,}" ;; # QEMU divides modules at commas
	loop) start sh -c 'while :; do "$@"; done' loop "${direct[@]}" -initrd hello.elf ;;
	blind1) start "${blind[@]}" -cpu max -machine q35 $(pxe e1000 1) ;;
	blind2) start "${blind[@]}" -cpu max,-fsgsbase -machine q35 $(pxe e1000 2) ;;
	blind3)
		cp "$OVMF/OVMF_VARS_4M.fd" "$name.fd"
		start "${blind[@]}" -cpu max -machine q35 -device virtio-rng-pci $(pxe virtio-net-pci 3),romfile= \
			-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/OVMF_CODE_4M.fd" \
			-drive "if=pflash,format=raw,unit=1,file=$name.fd"
		;;
	dead) ;;
	esac
}
start() {
	setsid "$@" </dev/null >"$name.txt" 2>&1 &
	echo $! >"$pid"
}
# A machine without any line to the world, whose guests can reset it.
blind=(qemu-system-x86_64 -display none -vga none -monitor none -serial none -icount "shift=$SHIFT" -m 2048)
case $1 in
on) off; on ;;
off) off ;;
status) [[ -f $pid ]] && kill -0 "-$(cat "$pid")" 2>/dev/null && echo "$name is on" || echo "$name is off" ;;
esac
END
chmod +x power.sh
# An instruction takes 16 ns there, so that timeouts of loaders are over soon.
export OVMF=$ovmf SHIFT=4 MODE=$mode

machine() { # machine NAME MORE...
	echo "  - name: $1"
	echo "    metric: instructions"
	echo "    baseline: board"
	echo "    console: {${console-type: file, path: $1.log}}"
	echo "    power: {type: command, on: [./power.sh, on, '{name}'], off: [./power.sh, off, '{name}'],"
	echo "            status: [./power.sh, status, '{name}']}"
	printf '    %s\n' "${@:2}"
}
{
	echo "lab:"
	echo "  name: test"
	echo "  network: {interface: br0, address: 10.77.0.1, dhcp: $dhcp, first: 10.77.0.50, last: 10.77.0.99}"
	echo "  directories: {baselines: base}"
	echo "  timeouts: {boot: 400, run: 400, settle: 0}"
	echo "  retries: 0"
	echo "  menu_seconds: 1"
	echo "machines:"
	if [[ $mode == ram ]]; then
		console="type: ram"
		machine blind1 "mac: 52:54:00:77:00:01" "address: 10.77.0.11"
		machine blind3 "mac: 52:54:00:77:00:03" "address: 10.77.0.13" "firmware: uefi"
		machine blind2 "mac: 52:54:00:77:00:02" "address: 10.77.0.12"
		machine dead "mac: 52:54:00:77:00:04" "timeouts: {boot: 3}"
	else
		[[ $mode == full ]] || probe="probe: {when: run, seconds: 1}" # a boot more
		machine bios1 "mac: 52:54:00:77:00:01" "address: 10.77.0.11" "${probe:-}"
		machine uefi3 "mac: 52:54:00:77:00:03" "address: 10.77.0.13" "firmware: uefi"
	fi
	if [[ $mode == full ]]; then
		machine bios2 "mac: 52:54:00:77:00:02" "address: 10.77.0.12" "tags: [good]"
		machine dead "boot: itself" "timeouts: {boot: 3}"
		machine panic "boot: itself"
		machine loop "boot: itself"
	fi
} >lab.yaml

# Another host of the network, which gives addresses and knows nothing of booting.
other_server() {
	unshare -n sleep infinity &
	local host=$!
	for _ in {1..600}; do
		[[ $(readlink /proc/self/ns/net) != "$(readlink /proc/$host/ns/net)" ]] && break
		sleep 0.1
	done
	ip link add lan0 type veth peer name lan1
	ip link set lan1 netns $host
	ip link set lan0 master br0 up
	nsenter -t $host -n sh -c "ip link set lo up && ip addr add 10.77.0.2/24 dev lan1 && ip link set lan1 up"
	nsenter -t $host -n dnsmasq --no-daemon --conf-file=/dev/null --port=0 --interface=lan1 --bind-interfaces --no-ping \
		--dhcp-range=10.77.0.100,10.77.0.120,255.255.255.0 --dhcp-leasefile="$lab/leases" >other.txt 2>&1 &
}

network
[[ $dhcp == full ]] || other_server
"$hbench" fleet check -i lab.yaml || fail "the inventory"
# The baseline: the same machine, started without a network.
export WORDS="suite=ipc windows=2 case=null,call_reply_cross,sm"
./power.sh on direct
for _ in {1..3000}; do
	grep -q '"type":"end"' direct.log 2>/dev/null && break
	sleep 0.1
done
./power.sh off direct
"$hbench" import --machine board --metric instructions --suite ipc -o direct.json direct.log >/dev/null || fail "the baseline"
"$hbench" baseline update --results base direct.json >/dev/null

# --- the servers ---

touch outside
mkdir -p boot
ln -s ../outside boot/link
"$hbench" fleet serve -i lab.yaml >serve.txt 2>&1 &
serve=$!
for _ in {1..1200}; do
	grep -q '^serving' serve.txt && break
	sleep 0.1
done
kill -0 $serve 2>/dev/null || fail "the servers did not start"

get() { # get PATH: the first line of the answer
	exec 3<>/dev/tcp/10.77.0.1/8080
	printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
	cat <&3 >answer.txt
	exec 3>&-
	head -n 1 answer.txt
}
[[ $(get /boot.ipxe) == *200* ]] || fail "the first script"
grep -q '^chain .*hexhyp' answer.txt || fail "the first script leads nowhere"
[[ $(get /node/52-54-00-77-00-01.ipxe) == *200* ]] || fail "the script of a machine"
grep -q 'choose --default own ' answer.txt || fail "a machine without work does not boot by itself"
for path in /link /../outside /node/../../outside /%2e%2e/outside //etc/passwd / /payload /.x /node/52-54-00-77-00-09.ipxe; do
	[[ $(get "$path") == *404* ]] || fail "HTTP gives $path"
done

# Nobody listens but there: HTTP on the address, TFTP on those of the interface (IPv6 has one that begins with fe80), DHCP on the
# interface.
listeners=$(awk 'FNR > 1 && $4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6)
[[ $listeners == 01004D0A:1F90 ]] || fail "listening: $listeners"
listeners=$(awk 'FNR > 1 && !/ 000080FE/ { print $2 }' /proc/net/udp /proc/net/udp6 | sort | xargs)
[[ $listeners == "00000000:0043 01004D0A:0045" || $mode == proxy ]] || fail "listening (UDP): $listeners"

# Root is gone, where there is another user.
read -r _ _ users </proc/self/uid_map
dnsmasq=$(cat "/proc/$serve/task/$serve/children")
if ((users > 1)); then
	for process in $serve $dnsmasq; do
		grep -q "^Uid:	$(id -u nobody)	$(id -u nobody)" "/proc/$process/status" || fail "process $process is still root"
	done
	grep -q '^CapEff:	0000000000000000' "/proc/$serve/status" || fail "hbench has capabilities"
	grep -q '^CapEff:	0000000000003400' "/proc/${dnsmasq% }/status" || fail "dnsmasq has other capabilities"
fi

# --- the run ---

code=0
"$hbench" fleet run -i lab.yaml -k hypervisor.elf32 --suite ipc --root-append "${WORDS#* }" -o run >run.txt 2>&1 || code=$?
cat run.txt
wanted=('bios1 +ipc +1 +1 +ok +same$' 'uefi3 +ipc +1 +1 +ok +same$')
bios=bios1 uefi=uefi3
if [[ $mode == ram ]]; then
	[[ $code == 4 ]] || fail "exit code $code"
	wanted=('blind1 +ipc +1 +1 +ok +same$' 'blind2 +ipc +0 +1 +panic .*PANIC: .*FSGSBASE' 'blind3 +ipc +1 +1 +ok +same$'
		'dead +ipc +0 +1 +silent machine +it fetched nothing to boot within 3 s')
	bios=blind1 uefi=blind3
	[[ -z $(find boot/log -type f) ]] || fail "logs are still awaited"
elif [[ $mode == full ]]; then
	[[ $code == 4 ]] || fail "exit code $code"
	wanted+=('bios2 +ipc +1 +1 +ok +same$' 'dead +ipc +0 +1 +silent machine ' 'panic +ipc +0 +1 +panic .*PANIC: '
		'loop +ipc +0 +1 +reboot loop ')
	grep -q 'type="reboot loop"' run/junit.xml || fail "JUnit"
	grep -q 'http: .* 200 GET /node/52-54-00-77-00-03/job.efi' serve.txt || fail "the UEFI machine did not boot by HTTP"
else
	[[ $code == 0 ]] || fail "exit code $code"
	wanted+=('bios1 +probe +1 +1 +ok +not fit +not fit to measure: ')
	grep -q '"TCGTCGTCGTCG"' run/bios1/ipc/result.json || fail "what the probe found out is lost"
	grep -q 'sent .*/node/52-54-00-77-00-03/job.efi' serve.txt || fail "the UEFI machine did not boot by TFTP"
fi
for line in "${wanted[@]}"; do
	grep -Eq "^$line" run.txt || fail "no line: $line"
done
grep -q '\[MB1\]' run/$bios/ipc/result.json || fail "not Multiboot 1"
grep -q '\[MB2\]' run/$uefi/ipc/result.json || fail "not Multiboot 2"
[[ -s run/$bios/ipc/console.1.log && -s run/index.html && -s run/results.html && -s run/report.json ]] || fail "files are missing"
"$hbench" history ipc/null | grep -q $bios || fail "the database has nothing"

# Everything is off, unlocked, and boots by itself again.
for name in $("$hbench" fleet list -i lab.yaml | awk 'FNR > 1 { print $1 }'); do
	"$hbench" fleet power -i lab.yaml "$name" status | grep -q 'is off' || fail "$name is on"
done
[[ -z $(find locks -name '*.lock') ]] || fail "locks are left"
[[ -z $(find boot/node -type f) ]] || fail "machines would boot this again"

# --- the end of the servers ---

kill -INT $serve
code=0
wait $serve || code=$?
[[ $code == 0 ]] || fail "the servers ended with $code"
for process in $dnsmasq; do
	[[ ! -d /proc/$process ]] || fail "dnsmasq is still there"
done
echo "PASS: fleet"
