/* "Replace PATTERN by CONTENT". */
#include "text/replace.h"

#include "text/json_read.h"

hlm_status hlmi_replace_read(hlmi_replace *r, const hlmi_mem *mem, const hlmi_json *def)
{
    HLMI_DO(hlmi_json_text(mem, def, "content", &r->content, &r->content_len));
    HLMI_DO(hlmi_json_pattern(mem, def, &r->pattern));
    if (r->pattern.code || r->pattern.len) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "replacing the empty text");
}

hlm_status hlmi_replace_run(const hlmi_replace *r, const char *s, size_t len, hlmi_buf *out)
{
    hlm_status st;
    hlmi_matches w;
    size_t from = 0;
    HLMI_TRY(hlmi_matches_begin(&w, &r->pattern));
    hlmi_matches_text(&w, s, len);
    for (;;) {
        HLMI_TRY(hlmi_matches_next(&w));
        if (!w.found || out->failed) break;
        hlmi_buf_add(out, s + from, w.begin - from);
        hlmi_buf_add(out, r->content, r->content_len);
        from = w.end;
    }
    hlmi_buf_add(out, s + from, len - from);
done:
    hlmi_matches_end(&w);
    return st;
}

void hlmi_replace_free(hlmi_replace *r, const hlmi_mem *mem)
{
    hlmi_pattern_free(&r->pattern, mem);
    hlmi_free(mem, r->content);
}
