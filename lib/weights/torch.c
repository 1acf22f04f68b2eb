/* What torch.save writes: a pickle of a dict of tensors, and the storages that they are views of. Since PyTorch 1.6 it
 * is a zip file (NAME/data.pkl, NAME/byteorder, NAME/data/KEY for each storage), before that pickles and storages one
 * behind another. Tensors may share a storage; each must be in it row by row. */
#include <stdio.h>
#include <string.h>

#include "weights/pickle.h"
#include "weights/store_impl.h"
#include "weights/zip.h"

enum { TENSORS_MAX = 1 << 20, NESTED_MAX = 3, OLD_MAGIC = 14 };

/* A file that is being read: where the bytes of a storage are. */
typedef struct torch_file {
    hlmi_store *s;
    const hlmi_source *f;
    hlmi_pickle pickle;
    uint8_t *own; /* the pickle's bytes, of a file that is not mapped */
    hlmi_zip zip;
    size_t root; /* bytes of NAME/ */
    hlmi_zip_member *storages; /* of an old file, named by their keys */
    size_t n_storages;
    hlmi_index by_key;
    size_t named; /* bytes of names */
} torch_file;

/* A copy of a name. Different ones have no more bytes than the pickles that they come from; one that is there again and
 * again would take any memory before an index finds it. */
static hlm_status keep_name(torch_file *t, hlmi_str name, const char **out)
{
    if (name.len > HLMI_PICKLE_MAX - t->named)
        return hlmi_fail(HLM_E_FORMAT, "name %s: the names have more bytes than its pickle",
                         hlmi_quoted(name.s, name.len).s);
    t->named += name.len;
    *out = hlmi_store_name(t->s, name.s, name.len);
    return *out ? HLM_OK : hlmi_nomem(name.len, "a name");
}

/* n bytes that a pickle is among. */
static hlm_status get_pickles(torch_file *t, uint64_t at, size_t n, const uint8_t **data)
{
    t->own = t->f->map ? NULL : hlmi_alloc(&t->s->mem, n);
    if (n && !t->own && !t->f->map) return hlmi_nomem(n, "a pickle");
    return hlmi_source_read(t->f, at, n, t->own, data);
}

/* ---- tensors ---- */

static const hlmi_zip_member *find_storage(const torch_file *t, hlmi_str key)
{
    char name[256];
    if (key.len >= sizeof name || memchr(key.s, '\0', key.len)) return NULL;
    const int root = (int)t->root, len = (int)hlmi_min_size(key.len, sizeof name);
    const char *path = t->zip.n ? t->zip.members[0].name : "";
    const int n = snprintf(name, sizeof name, t->zip.n ? "%.*sdata/%.*s" : "%.*s%.*s", root, path, len, key.s);
    if (n < 0 || (size_t)n >= sizeof name) return NULL;
    return t->zip.n ? hlmi_zip_find(&t->zip, name) : hlmi_index_find(&t->by_key, name);
}

/* Is it in its storage row by row? Sizes of 1 may have any stride. */
static bool is_dense(const int64_t *sizes, const int64_t *strides, size_t n)
{
    int64_t expected = 1;
    for (size_t i = n; i-- > 0;) {
        if (sizes[i] == 0) return true;
        if (sizes[i] != 1 && strides[i] != expected) return false;
        if (i && expected > INT64_MAX / sizes[i]) return false;
        expected = i ? expected * sizes[i] : expected;
    }
    return true;
}

static const char *why_not_dense(const int64_t *strides, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strides[i] == 0) return "expanded (a stride is 0)";
    return "transposed, or cut out of another tensor";
}

static void read_integers(const hlmi_pickle *p, const hlmi_pickle_value *v, int64_t out[HLMI_MAX_DIMS])
{
    const hlmi_pickle_value *item;
    size_t n = 0;
    for (uint32_t link = v->first; n < HLMI_MAX_DIMS && (item = hlmi_pickle_next(p, &link)) != NULL;)
        out[n++] = item->u.integer;
}

/* The form, and the bytes that it needs. */
static hlm_status read_form(torch_file *t, const hlmi_pickle_value *v, hlmi_tensor *out)
{
    const hlmi_pickle_value *shape = hlmi_pickle_item(&t->pickle, v, 2);
    int64_t sizes[HLMI_MAX_DIMS] = {1}, strides[HLMI_MAX_DIMS] = {1};
    const size_t n = shape->u.n;
    out->n_dims = n && n <= HLMI_MAX_DIMS ? (uint32_t)n : 1;
    out->bytes = hlmi_type_get(out->type)->bytes;
    if (n > HLMI_MAX_DIMS)
        return hlmi_store_set_unfit(t->s, out, HLM_E_UNSUPPORTED, "shape has %zu dimensions, at most %d are supported",
                                    n, HLMI_MAX_DIMS);
    read_integers(&t->pickle, shape, sizes);
    read_integers(&t->pickle, hlmi_pickle_item(&t->pickle, v, 3), strides);
    for (size_t i = 0; i < out->n_dims; i++) {
        if (sizes[i] < 0 || (sizes[i] > 0 && out->bytes > (uint64_t)INT64_MAX / (uint64_t)sizes[i]))
            return hlmi_fail(HLM_E_FORMAT, "size %lld of its shape, expected one that fits the file",
                             (long long)sizes[i]);
        out->dims[i] = (uint64_t)sizes[i];
        out->bytes *= out->dims[i];
    }
    if (is_dense(sizes, strides, n)) return HLM_OK;
    return hlmi_store_set_unfit(t->s, out, HLM_E_UNSUPPORTED,
                                "a view that is %s, expected one that is in its storage row by row (contiguous)",
                                why_not_dense(strides, n));
}

/* Where it is in its storage. */
static hlm_status read_place(const torch_file *t, const hlmi_pickle_value *v, hlmi_tensor *out)
{
    const hlmi_pickle_value *storage = hlmi_pickle_item(&t->pickle, v, 0);
    const int64_t first = hlmi_pickle_item(&t->pickle, v, 1)->u.integer;
    const int64_t n = hlmi_pickle_item(&t->pickle, storage, 4)->u.integer;
    const hlmi_str key = hlmi_pickle_item(&t->pickle, storage, 2)->u.string;
    const hlmi_quote name = hlmi_quoted(key.s, key.len);
    const uint64_t size = hlmi_type_get(out->type)->bytes;
    const hlmi_zip_member *m = find_storage(t, key);
    if (!m) return hlmi_fail(HLM_E_FORMAT, "its storage %s is not in the file", name.s);
    if (n < 0 || m->bytes % size != 0 || m->bytes / size != (uint64_t)n)
        return hlmi_fail(HLM_E_FORMAT, "its storage %s is of %llu bytes, expected %lld elements of %s", name.s,
                         (unsigned long long)m->bytes, (long long)n, hlmi_type_get(out->type)->name);
    if (out->unfit) {
        out->offset = m->at;
        out->bytes = m->bytes;
        return HLM_OK;
    }
    if (first < 0 || (uint64_t)first > (uint64_t)n || out->bytes > ((uint64_t)n - (uint64_t)first) * size)
        return hlmi_fail(HLM_E_FORMAT, "%llu bytes from element %lld on of storage %s, which has %lld elements",
                         (unsigned long long)out->bytes, (long long)first, name.s, (long long)n);
    out->offset = m->at + (uint64_t)first * size;
    return HLM_OK;
}

static hlm_status add_tensor(torch_file *t, hlmi_str name, const hlmi_pickle_value *v)
{
    hlmi_tensor out = {.type = HLMI_U8, .n_dims = 1};
    hlm_status st = HLM_OK;
    if (t->s->n_tensors == TENSORS_MAX)
        return hlmi_fail(HLM_E_FORMAT, "the files have more than %d tensors", TENSORS_MAX);
    HLMI_DO(keep_name(t, name, &out.name));
    if (memchr(name.s, '\0', name.len)) return hlmi_fail(HLM_E_FORMAT, "a tensor's name has a zero byte");
    if (v->kind == HLMI_PICKLE_TENSOR) {
        out.type = hlmi_pickle_item(&t->pickle, v, 0)->type;
        st = read_form(t, v, &out);
        if (st == HLM_OK) st = read_place(t, v, &out);
    } else {
        st = hlmi_store_set_unfit(t->s, &out, HLM_E_UNSUPPORTED, "%s, expected a tensor",
                                  hlmi_pickle_kind_name(v->kind));
    }
    if (st == HLM_E_FORMAT) return hlmi_fail_prefix(st, "tensor %s: ", hlmi_quoted(name.s, name.len).s);
    return st == HLM_OK ? hlmi_store_add(t->s, &out) : st;
}

/* Checkpoints of a training keep the weights beside other things. */
static const hlmi_pickle_value *find_state(const torch_file *t)
{
    static const char *const keys[] = {"state_dict", "model_state_dict", "model", "module"};
    const hlmi_pickle_value *v = t->pickle.root;
    for (size_t depth = 0; depth < NESTED_MAX; depth++) {
        const hlmi_pickle_value *inner = NULL;
        for (size_t i = 0; i < sizeof keys / sizeof *keys && v->kind == HLMI_PICKLE_DICT && !inner; i++) {
            inner = hlmi_pickle_get(&t->pickle, v, keys[i]);
            if (inner && inner->kind != HLMI_PICKLE_DICT) inner = NULL;
        }
        if (!inner) break;
        v = inner;
    }
    return v;
}

static hlm_status add_tensors(torch_file *t)
{
    const hlmi_pickle_value *state = find_state(t), *key;
    if (state->kind != HLMI_PICKLE_DICT)
        return hlmi_fail(HLM_E_FORMAT, "its pickle is %s, expected a dict of tensors",
                         hlmi_pickle_kind_name(state->kind));
    for (uint32_t link = state->first; (key = hlmi_pickle_next(&t->pickle, &link)) != NULL;) {
        const hlmi_pickle_value *v = hlmi_pickle_next(&t->pickle, &link);
        if (key->kind != HLMI_PICKLE_STRING)
            return hlmi_fail(HLM_E_FORMAT, "a key of its dict is %s, expected a tensor's name",
                             hlmi_pickle_kind_name(key->kind));
        HLMI_DO(add_tensor(t, key->u.string, v));
    }
    return HLM_OK;
}

/* ---- zip files ---- */

/* All members are in one folder, which has the pickle. */
static hlm_status find_root(torch_file *t)
{
    const char *name = t->zip.n ? t->zip.members[0].name : "", *slash = strchr(name, '/');
    t->root = slash ? (size_t)(slash - name) + 1 : 0;
    return slash ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "a zip file without a folder with data.pkl, so not PyTorch's");
}

static const hlmi_zip_member *member(const torch_file *t, const char *file)
{
    char name[256];
    const int n = snprintf(name, sizeof name, "%.*s%s", (int)t->root, t->zip.members[0].name, file);
    return n > 0 && (size_t)n < sizeof name ? hlmi_zip_find(&t->zip, name) : NULL;
}

static hlm_status check_byte_order(const torch_file *t)
{
    uint8_t buf[6];
    const uint8_t *p = buf;
    const hlmi_zip_member *m = member(t, "byteorder");
    if (!m) return HLM_OK; /* from before PyTorch 2.1 */
    if (m->bytes == sizeof buf) HLMI_DO(hlmi_source_read(t->f, m->at, sizeof buf, buf, &p));
    if (m->bytes != sizeof buf || memcmp(p, "little", sizeof buf) != 0)
        return hlmi_fail(HLM_E_UNSUPPORTED, "byteorder is not little");
    return HLM_OK;
}

static hlm_status read_zip(torch_file *t)
{
    const uint8_t *data;
    HLMI_DO(hlmi_zip_read(&t->zip, &t->s->mem, t->f));
    HLMI_DO(find_root(t));
    const hlmi_zip_member *m = member(t, "data.pkl");
    if (!m) return hlmi_fail(HLM_E_FORMAT, "a zip file without a folder with data.pkl, so not PyTorch's");
    HLMI_DO(check_byte_order(t));
    if (m->bytes > HLMI_PICKLE_MAX)
        return hlmi_fail(HLM_E_FORMAT, "data.pkl is of %llu bytes, at most %d are allowed",
                         (unsigned long long)m->bytes, HLMI_PICKLE_MAX);
    HLMI_DO(get_pickles(t, m->at, (size_t)m->bytes, &data));
    HLMI_DO(hlmi_pickle_read(&t->pickle, &t->s->mem, data, (size_t)m->bytes, m->at));
    return add_tensors(t);
}

/* ---- old files ---- */

/* Three pickles begin them, of which two never change: a number that nothing else begins with, and the version. */
static const uint8_t old_front[] = {0x80, 2,    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A,
                                    0xA8, 0x50, 0x19, '.',  0x80, 2,    'M',  0xE9, 3,    '.'};

/* A pickle at *at among the n bytes at data, behind which *at goes. */
static hlm_status next_pickle(const torch_file *t, hlmi_pickle *p, const uint8_t *data, size_t n, size_t *at)
{
    const hlm_status st = hlmi_pickle_read(p, &t->s->mem, data + *at, n - *at, *at);
    *at += st == HLM_OK ? p->end : 0;
    return st;
}

/* A storage for each key, with the size of its elements in the place of its bytes: 0 until its class is known. */
static hlm_status list_storages(torch_file *t, const hlmi_pickle *keys)
{
    const hlmi_pickle_value *key;
    if (keys->root->kind != HLMI_PICKLE_LIST)
        return hlmi_fail(HLM_E_FORMAT, "the keys of the storages are %s, expected a list",
                         hlmi_pickle_kind_name(keys->root->kind));
    if (keys->root->u.n > TENSORS_MAX)
        return hlmi_fail(HLM_E_FORMAT, "it has %zu storages, at most %d are allowed", (size_t)keys->root->u.n,
                         TENSORS_MAX);
    t->storages = hlmi_calloc(&t->s->mem, keys->root->u.n + 1, sizeof *t->storages);
    if (!t->storages) return hlmi_nomem(keys->root->u.n, "the list of storages");
    for (uint32_t link = keys->root->first; (key = hlmi_pickle_next(keys, &link)) != NULL;) {
        if (key->kind != HLMI_PICKLE_STRING)
            return hlmi_fail(HLM_E_FORMAT, "the key of a storage is %s, expected a string",
                             hlmi_pickle_kind_name(key->kind));
        HLMI_DO(keep_name(t, key->u.string, &t->storages[t->n_storages].name));
        t->n_storages++;
    }
    HLMI_DO(hlmi_index_build(&t->by_key, &t->s->mem, t->storages, sizeof *t->storages, t->n_storages, "storage"));
    for (size_t i = 1; i < t->pickle.n_values; i++) {
        const hlmi_pickle_value *v = &t->pickle.values[i];
        if (v->kind != HLMI_PICKLE_STORAGE) continue;
        const hlmi_zip_member *m = find_storage(t, hlmi_pickle_item(&t->pickle, v, 2)->u.string);
        if (m) t->storages[m - t->storages].bytes = hlmi_type_get(v->type)->bytes;
    }
    return HLM_OK;
}

/* One behind another, each behind its number of elements. */
static hlm_status find_storages(torch_file *t, uint64_t at)
{
    for (size_t i = 0; i < t->n_storages; i++) {
        uint8_t buf[8];
        const uint8_t *p;
        hlmi_zip_member *m = &t->storages[i];
        const hlmi_quote name = hlmi_quoted(m->name, strlen(m->name));
        if (m->bytes == 0) return hlmi_fail(HLM_E_FORMAT, "storage %s is no tensor's", name.s);
        if (t->f->size - at < sizeof buf)
            return hlmi_fail(HLM_E_FORMAT, "ends at byte %llu, in front of storage %s (is it whole?)",
                             (unsigned long long)t->f->size, name.s);
        HLMI_DO(hlmi_source_read(t->f, at, sizeof buf, buf, &p));
        const uint64_t n = hlmi_load_le(p, sizeof buf);
        m->at = at + sizeof buf;
        if (n > (t->f->size - m->at) / m->bytes)
            return hlmi_fail(HLM_E_FORMAT,
                             "storage %s has %llu elements, but the file ends %llu bytes behind it (is "
                             "it whole?)",
                             name.s, (unsigned long long)n, (unsigned long long)(t->f->size - m->at));
        m->bytes *= n;
        at = m->at + m->bytes;
    }
    return HLM_OK;
}

static hlm_status check_system(const hlmi_pickle *p)
{
    const hlmi_pickle_value *little =
        p->root->kind == HLMI_PICKLE_DICT ? hlmi_pickle_get(p, p->root, "little_endian") : NULL;
    if (little && little->kind == HLMI_PICKLE_BOOL && little->u.integer) return HLM_OK;
    return hlmi_fail(HLM_E_UNSUPPORTED, "little_endian is not True");
}

/* Behind the front: what wrote it, the tensors, the keys of the storages; then these. */
static hlm_status read_old(torch_file *t)
{
    hlmi_pickle system = {.mem = t->s->mem}, keys = {.mem = t->s->mem};
    const uint8_t *data;
    size_t at = sizeof old_front;
    const size_t n = t->f->size < HLMI_PICKLE_MAX ? (size_t)t->f->size : HLMI_PICKLE_MAX;
    HLMI_DO(get_pickles(t, 0, n, &data));
    hlm_status st = HLM_OK;
    if (n < at) st = hlmi_fail(HLM_E_FORMAT, "ends at byte %zu, inside its version (is it whole?)", n);
    else if (memcmp(data, old_front, at) != 0)
        st = hlmi_fail(HLM_E_UNSUPPORTED, "an old PyTorch file of another version than 1001");
    else st = next_pickle(t, &system, data, n, &at);
    if (st == HLM_OK) st = check_system(&system);
    if (st == HLM_OK) st = next_pickle(t, &t->pickle, data, n, &at);
    if (st == HLM_OK) st = next_pickle(t, &keys, data, n, &at);
    if (st == HLM_OK) st = list_storages(t, &keys);
    if (st == HLM_OK) st = find_storages(t, at);
    if (st == HLM_OK) st = add_tensors(t);
    hlmi_pickle_free(&system);
    hlmi_pickle_free(&keys);
    return st;
}

static hlm_status read_file(torch_file *t)
{
    uint8_t buf[sizeof old_front];
    const uint8_t *p = buf;
    hlmi_looks l;
    const size_t n = t->f->size < sizeof buf ? (size_t)t->f->size : sizeof buf;
    HLMI_DO(hlmi_source_read(t->f, 0, n, buf, &p));
    if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0) return read_zip(t);
    if (n >= OLD_MAGIC && memcmp(p, old_front, OLD_MAGIC) == 0) return read_old(t);
    HLMI_DO(hlmi_source_looks(t->f, &l));
    return hlmi_fail(HLM_E_FORMAT, "not a file of torch.save%s", l.s);
}

hlm_status hlmi_torch_read(hlmi_store *s, hlmi_source *file)
{
    HLMI_DO(hlmi_store_add_source(s, file));
    torch_file t = {.s = s, .f = &s->sources[s->n_sources - 1]};
    const hlm_status st = read_file(&t);
    hlmi_pickle_free(&t.pickle);
    hlmi_zip_free(&t.zip);
    hlmi_index_free(&t.by_key, &s->mem);
    hlmi_free(&s->mem, t.storages);
    hlmi_free(&s->mem, t.own);
    return hlmi_store_name_file(s, st);
}
