/* A tensor store: the tensors, settings and side files of a model on disk, whatever the container (GGUF file, Hugging
 * Face folder). Immutable once open; reading is safe from many threads. Everything in it comes from untrusted files:
 * names, types, shapes and ranges have been checked against the file's size. */
#ifndef HLMI_WEIGHTS_STORE_H
#define HLMI_WEIGHTS_STORE_H

#include "base/dialect.h"
#include "base/json.h"
#include "base/vfs.h"
#include "quant/type.h"

enum { HLMI_MAX_DIMS = 4 };

typedef struct hlmi_tensor {
    const char *name; /* owned by the store */
    hlmi_type type;
    uint32_t n_dims; /* 1 .. HLMI_MAX_DIMS (0-d safetensors become [1]) */
    uint64_t dims[HLMI_MAX_DIMS]; /* row-major, outermost first, in both containers: a matrix is [rows, cols] */
    uint32_t source; /* which file of the store */
    uint64_t offset, bytes; /* where in that file */
    uint32_t
        head_rows; /* rows of a head, of which the file has 2i and 2i+1 where i and i + half are read; 0: as they are */
    const struct hlmi_coded *coded; /* the matrix is made of several tensors of the file (coded.h); NULL: it is there */
    const char *unfit; /* why it can be no weight, NULL: it can. It is then a u8 [bytes] */
    hlm_status unfit_status;
    struct {
        const char *type;
        uint32_t n_dims;
        uint64_t dims[HLMI_MAX_DIMS];
    } said; /* of an unfit one, what the file says of it, as above */
} hlmi_tensor;

typedef struct hlmi_store hlmi_store;

/** What is opened. */
typedef enum hlmi_content {
    HLMI_STORE_MODEL,
    HLMI_STORE_SIDE_FILES, /* a model, of a folder only what stands beside the weights */
    HLMI_STORE_ADAPTER /* of a folder adapter_config.json and adapter_model.safetensors, as PEFT writes them */
} hlmi_content;

/** Opens a GGUF file (by its magic) or a folder with config.json and weights (model.safetensors, or
 *  model.safetensors.index.json and its shards, or the same of pytorch_model.bin; or params.json and
 *  consolidated.00.pth or consolidated.safetensors; shard names may not leave the folder). A tensor of a type or form
 *  that this version can not use does not keep the file from being opened, for nobody may ask for it
 *  (hlmi_store_usable); of an adapter, all of whose tensors are asked for, it does.
 *  Errors  HLM_E_IO, HLM_E_FORMAT, HLM_E_UNSUPPORTED, HLM_E_NOMEM: the sentence names the file, the tensor or key, what
 *          was found and what was expected. */
hlm_status hlmi_store_open(hlmi_store **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path,
                           hlmi_content content);
void hlmi_store_close(hlmi_store *s); /* NULL is fine */

/** How its files spell things: as a GGUF file, or as a Hugging Face folder. */
hlmi_dialect hlmi_store_dialect(const hlmi_store *s);
const char *hlmi_store_path(const hlmi_store *s);
uint64_t hlmi_store_bytes(const hlmi_store *s); /* of all weight files */

/** NULL when there is none of that name. */
const hlmi_tensor *hlmi_store_find(const hlmi_store *s, const char *name);
size_t hlmi_store_count(const hlmi_store *s);
const hlmi_tensor *hlmi_store_at(const hlmi_store *s, size_t i);
/** HLM_E_UNSUPPORTED or HLM_E_FORMAT with the sentence of what keeps a tensor from being a weight. */
hlm_status hlmi_store_usable(const hlmi_store *s, const hlmi_tensor *t);

/** n bytes of t at `offset` inside it: in the map, or read into buf [n]. Of a coded matrix whole rows, in buf. */
hlm_status hlmi_store_read(const hlmi_store *s, const hlmi_tensor *t, uint64_t offset, size_t n, void *buf,
                           const uint8_t **data);
/** The bytes will not be needed again soon: mapped pages go back to the system. */
void hlmi_store_drop(const hlmi_store *s, const hlmi_tensor *t, uint64_t offset, uint64_t n);
/** Is the file of t mapped (data of hlmi_store_read stays valid while the store is open)? */
bool hlmi_store_mapped(const hlmi_store *s, const hlmi_tensor *t);

/* Hugging Face folders */
/** The object of config.json, or of an adapter's; NULL for GGUF. */
const hlmi_json *hlmi_store_config(const hlmi_store *s);
/** A side file by name ("tokenizer.json", "folder/file"), whole, at most max bytes, 0 behind it; freed with hlmi_free.
 *  *data = NULL and HLM_OK when there is none. Without a byte order mark; refused when it looks like nothing that a
 *  model has (a Git LFS pointer, a web page). */
hlm_status hlmi_store_side_file(const hlmi_store *s, const char *name, size_t max, char **data, size_t *len);
/** The same as it is, for what may be of any kind. */
hlm_status hlmi_store_side_file_any(const hlmi_store *s, const char *name, size_t max, char **data, size_t *len);
/** Can the folder's folders be listed? Not through the caller's callbacks. */
bool hlmi_store_lists_folders(const hlmi_store *s);
/** Calls `each` for every name in a folder of the folder, in no order, until it fails; HLM_OK when there is no such
 *  folder. */
hlm_status hlmi_store_each_file(const hlmi_store *s, const char *name, hlm_status (*each)(void *user, const char *name),
                                void *user);

/* GGUF metadata */
typedef enum hlmi_kv_type {
    HLMI_KV_U8,
    HLMI_KV_I8,
    HLMI_KV_U16,
    HLMI_KV_I16,
    HLMI_KV_U32,
    HLMI_KV_I32,
    HLMI_KV_F32,
    HLMI_KV_BOOL,
    HLMI_KV_STRING,
    HLMI_KV_ARRAY,
    HLMI_KV_U64,
    HLMI_KV_I64,
    HLMI_KV_F64
} hlmi_kv_type; /* the numbers of the GGUF specification */

typedef struct hlmi_kv {
    const char *key;
    hlmi_kv_type type;
    hlmi_kv_type item; /* of an array (never ARRAY: nested arrays are refused) */
    uint64_t count; /* of an array; 1 otherwise */
    const uint8_t *data; /* the value's bytes, little endian, unaligned; strings as in the file (u64 length, bytes) */
    size_t at, bytes; /* where they begin in the file */
} hlmi_kv;

/** NULL when there is no such key (and for folders). */
const hlmi_kv *hlmi_store_kv(const hlmi_store *s, const char *key);
/** Key number i, or NULL behind the last. */
const hlmi_kv *hlmi_store_kv_at(const hlmi_store *s, size_t i);
/** Item i of an array of numbers or bools, or the value itself (i = 0), as a double / integer. false when it is of
 *  another kind, i is past the end, or the value is no integer that fits (int form; bool counts as 0 and 1). */
bool hlmi_kv_f64(const hlmi_kv *kv, uint64_t i, double *out);
bool hlmi_kv_i64(const hlmi_kv *kv, uint64_t i, int64_t *out);
/** The bits of item i of numbers or bools, as an unsigned integer of its size; 0 when there is none. */
uint64_t hlmi_kv_bits(const hlmi_kv *kv, uint64_t i);
/** A string value, or the items of a string array one after another: *cursor begins at 0. false at the end or when it
 *  holds no strings. *s points into the store and is not ended by 0. */
bool hlmi_kv_next_string(const hlmi_kv *kv, size_t *cursor, const char **s, size_t *len);
/** A string, not ended by 0; s = NULL where kv is none. */
hlmi_str hlmi_kv_str(const hlmi_kv *kv);
/** The string of a key; "" when there is no such key. Errors  HLM_E_FORMAT (it is no string). */
hlm_status hlmi_store_kv_text(const hlmi_store *s, const char *key, hlmi_str *out);

#endif
