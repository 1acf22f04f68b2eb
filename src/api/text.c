/* The public calls on text: a model's tokenizer. */
#include <string.h>

#include "base/call.h"
#include "base/params.h"
#include "base/size.h"
#include "plan/model.h"
#include "text/tokenizer.h"

static hlm_status need_tokenizer(const hlm_model *m)
{
    if (!m) return hlmi_fail(HLM_E_ARG, "model is NULL");
    return m->tokenizer ? HLM_OK : hlmi_fail(HLM_E_UNSUPPORTED, "the model's files have no tokenizer");
}

static hlm_status check_flags(uint32_t flags, uint32_t known)
{
    return flags & ~known ? hlmi_fail(HLM_E_UNSUPPORTED, "unknown flags 0x%x", flags & ~known) : HLM_OK;
}

HLMI_CALL(hlm_tokenize,
          (const hlm_model *model, const char *text, size_t len, uint32_t flags, int32_t *out, size_t cap, size_t *n),
          (model, text, len, flags, out, cap, n))
{
    if ((len && !text) || (cap && !out) || !n) return hlmi_fail(HLM_E_ARG, "hlm_tokenize: text, out or n is NULL");
    HLMI_DO(need_tokenizer(model));
    HLMI_DO(hlmi_list_check(len, "hlm_tokenize: bytes of text"));
    HLMI_DO(check_flags(flags, HLM_TOKENIZE_ADD_SPECIAL | HLM_TOKENIZE_PARSE_SPECIAL));
    hlmi_ids ids;
    hlmi_ids_init(&ids, &model->mem);
    hlm_status st =
        hlmi_tokenizer_encode(model->tokenizer, len ? text : "", len, flags, &ids); /* nothing is added to NULL */
    if (st == HLM_OK) st = hlmi_items_write(out, cap, n, ids.v, ids.n, sizeof *ids.v, "");
    hlmi_ids_free(&ids);
    return st;
}

HLMI_CALL(hlm_detokenize,
          (const hlm_model *model, const int32_t *tokens, size_t n_tokens, uint32_t flags, char *out, size_t cap,
           size_t *n),
          (model, tokens, n_tokens, flags, out, cap, n))
{
    if ((n_tokens && !tokens) || (cap && !out) || !n)
        return hlmi_fail(HLM_E_ARG, "hlm_detokenize: tokens, out or n is NULL");
    HLMI_DO(need_tokenizer(model));
    HLMI_DO(hlmi_list_check(n_tokens, "hlm_detokenize: tokens"));
    HLMI_DO(check_flags(flags, HLM_DETOKENIZE_SKIP_SPECIAL));
    hlmi_buf text;
    hlmi_buf_init(&text, &model->mem);
    const int32_t none = 0;
    hlm_status st = hlmi_tokenizer_decode(model->tokenizer, n_tokens ? tokens : &none, n_tokens, flags, &text);
    if (st == HLM_OK) st = hlmi_items_write(out, cap, n, text.data, text.len, 1, "");
    hlmi_buf_free(&text);
    return st;
}

struct hlm_text_stream {
    hlm_model *model; /* retained */
    hlmi_tstream *stream;
};

HLMI_CALL(hlm_text_stream_new, (hlm_text_stream **out, hlm_model *model, uint32_t flags), (out, model, flags))
{
    if (!out) return hlmi_fail(HLM_E_ARG, "hlm_text_stream_new: out is NULL");
    *out = NULL;
    HLMI_DO(need_tokenizer(model));
    HLMI_DO(check_flags(flags, HLM_DETOKENIZE_SKIP_SPECIAL));
    hlm_text_stream *s = hlmi_calloc(&model->mem, 1, sizeof *s);
    if (!s) return hlmi_nomem(sizeof *s, "a text stream");
    hlm_model_retain(model);
    s->model = model;
    const hlm_status st = hlmi_tstream_new(&s->stream, &model->mem, model->tokenizer, flags);
    if (st == HLM_OK) *out = s;
    else hlm_text_stream_free(s);
    return st;
}

HLMI_CALL(hlm_text_stream_push,
          (hlm_text_stream *stream, int32_t token, const char **text, size_t *len),
          (stream, token, text, len))
{
    if (!stream || !text || !len) return hlmi_fail(HLM_E_ARG, "hlm_text_stream_push: an argument is NULL");
    return hlmi_tstream_push(stream->stream, token, text, len);
}

HLMI_CALL(hlm_text_stream_finish, (hlm_text_stream *stream, const char **text, size_t *len), (stream, text, len))
{
    if (!stream || !text || !len) return hlmi_fail(HLM_E_ARG, "hlm_text_stream_finish: an argument is NULL");
    return hlmi_tstream_finish(stream->stream, text, len);
}

/* Ids of the model, with or without a text, and what stands for embeddings. */
static hlm_status check_before(const hlm_model *m, const int32_t *tokens, size_t n)
{
    const size_t named = (size_t)hlmi_tokenizer_size(m->tokenizer), size = hlmi_max_size(named, m->plan.vocab_size);
    for (size_t i = 0; i < n; i++)
        if (tokens[i] != HLM_TOKEN_NONE && (tokens[i] < 0 || (size_t)tokens[i] >= size))
            return hlmi_fail(HLM_E_TOKEN, "hlm_text_stream_begin: tokens[%zu] is %d, the vocabulary has %zu", i,
                             (int)tokens[i], size);
    return HLM_OK;
}

HLMI_CALL(hlm_text_stream_begin, (hlm_text_stream *stream, const int32_t *tokens, size_t n), (stream, tokens, n))
{
    if (!stream || (n && !tokens)) return hlmi_fail(HLM_E_ARG, "hlm_text_stream_begin: stream or tokens is NULL");
    HLMI_DO(hlmi_list_check(n, "hlm_text_stream_begin: tokens"));
    HLMI_DO(check_before(stream->model, tokens, n));
    return hlmi_tstream_begin(stream->stream, tokens, n);
}

HLMI_CALL(hlm_text_stream_cut, (hlm_text_stream *stream, const char **text, size_t *len), (stream, text, len))
{
    if (!stream || !text || !len) return hlmi_fail(HLM_E_ARG, "hlm_text_stream_cut: an argument is NULL");
    return hlmi_tstream_cut(stream->stream, text, len);
}

void hlm_text_stream_free(hlm_text_stream *stream)
{
    if (!stream) return;
    hlm_model *model = stream->model;
    hlmi_tstream_free(stream->stream);
    hlmi_free(&model->mem, stream);
    hlm_model_release(model);
}
