/* JSON from strangers: the one way in. jansson parses, and json.c alone includes it; whoever reads JSON reads values
 * (hlmi_json) through what stands here.
 *
 * A text is UTF-8 without a byte order mark, which hlmi_source_slurp leaves out of files, and holds exactly one value.
 * It may have the bare NaN, Infinity and -Infinity that real files contain; others spell them {"__float__":
 * "Infinity"}, which hlmi_json_number reads as the same. What else a text may hold depends on what it is for: */
#ifndef HLMI_BASE_JSON_H
#define HLMI_BASE_JSON_H

#include <stdbool.h>

#include "base/mem.h"

/** values, objects among them, memory of the parsed values; of equal keys the last counts where it does not say
 *  "unique". */
typedef enum hlmi_json_use {
    HLMI_JSON_SETTINGS, /* 1 000 000 values, 100 000 objects, 64 MB */
    HLMI_JSON_IDS, /* the same, unique: a text with two ids is no list of tokens */
    HLMI_JSON_TENSORS, /* of a store: 2 097 152, 400 000, 256 MB, unique */
    HLMI_JSON_TOKENIZER, /* 6 000 000, 300 000, 384 MB */
    /** Of a caller, read as Python's json does it: 6 000 000, 1 000 000, 384 MB. Numbers that jansson would round or
     *  refuse (wider than 18 digits, with a fraction or an exponent, not finite) are told by where they stand
     *  (hlmi_json_place); a half of a surrogate pair is U+FFFD. */
    HLMI_JSON_MESSAGES
} hlmi_json_use;

enum { HLMI_JSON_DEPTH = 128, HLMI_JSON_MESSAGES_DEPTH = 200 };

typedef struct json_t hlmi_json; /* jansson's, whose struct nobody else knows */

/** Before anything is parsed, its values are counted and their memory is estimated. jansson's memory is malloc's, for
 *  its allocator belongs to the whole process; so the estimate is asked of `mem`, which may refuse it, and given back.
 *  *out is the caller's to free.
 *  Errors  HLM_E_FORMAT with `what`, line and column; HLM_E_LIMIT (more than the use allows, or nested deeper);
 *          HLM_E_NOMEM. */
hlm_status hlmi_json_parse(hlmi_json **out, const hlmi_mem *mem, hlmi_json_use use, const char *text, size_t len,
                           const char *what);
/** NULL-safe; only for what hlmi_json_parse or a function below made. */
void hlmi_json_free(hlmi_json *v);

/* Reading. Every function takes NULL for a value that is not there, and any value: what it is not is not found. */

/** Kinds, for sets of them; bits in jansson's order. */
enum {
    HLMI_JSON_OBJECT = 1,
    HLMI_JSON_ARRAY = 2,
    HLMI_JSON_STRING = 4,
    HLMI_JSON_INT = 8,
    HLMI_JSON_REAL = 16,
    HLMI_JSON_TRUE = 32,
    HLMI_JSON_FALSE = 64,
    HLMI_JSON_NULL = 128,
    HLMI_JSON_ABSENT = 256,
    HLMI_JSON_BOOL = HLMI_JSON_TRUE | HLMI_JSON_FALSE
};
unsigned hlmi_json_kind(const hlmi_json *v);
/** Is v of one of these kinds? */
static inline bool hlmi_json_is(const hlmi_json *v, unsigned kinds)
{
    return hlmi_json_kind(v) & kinds;
}

/** A member of an object, or NULL. */
const hlmi_json *hlmi_json_get(const hlmi_json *object, const char *key);
/** The same; NULL also for null. */
const hlmi_json *hlmi_json_given(const hlmi_json *object, const char *key);
/** Item i of an array, or NULL. */
const hlmi_json *hlmi_json_at(const hlmi_json *array, size_t i);
/** Items of an array, members of an object. */
size_t hlmi_json_count(const hlmi_json *v);

/** A string with a 0 behind it; s = NULL where v is none. */
hlmi_str hlmi_json_str(const hlmi_json *v);
/** The string that is a member of an object, or NULL. */
const char *hlmi_json_string(const hlmi_json *object, const char *key);
/** true when v is an integer in [min, max], which *out receives; else *out is left as it is. */
bool hlmi_json_int(const hlmi_json *v, int64_t min, int64_t max, int64_t *out);
/** true when v is a number or a {"__float__": ...} object; *out receives it. */
bool hlmi_json_number(const hlmi_json *v, double *out);
/** Is it absent, null, false, [] or {}? */
bool hlmi_json_off(const hlmi_json *v);
/** A member that is a boolean, else `missing`. */
bool hlmi_json_flag(const hlmi_json *object, const char *key, bool missing);
/** HLMI_JSON_MESSAGES: where a number that is no HLMI_JSON_INT stands in the text. */
size_t hlmi_json_place(const hlmi_json *v);

/** A walk over the items of an array or, in the order of the text, the members of an object: for (hlmi_json_iter i =
 *  {0}; hlmi_json_next(v, &i);) */
typedef struct hlmi_json_iter {
    hlmi_str key; /* of a member */
    const hlmi_json *value;
    size_t n; /* visited, with this one */
    void *at;
} hlmi_json_iter;
bool hlmi_json_next(const hlmi_json *v, hlmi_json_iter *i);

/* Making: values that are read as if a text held them. NULL and false: out of memory, or no UTF-8. */

hlmi_json *hlmi_json_object(void);
hlmi_json *hlmi_json_array(void);
/** The object's member is v from now on, which it shares with its owner. */
bool hlmi_json_put(hlmi_json *object, const char *key, const hlmi_json *v);
bool hlmi_json_put_int(hlmi_json *object, const char *key, int64_t v);
bool hlmi_json_append(hlmi_json *array, const char *s, size_t len);

#endif
