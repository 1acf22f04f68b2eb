/* The adapters of --adapter (see adapters.h). */
#include "adapters.h"

#include "report.h"

static const char *advice(hlm_status status)
{
    switch (status) {
    case HLM_E_IO: return "Check the path and its permissions; of a PEFT folder the folder itself is named.";
    case HLM_E_FORMAT: return "It is damaged, or the adapter of another model.";
    case HLM_E_MISMATCH: return "A PEFT folder goes with a Hugging Face folder, a GGUF adapter with a GGUF model.";
    default: return NULL;
    }
}

/** Each --adapter once; *n of them with a scale that is not 0 are kept, the others only looked at. */
static int load(const cli_options *o, hlm_model *model, hlm_adapter **loaded, size_t *n)
{
    for (size_t i = 0; i < o->adapters.paths.n; i++) {
        const float scale = (float)o->adapters.scales[i];
        const hlm_adapter_params params = {.struct_size = sizeof params, .scale = scale};
        const hlm_status st = hlm_adapter_load(&loaded[*n], model, o->adapters.paths.items[i], &params);
        if (st != HLM_OK) return cli_fail_advised(o, st, "the adapter could not be loaded", advice(st));
        if (scale != 0) ++*n;
        else hlm_adapter_release(loaded[*n]);
    }
    return CLI_OK;
}

static int join(const cli_options *o, hlm_adapter *const *loaded, size_t n, hlm_adapter **out)
{
    const hlm_adapter *parts[CLI_MAX_TEXTS];
    for (size_t i = 0; i < n; i++) parts[i] = loaded[i];
    const hlm_status st = hlm_adapter_join(out, parts, n);
    return st == HLM_OK ? CLI_OK : cli_fail_advised(o, st, "the adapters could not be joined", "Give fewer of them.");
}

int cli_adapters_open(const cli_options *o, hlm_model *model, hlm_adapter **out)
{
    hlm_adapter *loaded[CLI_MAX_TEXTS] = {NULL};
    size_t n = 0;
    int rc = load(o, model, loaded, &n);
    if (rc == CLI_OK && n) rc = join(o, loaded, n, out);
    for (size_t i = 0; i < n; i++) hlm_adapter_release(loaded[i]);
    return rc;
}
