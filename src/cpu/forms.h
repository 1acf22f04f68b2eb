/* Rows of x in the forms that the kernels of some matrices read. Of a few rows each worker packs all for itself, which
 * costs less than a barrier; else the workers share it in a region of its own. */
#ifndef HLMI_CPU_FORMS_H
#define HLMI_CPU_FORMS_H

#include <string.h>

#include "cpu/product.h"

enum { HLMI_OWN_ROWS = 4 }; /* up to here each worker packs for itself */

typedef struct hlmi_form {
    size_t per; /* packed rows of a row of x: 2 where a matrix reads them wide; 0: none reads this form */
    size_t stride; /* bytes of a packed row */
    uint8_t *packed; /* by all workers together; NULL: x itself */
    size_t own_at; /* offset in a worker's scratch of what it packs for itself */
} hlmi_form;

typedef struct hlmi_forms {
    size_t cols; /* of the widest matrix */
    hlmi_form of[HLMI_ACT_COUNT];
} hlmi_forms;

/** Bytes of a row of x. */
static inline size_t hlmi_form_bytes(const hlmi_form *f)
{
    return f->per * f->stride;
}

/** A matrix reads its form; of a wide one it may be the even rows alone. */
static inline void hlmi_forms_note(hlmi_forms *f, const hlmi_product *p)
{
    f->of[p->act].per = hlmi_max_size(f->of[p->act].per, p->per);
}

/** Room for `rows` rows in each form that is read, and for `own` of them in a worker's scratch, from *at on. Floats
 *  that lie as they are read stay there (as_is, or NULL). True: a form is to be packed. */
static inline bool hlmi_forms_take(hlmi_builder *b, hlmi_forms *forms, size_t rows, size_t own, const hlmi_rows *as_is,
                                   size_t *at)
{
    bool packed = false;
    b->widest = hlmi_max_size(b->widest, forms->cols);
    for (size_t i = 0; i < HLMI_ACT_COUNT; i++) {
        hlmi_form *f = &forms->of[i];
        if (!f->per) continue;
        if (i == HLMI_ACT_F32 && as_is) {
            f->stride = as_is->ld * sizeof(float);
            continue;
        }
        f->stride = hlmi_act_stride((hlmi_act)i, forms->cols);
        if (hlmi_form_bytes(f) % 4096 == 0) f->stride += HLMI_ALIGN; /* as hlmi_act_stride does */
        f->packed = hlmi_scratch(b, rows * hlmi_form_bytes(f));
        f->own_at = *at;
        *at += own * hlmi_form_bytes(f);
        packed = true;
    }
    return packed;
}

/** Where the rows of each form are: in the scratch of a worker that packs for itself, where all of them have packed
 *  (own NULL), or x itself. */
static inline void hlmi_forms_find(const hlmi_forms *forms, hlmi_rows x, uint8_t *own, uint8_t **rows)
{
    for (size_t i = 0; i < HLMI_ACT_COUNT; i++) {
        const hlmi_form *f = &forms->of[i];
        rows[i] = !f->packed ? (uint8_t *)x.at : own ? own + f->own_at : f->packed;
    }
}

/** A row of x becomes number i of each form that is packed. */
static inline void hlmi_forms_pack(const hlmi_kernels *k, const hlmi_forms *forms, uint8_t *const *rows, size_t i,
                                   const float *x, size_t cols)
{
    for (size_t act = 0; act < HLMI_ACT_COUNT; act++) {
        const hlmi_form *f = &forms->of[act];
        if (!f->packed) continue;
        uint8_t *y = rows[act] + i * hlmi_form_bytes(f);
        if (act == HLMI_ACT_F32) memcpy(y, x, cols * sizeof *x);
        else (f->per == 2 ? k->pack_wide : k->pack)[act](y, f->stride, x, cols, 1, cols);
    }
}

/** Products of `bands` bands from band `u` on with rows [i, i + n) of its form (hlmi_product_run). */
static inline void hlmi_forms_run(const hlmi_kernels *k, const hlmi_forms *forms, const hlmi_product *p, size_t u,
                                  size_t bands, uint8_t *const *rows, size_t i, size_t n, float *y)
{
    const hlmi_form *f = &forms->of[p->act];
    hlmi_product_run(k, p, u, bands, rows[p->act] + i * hlmi_form_bytes(f), f->per / p->per * f->stride, n, y);
}

/** What becomes of n products y, of a pair's second matrix `up`: into out. */
static inline void hlmi_finish(const hlmi_kernels *k, hlmi_epilogue epilogue, float *out, const float *y,
                               const float *up, size_t n)
{
    switch (epilogue) {
    case HLMI_EP_STORE:
    case HLMI_EP_OUT: memcpy(out, y, n * sizeof *y); break;
    case HLMI_EP_ADD: k->add(out, out, y, n); break;
    case HLMI_EP_SILU_MUL: k->silu_mul(out, y, up, n); break;
    case HLMI_EP_GELU: k->gelu(out, y, n); break;
    case HLMI_EP_RELU2: k->relu2(out, y, n); break;
    }
}

#endif
