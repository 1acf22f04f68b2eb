/* Reading and writing the public structs by the size their caller states. */
#include "base/params.h"

#include <string.h>

#include "base/size.h"
#include "base/structs.h"

/* The struct_size at p, of a struct of `known` bytes here, checked: that of an earlier version, or no less. memcpy,
 * because p's type is not known here. */
static hlm_status stated_size(size_t *size, const void *p, size_t known, const char *what)
{
    if (!p) return hlmi_fail(HLM_E_ARG, "%s: the result pointer is NULL", what);
    memcpy(size, p, sizeof *size);
    if (*size == known) return HLM_OK;
    if (*size > HLMI_STRUCT_MAX || (*size < known && !hlmi_struct_had(what, *size)))
        return hlmi_fail(HLM_E_ARG, "%s: struct_size is %zu, which no version of it has; set it to sizeof (%s)", what,
                         *size, what);
    return HLM_OK;
}

hlm_status hlmi_params_read(void *dst, size_t dst_size, const void *src, const char *what)
{
    memset(dst, 0, dst_size);
    size_t size = dst_size;
    if (src) {
        HLMI_DO(stated_size(&size, src, dst_size, what));
        const unsigned char *bytes = src;
        for (size_t i = dst_size; i < size; i++) {
            if (bytes[i] != 0)
                return hlmi_fail(HLM_E_UNSUPPORTED,
                                 "%s: byte %zu of %zu is set, but this library knows only %zu bytes of it", what, i,
                                 size, dst_size);
        }
        memcpy(dst, src, hlmi_min_size(size, dst_size));
    }
    memcpy(dst, &dst_size, sizeof dst_size);
    return HLM_OK;
}

hlm_status hlmi_result_check(const void *dst, size_t full_size, const char *what)
{
    size_t size;
    return stated_size(&size, dst, full_size, what);
}

hlm_status hlmi_result_write(void *dst, const void *full, size_t full_size, const char *what)
{
    size_t size = 0;
    HLMI_DO(stated_size(&size, dst, full_size, what));
    size_t known = hlmi_min_size(size, full_size);
    unsigned char *to = dst;
    memcpy(to + sizeof size, (const unsigned char *)full + sizeof size, known - sizeof size);
    memset(to + known, 0, size - known);
    return HLM_OK;
}

hlm_status hlmi_items_write(void *out, size_t cap, size_t *n_out, const void *items, size_t n, size_t size,
                            const char *what)
{
    *n_out = n;
    if (n > cap) return hlmi_fail(HLM_E_SPACE, "room for %zu%s, needs %zu", cap, what, n);
    if (n) memcpy(out, items, n * size);
    return HLM_OK;
}

hlm_status hlmi_list_check(size_t n, const char *what)
{
    return n <= HLMI_LIST_MAX ? HLM_OK : hlmi_fail(HLM_E_LIMIT, "%s: %zu; at most %d at once", what, n, HLMI_LIST_MAX);
}
