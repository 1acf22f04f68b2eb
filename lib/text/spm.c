/* The fields of a SentencePiece model: its pieces (field 1), the trainer's (2) and the normalizer's (3) settings.
 * Samples of expected results (4) and the rules for decoded text (5), which no known model has, are passed over. */
#include "text/spm.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "text/charsmap.h"
#include "text/proto.h"
#include "text/tokenizer_impl.h"

typedef struct piece {
    hlmi_str text;
    float score;
    int32_t type;
} piece;

static const hlmi_proto_want piece_fields[] = {
    {1, HLMI_PROTO_BYTES, "the text", offsetof(piece, text)},
    {2, HLMI_PROTO_F32, "the score", offsetof(piece, score)},
    {3, HLMI_PROTO_I32, "the type", offsetof(piece, type)},
    {0},
};

#define FIELD(type, name) HLMI_PROTO_##type, #name, offsetof(hlmi_spm, name)

static const hlmi_proto_want trainer_fields[] = {
    {3, HLMI_PROTO_I32, "model_type", offsetof(hlmi_spm, kind)},
    {24, FIELD(BOOL, treat_whitespace_as_suffix)},
    {35, FIELD(BOOL, byte_fallback)},
    {45, FIELD(BYTES, unk_piece)},
    {46, FIELD(BYTES, bos_piece)},
    {47, FIELD(BYTES, eos_piece)},
    {48, FIELD(BYTES, pad_piece)},
    {0},
};

static const hlmi_proto_want normalizer_fields[] = {
    {2, HLMI_PROTO_BYTES, "precompiled_charsmap", offsetof(hlmi_spm, charsmap)},
    {3, FIELD(BOOL, add_dummy_prefix)},
    {4, FIELD(BOOL, remove_extra_whitespaces)},
    {5, FIELD(BOOL, escape_whitespaces)},
    {0},
};

static hlm_status read_piece(hlmi_spm *m, size_t i, hlmi_str bytes)
{
    piece p = {.text = {"", 0}, .type = HLMI_TYPE_NORMAL};
    HLMI_DO(hlmi_proto_read(bytes, piece_fields, &p));
    if (p.text.len == 0) return hlmi_fail(HLM_E_FORMAT, "has no text");
    if (isnan(p.score)) return hlmi_fail(HLM_E_FORMAT, "its score is not a number");
    if (p.type < HLMI_TYPE_NORMAL || p.type > HLMI_TYPE_BYTE)
        return hlmi_fail(HLM_E_FORMAT, "its type is %d", (int)p.type);
    m->pieces[i] = p.text;
    m->scores[i] = p.score;
    m->types[i] = p.type;
    return HLM_OK;
}

/* ---- the model ---- */

/* Walks the fields of the model. Without arrays pieces are counted, with them they are read. */
static hlm_status walk(hlmi_spm *m, const char *data, size_t len)
{
    static const struct {
        const char *name;
        const hlmi_proto_want *fields;
    } parts[] = {{"a piece", NULL}, {"trainer_spec", trainer_fields}, {"normalizer_spec", normalizer_fields}};
    hlmi_proto msg = {data, data + len};
    hlmi_proto_field f;
    hlmi_str bytes;
    bool more;
    for (m->n = 0;;) {
        HLMI_DO(hlmi_proto_next(&msg, &f, &more));
        if (!more) return HLM_OK;
        if (f.number > 3) continue;
        const char *name = parts[f.number - 1].name;
        HLMI_DO(hlmi_proto_put(&f, &(hlmi_proto_want){.type = HLMI_PROTO_BYTES, .name = name}, &bytes));
        if (f.number == 1) {
            const hlm_status st = m->pieces ? read_piece(m, m->n, bytes) : HLM_OK;
            if (st != HLM_OK) return hlmi_fail_prefix(st, "piece %zu: ", m->n);
            m->n++;
        } else if (!m->pieces) {
            const hlm_status st = hlmi_proto_read(bytes, parts[f.number - 1].fields, m);
            if (st != HLM_OK) return hlmi_fail_prefix(st, "%s: ", name);
        }
    }
}

static hlm_status alloc_pieces(hlmi_spm *m, const hlmi_mem *mem)
{
    if (m->n == 0) return hlmi_fail(HLM_E_FORMAT, "no SentencePiece model: it has no pieces");
    if (m->n > HLMI_MAX_TOKENS)
        return hlmi_fail(HLM_E_LIMIT, "%zu pieces; at most %d are supported", m->n, HLMI_MAX_TOKENS);
    m->pieces = hlmi_calloc(mem, m->n, sizeof *m->pieces);
    m->scores = hlmi_calloc(mem, m->n, sizeof *m->scores);
    m->types = hlmi_calloc(mem, m->n, sizeof *m->types);
    return m->pieces && m->scores && m->types ? HLM_OK : hlmi_nomem(m->n * sizeof *m->pieces, "pieces");
}

/* All texts in a table, which finds those that are there twice. */
static hlm_status index_pieces(hlmi_tokens *table, const hlmi_spm *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const hlmi_str s = m->pieces[i];
        const int32_t other = hlmi_tokens_find(table, s.s, s.len);
        if (other >= 0)
            return hlmi_fail(HLM_E_FORMAT, "pieces %d and %zu are both '%.*s'", (int)other, i,
                             (int)(s.len < 80 ? s.len : 80), s.s);
        HLMI_DO(hlmi_tokens_add(table, (int32_t)i, s, 0));
    }
    return HLM_OK;
}

/* The control piece of a name, or -1. */
static int32_t control(const hlmi_spm *m, const hlmi_tokens *table, hlmi_str name)
{
    const int32_t id = hlmi_tokens_find(table, name.s, name.len);
    return id >= 0 && m->types[id] == HLMI_TYPE_CONTROL ? id : -1;
}

/* Pieces of the type "byte" are there with byte_fallback only, and then one for each byte. */
static hlm_status check_bytes(const hlmi_spm *m, const hlmi_tokens *table)
{
    for (size_t i = 0; i < m->n; i++) {
        const hlmi_str s = m->pieces[i];
        const int n = (int)(s.len < 80 ? s.len : 80);
        if (m->types[i] != HLMI_TYPE_BYTE) continue;
        if (!m->byte_fallback)
            return hlmi_fail(HLM_E_FORMAT, "piece %zu, '%.*s', is a byte, but byte_fallback is off", i, n, s.s);
        if (hlmi_byte_piece(s) < 0)
            return hlmi_fail(HLM_E_FORMAT, "piece %zu, '%.*s', is a byte, but not spelled <0xHH>", i, n, s.s);
    }
    for (unsigned c = 0; m->byte_fallback && c < 256; c++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", c);
        const int32_t id = hlmi_tokens_find(table, text, 6);
        if (id < 0) return hlmi_fail(HLM_E_FORMAT, "byte_fallback, but no piece '%s'", text);
        if (m->types[id] != HLMI_TYPE_BYTE)
            return hlmi_fail(HLM_E_FORMAT, "byte_fallback, but piece %d, '%s', has the type %d", (int)id, text,
                             (int)m->types[id]);
    }
    return HLM_OK;
}

static hlm_status find_special(hlmi_spm *m, const hlmi_mem *mem)
{
    hlm_status st;
    hlmi_tokens table = {.mem = *mem};
    m->unk = -1;
    HLMI_TRY(index_pieces(&table, m));
    HLMI_TRY(check_bytes(m, &table));
    for (size_t i = 0; i < m->n; i++) {
        if (m->types[i] != HLMI_TYPE_UNKNOWN) continue;
        if (m->unk >= 0)
            HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "pieces %d and %zu both stand for the unknown", (int)m->unk, i));
        m->unk = (int32_t)i;
    }
    if (m->unk < 0) HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "no piece stands for the unknown"));
    m->bos = control(m, &table, m->bos_piece);
    m->eos = control(m, &table, m->eos_piece);
    m->pad = control(m, &table, m->pad_piece);
done:
    hlmi_tokens_free(&table);
    return st;
}

static hlm_status check_kind(const hlmi_spm *m)
{
    if (m->treat_whitespace_as_suffix)
        return hlmi_fail(HLM_E_UNSUPPORTED, "trainer_spec: treat_whitespace_as_suffix is not supported");
    if (m->kind == HLMI_SPM_UNIGRAM || m->kind == HLMI_SPM_BPE) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "model_type %d%s is not supported; Unigram (1) and BPE (2) are", (int)m->kind,
                     m->kind == 3       ? " (words)"
                         : m->kind == 4 ? " (characters)"
                                        : "");
}

static hlm_status check_charsmap(const hlmi_spm *m, const hlmi_mem *mem)
{
    hlmi_charsmap *map = NULL;
    const hlm_status st = m->charsmap.len ? hlmi_charsmap_new(&map, mem, m->charsmap.s, m->charsmap.len) : HLM_OK;
    hlmi_free(mem, map);
    return st;
}

hlm_status hlmi_spm_read(hlmi_spm *out, const hlmi_mem *mem, const char *data, size_t len)
{
    hlm_status st;
    hlmi_spm m = {.kind = HLMI_SPM_UNIGRAM,
                  .add_dummy_prefix = true,
                  .remove_extra_whitespaces = true,
                  .escape_whitespaces = true,
                  .unk_piece = {"<unk>", 5},
                  .bos_piece = {"<s>", 3},
                  .eos_piece = {"</s>", 4},
                  .pad_piece = {"<pad>", 5},
                  .charsmap = {"", 0}};
    HLMI_TRY(walk(&m, data, len));
    HLMI_TRY(alloc_pieces(&m, mem));
    HLMI_TRY(walk(&m, data, len));
    HLMI_TRY(check_kind(&m));
    HLMI_TRY(find_special(&m, mem));
    HLMI_TRY(check_charsmap(&m, mem));
done:
    if (st != HLM_OK) hlmi_spm_free(&m, mem);
    *out = m;
    return st;
}

void hlmi_spm_free(hlmi_spm *m, const hlmi_mem *mem)
{
    hlmi_free(mem, m->pieces);
    hlmi_free(mem, m->scores);
    hlmi_free(mem, m->types);
    *m = (hlmi_spm){0};
}
