/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that come with the programs: suites, kernels, roottasks, the maker of boot media. */
#pragma once

/*
 * The path of such a file, which need not exist. A program that was installed, to PREFIX/bin, has them in
 * PREFIX/share/hedron, where this one is called `installed`. Without that folder the program is still where it was
 * built, and the file is `built`, seen from the program's own folder. To be freed.
 */
char *resource_path(const char *installed, const char *built);
