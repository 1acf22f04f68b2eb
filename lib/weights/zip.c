/* Zip: members, each behind a header of its own; then the directory, a line for each; then the end, which tells where
 * the directory is. Of sizes from 4 GiB on there are 64 bits elsewhere (zip64). */
#include "weights/zip.h"

#include <string.h>

#include "base/size.h"
#include "weights/store_impl.h"

enum {
    END_BYTES = 22,
    COMMENT_MAX = 65535,
    LOCATOR_BYTES = 20, /* in front of the end: where the end of 64 bits is */
    END64_BYTES = 56,
    LINE_BYTES = 46, /* least of a line of the directory */
    HEADER_BYTES = 30, /* and of what stands in front of a member */
    DIRECTORY_MAX = 64 << 20,
    EXTRA64 = 1 /* the kind of the field that has sizes of 64 bits */
};

typedef struct directory {
    const hlmi_source *file;
    uint64_t at, bytes, n; /* where it is, and of how many members */
} directory;

static hlm_status truncated(const char *what)
{
    return hlmi_fail(HLM_E_FORMAT, "a zip file: %s (is it whole?)", what);
}

/* n bytes at `at`, in the map or in memory of their own, *own, which the caller frees. */
static hlm_status get(const hlmi_mem *mem, const hlmi_source *f, uint64_t at, size_t n, uint8_t **own,
                      const uint8_t **data)
{
    *own = f->map ? NULL : hlmi_alloc(mem, n);
    if (!*own && !f->map) return hlmi_nomem(n, "the directory of a zip file");
    return hlmi_source_read(f, at, n, *own, data);
}

static hlm_status read_end64(directory *d, uint64_t end)
{
    uint8_t buf[END64_BYTES];
    const uint8_t *p;
    if (end < LOCATOR_BYTES + END64_BYTES) return truncated("its directory of 64 bits is not there");
    HLMI_DO(hlmi_source_read(d->file, end - LOCATOR_BYTES, LOCATOR_BYTES, buf, &p));
    const uint64_t at = hlmi_load_le(p + 8, 8);
    if (memcmp(p, "PK\6\7", 4) != 0 || at > end - LOCATOR_BYTES - END64_BYTES)
        return truncated("its directory of 64 bits is not there");
    HLMI_DO(hlmi_source_read(d->file, at, END64_BYTES, buf, &p));
    if (memcmp(p, "PK\6\6", 4) != 0) return truncated("its directory of 64 bits is not there");
    d->n = hlmi_load_le(p + 32, 8);
    d->bytes = hlmi_load_le(p + 40, 8);
    d->at = hlmi_load_le(p + 48, 8);
    return HLM_OK;
}

/* The end is the last bytes of the file, but for a comment whose length it tells. */
static bool find_end(const uint8_t *tail, size_t n, size_t *at)
{
    for (*at = n - END_BYTES + 1; (*at)-- > 0;)
        if (memcmp(tail + *at, "PK\5\6", 4) == 0 && hlmi_load_le(tail + *at + 20, 2) == n - END_BYTES - *at)
            return true;
    return false;
}

static hlm_status find_directory(directory *d, const hlmi_mem *mem)
{
    const hlmi_source *f = d->file;
    uint8_t *own = NULL;
    const uint8_t *p = NULL;
    size_t at = 0;
    if (f->size < END_BYTES) return truncated("its end is not there");
    const size_t n = f->size < END_BYTES + COMMENT_MAX ? (size_t)f->size : END_BYTES + COMMENT_MAX;
    hlm_status st = get(mem, f, f->size - n, n, &own, &p);
    const uint64_t front = f->size - n;
    if (st == HLM_OK && !find_end(p, n, &at)) st = truncated("its end is not there");
    if (st == HLM_OK) {
        d->n = hlmi_load_le(p + at + 10, 2);
        d->bytes = hlmi_load_le(p + at + 12, 4);
        d->at = hlmi_load_le(p + at + 16, 4);
        if (d->n == UINT16_MAX || d->bytes == UINT32_MAX || d->at == UINT32_MAX) st = read_end64(d, front + at);
    }
    if (st == HLM_OK && (d->bytes > front + at || d->at > front + at - d->bytes || d->n > d->bytes / LINE_BYTES))
        st = hlmi_fail(HLM_E_FORMAT, "a zip file: its directory is of %llu members in %llu bytes from byte %llu on",
                       (unsigned long long)d->n, (unsigned long long)d->bytes, (unsigned long long)d->at);
    if (st == HLM_OK && d->bytes > DIRECTORY_MAX)
        st = hlmi_fail(HLM_E_FORMAT, "a zip file: its directory is of %llu bytes, at most %d are allowed",
                       (unsigned long long)d->bytes, DIRECTORY_MAX);
    hlmi_free(mem, own);
    return st;
}

/* Sizes of 64 bits, in the order of those of a line that are too large for it. */
static bool read_extra(const uint8_t *p, size_t n, uint64_t *const sizes[3])
{
    while (n >= 4) {
        const size_t kind = (size_t)hlmi_load_le(p, 2), len = (size_t)hlmi_load_le(p + 2, 2);
        if (len > n - 4) return false;
        size_t at = 0;
        for (size_t i = 0; i < 3 && kind == EXTRA64; i++) {
            if (*sizes[i] != UINT32_MAX) continue;
            if (len - at < 8) return false;
            *sizes[i] = hlmi_load_le(p + 4 + at, 8);
            at += 8;
        }
        p += 4 + len;
        n -= 4 + len;
    }
    return *sizes[0] != UINT32_MAX && *sizes[1] != UINT32_MAX && *sizes[2] != UINT32_MAX;
}

/* The member is behind a header of its own, which may be longer than the line in the directory says. */
static hlm_status find_member(const directory *d, hlmi_zip_member *m)
{
    uint8_t buf[HEADER_BYTES];
    const uint8_t *p;
    const hlmi_quote name = hlmi_quoted(m->name, strlen(m->name));
    if (m->at > d->at || d->at - m->at < HEADER_BYTES)
        return hlmi_fail(HLM_E_FORMAT, "a zip file: member %s begins at byte %llu, behind the members", name.s,
                         (unsigned long long)m->at);
    HLMI_DO(hlmi_source_read(d->file, m->at, HEADER_BYTES, buf, &p));
    if (memcmp(p, "PK\3\4", 4) != 0)
        return hlmi_fail(HLM_E_FORMAT, "a zip file: member %s: no header at byte %llu", name.s,
                         (unsigned long long)m->at);
    m->at += HEADER_BYTES + hlmi_load_le(p + 26, 2) + hlmi_load_le(p + 28, 2);
    if (m->at > d->at || m->bytes > d->at - m->at)
        return hlmi_fail(HLM_E_FORMAT,
                         "a zip file: member %s is of %llu bytes from byte %llu on, the members end at byte %llu",
                         name.s, (unsigned long long)m->bytes, (unsigned long long)m->at, (unsigned long long)d->at);
    return HLM_OK;
}

/* A line of the directory, of which n bytes are left; *used receives its length, *names goes behind the name. */
static hlm_status read_line(const directory *d, const uint8_t *p, size_t n, size_t *used, char **names,
                            hlmi_zip_member *m)
{
    if (n < LINE_BYTES || memcmp(p, "PK\1\2", 4) != 0) return truncated("its directory is cut short");
    const size_t name = (size_t)hlmi_load_le(p + 28, 2), extra = (size_t)hlmi_load_le(p + 30, 2);
    *used = LINE_BYTES + name + extra + (size_t)hlmi_load_le(p + 32, 2);
    if (*used > n) return truncated("its directory is cut short");
    memcpy(*names, p + LINE_BYTES, name);
    (*names)[name] = '\0';
    m->name = *names;
    *names += name + 1;
    uint64_t packed = hlmi_load_le(p + 20, 4);
    m->bytes = hlmi_load_le(p + 24, 4);
    m->at = hlmi_load_le(p + 42, 4);
    if (!read_extra(p + LINE_BYTES + name, extra, (uint64_t *const[]){&m->bytes, &packed, &m->at}))
        return hlmi_fail(HLM_E_FORMAT, "a zip file: member %s: its sizes of 64 bits are not there",
                         hlmi_quoted(m->name, name).s);
    if (hlmi_load_le(p + 8, 2) & 1 || hlmi_load_le(p + 10, 2) != 0 || packed != m->bytes)
        return hlmi_fail(HLM_E_UNSUPPORTED,
                         "a zip file: member %s is compressed or encrypted, expected one that is "
                         "stored as it is",
                         hlmi_quoted(m->name, name).s);
    return find_member(d, m);
}

static hlm_status read_lines(hlmi_zip *z, const directory *d, const uint8_t *p)
{
    char *names = z->names;
    size_t left = (size_t)d->bytes, used = 0;
    for (; z->n < d->n; z->n++, p += used, left -= used)
        HLMI_DO(read_line(d, p, left, &used, &names, &z->members[z->n]));
    const hlm_status st = hlmi_index_build(&z->by_name, &z->mem, z->members, sizeof *z->members, z->n, "member");
    return st == HLM_E_FORMAT ? hlmi_fail_prefix(st, "a zip file: ") : st;
}

hlm_status hlmi_zip_read(hlmi_zip *z, const hlmi_mem *mem, const hlmi_source *file)
{
    directory d = {.file = file};
    uint8_t *own = NULL;
    const uint8_t *p = NULL;
    *z = (hlmi_zip){.mem = *mem};
    HLMI_DO(find_directory(&d, mem));
    if (d.n == 0) return HLM_OK;
    z->members = hlmi_calloc(mem, (size_t)d.n, sizeof *z->members);
    z->names = hlmi_alloc(mem, (size_t)d.bytes); /* a line is longer than its name with a 0 */
    hlm_status st = z->members && z->names ? get(mem, file, d.at, (size_t)d.bytes, &own, &p)
                                           : hlmi_nomem((size_t)d.bytes, "the directory of a zip file");
    if (st == HLM_OK) st = read_lines(z, &d, p);
    hlmi_free(mem, own);
    return st;
}

const hlmi_zip_member *hlmi_zip_find(const hlmi_zip *z, const char *name)
{
    return hlmi_index_find(&z->by_name, name);
}

void hlmi_zip_free(hlmi_zip *z)
{
    hlmi_free(&z->mem, z->members);
    hlmi_free(&z->mem, z->names);
    hlmi_index_free(&z->by_name, &z->mem);
    *z = (hlmi_zip){.mem = z->mem};
}
