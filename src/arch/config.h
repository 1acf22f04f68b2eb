/* A model's settings, read the same way from a Hugging Face config.json and from GGUF metadata. Each getter checks the
 * kind and the range and fails with the file, the key, what was found and what was expected.
 *
 * Keys: `hf` is a member of config.json; `gguf` a metadata key, where a leading '.' stands for the architecture's name
 * (".block_count" is "llama.block_count"). NULL: never there.
 *
 * GGUF files say the same number in several types, and some have one number as an array of equal ones: whatever says
 * the value exactly is read (an integer of any width, 4.0 as 4, 0 and 1 as false and true, f64 as f32), everything else
 * refused. */
#ifndef HLMI_ARCH_CONFIG_H
#define HLMI_ARCH_CONFIG_H

#include "weights/store.h"

typedef struct hlmi_config {
    const hlmi_store *store;
    hlmi_dialect dialect; /* the store's */
    const hlmi_json *json; /* HF: config.json, or an object inside it */
    const char *arch; /* GGUF: general.architecture */
    int32_t head; /* HLM_HEAD_..., from the class that config.json names */
} hlmi_config;

/** Is the key there (and not null)? */
bool hlmi_config_has(const hlmi_config *c, hlmi_key key);
/** Required unless `fallback` is in range: then an absent (or null) key gives it. */
hlm_status hlmi_config_int(const hlmi_config *c, hlmi_key key, int64_t min, int64_t max, int64_t fallback,
                           int64_t *out);
/** The same, of 1 to max. */
hlm_status hlmi_config_size(const hlmi_config *c, hlmi_key key, int64_t max, int64_t fallback, size_t *out);
/** A finite number in [min, max]; fallback as above. */
hlm_status hlmi_config_float(const hlmi_config *c, hlmi_key key, double min, double max, double fallback, double *out);
hlm_status hlmi_config_bool(const hlmi_config *c, hlmi_key key, bool fallback, bool *out);
/** *out lies in the file's data; its s is NULL when absent. Those of config.json are ended by 0. */
hlm_status hlmi_config_string(const hlmi_config *c, hlmi_key key, hlmi_str *out);
/** Item i of an array of numbers, or the number itself for every i (GGUF's per-layer settings). */
hlm_status hlmi_config_int_at(const hlmi_config *c, hlmi_key key, size_t i, size_t count, int64_t min, int64_t max,
                              int64_t fallback, int64_t *out);
/** An array, of `count` items unless that is HLMI_ANY; NULL when absent. config.json only. */
#define HLMI_ANY SIZE_MAX
hlm_status hlmi_config_array(const hlmi_config *c, const char *key, size_t count, const hlmi_json **out);
/** Which of `names` [n] item i of an array of `count` strings is. *out is left as it is when the key is absent.
 *  config.json only. */
hlm_status hlmi_config_choice_at(const hlmi_config *c, const char *key, size_t i, size_t count,
                                 const char *const *names, size_t n, size_t *out);
/** Is `item` in an array of integers, all in [min, max]? *out is left as it is when the key is absent. config.json
 *  only. */
hlm_status hlmi_config_list_has(const hlmi_config *c, const char *key, int64_t min, int64_t max, int64_t item,
                                bool *out);
/** An array of n numbers in [min, max]. out [n] is left as it is when the key is absent. config.json only. */
hlm_status hlmi_config_numbers(const hlmi_config *c, const char *key, size_t n, double min, double max, double *out);

#endif
