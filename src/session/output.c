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
    if (o->stream) {
        hlm_status st = hlm_text_stream_push(o->stream, token, &piece, &n);
        if (st != HLM_OK) return st;
    }
    return hlmi_stop_feed(&o->stop, piece, n, text, len);
}

hlm_status hlmi_output_finish(hlmi_output *o, const char **text, size_t *len)
{
    const char *piece = "";
    size_t n = 0;
    if (o->stream) {
        hlm_status st = hlm_text_stream_finish(o->stream, &piece, &n);
        if (st != HLM_OK) return st;
    }
    return hlmi_stop_close(&o->stop, piece, n, text, len);
}
