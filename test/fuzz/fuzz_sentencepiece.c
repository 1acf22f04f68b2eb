/* Fuzz target: a text that ends with a 0 byte, a tokenizer_config.json that does too (empty: none), and the bytes of a
 * SentencePiece model. */
#include <stdlib.h>

#include "fuzz/tokenize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to a 0, or the end, as a block of their own; *data and *size move behind it. */
static char *take(const uint8_t **data, size_t *size, size_t *len)
{
    const uint8_t *zero = *size ? memchr(*data, 0, *size) : NULL;
    *len = zero ? (size_t)(zero - *data) : *size;
    char *s = malloc(*len ? *len : 1); /* exact sizes: a sanitizer sees what lies behind */
    if (*len) memcpy(s, *data, *len);
    *size -= zero ? *len + 1 : *len;
    *data += zero ? *len + 1 : *len;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_side_files f = {0};
    hlmi_tokenizer *t = NULL;
    size_t len;
    char *text = take(&data, &size, &len), *config = take(&data, &size, &f.config_len),
         *model = malloc(size ? size : 1);
    if (size) memcpy(model, data, size);
    f.config = f.config_len ? config : NULL;
    if (hlmi_tokenizer_from_spm(&t, &mem, model, size, &f) == HLM_OK) fuzz_tokenize(t, text, len);
    hlmi_tokenizer_free(t);
    free(text);
    free(config);
    free(model);
    return 0;
}
