/* Fuzz target: a chat template, a 0 byte, and the messages as JSON. Without a 0 byte the messages are one greeting. */
#include <stdlib.h>
#include <string.h>

#include "chat/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Renders with and without tracing, which must agree. */
static void render(const hlmi_mem *mem, const char *text, size_t n, const hlmi_chat_input *in)
{
    hlmi_template *t = NULL;
    hlmi_buf plain, traced, trusted;
    hlmi_buf_init(&plain, mem);
    hlmi_buf_init(&traced, mem);
    hlmi_buf_init(&trusted, mem);
    if (hlmi_template_new(mem, text, n, &t) == HLM_OK) {
        const hlm_status st = hlmi_template_render(t, mem, in, &plain, NULL);
        const hlm_status same = hlmi_template_render(t, mem, in, &traced, &trusted);
        if (st == HLM_OK && same == HLM_OK &&
            (trusted.len != traced.len || plain.len != traced.len ||
             (plain.len && memcmp(plain.data, traced.data, plain.len))))
            abort();
    }
    hlmi_template_free(t);
    hlmi_buf_free(&plain);
    hlmi_buf_free(&traced);
    hlmi_buf_free(&trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char greeting[] = "[{\"role\":\"user\",\"content\":\"hi\"}]";
    const hlmi_mem mem = hlmi_mem_default();
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    const size_t n = cut ? (size_t)(cut - data) : size, rest = cut ? size - n - 1 : sizeof greeting - 1;
    /* blocks of the exact size, so that a sanitizer sees a read past the end */
    char *text = malloc(n ? n : 1), *messages = malloc(rest ? rest : 1);
    if (text && messages) {
        if (n) memcpy(text, data, n);
        if (rest) memcpy(messages, cut ? (const char *)cut + 1 : greeting, rest);
        const hlmi_chat_input in = {
            .messages = {messages, rest}, .bos = {"<s>", 3}, .eos = {"</s>", 4}, .add_generation_prompt = true};
        render(&mem, text, n, &in);
    }
    free(text);
    free(messages);
    return 0;
}
