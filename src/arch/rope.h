/* Rotary frequencies of a model and their scaling to longer texts. */
#ifndef HLMI_ARCH_ROPE_H
#define HLMI_ARCH_ROPE_H

#include "arch/config.h"
#include "plan/plan.h"

/** Reads rope_theta and the scaling (rope_scaling, rope_parameters, or GGUF's keys) for `dim` rotated elements of a
 *  head, and appends a rope to the plan, whose max_positions grows to the length that the scaling is made for. divisors
 *  [dim/2] (GGUF's rope_freqs) or NULL. default_theta is used where none is given. *index is its number in the plan. */
hlm_status hlmi_rope_read(const hlmi_config *c, hlmi_plan *plan, size_t dim, double default_theta,
                          const float *divisors, size_t *index);
/** Divides the frequencies by what the file has for them, once that is read. */
hlm_status hlmi_rope_divide(const hlmi_plan *plan, const char *path);
/** Appends a rope of base theta, unscaled. */
hlm_status hlmi_rope_plain(hlmi_plan *plan, size_t dim, double theta, size_t *index);

#endif
