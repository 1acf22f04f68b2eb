/* The public calls that save and load sequences. */
#include "state/snapshot.h"

#include "base/call.h"
#include "base/params.h"
#include "base/vfs.h"
#include "plan/model.h"

/* More than that is copied past the caches. */
enum { CACHE_BYTES = 8 << 20 };

#define UNNAMED "the snapshot"

/* ---- saving ---- */

/* A fork of the cache, ready to be written: the cache itself is not held up. */
static hlm_status begin(hlmi_snapshot *s, hlm_cache *cache)
{
    hlm_cache *fork = NULL;
    hlm_status st = hlm_cache_fork(&fork, cache, HLM_NOW);
    if (st != HLM_OK) return st;
    st = hlmi_snapshot_begin(s, fork, 0);
    if (st != HLM_OK) hlm_cache_free(fork);
    return st;
}

static void end(hlmi_snapshot *s)
{
    hlm_cache *fork = s->cache;
    hlmi_snapshot_end(s);
    hlm_cache_free(fork);
}

hlm_status hlmi_snapshot_open_file(hlmi_os_saving **file, const char *path)
{
    const int rc = hlmi_os_save_begin(path, file);
    if (rc == 0) return HLM_OK;
    if (hlmi_os_kind(rc) == HLMI_OS_MISSING)
        return hlmi_fail(HLM_E_IO, "%s: can not be written: no such folder (%s)", path, hlmi_os_reason(rc).s);
    return hlmi_fail(HLM_E_IO, "%s: can not be written: %s", path, hlmi_os_reason(rc).s);
}

hlm_status hlmi_snapshot_commit_file(hlmi_os_saving *file, const char *path, bool *done)
{
    const int rc = hlmi_os_save_commit(file, done);
    if (rc == 0) return HLM_OK;
    if (*done)
        return hlmi_fail(HLM_E_IO, "%s: written, but its folder can not be brought to the disk: %s", path,
                         hlmi_os_reason(rc).s);
    return hlmi_fail(HLM_E_IO, "%s: can not be brought to the disk: %s", path, hlmi_os_reason(rc).s);
}

hlm_status hlmi_snapshot_write_file(const hlmi_snapshot *s, const char *path)
{
    hlmi_os_saving *file = NULL;
    hlm_status st = hlmi_snapshot_open_file(&file, path);
    if (st != HLM_OK) return st;
    hlmi_outlet o = {.kernels = &s->cache->pool->model->kernels, .name = path, .file = file};
    st = hlmi_snapshot_write(s, &o);
    bool done;
    if (st == HLM_OK) return hlmi_snapshot_commit_file(file, path, &done);
    hlmi_os_save_abort(file);
    return st;
}

HLMI_CALL(hlm_cache_save, (hlm_cache *cache, const char *path), (cache, path))
{
    hlmi_snapshot s;
    if (!cache || !path) return hlmi_fail(HLM_E_ARG, "hlm_cache_save: cache and path are needed");
    hlm_status st = begin(&s, cache);
    if (st != HLM_OK) return st;
    st = hlmi_snapshot_write_file(&s, path);
    end(&s);
    return st;
}

HLMI_CALL(hlm_cache_save_to, (hlm_cache *cache, const hlm_writer *writer), (cache, writer))
{
    hlmi_snapshot s;
    hlm_writer w;
    if (!cache || !writer) return hlmi_fail(HLM_E_ARG, "hlm_cache_save_to: cache and writer are needed");
    hlm_status st = hlmi_params_read(&w, sizeof w, writer, "hlm_writer");
    if (st != HLM_OK) return st;
    if (!w.write) return hlmi_fail(HLM_E_ARG, "hlm_writer.write is NULL");
    st = begin(&s, cache);
    if (st != HLM_OK) return st;
    hlmi_outlet o = {.kernels = &cache->pool->model->kernels, .name = UNNAMED, .writer = &w};
    st = hlmi_snapshot_write(&s, &o);
    end(&s);
    return st;
}

HLMI_CALL(hlm_cache_save_memory, (hlm_cache *cache, void *out, size_t cap, size_t *n), (cache, out, cap, n))
{
    hlmi_snapshot s;
    if (!cache || !n || (cap && !out))
        return hlmi_fail(HLM_E_ARG, "hlm_cache_save_memory: cache, n, and out [cap] are needed");
    hlm_status st = begin(&s, cache);
    if (st != HLM_OK) return st;
    const uint64_t total = s.head.total;
    *n = (size_t)total;
    hlmi_outlet o = {
        .kernels = &cache->pool->model->kernels, .name = UNNAMED, .memory = out, .past_cache = total > CACHE_BYTES};
    if (total > cap)
        st = hlmi_fail(HLM_E_SPACE, "the snapshot has %llu bytes, there is room for %zu", (unsigned long long)total,
                       cap);
    else st = hlmi_snapshot_write(&s, &o);
    end(&s);
    return st;
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

hlm_status hlmi_snapshot_read_file(hlm_cache **out, hlm_pool *pool, const char *path, uint32_t flags, bool known)
{
    hlmi_os_file *file = NULL;
    const int rc = hlmi_os_open(path, &file);
    if (rc != 0) return hlmi_fail_open(path, rc);
    hlmi_inlet in = {.kernels = &pool->model->kernels, .name = path, .file = file, .end = hlmi_os_size(file)};
    const hlm_status st = hlmi_snapshot_read(out, pool, &in, flags, known);
    hlmi_os_close(file);
    return st;
}

HLMI_CALL(hlm_cache_load, (hlm_cache **out, hlm_pool *pool, const char *path, uint32_t flags), (out, pool, path, flags))
{
    const hlm_status st = check(out, pool, path, flags, "hlm_cache_load");
    return st == HLM_OK ? hlmi_snapshot_read_file(out, pool, path, flags, false) : st;
}

HLMI_CALL(hlm_cache_load_from,
          (hlm_cache **out, hlm_pool *pool, const hlm_reader *reader, uint32_t flags),
          (out, pool, reader, flags))
{
    hlm_reader rd;
    hlm_status st = check(out, pool, reader, flags, "hlm_cache_load_from");
    if (st == HLM_OK) st = hlmi_params_read(&rd, sizeof rd, reader, "hlm_reader");
    if (st != HLM_OK) return st;
    if (!rd.read) return hlmi_fail(HLM_E_ARG, "hlm_reader.read is NULL");
    hlmi_inlet in = {.kernels = &pool->model->kernels, .name = UNNAMED, .reader = &rd};
    return hlmi_snapshot_read(out, pool, &in, flags, false);
}

HLMI_CALL(hlm_cache_load_memory,
          (hlm_cache **out, hlm_pool *pool, const void *data, size_t n, uint32_t flags),
          (out, pool, data, n, flags))
{
    HLMI_DO(check(out, pool, data, flags, "hlm_cache_load_memory"));
    hlmi_inlet in = {
        .kernels = &pool->model->kernels, .name = UNNAMED, .memory = data, .past_cache = n > CACHE_BYTES, .end = n};
    return hlmi_snapshot_read(out, pool, &in, flags, false);
}
