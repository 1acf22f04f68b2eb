/* Files through the caller's functions or the system's. */
#include "base/vfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/host.h"
#include "base/os.h"
#include "base/params.h"
#include "base/size.h"

hlm_status hlmi_vfs_from(hlmi_vfs *vfs, const hlm_vfs *caller, bool may_map)
{
    *vfs = (hlmi_vfs){.system = !caller, .may_map = may_map};
    if (!caller) return HLM_OK;
    HLMI_DO(hlmi_params_read(&vfs->fns, sizeof vfs->fns, caller, "hlm_vfs"));
    if (!vfs->fns.open || !vfs->fns.size || !vfs->fns.read_at || !vfs->fns.close)
        return hlmi_fail(HLM_E_ARG, "hlm_vfs needs open, size, read_at and close");
    return HLM_OK;
}

hlm_status hlmi_fail_open(const char *path, int rc)
{
    if (rc == (HLMI_OS_MISSING | ENOENT << 8) || rc == HLMI_OS_MISSING)
        return hlmi_fail(HLM_E_IO, "%s: no such file", path);
    return hlmi_fail(HLM_E_IO, "%s: can not be opened: %s", path, hlmi_os_reason(rc).s);
}

/* Says what a function of the vfs failed at. */
static hlm_status failed(const hlmi_source *s, const char *path, const char *doing, const char *function, int rc)
{
    if (s->vfs.system) return hlmi_fail(HLM_E_IO, "%s: %s: %s", path, doing, hlmi_os_reason(rc).s);
    return hlmi_fail(HLM_E_IO, "%s: %s: hlm_vfs.%s returned %d", path, doing, function, rc);
}

/* Maps the file where that is possible. */
static void map(hlmi_source *s)
{
    const hlm_vfs *fns = &s->vfs.fns;
    const void *data = NULL;
    int32_t rc = -1;
    if (!s->vfs.may_map || s->size == 0 || s->size > SIZE_MAX) return;
    if (s->vfs.system) rc = hlmi_os_map(s->system_file, &data);
    else if (fns->map) HLMI_HOST(rc = fns->map(fns->user, s->file, &data));
    if (rc == 0) s->map = data;
}

/* ---- sources ---- */

hlm_status hlmi_source_open(hlmi_source *s, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path, bool *missing)
{
    hlm_status st = HLM_OK;
    int32_t rc;
    *s = (hlmi_source){.vfs = *vfs, .mem = *mem};
    if (missing) *missing = false;
    if (vfs->system) rc = hlmi_os_open(path, &s->system_file);
    else HLMI_HOST(rc = vfs->fns.open(vfs->fns.user, path, &s->file));
    if (rc != 0) {
        s->file = NULL;
        s->opened = rc;
        const bool none = vfs->system ? hlmi_os_kind(rc) == HLMI_OS_MISSING : rc == 1;
        if (missing) *missing = none;
        if (vfs->system || none) return hlmi_fail_open(path, rc);
        return failed(s, path, "can not be opened", "open", rc);
    }
    s->path = hlmi_strndup(mem, path, strlen(path));
    if (!s->path) HLMI_TRY(hlmi_nomem(strlen(path), "a path"));
    if (vfs->system) s->size = hlmi_os_size(s->system_file);
    else HLMI_HOST(rc = vfs->fns.size(vfs->fns.user, s->file, &s->size));
    if (rc != 0) HLMI_TRY(failed(s, path, "its size can not be read", "size", rc));
    map(s);
done:
    if (st != HLM_OK) hlmi_source_close(s);
    return st;
}

hlm_status hlmi_source_read(const hlmi_source *s, uint64_t offset, size_t n, void *buf, const uint8_t **data)
{
    if (offset > s->size || n > s->size - offset)
        return hlmi_fail(HLM_E_FORMAT, "%s: ends at byte %llu, before the %zu bytes at %llu", s->path,
                         (unsigned long long)s->size, n, (unsigned long long)offset);
    if (s->map) {
        *data = s->map + offset;
        return HLM_OK;
    }
    int32_t rc = 0;
    *data = buf;
    if (s->vfs.system) rc = hlmi_os_read_at(s->system_file, offset, buf, n);
    else if (n) HLMI_HOST(rc = s->vfs.fns.read_at(s->vfs.fns.user, s->file, offset, buf, n));
    if (rc == 0) return HLM_OK;
    char doing[80];
    snprintf(doing, sizeof doing, "reading %zu bytes at %llu failed", n, (unsigned long long)offset);
    return failed(s, s->path, doing, "read_at", rc);
}

hlm_status hlmi_source_looks(const hlmi_source *s, hlmi_looks *looks)
{
    uint8_t buf[HLMI_LOOKS_HEAD];
    const uint8_t *head = buf;
    const size_t n = s->size < sizeof buf ? (size_t)s->size : sizeof buf;
    *looks = (hlmi_looks){HLMI_LOOK_UNKNOWN, ""};
    const hlm_status st = hlmi_source_read(s, 0, n, buf, &head);
    if (st == HLM_OK) *looks = hlmi_looks_like(head, n, s->size);
    return st;
}

/* Some programs put a byte order mark before text in UTF-8. */
static size_t skip_mark(char *text, size_t len)
{
    static const char mark[] = "\xEF\xBB\xBF";
    const size_t n = sizeof mark - 1;
    if (len < n || memcmp(text, mark, n) != 0) return len;
    memmove(text, text + n, len - n + 1);
    return len - n;
}

hlm_status hlmi_source_slurp(const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path, size_t max, bool any,
                             char **data, size_t *len, bool *missing)
{
    hlmi_source s;
    hlmi_looks l;
    hlmi_vfs reading = *vfs;
    reading.may_map = false;
    *data = NULL;
    *len = 0;
    hlm_status st = hlmi_source_open(&s, mem, &reading, path, missing);
    if (st != HLM_OK) return st;
    char *p = NULL;
    if (s.size > max) {
        HLMI_TRY(hlmi_source_looks(&s, &l));
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: %llu bytes, more than the %zu allowed for it%s", path,
                           (unsigned long long)s.size, max, l.s));
    }
    const size_t n = (size_t)s.size;
    p = hlmi_alloc(mem, n + 1);
    if (!p) HLMI_TRY(hlmi_nomem(n + 1, path));
    const uint8_t *where;
    HLMI_TRY(hlmi_source_read(&s, 0, n, p, &where));
    p[n] = '\0';
    l = hlmi_looks_like(p, n, n);
    if (!any && (l.kind == HLMI_LOOK_FOREIGN || l.kind == HLMI_LOOK_GGUF))
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "%s: not what its name says%s", path, l.s));
    *len = any ? n : skip_mark(p, n);
    *data = p;
    p = NULL;
done:
    hlmi_free(mem, p);
    hlmi_source_close(&s);
    return st;
}

void hlmi_source_drop(const hlmi_source *s, uint64_t offset, size_t n)
{
    if (s->map && s->vfs.system) hlmi_os_map_drop(s->map + offset, n);
}

void hlmi_source_close(hlmi_source *s)
{
    hlmi_os_close(s->system_file);
    if (s->file) HLMI_HOST(s->vfs.fns.close(s->vfs.fns.user, s->file));
    hlmi_free(&s->mem, s->path);
    *s = (hlmi_source){0};
}
