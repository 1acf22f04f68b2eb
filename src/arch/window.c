/* Which layers of a decoder attend through a sliding window. */
#include <string.h>

#include "arch/decoder.h"

enum { MAX_LAYERS = 1 << 16 };

/* What layer_types says of a layer: 1 sliding, 0 full, -1 nothing. */
static hlm_status layer_type(const hlmi_config *c, size_t layer, size_t n_layers, int *sliding)
{
    const hlmi_json *types = NULL;
    *sliding = -1;
    HLMI_DO(hlmi_config_array(c, "layer_types", n_layers, &types));
    if (!types) return HLM_OK;
    const char *t = hlmi_json_str(hlmi_json_at(types, layer)).s;
    if (t && strcmp(t, "sliding_attention") == 0) *sliding = 1;
    else if (t && strcmp(t, "full_attention") == 0) *sliding = 0;
    else
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: layer_types[%zu] is \"%.40s\"", hlmi_store_path(c->store), layer,
                         t ? t : "?");
    return HLM_OK;
}

/* config.json without the setting means 4096, null means none, in every class that has one. */
static hlm_status read_window(const hlmi_config *c, size_t *out)
{
    int64_t w = 0;
    const int64_t fallback = c->json && !hlmi_json_get(c->json, "sliding_window") ? 4096 : 0;
    const hlm_status st =
        hlmi_config_int(c, (hlmi_key){"sliding_window", ".attention.sliding_window"}, 0, INT32_MAX, fallback, &w);
    *out = (size_t)w;
    return st;
}

hlm_status hlmi_window_all(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out)
{
    (void)layer;
    (void)n_layers;
    return read_window(c, out);
}

hlm_status hlmi_window_upper(const hlmi_config *c, size_t layer, size_t n_layers, size_t *out)
{
    int sliding = -1;
    bool use = false;
    int64_t from = 0;
    *out = 0;
    HLMI_DO(layer_type(c, layer, n_layers, &sliding));
    HLMI_DO(hlmi_config_bool(c, (hlmi_key){"use_sliding_window", NULL}, false, &use));
    HLMI_DO(hlmi_config_int(c, (hlmi_key){"max_window_layers", NULL}, 0, MAX_LAYERS, 28, &from));
    if (!use || sliding == 0 || (sliding < 0 && (int64_t)layer < from)) return HLM_OK;
    return read_window(c, out);
}
