/* The public calls that save and load sequences. */
#include "state/snapshot.h"

#include "base/call.h"
#include "base/params.h"

/* More than that is copied past the caches. */
enum { CACHE_BYTES = 8 << 20 };

#define UNNAMED "the snapshot"

/* ---- saving ---- */

/* A fork of the cache, so that the cache itself is not held up. Into memory of io->end bytes; *n (NULL: to somewhere
 * else) is how many there are. */
static hlm_status save(hlm_cache *cache, hlmi_stream *io, size_t *n)
{
    hlmi_snapshot s;
    hlm_cache *fork = NULL;
    HLMI_DO(hlm_cache_fork(&fork, cache, HLM_NOW));
    hlm_status st = hlmi_snapshot_begin(&s, fork, 0);
    if (st == HLM_OK && n) {
        *n = (size_t)s.head.total;
        io->past_cache = s.head.total > CACHE_BYTES;
        if (s.head.total > io->end)
            st = hlmi_fail(HLM_E_SPACE, "the snapshot has %zu bytes, there is room for %zu", *n, (size_t)io->end);
    }
    if (st == HLM_OK) st = hlmi_snapshot_write(&s, io);
    hlmi_snapshot_end(&s);
    hlm_cache_free(fork);
    return st;
}

HLMI_CALL(hlm_cache_save, (hlm_cache *cache, const char *path), (cache, path))
{
    if (!cache || !path) return hlmi_fail(HLM_E_ARG, "hlm_cache_save: cache and path are needed");
    hlmi_stream io = {.name = path};
    return save(cache, &io, NULL);
}

HLMI_CALL(hlm_cache_save_to, (hlm_cache *cache, const hlm_writer *writer), (cache, writer))
{
    hlm_writer w;
    if (!cache || !writer) return hlmi_fail(HLM_E_ARG, "hlm_cache_save_to: cache and writer are needed");
    HLMI_DO(hlmi_params_read(&w, sizeof w, writer, "hlm_writer"));
    if (!w.write) return hlmi_fail(HLM_E_ARG, "hlm_writer.write is NULL");
    hlmi_stream io = {.name = UNNAMED, .writer = &w};
    return save(cache, &io, NULL);
}

HLMI_CALL(hlm_cache_save_memory, (hlm_cache *cache, void *out, size_t cap, size_t *n), (cache, out, cap, n))
{
    if (!cache || !n || (cap && !out))
        return hlmi_fail(HLM_E_ARG, "hlm_cache_save_memory: cache, n, and out [cap] are needed");
    hlmi_stream io = {.name = UNNAMED, .memory = out, .end = cap};
    return save(cache, &io, n);
}

/* ---- loading ---- */

static hlm_status check(hlm_cache **out, const hlm_pool *pool, const void *from, uint32_t flags, const char *call)
{
    if (out) *out = NULL;
    if (!out || !pool || !from) return hlmi_fail(HLM_E_ARG, "%s: out, pool and what to read are needed", call);
    if (flags & ~(uint32_t)HLM_SNAPSHOT_OTHER_KERNELS)
        return hlmi_fail(HLM_E_UNSUPPORTED, "%s: flags has unknown bits 0x%x", call,
                         (unsigned)(flags & ~(uint32_t)HLM_SNAPSHOT_OTHER_KERNELS));
    return HLM_OK;
}

HLMI_CALL(hlm_cache_load, (hlm_cache **out, hlm_pool *pool, const char *path, uint32_t flags), (out, pool, path, flags))
{
    HLMI_DO(check(out, pool, path, flags, "hlm_cache_load"));
    hlmi_stream io = {.name = path};
    return hlmi_snapshot_read(out, pool, &io, flags, false);
}

HLMI_CALL(hlm_cache_load_from,
          (hlm_cache **out, hlm_pool *pool, const hlm_reader *reader, uint32_t flags),
          (out, pool, reader, flags))
{
    hlm_reader rd;
    HLMI_DO(check(out, pool, reader, flags, "hlm_cache_load_from"));
    HLMI_DO(hlmi_params_read(&rd, sizeof rd, reader, "hlm_reader"));
    if (!rd.read) return hlmi_fail(HLM_E_ARG, "hlm_reader.read is NULL");
    hlmi_stream io = {.name = UNNAMED, .reader = &rd};
    return hlmi_snapshot_read(out, pool, &io, flags, false);
}

HLMI_CALL(hlm_cache_load_memory,
          (hlm_cache **out, hlm_pool *pool, const void *data, size_t n, uint32_t flags),
          (out, pool, data, n, flags))
{
    HLMI_DO(check(out, pool, data, flags, "hlm_cache_load_memory"));
    char *bytes = (char *)(uintptr_t)data; /* which are only read */
    hlmi_stream io = {.name = UNNAMED, .memory = bytes, .past_cache = n > CACHE_BYTES, .end = n};
    return hlmi_snapshot_read(out, pool, &io, flags, false);
}
