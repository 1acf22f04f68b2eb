/* Template: the gated delta rule over the vectors of an ISA's simd.h, which the including file has included before.
 * Columns of the state are lanes. A slice of DELTA_WIDE vectors of them passes all tokens before the next slice begins;
 * between tokens it lies side by side in r->work, in the core's first cache. A token passes over the state once: what
 * its update writes meets the next token's key at once. */
#ifndef HLMI_KERNEL_TMPL_DELTA_H
#define HLMI_KERNEL_TMPL_DELTA_H

#include "kernel/kernel.h"
#include "kernel/tmpl/halves.h"

enum { DELTA_WIDE = 2 };
_Static_assert(DELTA_WIDE *VF <= HLMI_DELTA_LANES, "a slice fits the work space");

/* One slice from lane `at` on, of which LOAD and STORE take `part` lanes. `vectors` and `type` are constants, so inner
 * loops unroll. The last token's own key stands for the next one's: that sum is not used. */
#define DELTA_SLICE(name, type, vectors, LOAD, STORE)                                                \
  static void name(const hlmi_delta_run *r, size_t at, size_t part)                                  \
  {                                                                                                  \
    const size_t rows = r->rows;                                                                     \
    const float *from = r->in + at, *key = r->k;                                                     \
    size_t ldf = r->ld, n = 0;                                                                       \
    vf m[vectors], y[vectors], d[vectors];                                                           \
    (void)part;                                                                                      \
    for (size_t j = 0; j < (vectors); j++) m[j] = vf_set1(0.0f);                                     \
    do {                                                                                             \
      const vf kn = vf_set1(key[n]);                                                                 \
      for (size_t j = 0; j < (vectors); j++) m[j] = vf_fma(kn, LOAD(from + n * ldf + j * VF), m[j]); \
    } while (++n < rows);                                                                            \
    for (size_t t = 0; t < r->tokens; t++) {                                                         \
      const bool last = t + 1 == r->tokens;                                                          \
      const float *q = r->q + t * r->ldqk, *next = last ? key : key + r->ldqk;                       \
      float *to = last ? r->out + at : r->work;                                                      \
      const size_t ldt = last ? r->ld : (vectors)*VF;                                                \
      const vf g = vf_set1(r->g[t]), less = vf_set1(-r->g[t]), beta = vf_set1(r->beta[t]);           \
      for (size_t j = 0; j < (vectors); j++) {                                                       \
        d[j] = vf_mul(beta, vf_fma(less, m[j], LOAD(r->v + t * r->ldv + at + j * VF)));              \
        y[j] = m[j] = vf_set1(0.0f);                                                                 \
      }                                                                                              \
      n = 0;                                                                                         \
      do {                                                                                           \
        const vf kn = vf_set1(key[n]), qn = vf_set1(q[n]), nn = vf_set1(next[n]);                    \
        for (size_t j = 0; j < (vectors); j++) {                                                     \
          const vf s = vf_fma(kn, d[j], vf_mul(g, LOAD(from + n * ldf + j * VF)));                   \
          const vf kept = vf_round_to(type, s);                                                      \
          STORE(to + n * ldt + j * VF, kept);                                                        \
          y[j] = vf_fma(qn, s, y[j]);                                                                \
          m[j] = vf_fma(nn, kept, m[j]);                                                             \
        }                                                                                            \
      } while (++n < rows);                                                                          \
      for (size_t j = 0; j < (vectors); j++) STORE(r->y + t * r->ldy + at + j * VF, y[j]);           \
      from = to;                                                                                     \
      ldf = ldt;                                                                                     \
      key = next;                                                                                    \
    }                                                                                                \
  }

#define LOAD_PART(p) vf_load_part(p, part)
#define STORE_PART(p, x) vf_store_part(p, x, part)

typedef void delta_slice_fn(const hlmi_delta_run *r, size_t at, size_t part);

DELTA_SLICE(delta_wide_f32, HLMI_STATE_F32, DELTA_WIDE, vf_load, vf_store)
DELTA_SLICE(delta_rest_f32, HLMI_STATE_F32, 1, LOAD_PART, STORE_PART)
DELTA_SLICE(delta_wide_f16, HLMI_STATE_F16, DELTA_WIDE, vf_load, vf_store)
DELTA_SLICE(delta_rest_f16, HLMI_STATE_F16, 1, LOAD_PART, STORE_PART)
DELTA_SLICE(delta_wide_bf16, HLMI_STATE_BF16, DELTA_WIDE, vf_load, vf_store)
DELTA_SLICE(delta_rest_bf16, HLMI_STATE_BF16, 1, LOAD_PART, STORE_PART)

static void delta(const hlmi_delta_run *r)
{
    static delta_slice_fn *const wide[HLMI_STATE_TYPES] = {delta_wide_f32, delta_wide_f16, delta_wide_bf16};
    static delta_slice_fn *const rest[HLMI_STATE_TYPES] = {delta_rest_f32, delta_rest_f16, delta_rest_bf16};
    size_t at = 0;
    for (; r->lanes - at >= DELTA_WIDE * VF; at += DELTA_WIDE * VF) wide[r->type](r, at, VF);
    for (; at < r->lanes; at += VF) rest[r->type](r, at, r->lanes - at < VF ? r->lanes - at : VF);
}

#endif
