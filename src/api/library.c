/* Facts about the library itself. */
#include "base/status.h"

uint32_t hlm_abi_version(void)
{
    return HLM_ABI_VERSION;
}

const char *hlm_version(void)
{
    return HLMI_VERSION_TEXT;
}

const char *hlm_last_error(void)
{
    return hlmi_error();
}

const char *hlm_status_name(hlm_status status)
{
    static const char *const names[] = {
        "HLM_OK",      "HLM_E_ARG",   "HLM_E_NOMEM",     "HLM_E_IO",    "HLM_E_FORMAT",   "HLM_E_UNSUPPORTED",
        "HLM_E_TOKEN", "HLM_E_FULL",  "HLM_E_CANCELLED", "HLM_E_BUSY",  "HLM_E_MISMATCH", "HLM_E_UNREACHABLE",
        "HLM_E_EMPTY", "HLM_E_SPACE", "HLM_E_TEMPLATE",  "HLM_E_LIMIT", "HLM_E_INTERNAL",
    };
    const int64_t i = -(int64_t)status;
    return i >= 0 && i < (int64_t)(sizeof names / sizeof *names) ? names[i] : "HLM_E_?";
}
