/* How products walk over a run of groups: tokens in panels whose packed rows stay in the second cache, and for each
 * group and panel the columns in slabs whose weights stay in the first, over all tokens of the panel. An output's sum
 * is carried from slab to slab in y, so its order does not depend on the walk. */
#ifndef HLMI_KERNEL_WALK_H
#define HLMI_KERNEL_WALK_H

#include <stdbool.h>

#include "kernel/kernel.h"

/* Before a loop of few rounds over registers: unrolled, or left as it is because unrolled it would spill. The counts
 * are constants once a micro-tile is inlined, for which they rely on HLMI_INLINE. clang unrolls such loops by
 * itself. */
#ifndef HLMI_INLINE
#  define HLMI_INLINE static inline __attribute__((always_inline))
#  ifdef __clang__
#    define HLMI_UNROLL
#    define HLMI_ROLLED _Pragma("clang loop unroll(disable)")
#  else
#    define HLMI_UNROLL _Pragma("GCC unroll 20")
#    define HLMI_ROLLED _Pragma("GCC unroll 1")
#  endif
#endif

/** One group, a run of units, a run of tokens. */
typedef struct hlmi_slab {
    const char *w; /* first unit */
    size_t units;
    const char *x; /* first token, at the first unit's columns */
    size_t ldx;
    float *y; /* first token's lanes of the group */
    size_t ldy;
    size_t tokens;
    bool first; /* sums begin here; else they go on from y */
} hlmi_slab;

typedef void hlmi_slab_fn(const hlmi_slab *b);

typedef struct hlmi_walk {
    hlmi_layout layout;
    size_t unit_k; /* columns that w and x are cut at; g->cols is a multiple */
    size_t unit_bytes; /* their weights, of a group */
    size_t unit_act; /* their packed activations */
    size_t slab_units; /* of a slab */
    size_t micro_tokens; /* panels are a multiple of it */
    hlmi_slab_fn *one; /* one token, all units of a group */
    hlmi_slab_fn *many; /* any number of tokens */
} hlmi_walk;

/** gemm_NAME, which walks over slabs b by ONE and MANY; what stands behind them is hlmi_walk's, in its order. */
#define HLMI_PRODUCT(name, ONE, MANY, ...)                                \
  static void one_##name(const hlmi_slab *b)                              \
  {                                                                       \
    ONE;                                                                  \
  }                                                                       \
  static void many_##name(const hlmi_slab *b)                             \
  {                                                                       \
    MANY;                                                                 \
  }                                                                       \
  static void gemm_##name(const hlmi_gemm *g)                             \
  {                                                                       \
    static const hlmi_walk walk = {__VA_ARGS__, one_##name, many_##name}; \
    hlmi_walk_run(&walk, g);                                              \
  }

/** Micro-tiles of `most` tokens (4, 6 or 8) of a slab b, then of what is left. RUN(T, x, y) runs one of T tokens, a
 *  constant. */
#define HLMI_MANY(most, RUN)                                                                              \
  do {                                                                                                    \
    const char *x = b->x;                                                                                 \
    float *y = b->y;                                                                                      \
    size_t t = 0;                                                                                         \
    for (; t + (most) <= b->tokens; t += (most), x += (most)*b->ldx, y += (most)*b->ldy) RUN(most, x, y); \
    if ((most) == 8 && t + 4 <= b->tokens) {                                                              \
      RUN(4, x, y);                                                                                       \
      t += 4, x += 4 * b->ldx, y += 4 * b->ldy;                                                           \
    }                                                                                                     \
    const size_t left = b->tokens - t;                                                                    \
    if ((most) == 6 && left == 5) RUN(5, x, y);                                                           \
    if ((most) == 6 && left == 4) RUN(4, x, y);                                                           \
    if (left == 3) RUN(3, x, y);                                                                          \
    if (left == 2) RUN(2, x, y);                                                                          \
    if (left == 1) RUN(1, x, y);                                                                          \
  } while (0)

enum { HLMI_PANEL_BYTES = 192 * 1024 };

HLMI_INLINE void hlmi_walk_run(const hlmi_walk *p, const hlmi_gemm *g)
{
    const size_t units = g->cols / p->unit_k, group_bytes = hlmi_layout_group_bytes(p->layout, g->cols);
    const size_t rows = hlmi_layout_get(p->layout)->rows;
    if (g->tokens == 1) {
        for (size_t i = 0; i < g->groups; i++) {
            const char *w = (const char *)g->w + i * group_bytes;
            const hlmi_slab b = {w, units, g->x, g->ldx, g->y + i * rows, g->ldy, 1, true};
            p->one(&b);
        }
        return;
    }
    const size_t fit = HLMI_PANEL_BYTES / (g->ldx + 1) / p->micro_tokens;
    const size_t panel = (fit ? fit : 1) * p->micro_tokens;
    for (size_t t = 0; t < g->tokens; t += panel) {
        const size_t tokens = g->tokens - t < panel ? g->tokens - t : panel;
        for (size_t i = 0; i < g->groups; i++) {
            for (size_t u = 0; u < units; u += p->slab_units) {
                const size_t n = units - u < p->slab_units ? units - u : p->slab_units;
                const hlmi_slab b = {(const char *)g->w + i * group_bytes + u * p->unit_bytes,
                                     n,
                                     (const char *)g->x + t * g->ldx + u * p->unit_act,
                                     g->ldx,
                                     g->y + t * g->ldy + i * rows,
                                     g->ldy,
                                     tokens,
                                     u == 0};
                p->many(&b);
            }
        }
    }
}

#endif
