/* Ids to text: whole, one token alone, and as a stream. */
#include "text/decode.h"

#include <string.h>

#include "base/size.h"

static bool known(const hlmi_tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->tokens.n;
}

static hlm_status check_id(const hlmi_tokenizer *t, int32_t id)
{
    if (known(t, id)) return HLM_OK;
    return hlmi_fail(HLM_E_TOKEN, "token id %d; the vocabulary has %zu tokens", (int)id, t->tokens.n);
}

hlm_status hlmi_tokenizer_piece(const hlmi_tokenizer *t, int32_t id, hlmi_buf *out)
{
    static const char mark[] = "\xE2\x96\x81"; /* SentencePiece's space */
    HLMI_DO(check_id(t, id));
    const hlmi_str s = hlmi_tokens_text(&t->tokens, id);
    const int byte = hlmi_decode_has(&t->decode, "ByteFallback") ? hlmi_byte_token(s) : -1;
    const bool marks = hlmi_decode_has(&t->decode, "Metaspace") || hlmi_decode_has(&t->decode, "Replace");
    if (t->tokens.v[id].attr & HLMI_TOK_SPECIAL) {
        hlmi_buf_add(out, s.s, s.len);
    } else if (hlmi_decode_has(&t->decode, "ByteLevel")) {
        hlmi_byte_level_bytes(s, out);
    } else if (byte >= 0) {
        hlmi_buf_char(out, (char)byte);
    } else {
        for (size_t i = 0; i < s.len;) {
            const bool space = marks && s.len - i >= 3 && memcmp(s.s + i, mark, 3) == 0;
            hlmi_buf_char(out, space ? ' ' : s.s[i]);
            i += space ? 3 : 1;
        }
    }
    return hlmi_buf_status(out, "token text");
}

/* ---- streams ---- */

hlm_status hlmi_tstream_new(hlmi_tstream **out, const hlmi_mem *mem, const hlmi_tokenizer *t, uint32_t flags)
{
    const size_t size = sizeof **out + t->decode.n * sizeof *(*out)->state;
    hlmi_tstream *s = hlmi_calloc(mem, 1, size);
    *out = s;
    if (!s) return hlmi_nomem(size, "text stream");
    s->mem = *mem;
    s->t = t;
    s->flags = flags;
    hlmi_buf_init(&s->given, mem);
    hlmi_buf_init(&s->tail, mem);
    for (size_t i = 0; i < t->decode.n; i++) {
        hlmi_buf_init(&s->state[i].unit, mem);
        hlmi_buf_init(&s->state[i].held, mem);
        hlmi_buf_init(&s->state[i].made, mem);
    }
    return HLM_OK;
}

/* Decodes an id that has text to show. */
static hlm_status show(hlmi_tstream *s, int32_t id, hlmi_buf *out)
{
    const unsigned attr = known(s->t, id) ? s->t->tokens.v[id].attr : 0u;
    if (!(attr & HLMI_TOK_PRESENT)) return HLM_OK;
    if (attr & HLMI_TOK_SPECIAL && s->flags & HLM_DETOKENIZE_SKIP_SPECIAL) return HLM_OK;
    return hlmi_decode_push(s, hlmi_tokens_shown(&s->t->tokens, id), out);
}

static hlm_status give(const hlmi_tstream *s, const char **text, size_t *len)
{
    HLMI_DO(hlmi_buf_status(&s->given, "decoded text"));
    *text = s->given.len ? s->given.data : "";
    *len = s->given.len;
    return HLM_OK;
}

/* Text that comes out as a whole at the end begins with what was given before. */
static hlm_status begin_late(hlmi_tstream *s, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) HLMI_DO(show(s, ids[i], &s->given));
    HLMI_DO(hlmi_decode_finish(s, &s->given));
    s->before = s->given.len;
    return HLM_OK;
}

hlm_status hlmi_tstream_begin(hlmi_tstream *s, const int32_t *ids, size_t n)
{
    hlm_status st = HLM_OK;
    hlmi_decode_reset(s);
    hlmi_buf_clear(&s->given);
    if (hlmi_decode_late(&s->t->decode)) HLMI_TRY(begin_late(s, ids, n));
    for (size_t i = 0; i < n; i++) {
        hlmi_buf_clear(&s->given);
        HLMI_TRY(show(s, ids[i], &s->given));
    }
done:
    hlmi_buf_clear(&s->given);
    if (st != HLM_OK) hlmi_decode_reset(s);
    return st;
}

hlm_status hlmi_tstream_push(hlmi_tstream *s, int32_t id, const char **text, size_t *len)
{
    HLMI_DO(check_id(s->t, id));
    hlmi_buf_clear(&s->given);
    HLMI_DO(show(s, id, &s->given));
    return give(s, text, len);
}

hlm_status hlmi_tstream_finish(hlmi_tstream *s, const char **text, size_t *len)
{
    const size_t before = s->before;
    hlmi_buf_clear(&s->given);
    HLMI_DO(hlmi_decode_finish(s, &s->given));
    hlmi_buf_drop(&s->given, hlmi_min_size(before, s->given.len));
    return give(s, text, len);
}

hlm_status hlmi_tstream_cut(hlmi_tstream *s, const char **text, size_t *len)
{
    if (hlmi_decode_late(&s->t->decode)) return hlmi_tstream_finish(s, text, len);
    hlmi_decode_reset(s);
    hlmi_buf_clear(&s->given);
    return give(s, text, len);
}

void hlmi_tstream_free(hlmi_tstream *s)
{
    if (!s) return;
    const hlmi_mem mem = s->mem;
    hlmi_buf_free(&s->given);
    hlmi_buf_free(&s->tail);
    for (size_t i = 0; i < s->t->decode.n; i++) {
        hlmi_buf_free(&s->state[i].unit);
        hlmi_buf_free(&s->state[i].held);
        hlmi_buf_free(&s->state[i].made);
    }
    hlmi_free(&mem, s);
}

hlm_status hlmi_tokenizer_decode(const hlmi_tokenizer *t, const int32_t *ids, size_t n, uint32_t flags, hlmi_buf *out)
{
    hlm_status st = HLM_OK;
    hlmi_tstream *s;
    for (size_t i = 0; i < n; i++) HLMI_DO(check_id(t, ids[i]));
    HLMI_DO(hlmi_tstream_new(&s, &out->mem, t, flags));
    for (size_t i = 0; i < n; i++) HLMI_TRY(show(s, ids[i], out));
    HLMI_TRY(hlmi_decode_finish(s, out));
done:
    hlmi_tstream_free(s);
    return st;
}
