# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Debian package: `cpack --preset deb`, or `./run deb`.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hedron)
set(CPACK_PACKAGE_VENDOR "The Hedron in C project")
set(CPACK_PACKAGE_CONTACT "The Hedron in C project <hedron@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "microhypervisor with a harness that measures its latencies")
set(CPACK_PACKAGE_DESCRIPTION
"Hedron is a small hypervisor for x86-64. This package has its kernel, its
benchmark suites as bootable programs, and the tools that measure them in
emulators and on the real machines of a lab: hbench measures, compares and
gates, htrace shows recorded traces, hedron-mkimage makes boot media, and
hedron-emulate boots them in QEMU or Bochs.")
set(CPACK_PACKAGE_INSTALL_DIRECTORY hedron)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION kernel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "python3 (>= 3.9)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "qemu-system-x86, bochs, bochsbios, vgabios, grub-common, grub-pc-bin, grub-efi-amd64-bin, xorriso, mtools")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "dnsmasq-base, ipxe, ipmitool, powerman, conman, slurm-client, openssl, ovmf, dosfstools, gdisk")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package}/prerm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Only a package has these, not what `cmake --install` installs.
configure_file(${package}/changelog.in ${made}/changelog.filled @ONLY)
hedron_made(changelog.Debian.gz ${CMAKE_INSTALL_DOCDIR} ${CMAKE_COMMAND} -E cat ${made}/changelog.filled)
install(FILES ${package}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides RENAME hedron)
include(CPack)
