/* Structs of the public API as they come from callers who were compiled against an older or a newer header. Every such
 * struct starts with a size_t struct_size, zero means default, and structs grow only at the end. */
#ifndef HLMI_BASE_PARAMS_H
#define HLMI_BASE_PARAMS_H

#include <stddef.h>

#include "base/status.h"

/** No struct of the API will be larger; a larger struct_size is rubbish from the caller's stack and is refused instead
 *  of being followed. */
enum { HLMI_STRUCT_MAX = 16384 };

/** The caller's struct as this library knows it: what an older caller left out is 0, and src NULL gives all zeros.
 *  dst->struct_size becomes dst_size.
 *  what    name of the struct, for the sentence.
 *  Errors  HLM_E_ARG (struct_size not of a version of it (base/structs.h), or absurd), HLM_E_UNSUPPORTED (a newer field
 *          that is not 0); dst is then zeros. */
hlm_status hlmi_params_read(void *dst, size_t dst_size, const void *src, const char *what);

/** Refuses early what hlmi_result_write would refuse, so that no work is lost. */
hlm_status hlmi_result_check(const void *dst, size_t full_size, const char *what);

/** Gives a result to the caller: the first min(dst->struct_size, full_size) bytes but struct_size itself; fields that
 *  only a newer caller knows become 0.
 *  Errors  HLM_E_ARG (dst NULL, struct_size as above); dst is then unchanged. */
hlm_status hlmi_result_write(void *dst, const void *full, size_t full_size, const char *what);

/** Gives n items of `size` bytes to the caller, who has room for `cap` at out; *n_out: how many there are, then too
 *  when that is more.
 *  what    of the items, with a blank before it, for the sentence: "room for 3 tokens, needs 4".
 *  Errors  HLM_E_SPACE; out is then unchanged. */
hlm_status hlmi_items_write(void *out, size_t cap, size_t *n_out, const void *items, size_t n, size_t size,
                            const char *what);

/** Most items of an array, and bytes of a text, that one call takes. */
enum { HLMI_LIST_MAX = 1 << 29 };

/** Refuses a count above HLMI_LIST_MAX, before anything of the array is read.
 *  what    call and array, for the sentence.
 *  Errors  HLM_E_LIMIT. */
hlm_status hlmi_list_check(size_t n, const char *what);

#endif
