/* NVFP4 in GGUF files: beside X.weight there may be X.scale, a number (or one for each expert) that the weights are
 * multiplied by, and X.input_scale, of activations, which those of f32 do not need. */
#include <stdio.h>
#include <string.h>

#include "weights/coded.h"
#include "weights/store_impl.h"

enum { NAME_MAX_BYTES = 256 };

/* The matrix of NVFP4 that a tensor of this name would be the scale of; NULL: it is none. */
static const hlmi_tensor *scaled_by(const hlmi_store *s, const char *name, const char *tail)
{
    char weight[NAME_MAX_BYTES];
    const size_t n = strlen(name), m = strlen(tail);
    if (n <= m || strcmp(name + n - m, tail) != 0) return NULL;
    if (snprintf(weight, sizeof weight, "%.*s.weight", (int)(n - m), name) >= (int)sizeof weight) return NULL;
    const hlmi_tensor *t = hlmi_store_find(s, weight);
    return t && (t->type == HLMI_NVFP4 || t->coded) && !t->unfit ? t : NULL;
}

static hlm_status read_scales(const hlmi_store *s, const hlmi_tensor *t, size_t experts, float *out)
{
    const uint8_t *data = NULL;
    HLMI_DO(hlmi_store_usable(s, t));
    if (t->type != HLMI_F32 || t->bytes != experts * sizeof *out)
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: %llu bytes of %s, expected %zu numbers of f32",
                         s->sources[t->source].path, hlmi_quoted(t->name, strlen(t->name)).s,
                         (unsigned long long)t->bytes, hlmi_type_get(t->type)->name, experts);
    HLMI_DO(hlmi_store_read(s, t, 0, (size_t)t->bytes, out, &data));
    if (data != (const uint8_t *)out) memcpy(out, data, (size_t)t->bytes);
    return HLM_OK;
}

/* Makes runs of the matrix w by its scale. */
static hlm_status scale(hlmi_store *s, hlmi_tensor *w, const hlmi_tensor *t)
{
    hlmi_coded *c = &s->coded[s->n_coded];
    const size_t experts = w->n_dims > 2 ? (size_t)w->dims[0] : 1, cols = (size_t)w->dims[w->n_dims - 1];
    uint64_t row_bytes = 0, rows = 1;
    for (uint32_t i = 0; i + 1 < w->n_dims; i++) rows *= w->dims[i];
    *c = (hlmi_coded){.rows = (size_t)rows,
                      .cols = cols,
                      .bits = 4,
                      .order = HLMI_CODES_NVFP4,
                      .group = HLMI_RUN,
                      .tall = (size_t)rows / experts,
                      .groups = cols / HLMI_RUN,
                      .code = *w};
    c->scales = hlmi_alloc(&s->mem, experts * sizeof *c->scales);
    if (!c->scales) return hlmi_nomem(experts * sizeof *c->scales, t->name);
    s->n_coded++;
    HLMI_DO(read_scales(s, t, experts, c->scales));
    w->type = hlmi_coded_type(c);
    w->coded = c;
    (void)hlmi_type_row_bytes(w->type, cols, &row_bytes); /* some five times a row that is in the file */
    w->bytes = rows * row_bytes;
    return HLM_OK;
}

hlm_status hlmi_gguf_scale(hlmi_store *s)
{
    size_t n = 0, kept = 0;
    bool any = false;
    for (size_t i = 0; i < s->n_tensors; i++) any = any || s->tensors[i].type == HLMI_NVFP4;
    if (!any) return HLM_OK;
    HLMI_DO(hlmi_store_index_tensors(s));
    for (size_t i = 0; i < s->n_tensors; i++) n += scaled_by(s, s->tensors[i].name, ".scale") != NULL;
    if (n && !(s->coded = hlmi_calloc(&s->mem, n, sizeof *s->coded)))
        return hlmi_nomem(n * sizeof *s->coded, "coded matrices");
    bool *spent = hlmi_calloc(&s->mem, s->n_tensors, sizeof *spent);
    hlm_status st = spent ? HLM_OK : hlmi_nomem(s->n_tensors, "coded matrices");
    for (size_t i = 0; i < s->n_tensors && st == HLM_OK; i++) {
        const hlmi_tensor *t = &s->tensors[i], *w = scaled_by(s, t->name, ".scale");
        spent[i] = w || scaled_by(s, t->name, ".input_scale");
        if (w) st = scale(s, &s->tensors[w - s->tensors], t);
    }
    for (size_t i = 0; i < s->n_tensors && st == HLM_OK; i++)
        if (!spent[i]) s->tensors[kept++] = s->tensors[i];
    if (st == HLM_OK) s->n_tensors = kept;
    hlmi_free(&s->mem, spent);
    return st;
}
