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

/* Does the token have text to show? */
static bool shows(const hlmi_tokenizer *t, int32_t id, uint32_t flags)
{
    const unsigned attr = t->tokens.attr[id];
    if (!(attr & HLMI_TOK_PRESENT)) return false;
    return !(attr & HLMI_TOK_SPECIAL) || !(flags & HLM_DETOKENIZE_SKIP_SPECIAL);
}

hlm_status hlmi_tokenizer_decode(const hlmi_tokenizer *t, const int32_t *ids, size_t n, uint32_t flags, hlmi_buf *out)
{
    hlm_status st;
    hlmi_decoder *d = NULL;
    for (size_t i = 0; i < n; i++) {
        st = check_id(t, ids[i]);
        if (st != HLM_OK) return st;
    }
    HLMI_TRY(hlmi_decoder_new(&d, &out->mem, t));
    for (size_t i = 0; i < n; i++)
        if (shows(t, ids[i], flags)) HLMI_TRY(hlmi_decoder_push(d, hlmi_tokens_shown(&t->tokens, ids[i]), out));
    HLMI_TRY(hlmi_decoder_finish(d, out));
    HLMI_TRY(hlmi_buf_status(out, "decoded text"));
done:
    hlmi_decoder_free(d);
    return st;
}

hlm_status hlmi_tokenizer_piece(const hlmi_tokenizer *t, int32_t id, hlmi_buf *out)
{
    static const char mark[] = "\xE2\x96\x81"; /* SentencePiece's space */
    HLMI_DO(check_id(t, id));
    const hlmi_str s = hlmi_tokens_text(&t->tokens, id);
    const int byte = hlmi_decode_has(&t->decode, "ByteFallback") ? hlmi_byte_token(s) : -1;
    const bool marks = hlmi_decode_has(&t->decode, "Metaspace") || hlmi_decode_has(&t->decode, "Replace");
    if (t->tokens.attr[id] & HLMI_TOK_SPECIAL) {
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

struct hlmi_tstream {
    hlmi_mem mem;
    const hlmi_tokenizer *t;
    uint32_t flags;
    hlmi_decoder *decoder;
    hlmi_buf out;
    size_t before; /* bytes of text that come out late, but were given before the stream began */
};

hlm_status hlmi_tstream_new(hlmi_tstream **out, const hlmi_mem *mem, const hlmi_tokenizer *t, uint32_t flags)
{
    hlm_status st;
    hlmi_tstream *s = hlmi_calloc(mem, 1, sizeof *s);
    *out = NULL;
    if (!s) return hlmi_nomem(sizeof *s, "text stream");
    s->mem = *mem;
    s->t = t;
    s->flags = flags;
    hlmi_buf_init(&s->out, mem);
    HLMI_TRY(hlmi_decoder_new(&s->decoder, mem, t));
    *out = s;
    s = NULL;
done:
    hlmi_tstream_free(s);
    return st;
}

static hlm_status give(hlmi_tstream *s, hlm_status st, const char **text, size_t *len)
{
    if (st == HLM_OK) st = hlmi_buf_status(&s->out, "decoded text");
    if (st != HLM_OK) return st;
    *text = s->out.len ? s->out.data : "";
    *len = s->out.len;
    return HLM_OK;
}

/* Text that comes out as a whole at the end begins with what was given before. */
static hlm_status begin_late(hlmi_tstream *s, const int32_t *ids, size_t n)
{
    hlmi_buf text;
    hlmi_buf_init(&text, &s->mem);
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < n && st == HLM_OK; i++)
        if (known(s->t, ids[i]) && shows(s->t, ids[i], s->flags))
            st = hlmi_decoder_push(s->decoder, hlmi_tokens_shown(&s->t->tokens, ids[i]), &text);
    if (st == HLM_OK) st = hlmi_decoder_finish(s->decoder, &text);
    s->before = text.len;
    hlmi_buf_free(&text);
    return st;
}

hlm_status hlmi_tstream_begin(hlmi_tstream *s, const int32_t *ids, size_t n)
{
    hlm_status st = HLM_OK;
    hlmi_decoder_reset(s->decoder);
    s->before = 0;
    if (hlmi_decode_late(&s->t->decode)) HLMI_TRY(begin_late(s, ids, n));
    for (size_t i = 0; i < n; i++) {
        hlmi_buf_clear(&s->out);
        if (known(s->t, ids[i]) && shows(s->t, ids[i], s->flags))
            HLMI_TRY(hlmi_decoder_push(s->decoder, hlmi_tokens_shown(&s->t->tokens, ids[i]), &s->out));
    }
done:
    hlmi_buf_clear(&s->out);
    if (st != HLM_OK) hlmi_decoder_reset(s->decoder);
    return st;
}

hlm_status hlmi_tstream_push(hlmi_tstream *s, int32_t id, const char **text, size_t *len)
{
    hlm_status st = check_id(s->t, id);
    if (st != HLM_OK) return st;
    hlmi_buf_clear(&s->out);
    if (shows(s->t, id, s->flags)) st = hlmi_decoder_push(s->decoder, hlmi_tokens_shown(&s->t->tokens, id), &s->out);
    return give(s, st, text, len);
}

hlm_status hlmi_tstream_finish(hlmi_tstream *s, const char **text, size_t *len)
{
    hlmi_buf_clear(&s->out);
    const hlm_status st = hlmi_decoder_finish(s->decoder, &s->out);
    if (st == HLM_OK) hlmi_buf_drop(&s->out, hlmi_min_size(s->before, s->out.len));
    s->before = 0;
    return give(s, st, text, len);
}

hlm_status hlmi_tstream_cut(hlmi_tstream *s, const char **text, size_t *len)
{
    if (hlmi_decode_late(&s->t->decode)) return hlmi_tstream_finish(s, text, len);
    hlmi_decoder_reset(s->decoder);
    hlmi_buf_clear(&s->out);
    return give(s, HLM_OK, text, len);
}

void hlmi_tstream_free(hlmi_tstream *s)
{
    if (!s) return;
    const hlmi_mem mem = s->mem;
    hlmi_decoder_free(s->decoder);
    hlmi_buf_free(&s->out);
    hlmi_free(&mem, s);
}
