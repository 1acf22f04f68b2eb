/* One Knuth-Morris-Pratt automaton for each stop string: linear in the text, whatever the strings. */
#include "session/stop.h"

#include <string.h>

static hlm_status word_init(hlmi_stop_word *w, const char *text, size_t index, const hlmi_mem *mem)
{
    if (!text || !text[0]) return hlmi_fail(HLM_E_ARG, "stop[%zu] is %s", index, text ? "an empty string" : "NULL");
    *w = (hlmi_stop_word){.text = text, .len = strlen(text)};
    w->fail = hlmi_calloc(mem, w->len, sizeof *w->fail);
    if (!w->fail) return hlmi_nomem(w->len, "a stop string");
    size_t border = 0;
    for (size_t i = 1; i < w->len; i++) {
        while (border && text[i] != text[border]) border = w->fail[border - 1];
        if (text[i] == text[border]) border++;
        w->fail[i] = border;
    }
    return HLM_OK;
}

hlm_status hlmi_stop_init(hlmi_stop *s, const char *const *strings, size_t n, const hlmi_mem *mem)
{
    *s = (hlmi_stop){.mem = *mem};
    hlmi_buf_init(&s->held, mem);
    if (n == 0) return HLM_OK;
    if (!strings) return hlmi_fail(HLM_E_ARG, "stop is NULL, n_stop %zu", n);
    s->words = hlmi_calloc(mem, n, sizeof *s->words);
    if (!s->words) return hlmi_nomem(n, "stop strings");
    s->n = n;
    for (size_t i = 0; i < n; i++) HLMI_DO(word_init(&s->words[i], strings[i], i, mem));
    return HLM_OK;
}

void hlmi_stop_free(hlmi_stop *s)
{
    for (size_t i = 0; i < s->n; i++) hlmi_free(&s->mem, s->words[i].fail);
    hlmi_free(&s->mem, s->words);
    hlmi_buf_free(&s->held);
    *s = (hlmi_stop){.n = 0};
}

/* The next byte; true when it completes the string. */
static bool word_step(hlmi_stop_word *w, char byte)
{
    while (w->matched && byte != w->text[w->matched]) w->matched = w->fail[w->matched - 1];
    if (byte == w->text[w->matched]) w->matched++;
    return w->matched == w->len;
}

/* Bytes at the end of the text that may belong to a stop string, or, once one is complete, that do. */
static size_t step(hlmi_stop *s, char byte)
{
    size_t open = 0, complete = 0;
    for (size_t i = 0; i < s->n; i++) {
        hlmi_stop_word *w = &s->words[i];
        if (word_step(w, byte) && w->len > complete) complete = w->len;
        if (w->matched > open) open = w->matched;
    }
    s->found = complete != 0;
    return s->found ? complete : open;
}

hlm_status hlmi_stop_feed(hlmi_stop *s, const char *text, size_t len, const char **out, size_t *out_len)
{
    *out = "";
    *out_len = 0;
    hlmi_buf_drop(&s->held, s->given);
    s->given = 0;
    if (s->found || len == 0) return HLM_OK;
    const size_t before = s->held.len;
    hlmi_buf_add(&s->held, text, len);
    HLMI_DO(hlmi_buf_status(&s->held, "text held back for a stop string"));
    size_t keep = 0;
    for (size_t i = 0; i < len && !s->found; i++) {
        keep = step(s, text[i]);
        if (s->found) s->held.len = before + i + 1; /* what follows it is never seen */
    }
    *out = s->held.data;
    *out_len = s->given = s->held.len - keep;
    return HLM_OK;
}

hlm_status hlmi_stop_close(hlmi_stop *s, const char *text, size_t len, const char **out, size_t *out_len)
{
    hlm_status st = hlmi_stop_feed(s, text, len, out, out_len);
    if (st != HLM_OK || s->found || s->held.len == 0) return st;
    *out = s->held.data;
    *out_len = s->given = s->held.len;
    return HLM_OK;
}
