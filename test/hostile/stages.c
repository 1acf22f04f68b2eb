/* What a case does with its model: the stages, through file access that keeps to the given path, with memory that is
 * counted; and whether the library is still good for another model afterwards. */
#define _GNU_SOURCE 1
#include "hostile.h"

#include <hybridlm/hybridlm.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const hostile_stage_names[STAGES] = {"load", "tokenize", "render", "decode", "attach"};

enum { CONTEXT = 32, GENERATE = 4, IDS_MAX = 4096, TEXT_BYTES_MAX = 1 << 20 };

/* ---- memory ---- */

typedef struct memory {
    size_t live; /* blocks */
} memory;

static void *count_alloc(void *user, size_t size, size_t align)
{
    memory *m = user;
    void *p = NULL;
    if (posix_memalign(&p, align < sizeof p ? sizeof p : align, size) != 0) return NULL;
    m->live++;
    return p;
}

static void count_free(void *user, void *ptr)
{
    ((memory *)user)->live--;
    free(ptr);
}

/* ---- files ---- */

/* Access below `root` only. Maps are copies of exactly the file's size, so that sanitizers see reads behind it. */
typedef struct files {
    const char *root;
    int open; /* handles */
    char outside[256]; /* the first path asked for that is not below root */
} files;

typedef struct file {
    FILE *f;
    void *map;
    long size;
} file;

static bool is_inside(const char *root, const char *path)
{
    const size_t n = strlen(root);
    if (strncmp(path, root, n) != 0 || (path[n] != '\0' && path[n] != '/')) return false;
    for (const char *p = path + n; (p = strchr(p, '/')) != NULL;) {
        p++;
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0')) return false;
    }
    return true;
}

static int32_t file_open(void *user, const char *path, void **out)
{
    files *all = user;
    if (!is_inside(all->root, path)) {
        if (!all->outside[0]) snprintf(all->outside, sizeof all->outside, "%s", path);
        return 1;
    }
    FILE *f = fopen(path, "rb");
    if (!f) return 1;
    long size = -1;
    /* a folder opens, but has no end */
    if (fseek(f, 0, SEEK_END) == 0) size = ftell(f);
    char c;
    file *h =
        size >= 0 && (size == 0 || (fseek(f, 0, SEEK_SET) == 0 && fread(&c, 1, 1, f) == 1)) ? malloc(sizeof *h) : NULL;
    if (!h) {
        fclose(f);
        return 2;
    }
    *h = (file){.f = f, .size = size};
    all->open++;
    *out = h;
    return 0;
}

static int32_t file_size(void *user, void *p, uint64_t *size)
{
    (void)user;
    *size = (uint64_t)((file *)p)->size;
    return 0;
}

static int32_t file_read_at(void *user, void *p, uint64_t offset, void *out, size_t n)
{
    (void)user;
    file *h = p;
    if (offset > (uint64_t)h->size || n > (uint64_t)h->size - offset) return 1;
    return fseek(h->f, (long)offset, SEEK_SET) == 0 && fread(out, 1, n, h->f) == n ? 0 : 1;
}

static int32_t file_map(void *user, void *p, const void **data)
{
    file *h = p;
    if (!h->map && (h->map = malloc((size_t)h->size)) == NULL) return 1;
    *data = h->map;
    return file_read_at(user, p, 0, h->map, (size_t)h->size);
}

static void file_close(void *user, void *p)
{
    file *h = p;
    ((files *)user)->open--;
    fclose(h->f);
    free(h->map);
    free(h);
}

/* ---- stages ---- */

typedef struct work {
    hostile_report *r;
    hlm_model *model;
    hlm_adapter *adapter; /* what tokens are decoded with, or NULL */
    hlm_model_info info;
    int32_t ids[IDS_MAX];
    size_t n_ids;
} work;

static void broken(hostile_report *r, const char *fmt, ...)
{
    if (r->broken[0]) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->broken, sizeof r->broken, fmt, ap);
    va_end(ap);
}

static bool check_ids(work *w, const int32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= 0 && ids[i] < w->info.vocab_size) continue;
        broken(w->r, "token id %d of a vocabulary of %d", (int)ids[i], (int)w->info.vocab_size);
        return false;
    }
    return true;
}

/* The ids as text, at once and in pieces: the same. */
static hlm_status back_to_text(work *w, size_t n)
{
    char text[8192], pieces[8192];
    size_t len = 0, at = 0, piece_len;
    const char *piece;
    hlm_text_stream *s = NULL;
    hlm_status st = hlm_detokenize(w->model, w->ids, n, 0, text, sizeof text, &len);
    if (st == HLM_OK) st = hlm_text_stream_new(&s, w->model, 0);
    for (size_t i = 0; i <= n && st == HLM_OK; i++) {
        st = i < n ? hlm_text_stream_push(s, w->ids[i], &piece, &piece_len)
                   : hlm_text_stream_finish(s, &piece, &piece_len);
        if (st != HLM_OK || piece_len > sizeof pieces - at) break;
        if (piece_len) memcpy(pieces + at, piece, piece_len);
        at += piece_len;
    }
    hlm_text_stream_free(s);
    if (st == HLM_OK && (at != len || memcmp(text, pieces, len) != 0)) broken(w->r, "the stream's text differs");
    return st;
}

static hlm_status run_tokenize(work *w)
{
    char a40b[42], a200[201];
    memset(a40b, 'a', 40);
    memcpy(a40b + 40, "b", 2);
    memset(a200, 'a', 200);
    a200[200] = '\0';
    const char *const texts[] = {a40b, a200, "\xC3\xA9 \xE3\x81\x82", "hello world"}; /* the last is decoded */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        hlm_status st =
            hlm_tokenize(w->model, texts[i], strlen(texts[i]), HLM_TOKENIZE_ADD_SPECIAL, w->ids, IDS_MAX, &w->n_ids);
        if (st == HLM_OK && !check_ids(w, w->ids, w->n_ids)) return HLM_OK;
        if (st == HLM_OK) st = back_to_text(w, w->n_ids);
        if (st != HLM_OK) return st;
    }
    return HLM_OK;
}

static hlm_status run_render(work *w)
{
    if (!w->info.has_chat_template) return HLM_OK;
    size_t n = 0;
    char *text = malloc(TEXT_BYTES_MAX);
    if (!text) return HLM_E_NOMEM;
    const hlm_status st =
        hlm_chat_render(w->model, "[{\"role\": \"user\", \"content\": \"hi\"}]", NULL, text, TEXT_BYTES_MAX, &n);
    free(text);
    return st;
}

static hlm_status run_decode(work *w)
{
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = CONTEXT};
    int32_t out[GENERATE] = {0};
    static const int32_t first = 0;
    const size_t most = CONTEXT - GENERATE;
    const hlm_generate_params gp = {.struct_size = sizeof gp,
                                    .prompt = w->n_ids ? w->ids : &first,
                                    .n_prompt = w->n_ids == 0 ? 1
                                        : w->n_ids < most     ? w->n_ids
                                                              : most,
                                    .max_tokens = GENERATE,
                                    .ignore_eos = 1,
                                    .tokens = out,
                                    .tokens_cap = GENERATE,
                                    .adapter = w->adapter};
    hlm_generate_result result = {.struct_size = sizeof result};
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    hlm_status st = hlm_ctx_new(&ctx, w->model, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&cache, hlm_ctx_pool(ctx), &kp);
    if (st == HLM_OK) st = hlm_generate(ctx, cache, NULL, &gp, &result);
    if (st == HLM_OK && result.n_generated != GENERATE) broken(w->r, "%zu tokens generated", result.n_generated);
    if (st == HLM_OK) check_ids(w, out, GENERATE);
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    return st;
}

static bool stage_ends(work *w, hostile_stage stage, hlm_status st)
{
    w->r->stage = (int)stage;
    w->r->status = st;
    if (st != HLM_OK) snprintf(w->r->message, sizeof w->r->message, "%s", hlm_last_error());
    return st != HLM_OK || w->r->broken[0];
}

static void read_info(work *w)
{
    w->info = (hlm_model_info){.struct_size = sizeof w->info};
    if (hlm_model_info_get(w->model, &w->info) != HLM_OK) broken(w->r, "no info: %s", hlm_last_error());
}

static void run_stages(work *w)
{
    static hlm_status (*const stages[])(work * w) = {
        [STAGE_TOKENIZE] = run_tokenize, [STAGE_RENDER] = run_render, [STAGE_DECODE] = run_decode};
    read_info(w);
    for (hostile_stage s = STAGE_TOKENIZE; s <= STAGE_DECODE; s++)
        if (stage_ends(w, s, stages[s](w))) return;
}

/* ---- models ---- */

/* Read mode on the system's own files comes to the same verdict. */
static void load_again(const hostile_job *job, hlm_model_params p, hlm_status expected, hostile_report *r)
{
    hlm_model *m = NULL;
    p.flags |= HLM_LOAD_READ;
    const hlm_status st = hlm_model_load(&m, job->path, &p);
    hlm_model_release(m);
    if (st != expected)
        broken(r, "%s from the caller's files, %s from the system's", hlm_status_name(expected), hlm_status_name(st));
}

static void run_model(const hostile_job *job, const hlm_vfs *vfs, const hlm_model_params *p, work *w)
{
    hlm_model_params from = *p;
    from.vfs = vfs;
    const hlm_status st = hlm_model_load(&w->model, job->path, &from);
    if (!stage_ends(w, STAGE_LOAD, st)) run_stages(w);
    hlm_model_release(w->model);
    load_again(job, *p, st, w->r);
}

/* ---- adapters ---- */

/* The adapter for the model that is there; what is accepted must decode. */
static hlm_status attach(const hostile_job *job, const hlm_vfs *vfs, work *w)
{
    const hlm_adapter_params p = {.struct_size = sizeof p, .vfs = vfs};
    hlm_adapter_info info = {.struct_size = sizeof info};
    const hlm_status st = hlm_adapter_load(&w->adapter, w->model, job->path, &p);
    if ((st == HLM_OK) != (w->adapter != NULL))
        broken(w->r, "%s with%s an adapter", hlm_status_name(st), w->adapter ? "" : "out");
    if (!w->adapter) return st;
    if (hlm_adapter_info_get(w->adapter, &info) != HLM_OK || info.n_matrices == 0 || info.rank == 0)
        broken(w->r, "an adapter of %zu matrices and rank %zu", info.n_matrices, info.rank);
    if (run_decode(w) != HLM_OK) broken(w->r, "a step with the adapter fails: %s", hlm_last_error());
    return st;
}

/* The system's own files come to the same verdict. */
static void attach_again(const hostile_job *job, const work *w)
{
    hlm_adapter *again = NULL;
    const hlm_status st = hlm_adapter_load(&again, w->model, job->path, NULL);
    hlm_adapter_release(again);
    if ((int)st != w->r->status)
        broken(w->r, "%s from the caller's files, %s from the system's", hlm_status_name(w->r->status),
               hlm_status_name(st));
}

/* The model is the good one; the case is what it is given. */
static void run_adapter(const hostile_job *job, const hlm_vfs *vfs, const hlm_model_params *p, work *w)
{
    const hlm_status st = hlm_model_load(&w->model, job->base, p);
    if (stage_ends(w, STAGE_LOAD, st)) {
        broken(w->r, "the good model does not load: %s", w->r->message);
        return;
    }
    read_info(w);
    stage_ends(w, STAGE_ATTACH, attach(job, vfs, w));
    attach_again(job, w);
    hlm_adapter_release(w->adapter);
    hlm_model_release(w->model);
    w->adapter = NULL;
}

/* ---- the whole ---- */

static void run_base(const hostile_job *job, work *w)
{
    hostile_report *r = w->r, base = {0};
    w->r = &base;
    hlm_status st = hlm_model_load(&w->model, job->base, NULL);
    if (st == HLM_OK) run_stages(w);
    if (st != HLM_OK || base.status != HLM_OK || base.broken[0])
        broken(r, "afterwards the good model %s fails: %s%s", job->base, hlm_last_error(), base.broken);
    hlm_model_release(w->model);
}

void hostile_run(const hostile_job *job, hostile_report *report)
{
    static work w; /* too large for a stack */
    memory mem = {0};
    files all = {.root = job->path};
    const hlm_allocator a = {.struct_size = sizeof a, .user = &mem, .alloc = count_alloc, .free = count_free};
    const hlm_vfs vfs = {.struct_size = sizeof vfs,
                         .user = &all,
                         .open = file_open,
                         .size = file_size,
                         .read_at = file_read_at,
                         .map = file_map,
                         .close = file_close};
    const hlm_model_params p = {
        .struct_size = sizeof p, .flags = job->check_weights ? HLM_LOAD_CHECK_WEIGHTS : 0, .allocator = &a};
    w.r = report;
    if (job->attach) run_adapter(job, &vfs, &p, &w);
    else run_model(job, &vfs, &p, &w);
    if (all.outside[0]) broken(report, "it asked for %s", all.outside);
    if (all.open) broken(report, "%d files left open", all.open);
    if (mem.live) broken(report, "%zu blocks of memory not freed", mem.live);
    run_base(job, &w);
}
