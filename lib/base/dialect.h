/* The two ways in which files spell things: as transformers' classes do, and as GGUF files do. */
#ifndef HLMI_BASE_DIALECT_H
#define HLMI_BASE_DIALECT_H

typedef enum hlmi_dialect { HLMI_HF, HLMI_GGUF, HLMI_DIALECTS } hlmi_dialect;

/** One thing's names. NULL: the dialect has none for it. */
typedef struct hlmi_key {
    const char *hf, *gguf;
} hlmi_key;

static inline const char *hlmi_key_in(hlmi_key key, hlmi_dialect dialect)
{
    return dialect == HLMI_HF ? key.hf : key.gguf;
}

#endif
