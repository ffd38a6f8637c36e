/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bootstrap within a boot: the value that another boot of the same kind might have had. */
#pragma once

#include "result/estimator.h"

#include <gsl/gsl_rng.h>

/*
 * The estimator's value in another boot of the same kind, in the sample's unit: drawn from the distribution of this
 * order statistic in samples of as many windows as the boot has.
 */
double resample(const struct estimator *estimator, const struct sample *sample, gsl_rng *rng);
