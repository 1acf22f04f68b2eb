/* The prefix cache in a folder. Each leaf's text is a snapshot (state/snapshot.h) in a file of its own, which leaves
 * out the pages that the text shares with one of the files before it, and the states there. An index says how many
 * files there are; their names are made of its generation. A new generation is written beside the old one, then the
 * index takes the other's place, then the old files go: whenever the process dies, the index names files that are
 * whole.
 *
 * Files stand by themselves: each has all its ids, and is put into the tree only where the tree has the same ones. */
#include <stdio.h>
#include <string.h>

#include "base/call.h"
#include "base/os.h"
#include "base/vfs.h"
#include "plan/model.h"
#include "state/radix.h"
#include "state/snapshot.h"

#define INDEX_MAGIC "hlmtexts"
enum { INDEX_VERSION = 1, NAME = 64, MOST_FILES = 1 << 20 };

typedef struct index_block {
    char magic[8];
    uint32_t version, reserved;
    uint64_t generation, n;
} index_block;

/* A folder, and memory for the path of one of its files. */
typedef struct place {
    const hlmi_mem *mem;
    char *path;
    size_t folder;
} place;

static hlm_status place_open(place *p, const hlmi_mem *mem, const char *folder)
{
    *p = (place){.mem = mem, .folder = strlen(folder)};
    p->path = hlmi_alloc(mem, p->folder + NAME);
    if (!p->path) return hlmi_nomem(p->folder + NAME, "a path");
    memcpy(p->path, folder, p->folder);
    p->path[p->folder] = '\0';
    return HLM_OK;
}

static const char *index_path(const place *p)
{
    snprintf(p->path + p->folder, NAME, "/texts.index");
    return p->path;
}

static const char *text_path(const place *p, uint64_t generation, uint64_t i)
{
    snprintf(p->path + p->folder, NAME, "/%08llx-%06llx.text", (unsigned long long)generation, (unsigned long long)i);
    return p->path;
}

/* ---- the index ---- */

/* *done: the index is in its place, whatever the status says. */
static hlm_status write_index(const place *p, const hlm_pool *pool, uint64_t generation, uint64_t n, bool *done)
{
    index_block b = {.magic = INDEX_MAGIC, .version = INDEX_VERSION, .generation = generation, .n = n};
    hlmi_stream io = {.kernels = &pool->model->kernels, .mem = p->mem, .name = index_path(p), .out = true};
    hlm_status st = hlmi_stream_open(&io);
    if (st == HLM_OK) st = hlmi_stream_block(&io, &b, sizeof b);
    st = hlmi_stream_close(&io, st);
    *done = io.done;
    return st;
}

/* *missing: there is none. */
static hlm_status read_index(const place *p, const hlm_pool *pool, index_block *b, bool *missing)
{
    hlmi_stream io = {.kernels = &pool->model->kernels, .mem = p->mem, .name = index_path(p)};
    *b = (index_block){.n = 0};
    hlm_status st = hlmi_stream_open(&io);
    *missing = io.missing;
    if (st == HLM_OK) {
        st = hlmi_stream_block(&io, b, sizeof *b);
        if (st == HLM_E_FORMAT && memcmp(b->magic, INDEX_MAGIC, sizeof b->magic) != 0)
            st = hlmi_fail(st, "%s: no index of a prefix cache%s", io.name, hlmi_stream_looks(&io).s);
    }
    st = hlmi_stream_close(&io, st);
    if (st == HLM_OK && (memcmp(b->magic, INDEX_MAGIC, sizeof b->magic) != 0 || b->reserved || b->n > MOST_FILES))
        st = hlmi_fail(HLM_E_FORMAT, "%s: no index of a prefix cache", io.name);
    if (st == HLM_OK && b->version != INDEX_VERSION)
        st = hlmi_fail(HLM_E_UNSUPPORTED, "%s: of version %u, this library reads version %d", io.name,
                       (unsigned)b->version, INDEX_VERSION);
    if (st != HLM_OK) *b = (index_block){.n = 0};
    return st;
}

/* ---- saving ---- */

/* A text of a tree as it is written: it shares what the tree has. */
typedef struct text {
    hlm_cache *cache;
    uint32_t left_out; /* pages that files before this one have */
} text;

typedef struct texts {
    text *items; /* [n] */
    size_t n, cap;
} texts;

static void texts_free(texts *t, hlm_pool *pool)
{
    for (size_t i = 0; i < t->n; i++) hlm_cache_free(t->items[i].cache);
    hlmi_free(&pool->mem, t->items);
}

/* All texts, with the tree locked. texts_free is for the caller, also when it fails. */
static hlm_status collect(texts *t, hlmi_radix *r)
{
    hlm_pool *pool = r->pool;
    int64_t from = 0; /* where the way to the node leaves those of the leaves before */
    for (hlmi_radix_node *node = NULL; (node = hlmi_radix_next(r, node)); from = node->parent->end) {
        if (node->n) continue;
        const hlmi_radix_place end = {.node = node, .at = node->end};
        HLMI_DO(HLMI_GROW(&pool->mem, t->items, t->cap, t->n + 1, "a list of texts"));
        text *to = &t->items[t->n];
        HLMI_DO(hlmi_cache_make(&to->cache, pool, node->end - r->root.end));
        t->n++;
        to->left_out = (uint32_t)((size_t)from / pool->layout.tokens);
        HLMI_DO(hlmi_radix_fill(&to->cache->seq, r, &end, from, HLMI_POINT_MARK));
    }
    return HLM_OK;
}

static hlm_status write_texts(const place *p, const texts *t, uint64_t generation)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < t->n && st == HLM_OK; i++) {
        hlmi_snapshot s;
        hlmi_stream io = {.name = text_path(p, generation, i)};
        st = hlmi_snapshot_begin(&s, t->items[i].cache, t->items[i].left_out);
        if (st == HLM_OK) st = hlmi_snapshot_write(&s, &io);
        hlmi_snapshot_end(&s);
    }
    return st;
}

/* The last first, so that what a process leaves that dies meanwhile begins at 0. */
static void remove_texts(const place *p, uint64_t generation, uint64_t n)
{
    while (n-- > 0) hlmi_os_remove(text_path(p, generation, n));
}

/* What a process that died has left of a generation, from a number on: whole files, and one that it was writing. */
static void remove_remains(const place *p, uint64_t generation, uint64_t from)
{
    while (from < MOST_FILES && hlmi_os_remove(text_path(p, generation, from)) == 0) from++;
    const size_t n = strlen(text_path(p, generation, from));
    snprintf(p->path + n, p->folder + NAME - n, ".saving0");
    hlmi_os_remove(p->path);
}

/* The folder's index before a save. */
typedef struct former {
    index_block index;
    bool known, missing; /* neither: it can not be read, and its texts are nobody's */
} former;

static hlm_status read_former(const place *p, const hlm_pool *pool, former *f)
{
    const hlm_status st = read_index(p, pool, &f->index, &f->missing);
    f->known = st == HLM_OK;
    return f->missing || st == HLM_E_FORMAT || st == HLM_E_UNSUPPORTED ? HLM_OK : st;
}

/* The folder as it was. `done`: the new index is in its place, and the former one takes it again; where that can not
 * be, the new one stays, with its texts. */
static void undo(const place *p, const hlm_pool *pool, const former *was, uint64_t generation, uint64_t n, bool done)
{
    char sentence[HLMI_ERROR_MAX];
    snprintf(sentence, sizeof sentence, "%s", hlmi_error());
    bool back = !done;
    if (done && was->known) write_index(p, pool, was->index.generation, was->index.n, &back);
    if (done && was->missing) back = hlmi_os_remove(index_path(p)) == 0;
    if (back) remove_texts(p, generation, n);
    hlmi_fail(HLM_E_IO, "%s%s", sentence, done && back ? "; it has what it had again" : "");
}

/* One that no file of the folder has. */
static hlm_status new_generation(const place *p, const former *was, uint64_t *generation)
{
    hlmi_os_file *file;
    if (was->known) {
        *generation = was->index.generation + 1;
        return HLM_OK;
    }
    for (*generation = (uint64_t)hlmi_os_clock();; ++*generation) {
        const char *path = text_path(p, *generation, 0);
        const int rc = hlmi_os_open(path, &file);
        if (rc == 0) hlmi_os_close(file);
        if (hlmi_os_kind(rc) == HLMI_OS_MISSING) return HLM_OK;
        if (hlmi_os_kind(rc) == HLMI_OS_FAILED) return hlmi_fail_open(path, rc);
    }
}

/* The texts as the folder's next generation. */
static hlm_status save(const place *p, const hlm_pool *pool, const texts *t)
{
    former was;
    bool done = false;
    uint64_t generation = 0;
    hlm_status st = read_former(p, pool, &was);
    if (st == HLM_OK) st = new_generation(p, &was, &generation);
    if (st != HLM_OK) return st;
    st = write_texts(p, t, generation);
    if (st == HLM_OK) st = write_index(p, pool, generation, t->n, &done);
    if (st != HLM_OK) {
        undo(p, pool, &was, generation, t->n, done);
        return st;
    }
    remove_remains(p, generation, t->n);
    if (was.known) remove_texts(p, was.index.generation, was.index.n);
    if (was.known) remove_remains(p, was.index.generation - 1, 0);
    return HLM_OK;
}

/* In the folder, which is made, and goes again if nothing could be saved in it. */
static hlm_status save_in(const place *p, const hlm_pool *pool, const texts *t)
{
    bool made;
    p->path[p->folder] = '\0';
    const int rc = hlmi_os_make_dir(p->path, &made);
    if (rc != 0)
        return hlmi_fail(HLM_E_IO, "%s: is no folder and can not be made one: %s", p->path, hlmi_os_reason(rc).s);
    const hlm_status st = save(p, pool, t);
    p->path[p->folder] = '\0';
    if (st != HLM_OK && made) hlmi_os_remove_dir(p->path);
    return st;
}

HLMI_CALL(hlm_prefix_save, (hlm_pool *pool, const char *folder), (pool, folder))
{
    if (!pool || !folder) return hlmi_fail(HLM_E_ARG, "hlm_prefix_save: pool and folder are needed");
    hlmi_radix *r = pool->radix;
    place p;
    texts t = {.n = 0};
    hlm_status st = place_open(&p, &pool->mem, folder);
    if (st == HLM_OK && r) {
        hlmi_radix_lock(r);
        st = collect(&t, r);
        hlmi_radix_unlock(r);
    }
    if (st == HLM_OK && t.n > MOST_FILES)
        st = hlmi_fail(HLM_E_FULL, "%s: %zu texts, there can be %d", folder, t.n, MOST_FILES);
    if (st == HLM_OK) st = save_in(&p, pool, &t);
    texts_free(&t, pool);
    hlmi_free(&pool->mem, p.path);
    return st;
}

/* ---- loading ---- */

static hlm_status load_text(hlm_pool *pool, const char *path, uint32_t flags)
{
    hlm_cache *c = NULL;
    hlmi_stream io = {.name = path};
    hlm_status st = hlmi_snapshot_read(&c, pool, &io, flags, true);
    if (st == HLM_OK) st = hlm_prefix_add(c);
    hlm_cache_free(c);
    return st;
}

HLMI_CALL(hlm_prefix_load,
          (hlm_pool *pool, const char *folder, uint32_t flags, size_t *n_refused),
          (pool, folder, flags, n_refused))
{
    if (!pool || !folder) return hlmi_fail(HLM_E_ARG, "hlm_prefix_load: pool and folder are needed");
    if (flags & ~(uint32_t)HLM_SNAPSHOT_OTHER_KERNELS)
        return hlmi_fail(HLM_E_UNSUPPORTED, "hlm_prefix_load: flags has unknown bits 0x%x", (unsigned)flags);
    place p;
    index_block b;
    bool missing;
    size_t refused = 0;
    hlm_status st = place_open(&p, &pool->mem, folder);
    if (st == HLM_OK) st = read_index(&p, pool, &b, &missing);
    for (uint64_t i = 0; st == HLM_OK && i < b.n; i++) {
        st = load_text(pool, text_path(&p, b.generation, i), flags);
        if (st == HLM_OK || st == HLM_E_NOMEM) continue;
        refused++;
        st = HLM_OK;
    }
    hlmi_free(&pool->mem, p.path);
    if (n_refused) *n_refused = refused;
    return st;
}
