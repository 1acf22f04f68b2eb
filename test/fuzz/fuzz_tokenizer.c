/* Fuzz target: a tokenizer.json, a 0 byte, and a text that it encodes. */
#include <stdlib.h>

#include "fuzz/tokenize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    if (hlmi_tokenizer_from_json(&t, &mem, json, n, NULL) == HLM_OK) fuzz_tokenize(t, text, rest);
    hlmi_tokenizer_free(t);
    free(json);
    free(text);
    return 0;
}
