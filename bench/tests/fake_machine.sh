#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: fake_machine.sh on|off|cycle|status NAME
# Stands in for a machine and its power supply, in the present folder: NAME.power is its state, NAME.history what was asked
# for, and NAME.log its console, which gets NAME.say when it is switched on; NAME.say.2 for the second time, and so on.
# Files make it behave like others: NAME.broken cannot be switched on, NAME.strict fails to switch off what is off already,
# NAME.grumbles does what it should and fails.

action=$1 name=$2
echo "$action" >>"$name.history"
case $action in
on | cycle)
	[ ! -f "$name.broken" ] || { echo "no answer from the power supply"; exit 1; }
	echo on >"$name.power"
	times=$(grep -c -e on -e cycle "$name.history")
	if [ -f "$name.say.$times" ]; then
		cat "$name.say.$times" >>"$name.log"
	elif [ -f "$name.say" ]; then
		cat "$name.say" >>"$name.log"
	fi
	;;
off)
	if [ -f "$name.strict" ] && [ "$(cat "$name.power" 2>/dev/null || echo off)" = off ]; then
		echo "it is off already"
		exit 1
	fi
	echo off >"$name.power"
	;;
status)
	echo "$name is $(cat "$name.power" 2>/dev/null || echo off)"
	exit
	;;
esac
[ ! -f "$name.grumbles" ] || { echo "no confirmation"; exit 1; }
