/* A weight matrix with the kernel that multiplies it, and its products with packed rows by bands of output rows. */
#ifndef HLMI_CPU_PRODUCT_H
#define HLMI_CPU_PRODUCT_H

#include "base/size.h"
#include "cpu/cpu.h"

enum {
    HLMI_BAND = 32, /* output rows of a band, the least that a worker computes: a multiple of every layout's group */
    HLMI_BAND_TOKENS = 64, /* rows of x that it computes at once */
    HLMI_BAND_TMP = 8192 /* floats of a worker's buffer of products */
};

typedef struct hlmi_product {
    const hlmi_matrix *m;
    hlmi_gemm_fn *gemm;
    hlmi_act act; /* form that x is packed in */
    size_t per; /* packed rows that it reads for a row of x: 2 where its activations are wide */
    size_t bands, group_rows, group_bytes;
} hlmi_product;

/** f32: on f32 activations whatever the weights' type. wide: as of hlmi_linear. */
static inline hlmi_product hlmi_product_of(const hlmi_kernels *k, const hlmi_matrix *m, bool f32, bool wide)
{
    const hlmi_act act = f32 ? HLMI_ACT_F32 : k->act[m->layout];
    return (hlmi_product){.m = m,
                          .gemm = f32 ? k->gemm_f32[m->layout] : k->gemm[m->layout],
                          .act = act,
                          .per = wide && k->pack_wide[act] ? 2 : 1,
                          .bands = hlmi_div_up(m->rows, HLMI_BAND),
                          .group_rows = hlmi_layout_get(m->layout)->rows,
                          .group_bytes = hlmi_layout_group_bytes(m->layout, m->cols)};
}

/** Products of `bands` bands from band `u` on with n rows of x, packed rows `stride` bytes apart. y has n * per rows,
 *  of bands * HLMI_BAND floats, of which the first n become the products, in whole groups of columns. */
static inline void hlmi_product_run(const hlmi_kernels *k, const hlmi_product *p, size_t u, size_t bands,
                                    const uint8_t *x, size_t stride, size_t n, float *y)
{
    const size_t ldy = bands * HLMI_BAND;
    const size_t first = u * HLMI_BAND / p->group_rows;
    const size_t all = hlmi_div_up(p->m->rows, p->group_rows);
    const hlmi_gemm g = {.y = y,
                         .ldy = ldy,
                         .w = (const char *)p->m->packed + first * p->group_bytes,
                         .groups = hlmi_min_size(bands * HLMI_BAND / p->group_rows, all - first),
                         .x = x,
                         .ldx = stride,
                         .tokens = n * p->per,
                         .cols = p->m->cols};
    p->gemm(&g);
    if (p->per == 1) return;
    const size_t width = g.groups * p->group_rows;
    for (size_t t = 0; t < n; t++) k->add(y + t * ldy, y + 2 * t * ldy, y + (2 * t + 1) * ldy, width);
}

#endif
