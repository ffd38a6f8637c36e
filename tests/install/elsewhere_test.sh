#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: elsewhere_test.sh SOURCE [REGEX]
# A short form of `.ci/elsewhere`, which does the same to all tests: the release build, and those of its tests that have to do with
# folders, users and networks, as an ordinary user in a folder with blanks in its name and without network. REGEX names other tests.
# Ends with 77, which means skipped, where there can be no namespaces.

set -euo pipefail

source=$1
tests='^(hbench/(program|console|confirm|import|fleet|fleet_console|bisect|writers|repeatable|help)|htrace|run\.bench|gate\.sm'
tests+='|boot\.memory\.128m|boot\.refuse\.elf|fleet\.bmc|media\.(run|boots\.iso\.bios)|profiling\.(command|micro|front)'
tests+='|install\.prefix|check\.(style|scripts|names|ci|recipes)|abi\.values)$'

# shellcheck disable=SC2016
exec "$source/.ci/elsewhere" bash -euc '
	mkdir build
	cmake --preset release >build/configure.txt || { cat build/configure.txt; exit 1; }
	cmake --build --preset release -j 2 >build/build.txt || { tail -n 40 build/build.txt; exit 1; }
	ctest --preset release -j 2 -R "$1" || {
		echo "what they said:"
		tail -n 200 build/release/Testing/Temporary/LastTest.log
		exit 1
	}' -- "${2:-$tests}"
