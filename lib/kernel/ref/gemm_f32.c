/* Products of f32 activations: weights are expanded 32 columns at a time, with the bits that dequantising gives, and
 * multiplied in f32. */
#include <string.h>

#include "base/fma.h"
#include "kernel/ref/ref.h"

enum { STEP = 32, LANES = 32 };

/* One step of one token: y[r] goes on from where the step before left it. */
static void step(float *y, const float *w, const float *x, size_t rows, size_t n, bool first)
{
    float acc[LANES];
    for (size_t r = 0; r < rows; r++) acc[r] = first ? 0.0f : y[r];
    for (size_t k = 0; k < n; k++) {
        for (size_t r = 0; r < rows; r++) acc[r] = hlmi_fmaf(w[k * rows + r], x[k], acc[r]);
    }
    memcpy(y, acc, rows * sizeof *y);
}

static void product(const hlmi_gemm *g, hlmi_layout layout)
{
    const hlmi_layout_info *l = hlmi_layout_get(layout);
    const size_t group_bytes = hlmi_layout_group_bytes(layout, g->cols);
    float w[STEP * LANES]; /* [column][row] */
    for (size_t i = 0; i < g->groups; i++) {
        for (size_t k = 0; k < g->cols; k += STEP) {
            const size_t n = g->cols - k < STEP ? g->cols - k : STEP;
            for (size_t r = 0; r < l->rows; r++)
                l->read_row(w + r, l->rows, (const char *)g->w + i * group_bytes, r, k, n);
            for (size_t t = 0; t < g->tokens; t++) {
                const float *x = (const float *)((const char *)g->x + t * g->ldx);
                step(g->y + t * g->ldy + i * l->rows, w, x + k, l->rows, n, k == 0);
            }
        }
    }
}

#define PRODUCT(constant, name, ...)          \
  static void gemm_##name(const hlmi_gemm *g) \
  {                                           \
    product(g, HLMI_LAYOUT_##constant);       \
  }
HLMI_LAYOUTS(PRODUCT)

#define EXPANDED(constant, name, ...) k->gemm_f32[HLMI_LAYOUT_##constant] = gemm_##name;
#define PLAIN(constant, name, ...) k->gemm[HLMI_LAYOUT_##constant] = gemm_##name;

void hlmi_ref_gemm_f32(hlmi_kernels *k)
{
    HLMI_LAYOUTS(EXPANDED)
    HLMI_FLOAT_LAYOUTS(PLAIN)
    HLMI_CARRIER_LAYOUTS(PLAIN)
    HLMI_CODE_LAYOUTS(PLAIN)
}
