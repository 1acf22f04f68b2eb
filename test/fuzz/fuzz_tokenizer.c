/* Fuzz target: a tokenizer.json, a 0 byte, and a text that it encodes; the ids are decoded whole and as a stream,
 * which must agree. */
#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISED(cond)             \
  do {                             \
    if (!(cond)) __builtin_trap(); \
  } while (0)

static void stream(const hlmi_tokenizer *t, const hlmi_ids *ids, uint32_t flags, hlmi_buf *out)
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

static void decode(const hlmi_tokenizer *t, const hlmi_ids *ids, uint32_t flags)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf whole, joined;
    hlmi_buf_init(&whole, &mem);
    hlmi_buf_init(&joined, &mem);
    if (hlmi_tokenizer_decode(t, ids->v, ids->n, flags, &whole) == HLM_OK) {
        stream(t, ids, flags, &joined);
        PROMISED(whole.len == joined.len && (whole.len == 0 || memcmp(whole.data, joined.data, whole.len) == 0));
    }
    hlmi_buf_free(&whole);
    hlmi_buf_free(&joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hlmi_mem mem = hlmi_mem_default();
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t n = zero ? (size_t)(zero - data) : size, rest = zero ? size - n - 1 : 0;
    char *json = malloc(n ? n : 1),
         *text = malloc(rest ? rest : 1); /* exact sizes: a sanitizer sees what lies behind */
    hlmi_tokenizer *t = NULL;
    if (n) memcpy(json, data, n);
    if (rest) memcpy(text, data + n + 1, rest);
    if (hlmi_tokenizer_from_json(&t, &mem, json, n, NULL, 0) == HLM_OK) {
        for (uint32_t flags = 0; flags < 4; flags++) {
            hlmi_ids ids;
            hlmi_ids_init(&ids, &mem);
            if (hlmi_tokenizer_encode(t, text, rest, flags, &ids) == HLM_OK) {
                for (size_t i = 0; i < ids.n; i++) PROMISED(ids.v[i] >= 0 && ids.v[i] < hlmi_tokenizer_size(t));
                decode(t, &ids, flags & HLM_DETOKENIZE_SKIP_SPECIAL);
            }
            hlmi_ids_free(&ids);
        }
    }
    hlmi_tokenizer_free(t);
    free(json);
    free(text);
    return 0;
}
