/* Inside of the tensor store, shared by the containers. A container's open function adds sources and tensors (and
 * settings) to a zeroed store; whatever it added is freed by hlmi_store_close, also after a failure. */
#ifndef HLMI_WEIGHTS_STORE_IMPL_H
#define HLMI_WEIGHTS_STORE_IMPL_H

#include "base/size.h"
#include "weights/index.h"
#include "weights/store.h"

typedef struct hlmi_chunk hlmi_chunk;

/** Settings of a GGUF file. All 0: none. */
typedef struct hlmi_kvs {
    hlmi_kv *v;
    size_t n;
    hlmi_index by_key;
    uint8_t *front; /* the bytes that they are in, when the file is not mapped */
} hlmi_kvs;

struct hlmi_store {
    hlmi_mem mem;
    hlmi_vfs vfs;
    char *path; /* as given, without '/' at the end */
    hlmi_dialect dialect;
    int32_t opened; /* what opening it as a file returned */

    hlmi_source *sources; /* weight files */
    size_t n_sources, cap_sources;
    hlmi_tensor *tensors;
    size_t n_tensors, cap_tensors;
    hlmi_index by_name;
    struct hlmi_coded *coded; /* what tensors are made of */
    size_t n_coded;

    hlmi_json *config; /* folders */

    hlmi_kvs kvs; /* GGUF */

    hlmi_chunk *names; /* names and keys, each ended by 0; the newest chunk first */
};

/* Containers: what a path is of. To open one is to fill the store, all but settings when the content says so. */

/** GGUF: takes the open file over (also when it fails). */
hlm_status hlmi_gguf_open(hlmi_store *s, hlmi_source *file, hlmi_content content);
/** Matrices of NVFP4 become those that their X.scale says (coded.h). */
hlm_status hlmi_gguf_scale(hlmi_store *s);
/** A folder: file is NULL. */
hlm_status hlmi_hf_open(hlmi_store *s, hlmi_source *file, hlmi_content content);

/* Formats of weight files. To read one is to take the open file over, also when it fails, and to add its tensors. */

/** *kvs, with nothing in it, receives the settings, whose keys live as long as the store. */
hlm_status hlmi_gguf_read(hlmi_store *s, hlmi_source *file, hlmi_kvs *kvs);
hlm_status hlmi_safetensors_read(hlmi_store *s, hlmi_source *file);
hlm_status hlmi_torch_read(hlmi_store *s, hlmi_source *file);
/** HLM_E_FORMAT for a file without GGUF's magic: what it looks like, or else `hint`. */
hlm_status hlmi_gguf_refuse(const hlmi_source *file, const char *hint);

/** A store with nothing in it. HLM_E_ARG for the empty path. */
hlm_status hlmi_store_new(hlmi_store **out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path);
/** Opens what the path names. A folder or a file? The system says; a vfs knows only files, so what can not be opened as
 *  one may be a folder: its config.json tells. A folder around one GGUF file is that file. */
hlm_status hlmi_store_reach(hlmi_store *s, hlmi_source *file, hlmi_content content, bool *folder);
/** Moves an open file into the store; closes it when there is no room. */
hlm_status hlmi_store_add_source(hlmi_store *s, hlmi_source *file);
/** A tensor that is well formed but can not be used, and a clause that says why. */
hlm_status hlmi_store_set_unfit(hlmi_store *s, hlmi_tensor *t, hlm_status status, const char *fmt, ...)
    HLMI_PRINTF(4, 5);
/** Adds a tensor of the newest source; one that can not be used as plain bytes. */
hlm_status hlmi_store_add(hlmi_store *s, const hlmi_tensor *t);
/** A copy of n bytes, ended by 0, that lives as long as the store; NULL without memory. */
const char *hlmi_store_name(hlmi_store *s, const char *p, size_t n);
/** Tensors first .. n_tensors-1, all of one source, do not overlap; with `dense`, they also fill [begin, end) without
 *  holes. */
hlm_status hlmi_store_check_ranges(const hlmi_store *s, size_t first, bool dense, uint64_t begin, uint64_t end);
/** Puts the newest source's path in front of a sentence about what is wrong in it. */
hlm_status hlmi_store_name_file(const hlmi_store *s, hlm_status st);

/** Bytes of a value of fixed size; 0 for strings, arrays and unknown numbers. */
size_t hlmi_kv_size(uint64_t type);
/** Little-endian, unaligned, n = 1 .. 8 bytes. */
uint64_t hlmi_load_le(const uint8_t *p, size_t n);
void hlmi_kvs_free(hlmi_kvs *kvs, const hlmi_mem *mem);

/* What containers share. */

/** The path of a file in the store's folder; NULL without memory. */
char *hlmi_store_path_of(const hlmi_store *s, const char *name);
/** When the store's path is a folder of the system's that holds one GGUF file and no weights of its own, it becomes
 *  that file's. Parts of a split file are one, and projectors of images (mmproj) none. HLM_E_ARG names several. */
hlm_status hlmi_find_in_folder(hlmi_store *s, hlmi_content content);
/** The settings of a params.json, if there is one of at most max bytes, become the store's. */
hlm_status hlmi_released_settings(hlmi_store *s, size_t max);
/** The tensors are those of a release: they get their usual names and order of rows. */
hlm_status hlmi_released_tensors(hlmi_store *s);
/** Frees what a container has put into the store. */
void hlmi_store_clear(hlmi_store *s);
/** Makes hlmi_store_find work; HLM_E_FORMAT names a tensor that is there twice. */
hlm_status hlmi_store_index_tensors(hlmi_store *s);

/** Parses an object with unique keys, refusing texts whose values would take far more memory than the text. */
hlm_status hlmi_store_json(const hlmi_store *s, const char *text, size_t len, const char *what, hlmi_json **out);
/** One in a side file; *out = NULL when there is no such file. */
hlm_status hlmi_store_object(const hlmi_store *s, const char *name, size_t max, hlmi_json **out);

/** Longest name that an error sentence shows. */
enum { HLMI_QUOTE_MAX = 100 };
typedef struct hlmi_quote {
    char s[HLMI_QUOTE_MAX + 8];
} hlmi_quote;
/** n bytes from a file in a form for people: control bytes as \xNN, long ones cut. Use as hlmi_quoted(p, n).s. */
hlmi_quote hlmi_quoted(const char *p, size_t n);

#endif
