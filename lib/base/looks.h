/* What a file looks like by its first bytes, for the sentence that says that it is not what was expected. */
#ifndef HLMI_BASE_LOOKS_H
#define HLMI_BASE_LOOKS_H

#include <stddef.h>
#include <stdint.h>

typedef enum hlmi_look {
    HLMI_LOOK_UNKNOWN,
    HLMI_LOOK_FOREIGN, /* nothing that this library reads under any name: a Git LFS pointer, a web page, an archive, ... */
    HLMI_LOOK_GGUF,
    HLMI_LOOK_SAFETENSORS,
    HLMI_LOOK_JSON,
    HLMI_LOOK_TEXT,
    HLMI_LOOK_EMPTY
} hlmi_look;

typedef struct hlmi_looks {
    hlmi_look kind;
    char s
        [208]; /* words that can stand behind a sentence: ": it looks like ...", and what to do; "" when nothing is known */
} hlmi_looks;

/** Bytes of the beginning that are looked at, where the file has so many. */
enum { HLMI_LOOKS_HEAD = 512 };

/** head [n]: the beginning of a file of `size` bytes. Use as hlmi_looks_like(head, n, size).s. */
hlmi_looks hlmi_looks_like(const void *head, size_t n, uint64_t size);

#endif
