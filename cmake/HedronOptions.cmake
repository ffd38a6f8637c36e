# SPDX-License-Identifier: GPL-2.0-or-later
#
# Language standards, warnings, reproducibility and sanitizers: what holds for every target.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

# Debug information never costs speed, and every result can be looked into. NDEBUG marks release builds.
foreach(lang C CXX ASM)
  set(CMAKE_${lang}_FLAGS_RELEASE "-O2 -g -DNDEBUG")
  set(CMAKE_${lang}_FLAGS_DEBUG "-O1 -g")
endforeach()

add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-Wall> $<$<COMPILE_LANGUAGE:C,CXX>:-Wextra>)
if(HEDRON_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_C_COMPILER_ID MATCHES Clang)
  # One set of options serves compiler, assembler and linker; clang would name each that one of them does not need.
  add_compile_options(-Wno-unused-command-line-argument)
endif()

# The same sources give the same bytes, wherever they lie: no paths of the builder (the longest match has to come last),
# no time stamps, a build id that is a hash of the contents.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  add_compile_options(-gno-record-gcc-switches -Wdate-time)
endif()
add_link_options(-Wl,--build-id=sha1)

if(HEDRON_SANITIZE)
  if(HEDRON_KERNEL OR HEDRON_GUESTS)
    message(FATAL_ERROR "HEDRON_SANITIZE is for host programs: switch HEDRON_KERNEL and HEDRON_GUESTS off (preset `host`)")
  endif()
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# What kernel and roottasks have in common: no C library, no position independence, no vector registers in generated code
# unless the target asks for them, nothing that needs a run-time library.
add_library(hedron_freestanding INTERFACE)
target_compile_options(hedron_freestanding INTERFACE
  -m64 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none
  -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-common
  $<$<COMPILE_LANGUAGE:C>:-mno-sse> $<$<COMPILE_LANGUAGE:C>:-mgeneral-regs-only>)
target_link_options(hedron_freestanding INTERFACE -nostdlib -static -no-pie -Wl,-z,noexecstack -Wl,-z,max-page-size=4096)
target_include_directories(hedron_freestanding INTERFACE ${PROJECT_SOURCE_DIR}/kernel/include)
