/* Fuzz target: a quantised folder. The input is config.json and the header of the weight file, each ended by a zero
 * byte, and bytes that are repeated for as long as the header says that there is data: so a changed shape or name
 * leaves the file whole. */
#include <stdio.h>

#include "fuzz/walk.h"

enum { DATA_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void config(const hlmi_store *s)
{
    PROMISED(hlmi_json_is(hlmi_store_config(s), HLMI_JSON_OBJECT));
}

/* Where the last tensor ends, by the ranges in the text. */
static size_t data_end(const char *header)
{
    static const char key[] = "\"data_offsets\":[";
    size_t end = 0;
    for (const char *p = header; (p = strstr(p, key)) != NULL; p += sizeof key - 1) {
        size_t from, to;
        if (sscanf(p + sizeof key - 1, "%7zu,%7zu", &from, &to) == 2 && to <= DATA_MAX && to > end) end = to;
    }
    return end;
}

/* A text off the front of the input, with a zero behind it. */
static char *take_text(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
    const size_t n = end ? (size_t)(end - *data) : *size;
    char *text = malloc(n + 1);
    if (n) memcpy(text, *data, n);
    text[n] = '\0';
    *data += n + (n < *size);
    *size -= n + (n < *size);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memfs fs = {.n = 0};
    char *settings = take_text(&data, &size), *header = take_text(&data, &size);
    const size_t n = strlen(header), end = data_end(header);
    uint8_t *file = malloc(8 + n + end);
    for (size_t i = 0; i < 8; i++) file[i] = (uint8_t)((uint64_t)n >> (8 * i));
    memcpy(file + 8, header, n);
    for (size_t i = 0; i < end; i++) file[8 + n + i] = size ? data[i % size] : 0;
    memfs_add(&fs, "d/config.json", settings, strlen(settings));
    memfs_add(&fs, "d/model.safetensors", file, 8 + n + end);
    walk(&fs, "d", config);
    free(file);
    free(header);
    free(settings);
    return 0;
}
