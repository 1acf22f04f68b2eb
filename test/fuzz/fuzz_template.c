/* Fuzz target: a chat template, a 0 byte, and the messages as JSON. Without a 0 byte
 * the messages are one greeting. */
#include <stdlib.h>
#include <string.h>

#include "text/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        const hlmi_chat_input in = {.messages = messages, .messages_len = rest, .bos = "<s>", .eos = "</s>",
                                    .add_generation_prompt = true};
        hlmi_buf out;
        hlmi_buf_init(&out, &mem);
        hlmi_chat_render(&mem, text, n, &in, &out);
        hlmi_buf_free(&out);
    }
    free(text);
    free(messages);
    return 0;
}
