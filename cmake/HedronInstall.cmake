# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `cmake --install` puts where. The programs find the rest in ../share/hedron (host/resource.h), so the prefix may be any
# folder and may be moved. What is compressed and generated here is so because packages want it ready.

include(GNUInstallDirs)
find_program(GZIP gzip REQUIRED)
find_program(HELP2MAN help2man)
set(share ${CMAKE_INSTALL_DATAROOTDIR}/hedron)
set(made ${PROJECT_BINARY_DIR}/install)
set(package ${CMAKE_CURRENT_LIST_DIR}/package)

# hedron_made(<file> <folder to install it to> <command...>): a file that a command prints, compressed if its name ends in .gz.
set(made_files)
function(hedron_made file folder)
  string(REGEX REPLACE "\\.gz$" "" plain ${file})
  set(compress)
  if(NOT plain STREQUAL file)
    set(compress COMMAND ${GZIP} -9nf ${made}/${plain})
  endif()
  get_filename_component(into ${made}/${file} DIRECTORY)
  add_custom_command(OUTPUT ${made}/${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${into}
    COMMAND ${ARGN} > ${made}/${plain}
    ${compress}
    DEPENDS hbench htrace ${PROJECT_SOURCE_DIR}/boot/mkimage ${PROJECT_SOURCE_DIR}/boot/run VERBATIM)
  install(FILES ${made}/${file} DESTINATION ${folder})
  list(APPEND made_files ${made}/${file})
  set(made_files ${made_files} PARENT_SCOPE)
endfunction()

# --- programs ---
install(TARGETS hbench htrace DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB boot_modules CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/boot/*.py)
install(FILES ${boot_modules} DESTINATION ${share}/boot)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/boot/mkimage ${PROJECT_SOURCE_DIR}/boot/run ${PROJECT_SOURCE_DIR}/boot/labca
  ${PROJECT_SOURCE_DIR}/boot/collector_init.sh
  DESTINATION ${share}/boot)
# boot/run has a name that says whose it is where it is not in a folder of its own.
file(MAKE_DIRECTORY ${made}/links ${made}/manual)
foreach(pair mkimage:hedron-mkimage run:hedron-emulate labca:hedron-labca)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 script)
  list(GET pair 1 name)
  file(CREATE_LINK ../share/hedron/boot/${script} ${made}/links/${name} SYMBOLIC)
  install(FILES ${made}/links/${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

# --- what they use ---
install(DIRECTORY ${PROJECT_SOURCE_DIR}/bench/suites ${PROJECT_SOURCE_DIR}/results DESTINATION ${share})
# As files and not as targets: the latter may be stripped, but a kernel's symbols are for debuggers and profilers.
install(FILES $<TARGET_FILE:hypervisor> ${PROJECT_BINARY_DIR}/hypervisor.elf32 DESTINATION ${share})
foreach(suite IN LISTS HEDRON_IMAGE_SUITES ITEMS monitor)
  install(FILES $<TARGET_FILE:${suite}> DESTINATION ${share})
endforeach()

# --- what people and shells read ---
foreach(tool hbench htrace)
  hedron_made(${tool}.1.gz ${CMAKE_INSTALL_MANDIR}/man1 $<TARGET_FILE:${tool}> manual)
  hedron_made(bash/${tool} ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions $<TARGET_FILE:${tool}> completion bash)
  hedron_made(zsh/_${tool} ${CMAKE_INSTALL_DATAROOTDIR}/zsh/vendor-completions $<TARGET_FILE:${tool}> completion zsh)
  hedron_made(fish/${tool}.fish ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d $<TARGET_FILE:${tool}> completion fish)
endforeach()
# help2man calls a program by the name of its file, hence links with the names that users have; and by a shell, which would
# divide a path at its blanks, hence from the links' own folder.
function(hedron_manual name script what)
  if(NOT HELP2MAN)
    message(STATUS "help2man is missing: ${name} is installed without a manual page")
    return()
  endif()
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/boot/${script} ${made}/manual/${name} SYMBOLIC)
  hedron_made(${name}.1.gz ${CMAKE_INSTALL_MANDIR}/man1
    ${CMAKE_COMMAND} -E chdir ${made}/manual ${HELP2MAN} --no-info --version-string ${PROJECT_VERSION} --name ${what} ./${name})
  set(made_files ${made_files} PARENT_SCOPE)
endfunction()
hedron_manual(hedron-mkimage mkimage "make boot media with the Hedron hypervisor")
hedron_manual(hedron-emulate run "boot the Hedron hypervisor or its media in an emulator")
hedron_manual(hedron-labca labca "make the authority that signs what a lab boots")
hedron_made(changelog.gz ${CMAKE_INSTALL_DOCDIR} ${CMAKE_COMMAND} -E cat ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${package}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${package}/lab.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${package}/hedron-fleet.service DESTINATION lib/systemd/system)
