/* The fields of a SentencePiece model: its pieces (field 1), the trainer's (2) and the normalizer's (3) settings.
 * Samples of expected results (4) and the rules for decoded text (5), which no known model has, are passed over. */
#include "text/spm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/charsmap.h"
#include "text/proto.h"
#include "text/tokenizer_impl.h"

/* The texts of the pieces with a part to play; the trainer may have renamed them. */
typedef struct names {
    hlmi_str unk, bos, eos, pad;
} names;

static hlm_status read_piece(hlmi_spm *m, size_t i, hlmi_str bytes)
{
    hlm_status st;
    hlmi_proto msg = {bytes.s, bytes.s + bytes.len};
    hlmi_proto_field f;
    bool more;
    m->types[i] = HLMI_TYPE_NORMAL;
    m->scores[i] = 0.0f;
    m->pieces[i] = (hlmi_str){"", 0};
    for (;;) {
        HLMI_TRY(hlmi_proto_next(&msg, &f, &more));
        if (!more) break;
        switch (f.number) {
        case 1: HLMI_TRY(hlmi_proto_bytes(&f, "the text", &m->pieces[i])); break;
        case 2: HLMI_TRY(hlmi_proto_f32(&f, "the score", &m->scores[i])); break;
        case 3: HLMI_TRY(hlmi_proto_i32(&f, "the type", &m->types[i])); break;
        default: break;
        }
    }
    if (m->pieces[i].len == 0) HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "has no text"));
    if (isnan(m->scores[i])) HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "its score is not a number"));
    if (m->types[i] < HLMI_TYPE_NORMAL || m->types[i] > HLMI_TYPE_BYTE)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "its type is %d", (int)m->types[i]));
done:
    return st;
}

static hlm_status read_trainer(hlmi_spm *m, hlmi_str bytes, names *named)
{
    hlm_status st;
    hlmi_proto msg = {bytes.s, bytes.s + bytes.len};
    hlmi_proto_field f;
    bool more, suffix = false;
    for (;;) {
        HLMI_TRY(hlmi_proto_next(&msg, &f, &more));
        if (!more) break;
        switch (f.number) {
        case 3: HLMI_TRY(hlmi_proto_i32(&f, "model_type", &m->kind)); break;
        case 24: HLMI_TRY(hlmi_proto_bool(&f, "treat_whitespace_as_suffix", &suffix)); break;
        case 35: HLMI_TRY(hlmi_proto_bool(&f, "byte_fallback", &m->byte_fallback)); break;
        case 45: HLMI_TRY(hlmi_proto_bytes(&f, "unk_piece", &named->unk)); break;
        case 46: HLMI_TRY(hlmi_proto_bytes(&f, "bos_piece", &named->bos)); break;
        case 47: HLMI_TRY(hlmi_proto_bytes(&f, "eos_piece", &named->eos)); break;
        case 48: HLMI_TRY(hlmi_proto_bytes(&f, "pad_piece", &named->pad)); break;
        default: break;
        }
    }
    if (suffix) st = hlmi_fail(HLM_E_UNSUPPORTED, "treat_whitespace_as_suffix is not supported");
done:
    return st;
}

static hlm_status read_normalizer(hlmi_spm *m, hlmi_str bytes)
{
    hlm_status st;
    hlmi_proto msg = {bytes.s, bytes.s + bytes.len};
    hlmi_proto_field f;
    bool more;
    for (;;) {
        HLMI_TRY(hlmi_proto_next(&msg, &f, &more));
        if (!more) break;
        switch (f.number) {
        case 2: HLMI_TRY(hlmi_proto_bytes(&f, "precompiled_charsmap", &m->charsmap)); break;
        case 3: HLMI_TRY(hlmi_proto_bool(&f, "add_dummy_prefix", &m->add_dummy_prefix)); break;
        case 4: HLMI_TRY(hlmi_proto_bool(&f, "remove_extra_whitespaces", &m->remove_extra_whitespaces)); break;
        case 5: HLMI_TRY(hlmi_proto_bool(&f, "escape_whitespaces", &m->escape_whitespaces)); break;
        default: break;
        }
    }
done:
    return st;
}

/* ---- the model ---- */

/* Walks the fields of the model. Without arrays pieces are counted, with them they are read. */
static hlm_status walk(hlmi_spm *m, const char *data, size_t len, names *named)
{
    hlm_status st;
    hlmi_proto msg = {data, data + len};
    hlmi_proto_field f;
    hlmi_str bytes;
    bool more;
    size_t n = 0;
    for (;;) {
        HLMI_TRY(hlmi_proto_next(&msg, &f, &more));
        if (!more) break;
        if (f.number > 3) continue;
        HLMI_TRY(hlmi_proto_bytes(&f,
                                  f.number == 1       ? "a piece"
                                      : f.number == 2 ? "trainer_spec"
                                                      : "normalizer_spec",
                                  &bytes));
        if (f.number == 1) {
            st = m->pieces ? read_piece(m, n, bytes) : HLM_OK;
            if (st != HLM_OK) HLMI_TRY(hlmi_fail_prefix(st, "piece %zu: ", n));
            n++;
        } else if (!m->pieces) {
            st = f.number == 2 ? read_trainer(m, bytes, named) : read_normalizer(m, bytes);
            if (st != HLM_OK)
                HLMI_TRY(hlmi_fail_prefix(st, "%s: ", f.number == 2 ? "trainer_spec" : "normalizer_spec"));
        }
    }
    m->n = n;
done:
    return st;
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

static hlm_status find_special(hlmi_spm *m, const hlmi_mem *mem, const names *named)
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
    m->bos = control(m, &table, named->bos);
    m->eos = control(m, &table, named->eos);
    m->pad = control(m, &table, named->pad);
done:
    hlmi_tokens_free(&table);
    return st;
}

static hlm_status check_kind(int32_t kind)
{
    if (kind == HLMI_SPM_UNIGRAM || kind == HLMI_SPM_BPE) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "model_type %d%s is not supported; Unigram (1) and BPE (2) are", (int)kind,
                     kind == 3       ? " (words)"
                         : kind == 4 ? " (characters)"
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
                  .charsmap = {"", 0}};
    names named = {{"<unk>", 5}, {"<s>", 3}, {"</s>", 4}, {"<pad>", 5}};
    HLMI_TRY(walk(&m, data, len, &named));
    HLMI_TRY(alloc_pieces(&m, mem));
    HLMI_TRY(walk(&m, data, len, &named));
    HLMI_TRY(check_kind(m.kind));
    HLMI_TRY(find_special(&m, mem, &named));
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
