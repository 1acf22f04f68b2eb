/* Which tensors of a quantised folder make a matrix together, by the method that its settings name. */
#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "weights/coded.h"
#include "weights/schemes.h"
#include "weights/store_impl.h"

/* The matrix whose codes were found: X of X.qweight. */
typedef struct found {
    hlmi_store *s;
    const hlmi_scheme *scheme;
    const hlmi_tensor *code;
    size_t stem; /* length of X in its name */
    hlmi_coded *c;
} found;

enum { NAME_MAX_BYTES = 256, WHAT = 200 };

#define BIT(type) ((uint64_t)1 << HLMI_##type)
#define FLOATS (BIT(F32) | BIT(F16) | BIT(BF16))

static const float twice_e2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static const hlmi_tensor *beside(const found *f, const char *tail)
{
    char name[NAME_MAX_BYTES];
    const int n = snprintf(name, sizeof name, "%.*s%s", (int)f->stem, f->code->name, tail);
    return n < (int)sizeof name ? hlmi_store_find(f->s, name) : NULL;
}

static hlm_status refuse(const found *f, const hlmi_tensor *t, const char *what)
{
    return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: %s", f->s->sources[t->source].path,
                     hlmi_quoted(t->name, strlen(t->name)).s, what);
}

static hlm_status check(const found *f, const hlmi_tensor *t, uint64_t rows, uint64_t cols, uint64_t types)
{
    char what[WHAT];
    HLMI_DO(hlmi_store_usable(f->s, t));
    const uint64_t size = hlmi_type_get(t->type)->bytes, wide = t->n_dims > 1 ? t->dims[1] : 1;
    const bool vector = t->n_dims == 1 && (rows == 1 || cols == 1);
    if (!(types >> t->type & 1)) {
        snprintf(what, sizeof what, "type is %s, which is none of %s for it", hlmi_type_get(t->type)->name,
                 f->scheme->name);
        return refuse(f, t, what);
    }
    if (t->bytes / size == rows * cols && (vector || (t->n_dims == 2 && t->dims[0] == rows))) return HLM_OK;
    snprintf(what, sizeof what, "shape is [%llu, %llu], expected [%llu, %llu]", (unsigned long long)t->dims[0],
             (unsigned long long)wide, (unsigned long long)rows, (unsigned long long)cols);
    return refuse(f, t, what);
}

static hlm_status missing(const found *f, const char *tail)
{
    char what[WHAT];
    snprintf(what, sizeof what, "%s is missing beside it", tail);
    return refuse(f, f->code, what);
}

/* The tensor X + tail: a matrix of that shape (a vector, where one side is 1) and of one of the types. */
static hlm_status take(const found *f, const char *tail, uint64_t rows, uint64_t cols, uint64_t types, hlmi_tensor *out)
{
    const hlmi_tensor *t = beside(f, tail);
    if (!t) return missing(f, tail);
    *out = *t;
    return check(f, t, rows, cols, types);
}

/* All bytes of a small tensor, into room for them. */
static hlm_status read_bytes(const found *f, const hlmi_tensor *t, void *out)
{
    const uint8_t *data = NULL;
    HLMI_DO(hlmi_store_read(f->s, t, 0, (size_t)t->bytes, out, &data));
    if (data != (const uint8_t *)out) memcpy(out, data, (size_t)t->bytes);
    return HLM_OK;
}

/* The first numbers of a small tensor, as f32. */
static hlm_status read_floats(const found *f, const hlmi_tensor *t, size_t n, float *out)
{
    const uint8_t *data = NULL;
    uint8_t *buf = hlmi_alloc(&f->s->mem, (size_t)t->bytes + 1);
    if (!buf) return hlmi_nomem((size_t)t->bytes, t->name);
    const hlm_status st = hlmi_store_read(f->s, t, 0, (size_t)t->bytes, buf, &data);
    if (st == HLM_OK) hlmi_type_get(t->type)->dequantise(out, data, n);
    hlmi_free(&f->s->mem, buf);
    return st;
}

/* Rows and columns from the shape of the codes. */
static hlm_status sized(const found *f, uint64_t rows, uint64_t cols)
{
    if (f->code->n_dims != 2 || rows == 0 || cols == 0 || rows > INT32_MAX || cols > INT32_MAX)
        return refuse(f, f->code, "shape is none of a matrix of codes");
    f->c->rows = (size_t)rows;
    f->c->cols = (size_t)cols;
    return HLM_OK;
}

/* Groups of a row: `n` of them, as long as the settings say, but the last; where they do not say (0) of one length. */
static hlm_status grouped(const found *f, uint64_t n, uint64_t group)
{
    hlmi_coded *c = f->c;
    if (group == 0) group = n && c->cols % n == 0 ? c->cols / n : c->cols;
    c->group = (size_t)group;
    c->groups = hlmi_div_up(c->cols, c->group);
    if (n == c->groups) return HLM_OK;
    char what[WHAT];
    snprintf(what, sizeof what, "scales are %llu for a row of %zu columns in groups of %zu, expected %zu",
             (unsigned long long)n, c->cols, c->group, c->groups);
    return refuse(f, f->code, what);
}

/* The same by the lines of a tensor, [groups][rows]. */
static hlm_status grouped_by(const found *f, const char *tail, uint64_t group)
{
    const hlmi_tensor *t = beside(f, tail);
    return t ? grouped(f, t->dims[0], group) : missing(f, tail);
}

/* ---- GPTQ ---- */

/* Does the list say nothing: that groups follow one another, or -1 everywhere? */
static bool says_nothing(const hlmi_coded *c)
{
    bool counts = true, none = true;
    for (size_t k = 0; k < c->cols; k++) {
        counts = counts && c->of[k] == k / c->group;
        none = none && c->of[k] == UINT32_MAX;
    }
    return counts || none;
}

/* The group of each column, where groups do not follow one another. */
static hlm_status read_order(const found *f, const char *tail)
{
    hlmi_coded *c = f->c;
    hlmi_tensor t;
    if (!beside(f, tail)) return HLM_OK;
    HLMI_DO(take(f, tail, c->cols, 1, BIT(I32), &t));
    c->of = hlmi_alloc(&f->s->mem, c->cols * sizeof *c->of);
    if (!c->of) return hlmi_nomem(c->cols * sizeof *c->of, t.name);
    HLMI_DO(read_bytes(f, &t, c->of));
    if (says_nothing(c)) {
        hlmi_free(&f->s->mem, c->of);
        c->of = NULL;
        return HLM_OK;
    }
    for (size_t k = 0; k < c->cols; k++) {
        char what[WHAT];
        if (c->of[k] < c->groups) continue;
        snprintf(what, sizeof what, "entry %zu is %d, expected 0 to %zu", k, (int)(int32_t)c->of[k], c->groups - 1);
        return refuse(f, &t, what);
    }
    return HLM_OK;
}

static hlm_status gptq(const found *f)
{
    hlmi_coded *c = f->c;
    c->bits = f->scheme->bits <= 8 ? (unsigned)f->scheme->bits : 0;
    c->order = HLMI_CODES_COLUMNS;
    c->zeros = HLMI_ZERO_GROUPS;
    c->zero = f->scheme->zeros_from_one;
    c->scales_turned = true;
    if (c->bits != 2 && c->bits != 3 && c->bits != 4 && c->bits != 8)
        return refuse(f, f->code, "bits is not 2, 3, 4 or 8");
    HLMI_DO(sized(f, f->code->dims[1], f->code->dims[0] * 32 / c->bits));
    HLMI_DO(check(f, f->code, hlmi_div_up(c->cols * c->bits, 32), c->rows, BIT(I32)));
    HLMI_DO(grouped_by(f, ".scales", (uint64_t)f->scheme->block[1]));
    HLMI_DO(take(f, ".scales", c->groups, c->rows, FLOATS, &c->scale));
    HLMI_DO(take(f, ".qzeros", c->groups, hlmi_div_up(c->rows * c->bits, 32), BIT(I32), &c->zero_words));
    return read_order(f, ".g_idx");
}

static hlm_status awq(const found *f)
{
    hlmi_coded *c = f->c;
    c->bits = 4;
    c->order = HLMI_CODES_AWQ;
    c->zeros = HLMI_ZERO_AWQ;
    c->scales_turned = true;
    HLMI_DO(sized(f, f->code->dims[1] * 8, f->code->dims[0]));
    HLMI_DO(check(f, f->code, c->cols, c->rows / 8, BIT(I32)));
    HLMI_DO(grouped_by(f, ".scales", (uint64_t)f->scheme->block[1]));
    HLMI_DO(take(f, ".scales", c->groups, c->rows, FLOATS, &c->scale));
    return take(f, ".qzeros", c->groups, c->rows / 8, BIT(I32), &c->zero_words);
}

/* ---- compressed-tensors, fp8, ModelOpt ---- */

/* One scale for the whole, for a row, for a group of a row, or for a block, by the shape of the tensor of scales. */
static hlm_status by_shape(const found *f, const char *tail, uint64_t types)
{
    hlmi_coded *c = f->c;
    const hlmi_tensor *t = beside(f, tail);
    const uint64_t n = t ? t->bytes / hlmi_type_get(t->type)->bytes : 0, wide = t && t->n_dims > 1 ? t->dims[1] : 1;
    c->tall = n == 1 ? c->rows : 1;
    if (t && n > 1 && t->n_dims > 1 && t->dims[0] < c->rows) {
        c->tall = (size_t)f->scheme->block[0];
        HLMI_DO(grouped(f, wide, (uint64_t)f->scheme->block[1]));
    } else {
        HLMI_DO(grouped(f, wide, 0));
    }
    if (c->tall == 0) return refuse(f, t, "scales are of blocks, whose size the settings do not say");
    return take(f, tail, hlmi_div_up(c->rows, c->tall), c->groups, types, &c->scale);
}

/* X.weight_packed of integers of 4 or 8 bits in words. */
static hlm_status packed(const found *f)
{
    hlmi_coded *c = f->c;
    int64_t shape[2] = {0, 0};
    hlmi_tensor t;
    HLMI_DO(take(f, ".weight_shape", 2, 1, BIT(I64), &t));
    HLMI_DO(read_bytes(f, &t, shape));
    if (shape[0] < 1 || shape[1] < 1) return refuse(f, &t, "a side is less than 1");
    HLMI_DO(sized(f, (uint64_t)shape[0], (uint64_t)shape[1]));
    c->bits = f->code->dims[1] == hlmi_div_up(c->cols, 8) ? 4 : 8;
    HLMI_DO(check(f, f->code, c->rows, hlmi_div_up(c->cols * c->bits, 32), BIT(I32)));
    HLMI_DO(by_shape(f, ".weight_scale", FLOATS));
    HLMI_DO(read_order(f, ".weight_g_idx"));
    c->zero = 1 << (c->bits - 1);
    if (!beside(f, ".weight_zero_point")) return HLM_OK;
    c->zeros = HLMI_ZERO_ROWS;
    c->zero = 0;
    return take(f, ".weight_zero_point", hlmi_div_up(c->rows * c->bits, 32), c->groups, BIT(I32), &c->zero_words);
}

/* Nibbles of E2M1 in bytes: groups of 16 with scales of E4M3 and one for all, which divides (compressed-tensors) or
 * multiplies (ModelOpt); or of 32 with powers of two. */
static hlm_status fp4(const found *f)
{
    hlmi_coded *c = f->c;
    const bool divides = beside(f, ".weight_global_scale"), multiplies = beside(f, ".weight_scale_2");
    hlmi_tensor all;
    float factor = 1;
    c->bits = 4;
    c->kind = HLMI_CODE_INTEGERS;
    c->table = twice_e2m1;
    HLMI_DO(sized(f, f->code->dims[0], f->code->dims[1] * 2));
    HLMI_DO(check(f, f->code, c->rows, c->cols / 2, BIT(U8)));
    HLMI_DO(grouped(f, hlmi_div_up(c->cols, divides || multiplies ? 16 : 32), divides || multiplies ? 16 : 32));
    HLMI_DO(take(f, ".weight_scale", c->rows, c->groups, divides || multiplies ? BIT(F8_E4M3) : BIT(U8), &c->scale));
    c->factor = 0.5f;
    if (!divides && !multiplies) return HLM_OK;
    HLMI_DO(take(f, divides ? ".weight_global_scale" : ".weight_scale_2", 1, 1, FLOATS, &all));
    HLMI_DO(read_floats(f, &all, 1, &factor));
    if (!(factor > 0) || factor > 0x1.fffffep127f) return refuse(f, &all, "the scale of all is no number above 0");
    if (divides) c->divisor = factor;
    else c->factor *= factor;
    return HLM_OK;
}

/* Zeros of integers of 8 bits, if there are any: of each group. */
static hlm_status zeros_in_bytes(const found *f, const char *tail)
{
    hlmi_coded *c = f->c;
    const hlmi_tensor *t = beside(f, tail);
    if (c->kind != HLMI_CODE_SIGNED || !t) return HLM_OK;
    if (c->tall != 1) return refuse(f, t, "zeros of blocks of rows are not supported");
    c->zeros = HLMI_ZERO_BYTES;
    return take(f, tail, c->rows, c->groups, BIT(I8), &c->zero_words);
}

/* X.weight of one byte a code. */
static hlm_status bytes(const found *f)
{
    static const char *const tails[] = {".weight_scale", ".weight_scale_inv", ".qscale_weight"};
    hlmi_coded *c = f->c;
    c->bits = 8;
    c->kind = f->code->type == HLMI_I8 ? HLMI_CODE_SIGNED : HLMI_CODE_E4M3;
    size_t i = 0;
    HLMI_DO(sized(f, f->code->dims[0], f->code->dims[1]));
    while (i + 1 < sizeof tails / sizeof *tails && !beside(f, tails[i])) i++;
    HLMI_DO(by_shape(f, beside(f, tails[i]) ? tails[i] : tails[0], FLOATS));
    return zeros_in_bytes(f, ".weight_zero_point");
}

/* ---- torchao ---- */

/* Int4Tensor: two's complement of 4 bits, and a number that is added. */
static hlm_status torchao4(const found *f)
{
    static const float signed4[16] = {0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1};
    hlmi_coded *c = f->c;
    c->bits = 4;
    c->kind = HLMI_CODE_INTEGERS;
    c->table = signed4;
    c->zeros = HLMI_ZERO_ADDED;
    c->scales_turned = true;
    HLMI_DO(sized(f, f->code->dims[0], f->code->dims[1] * 2));
    HLMI_DO(grouped_by(f, "._weight_scale", 0));
    HLMI_DO(take(f, "._weight_scale", c->groups, c->rows, FLOATS, &c->scale));
    return take(f, "._weight_zero_point", c->groups, c->rows, FLOATS, &c->zero_words);
}

static hlm_status torchao(const found *f)
{
    hlmi_coded *c = f->c;
    const hlmi_tensor *zero = beside(f, "._weight_zero_point");
    const bool bytes =
        f->code->type == HLMI_F8_E4M3 || (f->code->type == HLMI_I8 && !(zero && FLOATS >> zero->type & 1));
    if (!bytes) return torchao4(f);
    c->bits = 8;
    c->kind = f->code->type == HLMI_I8 ? HLMI_CODE_SIGNED : HLMI_CODE_E4M3;
    HLMI_DO(sized(f, f->code->dims[0], f->code->dims[1]));
    HLMI_DO(by_shape(f, "._weight_scale", FLOATS));
    return zeros_in_bytes(f, "._weight_zero_point");
}

/* ---- bitsandbytes ---- */

static hlm_status bnb8(const found *f)
{
    hlmi_coded *c = f->c;
    c->bits = 8;
    c->kind = HLMI_CODE_SIGNED;
    c->divisor = 127;
    const hlmi_tensor *order = beside(f, ".weight_format");
    uint8_t row_order = 0;
    if (order) {
        HLMI_DO(check(f, order, 1, 1, BIT(U8)));
        HLMI_DO(read_bytes(f, order, &row_order));
    }
    if (row_order) return refuse(f, order, "is not 0: codes in another order than by rows are not supported");
    HLMI_DO(sized(f, f->code->dims[0], f->code->dims[1]));
    HLMI_DO(grouped(f, 1, 0));
    return take(f, ".SCB", c->rows, 1, FLOATS, &c->scale);
}

/* What the JSON beside a matrix of 4 bits says. */
typedef struct bnb_state {
    int64_t rows, cols, block, nested_block;
    double offset;
} bnb_state;

static hlm_status read_state(const found *f, const hlmi_tensor *t, bnb_state *out)
{
    const uint8_t *data = NULL;
    hlmi_json *v = NULL;
    if (t->type != HLMI_U8 || t->bytes > 1 << 16) return refuse(f, t, "is no quant_state");
    HLMI_DO(hlmi_store_usable(f->s, t));
    char *text = hlmi_alloc(&f->s->mem, (size_t)t->bytes + 1);
    if (!text) return hlmi_nomem((size_t)t->bytes, t->name);
    hlm_status st = hlmi_store_read(f->s, t, 0, (size_t)t->bytes, text, &data);
    if (st == HLM_OK) st = hlmi_store_json(f->s, (const char *)data, (size_t)t->bytes, "its text", &v);
    hlmi_free(&f->s->mem, text);
    if (st == HLM_E_FORMAT)
        return hlmi_fail_prefix(st, "%s: tensor %s: ", f->s->sources[t->source].path,
                                hlmi_quoted(t->name, strlen(t->name)).s);
    if (st != HLM_OK) return st;
    const hlmi_json *shape = hlmi_json_get(v, "shape");
    const bool good = hlmi_json_int(hlmi_json_at(shape, 0), 1, INT32_MAX, &out->rows) &&
        hlmi_json_int(hlmi_json_at(shape, 1), 1, INT32_MAX, &out->cols) &&
        hlmi_json_int(hlmi_json_get(v, "blocksize"), 1, INT32_MAX, &out->block);
    if (!hlmi_json_int(hlmi_json_get(v, "nested_blocksize"), 1, INT32_MAX, &out->nested_block)) out->nested_block = 0;
    if (!hlmi_json_number(hlmi_json_get(v, "nested_offset"), &out->offset)) out->offset = 0;
    hlmi_json_free(v);
    return good ? HLM_OK : refuse(f, t, "shape or blocksize is missing, or not above 0");
}

/* The scales, which are codes themselves: numbers of a map, times one a block of them, plus an offset. */
static hlm_status nested_scales(const found *f, const bnb_state *b, const hlmi_tensor *codes, float *scales)
{
    hlmi_tensor map, absmax;
    hlm_status st;
    const size_t n = (size_t)codes->bytes, blocks = hlmi_div_up(n, (size_t)b->nested_block);
    float numbers[256];
    HLMI_DO(take(f, ".weight.nested_quant_map", 256, 1, BIT(F32), &map));
    HLMI_DO(take(f, ".weight.nested_absmax", blocks, 1, BIT(F32), &absmax));
    HLMI_DO(read_floats(f, &map, 256, numbers));
    float *most = hlmi_alloc(&f->s->mem, blocks * sizeof *most);
    uint8_t *room = hlmi_alloc(&f->s->mem, n);
    if (!most || !room) HLMI_TRY(hlmi_nomem(n + blocks * sizeof *most, codes->name));
    HLMI_TRY(read_floats(f, &absmax, blocks, most));
    HLMI_TRY(read_bytes(f, codes, room));
    for (size_t i = 0; i < n; i++) scales[i] = numbers[room[i]] * most[i / (size_t)b->nested_block] + (float)b->offset;
done:
    hlmi_free(&f->s->mem, most);
    hlmi_free(&f->s->mem, room);
    return st;
}

/* Scales of blocks, which follow one another through all rows, as those of groups, which end with a row. */
static hlm_status block_scales(const found *f, const bnb_state *b)
{
    hlmi_coded *c = f->c;
    hlmi_tensor absmax;
    const size_t block = (size_t)b->block, n = hlmi_div_up(c->rows * c->cols, block);
    size_t group = block;
    for (size_t rest = c->cols; rest;) { /* their greatest common divisor */
        const size_t next = group % rest;
        group = rest;
        rest = next;
    }
    c->group = group;
    c->groups = c->cols / group;
    HLMI_DO(take(f, ".weight.absmax", n, 1, b->nested_block ? BIT(U8) : BIT(F32), &absmax));
    c->scale = absmax;
    if (!b->nested_block && group == block) return HLM_OK; /* they are read with their rows */
    float *scales = hlmi_alloc(&f->s->mem, n * sizeof *scales);
    c->scales = hlmi_alloc(&f->s->mem, c->rows * c->groups * sizeof *c->scales);
    hlm_status st = scales && c->scales ? HLM_OK : hlmi_nomem(c->rows * c->groups * sizeof *c->scales, absmax.name);
    if (st == HLM_OK) st = b->nested_block ? nested_scales(f, b, &absmax, scales) : read_floats(f, &absmax, n, scales);
    for (size_t i = 0; i < c->rows * c->groups && st == HLM_OK; i++) c->scales[i] = scales[i * group / block];
    hlmi_free(&f->s->mem, scales);
    return st;
}

static hlm_status bnb4(const found *f)
{
    hlmi_coded *c = f->c;
    const hlmi_tensor *state = beside(f, ".weight.quant_state.bitsandbytes__nf4");
    hlmi_tensor map;
    bnb_state b = {0};
    if (!state) state = beside(f, ".weight.quant_state.bitsandbytes__fp4");
    if (!state) return refuse(f, f->code, "its quant_state is missing");
    HLMI_DO(read_state(f, state, &b));
    c->rows = (size_t)b.rows;
    c->cols = (size_t)b.cols;
    c->bits = 4;
    c->order = HLMI_CODES_HIGH_FIRST;
    c->kind = HLMI_CODE_TABLE;
    if (b.cols % 2 || f->code->bytes != (uint64_t)b.rows * (uint64_t)b.cols / 2)
        return refuse(f, f->code, "is not of the shape that its quant_state says");
    float *table = hlmi_alloc(&f->s->mem, 16 * sizeof *table);
    if (!table) return hlmi_nomem(16 * sizeof *table, f->code->name);
    c->own_table = table;
    c->table = table;
    HLMI_DO(take(f, ".weight.quant_map", 16, 1, BIT(F32), &map));
    HLMI_DO(read_floats(f, &map, 16, table));
    return block_scales(f, &b);
}

/* ---- finding ---- */

/* Codes by the end of their name and their type. */
typedef struct part {
    hlmi_method method;
    const char *tail;
    uint64_t types;
    hlm_status (*make)(const found *f);
} part;

static const part parts[] = {
    {HLMI_METHOD_GPTQ, ".qweight", BIT(I32), gptq},
    {HLMI_METHOD_AWQ, ".qweight", BIT(I32), awq},
    {HLMI_METHOD_COMPRESSED_TENSORS, ".weight_packed", BIT(I32), packed},
    {HLMI_METHOD_COMPRESSED_TENSORS, ".weight_packed", BIT(U8), fp4},
    {HLMI_METHOD_COMPRESSED_TENSORS, ".weight", BIT(I8) | BIT(F8_E4M3), bytes},
    {HLMI_METHOD_FP8, ".weight", BIT(F8_E4M3), bytes},
    {HLMI_METHOD_MODELOPT, ".weight", BIT(F8_E4M3), bytes},
    {HLMI_METHOD_MODELOPT, ".weight", BIT(U8), fp4},
    {HLMI_METHOD_TORCHAO, "._weight_qdata", BIT(I8) | BIT(U8) | BIT(F8_E4M3), torchao},
    {HLMI_METHOD_BITSANDBYTES, ".weight", BIT(U8), bnb4},
    {HLMI_METHOD_BITSANDBYTES, ".weight", BIT(I8), bnb8},
};

static bool ends(const char *name, const char *tail)
{
    const size_t n = strlen(name), m = strlen(tail);
    return n > m && strcmp(name + n - m, tail) == 0;
}

static const part *part_of(const hlmi_scheme *scheme, const hlmi_tensor *t)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].method == scheme->method && (parts[i].types >> t->type & 1) && !t->unfit &&
            ends(t->name, parts[i].tail))
            return &parts[i];
    return NULL;
}

/* Is it part of a matrix that has been put together, or a scale of activations or of keys and values, which f32
 * activations do not need? */
static bool spent(const hlmi_tensor *t)
{
    static const char *const tails[] = {".qweight",
                                        ".qzeros",
                                        ".scales",
                                        ".g_idx",
                                        ".weight_packed",
                                        ".weight_scale",
                                        ".weight_scale_inv",
                                        ".weight_zero_point",
                                        ".weight_shape",
                                        ".weight_g_idx",
                                        ".weight_global_scale",
                                        ".weight_scale_2",
                                        ".input_global_scale",
                                        ".input_scale",
                                        ".activation_scale",
                                        ".qscale_weight",
                                        ".qscale_act",
                                        ".k_scale",
                                        ".v_scale",
                                        ".output_scale",
                                        ".SCB",
                                        ".weight_format",
                                        "._weight_qdata",
                                        "._weight_scale",
                                        "._weight_zero_point",
                                        ".absmax",
                                        ".nested_absmax",
                                        ".nested_quant_map",
                                        ".quant_map",
                                        ".bitsandbytes__nf4",
                                        ".bitsandbytes__fp4"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (ends(t->name, tails[i])) return true;
    return false;
}

/* Codes of a type that the method does not have, under a name that nothing else has? */
static hlm_status check_codes(const hlmi_store *s, const hlmi_scheme *scheme, const hlmi_tensor *t)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const part *p = &parts[i];
        if (p->method != scheme->method || !ends(t->name, p->tail) || strcmp(p->tail, ".weight") == 0) continue;
        HLMI_DO(hlmi_store_usable(s, t));
        return hlmi_fail(HLM_E_FORMAT, "%s: tensor %s: type is %s, which codes of %s are not",
                         s->sources[t->source].path, hlmi_quoted(t->name, strlen(t->name)).s,
                         hlmi_type_get(t->type)->name, scheme->name);
    }
    return HLM_OK;
}

static hlm_status add(hlmi_store *s, const hlmi_scheme *scheme, const part *p, const hlmi_tensor *t, hlmi_tensor *out)
{
    hlmi_coded *c = &s->coded[s->n_coded++];
    const found f = {s, scheme, t, strlen(t->name) - strlen(p->tail), c};
    char name[NAME_MAX_BYTES];
    const int n = snprintf(name, sizeof name, "%.*s.weight", (int)f.stem, t->name);
    uint64_t row_bytes = 0;
    *c = (hlmi_coded){.tall = 1, .factor = 1, .divisor = 1, .code = *t};
    if (n >= (int)sizeof name) return refuse(&f, t, "its name is too long");
    HLMI_DO(p->make(&f));
    const hlmi_type type = hlmi_coded_type(c);
    if (!hlmi_type_row_bytes(type, c->cols, &row_bytes) || row_bytes > INT64_MAX / c->rows)
        return refuse(&f, t, "the matrix is too large");
    *out = (hlmi_tensor){.name = hlmi_store_name(s, name, (size_t)n),
                         .type = type,
                         .n_dims = 2,
                         .dims = {c->rows, c->cols},
                         .source = t->source,
                         .bytes = row_bytes * c->rows,
                         .coded = c};
    return out->name ? HLM_OK : hlmi_nomem((size_t)n, "a tensor name");
}

hlm_status hlmi_coded_find(hlmi_store *s, const hlmi_scheme *scheme)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < s->n_tensors; i++) {
        const bool coded = part_of(scheme, &s->tensors[i]) != NULL;
        if (!coded) HLMI_DO(check_codes(s, scheme, &s->tensors[i]));
        n += coded;
    }
    if (n == 0) return hlmi_fail(HLM_E_UNSUPPORTED, "%s, but no tensor has codes of that method", scheme->what);
    s->coded = hlmi_calloc(&s->mem, n, sizeof *s->coded);
    hlmi_tensor *tensors = hlmi_alloc(&s->mem, s->n_tensors * sizeof *tensors);
    hlm_status st = s->coded && tensors ? HLM_OK : hlmi_nomem(n * sizeof *s->coded, "coded matrices");
    for (size_t i = 0; i < s->n_tensors && st == HLM_OK; i++) {
        const hlmi_tensor *t = &s->tensors[i];
        const part *p = part_of(scheme, t);
        if (p) st = add(s, scheme, p, t, &tensors[kept++]);
        else if (!spent(t)) tensors[kept++] = *t;
    }
    if (st == HLM_OK) {
        memcpy(s->tensors, tensors, kept * sizeof *tensors);
        s->n_tensors = kept;
    }
    hlmi_free(&s->mem, tensors);
    return st;
}

void hlmi_coded_free(hlmi_store *s)
{
    for (size_t i = 0; i < s->n_coded; i++) {
        hlmi_free(&s->mem, s->coded[i].of);
        hlmi_free(&s->mem, s->coded[i].scales);
        hlmi_free(&s->mem, s->coded[i].own_table);
    }
    hlmi_free(&s->mem, s->coded);
}
