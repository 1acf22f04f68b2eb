/* Rows of coded matrices. */
#include "weights/coded.h"

#include <string.h>

#include "base/assert.h"
#include "base/half.h"
#include "quant/scaled.h"
#include "weights/store_impl.h"

/* Rows that are being read, and the pieces of tensors that they need. */
typedef struct reading {
    const hlmi_store *s;
    const hlmi_coded *c;
    size_t first, n;
    uint8_t *codes; /* [n][cols] */
    float *scales; /* [n][groups] */
    float *zeros; /* [n][groups] */
    float *added; /* [n][groups] */
    uint8_t *zero_codes; /* [n][groups] */
    void *words; /* room for what a file without a map gives */
} reading;

static const uint8_t awq_place[8] = {0, 4, 1, 5, 2, 6, 3, 7}; /* of row j of eight, which nibble it is */

/* `n` bytes of a tensor from `at` on; they stay until the next call. */
static hlm_status piece(reading *r, const hlmi_tensor *t, size_t at, size_t n, const uint8_t **out)
{
    return hlmi_source_read(&r->s->sources[t->source], t->offset + at, n, r->words, out);
}

static uint32_t word_at(const uint8_t *p, size_t i)
{
    return (uint32_t)hlmi_load_le(p + i * 4, 4);
}

/* ---- codes ---- */

static hlm_status codes_in_rows(reading *r)
{
    const hlmi_coded *c = r->c;
    const size_t bytes = (size_t)(c->code.bytes / c->rows);
    for (size_t i = 0; i < r->n; i++) {
        const uint8_t *p;
        uint8_t *out = r->codes + i * c->cols;
        HLMI_DO(piece(r, &c->code, (r->first + i) * bytes, bytes, &p));
        for (size_t k = 0; k < c->cols; k++) {
            if (c->bits == 8) out[k] = p[k];
            else if (c->order == HLMI_CODES_HIGH_FIRST) out[k] = p[k / 2] >> (k % 2 ? 0 : 4) & 15;
            else out[k] = (uint8_t)((unsigned)p[k * c->bits / 8] >> (k * c->bits % 8) & ((1u << c->bits) - 1));
        }
    }
    return HLM_OK;
}

/* Words [cols * bits / 32][rows]; a code of 3 bits may begin in one and end in the next. */
static hlm_status codes_in_columns(reading *r)
{
    const hlmi_coded *c = r->c;
    const uint32_t mask = (1u << c->bits) - 1;
    for (size_t w = 0; w * 32 < c->cols * c->bits; w++) {
        const uint8_t *p;
        HLMI_DO(piece(r, &c->code, (w * c->rows + r->first) * 4, r->n * 4, &p));
        const size_t begin = w * 32 / c->bits, end = ((w + 1) * 32 + c->bits - 1) / c->bits;
        for (size_t k = begin; k < end && k < c->cols; k++) {
            const size_t bit = k * c->bits;
            for (size_t i = 0; i < r->n; i++) {
                const uint32_t v = word_at(p, i);
                uint8_t *out = &r->codes[i * c->cols + k];
                if (bit >= w * 32) *out = (uint8_t)(v >> (bit - w * 32) & mask);
                else *out = (uint8_t)(*out | (v << (w * 32 - bit) & mask));
            }
        }
    }
    return HLM_OK;
}

/* Nibbles of rows first .. first + n - 1 of AWQ's words [.][rows / 8], line `line` of them. */
static hlm_status awq_line(reading *r, const hlmi_tensor *t, size_t line, uint8_t *out, size_t step)
{
    const size_t begin = r->first / 8, end = hlmi_div_up(r->first + r->n, 8);
    const uint8_t *p;
    HLMI_DO(piece(r, t, (line * (r->c->rows / 8) + begin) * 4, (end - begin) * 4, &p));
    for (size_t i = 0; i < r->n; i++) {
        const size_t row = r->first + i;
        out[i * step] = word_at(p, row / 8 - begin) >> (awq_place[row % 8] * 4) & 15;
    }
    return HLM_OK;
}

static hlm_status read_codes(reading *r)
{
    if (r->c->order == HLMI_CODES_COLUMNS) return codes_in_columns(r);
    if (r->c->order != HLMI_CODES_AWQ) return codes_in_rows(r);
    for (size_t k = 0; k < r->c->cols; k++) HLMI_DO(awq_line(r, &r->c->code, k, r->codes + k, r->c->cols));
    return HLM_OK;
}

/* ---- scales and zeros ---- */

static float number_of(const hlmi_tensor *t, const uint8_t *p)
{
    float f = 0;
    if (t->type == HLMI_U8) return hlmi_f32_from_bits(*p ? (uint32_t)*p << 23 : 0x00400000u); /* 2^(p - 127) */
    hlmi_type_get(t->type)->dequantise(&f, p, 1);
    return f;
}

/* Numbers [groups][strips] or [strips][groups] of strips of `tall` rows. */
static hlm_status read_grid(reading *r, const hlmi_tensor *t, bool turned, size_t tall, float *out)
{
    const hlmi_coded *c = r->c;
    const size_t size = hlmi_type_get(t->type)->bytes, strips = hlmi_div_up(c->rows, tall), groups = c->groups;
    const size_t begin = r->first / tall, end = (r->first + r->n - 1) / tall + 1;
    const uint8_t *p = NULL;
    for (size_t g = 0; g < groups && turned; g++) {
        HLMI_DO(piece(r, t, (g * strips + begin) * size, (end - begin) * size, &p));
        for (size_t i = 0; i < r->n; i++)
            out[i * groups + g] = number_of(t, p + ((r->first + i) / tall - begin) * size);
    }
    for (size_t i = 0; i < r->n && !turned; i++) {
        HLMI_DO(piece(r, t, (r->first + i) / tall * groups * size, groups * size, &p));
        for (size_t g = 0; g < groups; g++) out[i * groups + g] = number_of(t, p + g * size);
    }
    return HLM_OK;
}

static hlm_status read_scales(reading *r)
{
    const hlmi_coded *c = r->c;
    if (c->scales) memcpy(r->scales, c->scales + r->first * c->groups, r->n * c->groups * sizeof *r->scales);
    else HLMI_DO(read_grid(r, &c->scale, c->scales_turned, c->tall, r->scales));
    for (size_t i = 0; i < r->n * c->groups; i++) r->scales[i] = r->scales[i] * c->factor / c->divisor;
    return HLM_OK;
}

/* Word w of those whose bits run along the rows, of group g; a code may begin in one and end in the next. */
static void put_zeros(const reading *r, size_t w, size_t g, uint32_t v)
{
    const size_t bits = r->c->bits;
    for (size_t i = 0; i < r->n; i++) {
        const size_t bit = (r->first + i) * bits;
        uint8_t *out = &r->zero_codes[i * r->c->groups + g];
        const uint32_t mask = (1u << bits) - 1;
        if (bit >= w * 32 && bit < (w + 1) * 32) *out = (uint8_t)(v >> (bit - w * 32) & mask);
        else if (bit < w * 32 && bit + bits > w * 32) *out = (uint8_t)(*out | (v << (w * 32 - bit) & mask));
    }
}

/* A line of words for each group, or lines [word] of all groups. */
static hlm_status zeros_in_words(reading *r)
{
    const hlmi_coded *c = r->c;
    const size_t words = hlmi_div_up(c->rows * c->bits, 32), begin = r->first * c->bits / 32,
                 end = hlmi_div_up((r->first + r->n) * c->bits, 32);
    const uint8_t *p;
    for (size_t g = 0; g < c->groups && c->zeros == HLMI_ZERO_GROUPS; g++) {
        HLMI_DO(piece(r, &c->zero_words, (g * words + begin) * 4, (end - begin) * 4, &p));
        for (size_t w = begin; w < end; w++) put_zeros(r, w, g, word_at(p, w - begin));
    }
    for (size_t w = begin; w < end && c->zeros == HLMI_ZERO_ROWS; w++) {
        HLMI_DO(piece(r, &c->zero_words, w * c->groups * 4, c->groups * 4, &p));
        for (size_t g = 0; g < c->groups; g++) put_zeros(r, w, g, word_at(p, g));
    }
    return HLM_OK;
}

static hlm_status read_zero_codes(reading *r)
{
    const hlmi_coded *c = r->c;
    const uint8_t *p;
    switch (c->zeros) {
    case HLMI_ZERO_ROWS:
    case HLMI_ZERO_GROUPS: return zeros_in_words(r);
    case HLMI_ZERO_AWQ:
        for (size_t g = 0; g < c->groups; g++) HLMI_DO(awq_line(r, &c->zero_words, g, r->zero_codes + g, c->groups));
        return HLM_OK;
    case HLMI_ZERO_BYTES:
        HLMI_DO(piece(r, &c->zero_words, r->first * c->groups, r->n * c->groups, &p));
        memcpy(r->zero_codes, p, r->n * c->groups);
        return HLM_OK;
    default: return HLM_OK;
    }
}

static hlm_status read_zeros(reading *r)
{
    const hlmi_coded *c = r->c;
    const bool one = c->zeros == HLMI_ZERO_ALL || c->zeros == HLMI_ZERO_ADDED;
    if (c->zeros == HLMI_ZERO_ADDED) HLMI_DO(read_grid(r, &c->zero_words, true, 1, r->added));
    HLMI_DO(read_zero_codes(r));
    for (size_t i = 0; i < r->n * c->groups; i++) {
        const int code = c->zeros == HLMI_ZERO_BYTES ? (int8_t)r->zero_codes[i] : r->zero_codes[i];
        r->zeros[i] = (float)(one ? c->zero : code + c->zero);
    }
    return HLM_OK;
}

/* ---- rows ---- */

static float number(const hlmi_coded *c, uint8_t code)
{
    float f = 0;
    switch (c->kind) {
    case HLMI_CODE_SIGNED: return (float)(int8_t)code;
    case HLMI_CODE_E4M3: hlmi_type_get(HLMI_F8_E4M3)->dequantise(&f, &code, 1); return f;
    case HLMI_CODE_INTEGERS:
    case HLMI_CODE_TABLE: return c->table[code];
    default: return (float)code;
    }
}

enum { F8_BLOCK = 32 /* columns behind a scale */ };

/* Does the carrier need a minimum? */
static bool has_minimum(const hlmi_coded *c)
{
    return c->zeros == HLMI_ZERO_ADDED || (c->zeros != HLMI_ZERO_ALL && c->bits == 8);
}

static bool in_runs(const hlmi_coded *c)
{
    const bool integers = c->kind != HLMI_CODE_E4M3 && c->kind != HLMI_CODE_TABLE;
    return integers && !c->of && c->group % HLMI_RUN == 0 && c->cols % 32 == 0;
}

hlmi_type hlmi_coded_type(const hlmi_coded *c)
{
    if (c->kind == HLMI_CODE_E4M3 && !c->of && c->group % F8_BLOCK == 0 && c->cols % F8_BLOCK == 0)
        return HLMI_F8_SCALED;
    if (!in_runs(c)) return HLMI_F32;
    return has_minimum(c) ? HLMI_RUNS_M : HLMI_RUNS;
}

/* Row i of those being read. */
static void put_runs(const reading *r, size_t i, hlmi_run *out)
{
    const hlmi_coded *c = r->c;
    const bool minimum = has_minimum(c);
    const int middle = c->kind == HLMI_CODE_UNSIGNED && c->bits == 8 ? 128 : 0; /* what makes 8 bits a signed byte */
    for (size_t k = 0; k < c->cols; k += HLMI_RUN, out++) {
        const size_t at = i * c->groups + k / c->group;
        const int zero = (int)r->zeros[at], less = minimum && c->zeros != HLMI_ZERO_ADDED ? middle : zero;
        const uint8_t *codes = r->codes + i * c->cols + k;
        *out = (hlmi_run){.d = r->scales[at]};
        if (minimum) out->m = c->zeros == HLMI_ZERO_ADDED ? r->added[at] : out->d * (float)(middle - zero);
        for (size_t j = 0; j < HLMI_RUN; j++) out->q[j] = (int8_t)((int)number(c, codes[j]) - less);
    }
}

/* Blocks of F8_SCALED: the scale, and the codes as they are. */
static void put_f8(const reading *r, size_t i, uint8_t *out)
{
    const hlmi_coded *c = r->c;
    for (size_t k = 0; k < c->cols; k += F8_BLOCK, out += sizeof(float) + F8_BLOCK) {
        memcpy(out, &r->scales[i * c->groups + k / c->group], sizeof(float));
        memcpy(out + sizeof(float), r->codes + i * c->cols + k, F8_BLOCK);
    }
}

static void put_floats(const reading *r, size_t i, float *out)
{
    const hlmi_coded *c = r->c;
    for (size_t k = 0; k < c->cols; k++) {
        const size_t at = i * c->groups + (c->of ? c->of[k] : k / c->group);
        out[k] = (number(c, r->codes[i * c->cols + k]) - r->zeros[at]) * r->scales[at];
        if (c->zeros == HLMI_ZERO_ADDED) out[k] += r->added[at];
    }
}

/* Room for what n rows need at once. */
static hlm_status make_room(reading *r, size_t n)
{
    const hlmi_coded *c = r->c;
    const size_t words = hlmi_max_size(c->cols * 4, hlmi_max_size(n * 4 + 8, c->groups * (n + 8)));
    const size_t bytes = n * (c->cols + c->groups) + 3 * n * c->groups * sizeof(float) + words;
    uint8_t *room = hlmi_calloc(&r->s->mem, 1, bytes);
    if (!room) return hlmi_nomem(bytes, c->code.name);
    r->scales = (float *)(void *)room;
    r->zeros = r->scales + n * c->groups;
    r->added = r->zeros + n * c->groups;
    r->words = r->added + n * c->groups;
    r->codes = (uint8_t *)r->words + words;
    r->zero_codes = r->codes + n * c->cols;
    return HLM_OK;
}

/* n rows of blocks of NVFP4, whose scales are multiplied by that of their strip of rows. */
static hlm_status read_blocks(const hlmi_store *s, const hlmi_coded *c, size_t first, size_t n, hlmi_run *out)
{
    enum { BLOCK = 64, RUNS = BLOCK / HLMI_RUN };
    const hlmi_source *file = &s->sources[c->code.source];
    const size_t size = hlmi_type_get(HLMI_NVFP4)->bytes, bytes = c->cols / BLOCK * size;
    uint8_t *room = hlmi_alloc(&s->mem, bytes);
    hlm_status st = room ? HLM_OK : hlmi_nomem(bytes, c->code.name);
    for (size_t i = first; i < first + n && st == HLM_OK; i++) {
        const uint8_t *p = NULL;
        st = hlmi_source_read(file, c->code.offset + i * bytes, bytes, room, &p);
        for (size_t k = 0; k < c->cols && st == HLM_OK; k += BLOCK, p += size, out += RUNS) {
            hlmi_nvfp4_split(out, p);
            for (size_t j = 0; j < RUNS; j++) out[j].d *= c->scales[i / c->tall];
        }
    }
    hlmi_free(&s->mem, room);
    return st;
}

enum { AT_ONCE = 32 /* rows */ };

hlm_status hlmi_coded_read(const hlmi_store *s, const hlmi_coded *c, uint64_t offset, size_t n, void *out)
{
    reading r = {.s = s, .c = c};
    const hlmi_type type = hlmi_coded_type(c);
    uint64_t row_bytes = 0;
    (void)hlmi_type_row_bytes(type, c->cols, &row_bytes);
    hlmi_assert(offset % row_bytes == 0 && n % row_bytes == 0);
    const size_t first = (size_t)(offset / row_bytes), rows = (size_t)(n / row_bytes);
    if (c->order == HLMI_CODES_NVFP4) return read_blocks(s, c, first, rows, out);
    HLMI_DO(make_room(&r, hlmi_min_size(rows, AT_ONCE)));
    hlm_status st = HLM_OK;
    for (size_t at = 0; at < rows && st == HLM_OK; at += r.n) {
        r.first = first + at;
        r.n = hlmi_min_size(rows - at, AT_ONCE);
        st = read_codes(&r);
        if (st == HLM_OK) st = read_scales(&r);
        if (st == HLM_OK) st = read_zeros(&r);
        for (size_t i = 0; i < r.n && st == HLM_OK; i++) {
            void *row = (uint8_t *)out + (at + i) * row_bytes;
            if (type == HLMI_F32) put_floats(&r, i, row);
            else if (type == HLMI_F8_SCALED) put_f8(&r, i, row);
            else put_runs(&r, i, row);
        }
    }
    hlmi_free(&s->mem, r.scales);
    return st;
}
