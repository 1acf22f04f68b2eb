/* The containers that are known. */
#include <string.h>

#include "weights/store_impl.h"

static const hlmi_container_info gguf = {HLMI_GGUF, "GGUF", hlmi_gguf_open};
static const hlmi_container_info hf = {HLMI_HF, NULL, hlmi_hf_open};
static const hlmi_container_info *const containers[] = {&gguf, &hf};

hlm_status hlmi_container_match(const hlmi_source *file, const hlmi_container_info **out)
{
    uint8_t buf[4] = {0};
    const uint8_t *head = buf;
    *out = NULL;
    if (file && file->size >= sizeof buf) HLMI_DO(hlmi_source_read(file, 0, sizeof buf, buf, &head));
    for (size_t i = 0; i < sizeof containers / sizeof *containers && !*out; i++) {
        const char *magic = containers[i]->magic;
        if (!magic == !file && (!file || memcmp(head, magic, sizeof buf) == 0)) *out = containers[i];
    }
    return HLM_OK;
}
