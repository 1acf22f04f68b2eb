/* Where each version of each struct of the API ended. A struct that grows gets an entry for the field that was its last
 * one, ENDED(type, field) before its sizeof (test_structs compares this with bindings/hybridlm.json, and names what is
 * missing). */
#include "base/structs.h"

#include <string.h>

#include "base/status.h"

/* Size of a struct whose last field this is. */
#define ENDED(type, field) \
  ((offsetof(type, field) + sizeof((type *)0)->field + _Alignof(type) - 1) / _Alignof(type) * _Alignof(type))

const hlmi_struct hlmi_structs[] = {
    {"hlm_adapter_info", {sizeof(hlm_adapter_info)}},
    {"hlm_adapter_params", {sizeof(hlm_adapter_params)}},
    {"hlm_allocator", {sizeof(hlm_allocator)}},
    {"hlm_attention", {sizeof(hlm_attention)}},
    {"hlm_cache_params", {sizeof(hlm_cache_params)}},
    {"hlm_chat_params", {sizeof(hlm_chat_params)}},
    {"hlm_ctx_params", {sizeof(hlm_ctx_params)}},
    {"hlm_embed_params", {sizeof(hlm_embed_params)}},
    {"hlm_executor", {sizeof(hlm_executor)}},
    {"hlm_file_info", {sizeof(hlm_file_info)}},
    {"hlm_file_key_info", {sizeof(hlm_file_key_info)}},
    {"hlm_file_tensor_info", {sizeof(hlm_file_tensor_info)}},
    {"hlm_generate_params", {sizeof(hlm_generate_params)}},
    {"hlm_generate_result", {sizeof(hlm_generate_result)}},
    {"hlm_hidden", {sizeof(hlm_hidden)}},
    {"hlm_log", {sizeof(hlm_log)}},
    {"hlm_memory_plan_info", {sizeof(hlm_memory_plan_info)}},
    {"hlm_model_info", {sizeof(hlm_model_info)}},
    {"hlm_model_params", {ENDED(hlm_model_params, progress_user), sizeof(hlm_model_params)}},
    {"hlm_plan_params", {sizeof(hlm_plan_params)}},
    {"hlm_pool_info", {sizeof(hlm_pool_info)}},
    {"hlm_pool_params", {sizeof(hlm_pool_params)}},
    {"hlm_prefix_info", {sizeof(hlm_prefix_info)}},
    {"hlm_reader", {sizeof(hlm_reader)}},
    {"hlm_reuse_params", {sizeof(hlm_reuse_params)}},
    {"hlm_sampler_params", {sizeof(hlm_sampler_params)}},
    {"hlm_score_params", {sizeof(hlm_score_params)}},
    {"hlm_score_result", {sizeof(hlm_score_result)}},
    {"hlm_speculation", {sizeof(hlm_speculation)}},
    {"hlm_step", {sizeof(hlm_step)}},
    {"hlm_vfs", {sizeof(hlm_vfs)}},
    {"hlm_weight_info", {ENDED(hlm_weight_info, bytes), sizeof(hlm_weight_info)}},
    {"hlm_writer", {sizeof(hlm_writer)}},
    {NULL, {0}},
};

int hlmi_struct_had(const char *name, size_t size)
{
    const hlmi_struct *s = hlmi_structs;
    while (s->name && strcmp(s->name, name) != 0) s++;
    for (size_t i = 0; i < HLMI_VERSIONS_MAX && s->sizes[i]; i++)
        if (s->sizes[i] == size) return 1;
    return 0;
}
