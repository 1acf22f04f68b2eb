/* Sorting and lookup of names. */
#include "weights/index.h"

#include <string.h>

#include "weights/store_impl.h"

static const char *name_of(const hlmi_index *x, uint32_t i)
{
    const char *name;
    memcpy(&name, (const char *)x->items + i * x->stride, sizeof name);
    return name;
}

static bool name_before(const void *index, uint32_t a, uint32_t b)
{
    return strcmp(name_of(index, a), name_of(index, b)) < 0;
}

/* Merges the sorted runs [lo, mid) and [mid, hi) of from into to. */
static void merge(uint32_t *to, const uint32_t *from, size_t lo, size_t mid, size_t hi, hlmi_before_fn *before,
                  const void *user)
{
    size_t a = lo, b = mid;
    for (size_t i = lo; i < hi; i++) {
        const bool second = a == mid || (b < hi && before(user, from[b], from[a]));
        to[i] = second ? from[b++] : from[a++];
    }
}

hlm_status hlmi_sorted(uint32_t **order, const hlmi_mem *mem, size_t n, hlmi_before_fn *before, const void *user)
{
    *order = NULL;
    if (n == 0) return HLM_OK;
    uint32_t *a = hlmi_calloc(mem, n, sizeof *a), *b = hlmi_calloc(mem, n, sizeof *b);
    if (!a || !b) {
        hlmi_free(mem, a);
        hlmi_free(mem, b);
        return hlmi_nomem(n, "sorting names");
    }
    for (size_t i = 0; i < n; i++) a[i] = (uint32_t)i;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width)
            merge(b, a, lo, hlmi_min_size(lo + width, n), hlmi_min_size(lo + 2 * width, n), before, user);
        uint32_t *t = a;
        a = b;
        b = t;
    }
    hlmi_free(mem, b);
    *order = a;
    return HLM_OK;
}

hlm_status hlmi_index_build(hlmi_index *x, const hlmi_mem *mem, const void *items, size_t stride, size_t n,
                            const char *what)
{
    hlmi_index_free(x, mem);
    x->items = items;
    x->stride = stride;
    HLMI_DO(hlmi_sorted(&x->order, mem, n, name_before, x));
    x->n = n;
    for (size_t i = 1; i < n; i++) {
        const char *name = name_of(x, x->order[i]);
        if (strcmp(name_of(x, x->order[i - 1]), name) == 0)
            return hlmi_fail(HLM_E_FORMAT, "%s %s is there twice", what, hlmi_quoted(name, strlen(name)).s);
    }
    return HLM_OK;
}

const void *hlmi_index_find(const hlmi_index *x, const char *name)
{
    size_t lo = 0, hi = x->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int c = strcmp(name, name_of(x, x->order[mid]));
        if (c == 0) return (const char *)x->items + x->order[mid] * x->stride;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return NULL;
}

void hlmi_index_free(hlmi_index *x, const hlmi_mem *mem)
{
    hlmi_free(mem, x->order);
    *x = (hlmi_index){0};
}
