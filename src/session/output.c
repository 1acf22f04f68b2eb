/* Text stream, then stop strings. */
#include "session/output.h"

hlm_status hlmi_output_init(hlmi_output *o, hlm_model *model, uint32_t flags, const char *const *stop, size_t n_stop,
                            const hlmi_mem *mem)
{
    *o = (hlmi_output){.stream = NULL};
    hlm_status st = hlmi_stop_init(&o->stop, stop, n_stop, mem);
    if (st != HLM_OK) return st;
    st = hlm_text_stream_new(&o->stream, model, flags);
    if (st == HLM_E_UNSUPPORTED) { /* no tokenizer: ids without text */
        o->stream = NULL;
        return HLM_OK;
    }
    return st;
}

void hlmi_output_free(hlmi_output *o)
{
    hlm_text_stream_free(o->stream);
    hlmi_stop_free(&o->stop);
    o->stream = NULL;
}

hlm_status hlmi_output_push(hlmi_output *o, int32_t token, const char **text, size_t *len)
{
    const char *piece = "";
    size_t n = 0;
    if (o->stream) HLMI_DO(hlm_text_stream_push(o->stream, token, &piece, &n));
    return hlmi_stop_feed(&o->stop, piece, n, text, len);
}

hlm_status hlmi_output_begin(hlmi_output *o, const hlm_cache *cache, const hlmi_mem *mem)
{
    const size_t n = (size_t)hlm_cache_length(cache);
    if (!o->stream || n == 0) return HLM_OK;
    int32_t *ids = hlmi_alloc(mem, n * sizeof *ids);
    if (!ids) return hlmi_nomem(n * sizeof *ids, "the text before an answer");
    hlm_status st = hlm_cache_tokens(cache, 0, n, ids);
    if (st == HLM_OK) st = hlm_text_stream_begin(o->stream, ids, n);
    hlmi_free(mem, ids);
    return st;
}

hlm_status hlmi_output_finish(hlmi_output *o, bool goes_on, const char **text, size_t *len)
{
    const char *piece = "";
    size_t n = 0;
    if (o->stream)
        HLMI_DO(goes_on ? hlm_text_stream_cut(o->stream, &piece, &n) : hlm_text_stream_finish(o->stream, &piece, &n));
    return hlmi_stop_close(&o->stop, piece, n, text, len);
}
