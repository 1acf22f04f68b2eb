/* Inside of the tensor store, shared by the containers. A container's open function adds sources and tensors (and
 * settings) to a zeroed store; whatever it added is freed by hlmi_store_close, also after a failure. */
#ifndef HLMI_WEIGHTS_STORE_IMPL_H
#define HLMI_WEIGHTS_STORE_IMPL_H

#include "base/size.h"
#include "weights/index.h"
#include "weights/store.h"

typedef struct hlmi_chunk hlmi_chunk;

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

    hlmi_json *config; /* folders */

    hlmi_kv *kvs; /* GGUF */
    size_t n_kvs, cap_kvs;
    hlmi_index by_key;
    uint8_t *header; /* the metadata's bytes when the file is not mapped */
    size_t header_cap;

    hlmi_chunk *names; /* names and keys, each ended by 0; the newest chunk first */
};

/** One container: what it is called, whether a path is one, and how it opens. */
typedef struct hlmi_container_info {
    hlmi_dialect id;
    /** Opened as a file, the path begins with this magic; NULL: the path is a folder. */
    const char *magic;
    hlm_status (*open)(hlmi_store *s, hlmi_source *file, hlmi_content content);
} hlmi_container_info;

/** GGUF: takes the open file over (also when it fails). */
hlm_status hlmi_gguf_open(hlmi_store *s, hlmi_source *file, hlmi_content content);
/** One file of it into a store without any; takes the file over, too. */
hlm_status hlmi_gguf_read(hlmi_store *s, hlmi_source *file);
/** A folder: file is NULL. */
hlm_status hlmi_hf_open(hlmi_store *s, hlmi_source *file, hlmi_content content);
/** HLM_E_UNSUPPORTED naming the method when a folder's settings say that its weights are quantised. */
hlm_status hlmi_refuse_quantised(const hlmi_store *s);
/** Adds the tensors of source number `source`, a safetensors file. */
hlm_status hlmi_safetensors_add(hlmi_store *s, uint32_t source);

/** The container of an open file by its first bytes, or NULL; with NULL, the container of folders. */
hlm_status hlmi_container_match(const hlmi_source *file, const hlmi_container_info **out);

/** The path of a file in the store's folder; NULL without memory. */
char *hlmi_store_path_of(const hlmi_store *s, const char *name);
/** When the store's path is a folder of the system's that holds one GGUF file and no weights of its own, it becomes
 *  that file's. Parts of a split file are one, and projectors of images (mmproj) none. HLM_E_ARG names several. */
hlm_status hlmi_find_in_folder(hlmi_store *s, hlmi_content content);
/** Moves an open file into the store; closes it when there is no room. */
hlm_status hlmi_store_add_source(hlmi_store *s, hlmi_source *file);
/** Frees what a container has put into the store. */
void hlmi_store_clear(hlmi_store *s);
/** Moves the file and the tensors of another store of one file into the store. */
hlm_status hlmi_store_join(hlmi_store *s, hlmi_store *part);
/** Room for n more tensors, so that adding them can not fail. */
hlm_status hlmi_store_reserve(hlmi_store *s, size_t n);
/** A copy of n bytes, ended by 0, that lives as long as the store; NULL without memory. */
const char *hlmi_store_name(hlmi_store *s, const char *p, size_t n);
/** A tensor that is well formed but can not be used: plain bytes, and a clause that says why. */
hlm_status hlmi_store_set_unfit(hlmi_store *s, hlmi_tensor *t, hlm_status status, const char *why);
/** Makes hlmi_store_find work; HLM_E_FORMAT names a tensor that is there twice. */
hlm_status hlmi_store_index_tensors(hlmi_store *s);

/** Tensors first .. n_tensors-1, all of one source, do not overlap; with `dense`, they also fill [begin, end) without
 *  holes. */
hlm_status hlmi_store_check_ranges(const hlmi_store *s, size_t first, bool dense, uint64_t begin, uint64_t end);

/** A JSON text of the format itself (a header, an index) has at most this many values. */
/** Parses an object with unique keys, refusing texts whose values would take far more memory than the text. */
hlm_status hlmi_store_json(const hlmi_store *s, const char *text, size_t len, const char *what, hlmi_json **out);

/** Longest name that an error sentence shows. */
enum { HLMI_QUOTE_MAX = 100 };
typedef struct hlmi_quote {
    char s[HLMI_QUOTE_MAX + 8];
} hlmi_quote;
/** n bytes from a file in a form for people: control bytes as \xNN, long ones cut. Use as hlmi_quoted(p, n).s. */
hlmi_quote hlmi_quoted(const char *p, size_t n);

#endif
