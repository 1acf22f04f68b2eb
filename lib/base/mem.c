/* Memory through the caller's allocator, or malloc's. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/os.h"
#include "base/params.h"
#include "base/size.h"

hlmi_mem hlmi_mem_default(void)
{
    return (hlmi_mem){.alloc = hlmi_os_alloc, .free = hlmi_os_free};
}

hlm_status hlmi_mem_from(hlmi_mem *mem, const hlm_allocator *a)
{
    *mem = hlmi_mem_default();
    if (!a) return HLM_OK;
    hlm_allocator own;
    HLMI_DO(hlmi_params_read(&own, sizeof own, a, "hlm_allocator"));
    if (!own.alloc || !own.free) return hlmi_fail(HLM_E_ARG, "hlm_allocator needs both alloc and free");
    *mem = (hlmi_mem){.user = own.user, .alloc = own.alloc, .free = own.free};
    return HLM_OK;
}

void *hlmi_alloc(const hlmi_mem *mem, size_t size)
{
    if (size == 0) return NULL;
    if (mem->alloc == hlmi_os_alloc) return hlmi_os_alloc(NULL, size, HLMI_ALIGN);
    void *p;
    HLMI_HOST(p = mem->alloc(mem->user, size, HLMI_ALIGN));
    return p;
}

void *hlmi_calloc(const hlmi_mem *mem, size_t n, size_t size)
{
    size_t bytes;
    if (!hlmi_mul_size(n, size, &bytes)) return NULL;
    void *p = hlmi_alloc(mem, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *hlmi_realloc(const hlmi_mem *mem, void *p, size_t old_size, size_t new_size)
{
    void *q = hlmi_alloc(mem, new_size);
    if (!q) return NULL;
    if (old_size) memcpy(q, p, hlmi_min_size(old_size, new_size));
    hlmi_free(mem, p);
    return q;
}

void hlmi_free(const hlmi_mem *mem, void *p)
{
    if (!p) return;
    if (mem->free == hlmi_os_free) hlmi_os_free(NULL, p);
    else HLMI_HOST(mem->free(mem->user, p));
}

char *hlmi_strndup(const hlmi_mem *mem, const char *s, size_t n)
{
    if (n == SIZE_MAX) return NULL;
    char *p = hlmi_alloc(mem, n + 1);
    if (!p) return NULL;
    if (n) memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

hlm_status hlmi_grow(const hlmi_mem *mem, void *array, size_t *cap, size_t need, size_t item_size, const char *what)
{
    if (need <= *cap) return HLM_OK;
    size_t want = hlmi_max_size(need, hlmi_max_size(*cap + *cap / 2, 16));
    size_t bytes;
    if (!hlmi_mul_size(want, item_size, &bytes)) return hlmi_nomem(SIZE_MAX, what);
    void *p;
    memcpy(&p, array, sizeof p);
    p = hlmi_realloc(mem, p, *cap * item_size, bytes);
    if (!p) return hlmi_nomem(bytes, what);
    memcpy(array, &p, sizeof p);
    *cap = want;
    return HLM_OK;
}
