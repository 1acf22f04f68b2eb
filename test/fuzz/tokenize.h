/* What the fuzz targets of tokenizers do with one that was read: the text is encoded in every way, and the ids are
 * decoded whole and as a stream, which must agree. */
#ifndef TEST_FUZZ_TOKENIZE_H
#define TEST_FUZZ_TOKENIZE_H

#include <string.h>

#include "text/tokenizer.h"
#include "fuzz/promised.h"

static void fuzz_stream(const hlmi_tokenizer *t, const hlmi_ids *ids, uint32_t flags, hlmi_buf *out)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_tstream *s = NULL;
    const char *text = NULL;
    size_t len = 0;
    PROMISED(hlmi_tstream_new(&s, &mem, t, flags) == HLM_OK);
    for (size_t i = 0; i < ids->n; i++) {
        if (hlmi_tstream_push(s, ids->v[i], &text, &len) == HLM_OK) hlmi_buf_add(out, text, len);
    }
    if (hlmi_tstream_finish(s, &text, &len) == HLM_OK) hlmi_buf_add(out, text, len);
    hlmi_tstream_free(s);
}

static void fuzz_decode(const hlmi_tokenizer *t, const hlmi_ids *ids, uint32_t flags)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf whole, joined;
    hlmi_buf_init(&whole, &mem);
    hlmi_buf_init(&joined, &mem);
    if (hlmi_tokenizer_decode(t, ids->v, ids->n, flags, &whole) == HLM_OK) {
        fuzz_stream(t, ids, flags, &joined);
        PROMISED(whole.len == joined.len && (whole.len == 0 || memcmp(whole.data, joined.data, whole.len) == 0));
    }
    hlmi_buf_free(&whole);
    hlmi_buf_free(&joined);
}

static void fuzz_tokenize(const hlmi_tokenizer *t, const char *text, size_t len)
{
    const hlmi_mem mem = hlmi_mem_default();
    for (uint32_t flags = 0; flags < 4; flags++) {
        hlmi_ids ids;
        hlmi_ids_init(&ids, &mem);
        if (hlmi_tokenizer_encode(t, text, len, flags, &ids) == HLM_OK) {
            for (size_t i = 0; i < ids.n; i++) PROMISED(ids.v[i] >= 0 && ids.v[i] < hlmi_tokenizer_size(t));
            fuzz_decode(t, &ids, flags & HLM_DETOKENIZE_SKIP_SPECIAL);
        }
        hlmi_ids_free(&ids);
    }
}

#endif
