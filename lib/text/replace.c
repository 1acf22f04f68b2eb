/* "Replace PATTERN by CONTENT". */
#include "text/replace.h"

#include <string.h>

#include "base/find.h"
#include "text/json_read.h"

hlm_status hlmi_replace_read(hlmi_replace *r, const hlmi_mem *mem, const hlmi_json *def)
{
    hlm_status st;
    HLMI_TRY(hlmi_json_text(mem, def, "content", &r->content, &r->content_len));
    HLMI_TRY(hlmi_json_pattern(mem, def, &r->pattern, &r->pattern_len, &r->regex));
    if (!r->regex.code && r->pattern_len == 0) HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "replacing the empty text"));
done:
    return st;
}

static hlm_status run_regex(const hlmi_replace *r, const char *s, size_t len, hlmi_buf *out)
{
    hlm_status st;
    hlmi_regex_walk w;
    size_t from = 0, begin = 0, end = 0;
    bool found = false;
    HLMI_TRY(hlmi_regex_walk_begin(&w, &r->regex));
    hlmi_regex_walk_text(&w, s, len);
    for (;;) {
        HLMI_TRY(hlmi_regex_walk_next(&w, &found, &begin, &end));
        if (!found || out->failed) break;
        hlmi_buf_add(out, s + from, begin - from);
        hlmi_buf_add(out, r->content, r->content_len);
        from = end;
    }
    hlmi_buf_add(out, s + from, len - from);
done:
    hlmi_regex_walk_end(&w);
    return st;
}

hlm_status hlmi_replace_run(const hlmi_replace *r, const char *s, size_t len, hlmi_buf *out)
{
    if (r->regex.code) return run_regex(r, s, len, out);
    while (!out->failed) {
        const size_t hit = hlmi_find(s, len, r->pattern, r->pattern_len, false, NULL);
        if (hit == SIZE_MAX) break;
        hlmi_buf_add(out, s, hit);
        hlmi_buf_add(out, r->content, r->content_len);
        s += hit + r->pattern_len;
        len -= hit + r->pattern_len;
    }
    hlmi_buf_add(out, s, len);
    return HLM_OK;
}

void hlmi_replace_free(hlmi_replace *r, const hlmi_mem *mem)
{
    hlmi_free(mem, r->pattern);
    hlmi_free(mem, r->content);
    hlmi_regex_free(&r->regex);
}
