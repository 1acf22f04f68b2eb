/* Every matrix of every model: an adapter for it alone does to the logits what the merged weights do, whatever the text
 * is cut into; or it is refused by name. The matrices are those of the models' files: test_adapter_all MODELS. */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <strings.h>

#include "api_help.h"
#include "arch/arch.h"
#include "merge_help.h"
#include "plan/adapter.h"
#include "plan/model.h"
#include "weights/store.h"

enum { LENGTH = 9, PARTS = 64 };

static const char *models;
static size_t added, crossed, refused; /* matrices of all models */

/* One model with what its logits are. */
typedef struct subject {
    char path[MERGE_PATH], folder[32]; /* folder: what is written for it */
    hlm_model *model;
    const hlmi_plan *plan;
    size_t n; /* numbers of a text's logits */
    float *base, *want, *got;
} subject;

static hlm_model *load_model(const char *path)
{
    hlm_model *m = NULL;
    const hlm_model_params mp = {.struct_size = sizeof mp, .activations = HLM_ACTIVATIONS_F32};
    OK(hlm_model_load(&m, path, &mp));
    return m;
}

/* The logits of a text that is run in steps of `part` tokens. */
static void run_text(hlm_model *model, const hlm_adapter *adapter, size_t part, float *logits)
{
    const hlmi_plan *plan = &model->plan;
    const hlm_pool_params pp = {.struct_size = sizeof pp, .memory_token_adapter = plan->n_prefix ? adapter : NULL};
    hlm_pool *pool = NULL;
    hlm_context *ctx = NULL;
    hlm_cache *cache = NULL;
    int32_t ids[LENGTH];
    for (size_t i = 0; i < LENGTH; i++) ids[i] = (int32_t)((i * i * 31 + i * 7 + 3) % plan->vocab_size);
    OK(hlm_pool_new(&pool, model, &pp));
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = pool};
    OK(hlm_ctx_new(&ctx, model, &cp));
    OK(hlm_cache_new(&cache, pool, NULL));
    for (size_t i = 0; i < LENGTH; i += part) {
        hlm_step s = one_step(cache, ids + i, part < LENGTH - i ? part : LENGTH - i, logits + i * plan->n_out);
        s.logit_rows = HLM_ROWS_ALL;
        s.adapter = adapter;
        OK(run_step(ctx, &s));
    }
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_pool_release(pool);
}

static double furthest(const float *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    return most;
}

/* Is it of a matrix that steps multiply, other than of a folder's experts in one tensor, which is no layer to PEFT? */
static bool is_plain(const subject *s, const char *name)
{
    for (size_t i = 0; i < s->plan->n_weights; i++) {
        const hlmi_weight *w = s->plan->weights[i];
        if (w->use == HLMI_USE_PRODUCT && strcmp(w->name, name) == 0)
            return w->dialect == HLMI_GGUF || !hlmi_weight_order(w)->stack;
    }
    return false;
}

static void remove_all(const subject *s)
{
    static const char *const names[] = {"adapter_model.safetensors",
                                        "adapter_config.json",
                                        "model.safetensors",
                                        "config.json",
                                        "adapter.gguf",
                                        "model.gguf"};
    char path[MERGE_PATH];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        remove(path);
    }
    rmdir(s->folder);
}

/* The adapter of m does what merged weights do. */
static void same_as_merged(const subject *s, const merge *m, const hlm_adapter *adapter)
{
    char path[MERGE_PATH];
    if (m->gguf) merge_gguf_model(m, s->model->store, s->folder);
    else merge_st_model(m, s->model->store, s->folder);
    snprintf(path, sizeof path, "%s%s", s->folder, m->gguf ? "/model.gguf" : "");
    hlm_model *merged = load_model(path);
    run_text(merged, NULL, LENGTH, s->want);
    hlm_model_release(merged);
    run_text(s->model, adapter, LENGTH, s->got);
    const double far = furthest(s->got, s->want, s->n), moved = furthest(s->base, s->want, s->n);
    double size = 1;
    for (size_t i = 0; i < s->n; i++) size = fmax(size, fabs((double)s->want[i]));
    ck_assert_msg(far <= 1e-4 * size, "%s: %s%s: %g from merged weights, which are %g from the base", s->path, m->name,
                  m->dora ? " (DoRA)" : "", far, moved);
    ck_assert_msg(moved > 1e-3 * size, "%s: %s: merged weights move the logits by %g only", s->path, m->name, moved);
    run_text(s->model, adapter, 2, s->want);
    ck_assert_msg(memcmp(s->got, s->want, s->n * sizeof *s->got) == 0, "%s: %s: other bits in steps of 2", s->path,
                  m->name);
}

static hlm_status load_adapter(const subject *s, const merge *m, size_t n, const char *arch, hlm_adapter **out)
{
    char path[MERGE_PATH];
    if (m->gguf) merge_gguf_adapter(m, n, s->folder, arch);
    else merge_st_adapter(m, n, s->folder, "");
    snprintf(path, sizeof path, "%s%s", s->folder, m->gguf ? "/adapter.gguf" : "");
    return hlm_adapter_load(out, s->model, path, NULL);
}

/* ---- the same adapter as files of the other kind have it ---- */

/* Tensors of the other kind that hold what one of this has. */
typedef struct crossing {
    hlmi_name names[PARTS];
    merge parts[PARTS];
    size_t n;
} crossing;

/* The part of a weight's tensor in the other kind, whose other rows are zeros. */
static merge *part_of(crossing *x, const merge *m, const hlmi_weight *w, hlmi_dialect other)
{
    const hlmi_name name = hlmi_weight_name(w, other);
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->names[i].text, name.text) == 0) return &x->parts[i];
    ck_assert_uint_lt(x->n, PARTS);
    merge *p = &x->parts[x->n];
    x->names[x->n] = name;
    *p = (merge){.name = x->names[x->n].text, .cols = m->cols, .gguf = other == HLMI_GGUF};
    const hlmi_row_order *o = &w->want.order[other];
    p->stack = o->stack ? o->stack : 1;
    p->rows = hlmi_file_rows(o, w->want.rows);
    p->a = calloc(p->stack * MERGE_RANK * p->cols, sizeof *p->a);
    p->b = calloc(p->stack * MERGE_RANK * p->rows, sizeof *p->b);
    x->n++;
    return p;
}

static void cross_weight(crossing *x, const merge *m, const hlmi_weight *w, hlmi_dialect other)
{
    merge *p = part_of(x, m, w, other);
    const hlmi_row_order *from = hlmi_weight_order(w), *to = &w->want.order[other];
    const float *a = m->a + from->layer * MERGE_RANK * m->cols;
    float *other_a = p->a + to->layer * MERGE_RANK * m->cols;
    for (size_t k = 0; k < MERGE_RANK; k++)
        for (size_t c = 0; c < m->cols; c++)
            other_a[k * m->cols + hlmi_file_row(&w->want.columns[other], c)] = a[k * m->cols + c];
    for (size_t r = 0; r < w->want.rows; r++)
        memcpy(p->b + hlmi_file_row(to, r) * MERGE_RANK, m->b + hlmi_file_row(from, r) * MERGE_RANK,
               MERGE_RANK * sizeof *p->b);
}

/* Files of the other kind have all of the tensor's weights, or none. */
static void cross(crossing *x, const subject *s, const merge *m, hlmi_dialect other)
{
    for (size_t i = 0; i < s->plan->n_weights; i++) {
        const hlmi_weight *w = s->plan->weights[i];
        if (w->use != HLMI_USE_PRODUCT || strcmp(w->name, m->name) != 0) continue;
        if (*hlmi_weight_name(w, other).text) cross_weight(x, m, w, other);
    }
}

/* In a tensor of all experts the others have zeros, which add nothing. */
static void same_but_zeros(const subject *s, const merge *m, const hlm_adapter *a, const hlm_adapter *b)
{
    ck_assert_msg(strstr(m->name, "experts") != NULL, "%s: %s: another adapter from the other kind", s->path, m->name);
    run_text(s->model, a, LENGTH, s->got);
    run_text(s->model, b, LENGTH, s->want);
    ck_assert_msg(memcmp(s->got, s->want, s->n * sizeof *s->got) == 0, "%s: %s: other bits", s->path, m->name);
}

/* From files of either kind it is the same adapter, to the bit. */
static void same_crossed(const subject *s, const merge *m)
{
    merge own = *m;
    hlm_adapter *a = NULL, *b = NULL;
    const hlmi_dialect other = m->gguf ? HLMI_HF : HLMI_GGUF;
    const hlmi_arch *arch = hlmi_arch_named(s->model->arch, m->gguf ? HLMI_GGUF : HLMI_HF);
    const char *name = arch->name.gguf ? arch->name.gguf : arch->also[0];
    crossing x = {.n = 0};
    if (name) cross(&x, s, m, other);
    own.dora = false;
    OK(load_adapter(s, &own, 1, s->model->arch, &a));
    if (x.n) {
        const hlm_status st = load_adapter(s, x.parts, x.n, name, &b);
        if (arch->multiplied) ck_assert_int_eq(st, HLM_E_MISMATCH);
        else ck_assert_msg(st == HLM_OK, "%s: %s as %s: %s", s->path, m->name, x.parts[0].name, hlm_last_error());
        if (b && memcmp(a->print, b->print, sizeof a->print) != 0) same_but_zeros(s, m, a, b);
        crossed += b != NULL;
    }
    hlm_adapter_release(a);
    hlm_adapter_release(b);
    for (size_t i = 0; i < x.n; i++) merge_free(&x.parts[i]);
}

/* The tensor of one expert less is refused by name. */
static void one_less(const subject *s, const merge *m)
{
    merge less = *m;
    hlm_adapter *adapter = NULL;
    less.stack--;
    ck_assert_int_eq(load_adapter(s, &less, 1, s->model->arch, &adapter), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), m->name) != NULL, "%s: %s: %s", s->path, m->name, hlm_last_error());
}

static void try_matrix(const subject *s, const char *name, const hlmi_tensor *t, size_t number)
{
    hlm_adapter *adapter = NULL;
    merge m = merge_make(s->model->store, name, t, number % 2 == 1, (uint32_t)(number * 77 + 5));
    const hlm_status st = load_adapter(s, &m, 1, s->model->arch, &adapter);
    if (is_plain(s, name)) {
        ck_assert_msg(st == HLM_OK, "%s: %s: %s", s->path, name, hlm_last_error());
        same_as_merged(s, &m, adapter);
        same_crossed(s, &m);
        if (m.stack > 1) one_less(s, &m);
        added++;
    } else { /* a table of embeddings, taps, a decay, or a folder's experts in one tensor */
        const size_t len = strlen(name) - (m.gguf ? 0 : strlen(".weight"));
        char *known = strndup(name, len);
        ck_assert_msg(st == HLM_E_UNSUPPORTED || st == HLM_E_FORMAT, "%s: %s: %s", s->path, name, hlm_status_name(st));
        ck_assert_msg(strstr(hlm_last_error(), known) != NULL, "%s: %s: %s", s->path, name, hlm_last_error());
        free(known);
        refused++;
    }
    hlm_adapter_release(adapter);
    merge_free(&m);
}

static subject open_subject(const char *name)
{
    subject s = {.folder = "adapter_all.XXXXXX"};
    struct stat file;
    snprintf(s.path, sizeof s.path, "%s/%s/model.gguf", models, name);
    if (stat(s.path, &file) != 0) snprintf(s.path, sizeof s.path, "%s/%s", models, name);
    s.model = load_model(s.path);
    s.plan = &s.model->plan;
    s.n = LENGTH * s.plan->n_out;
    s.base = calloc(3 * s.n, sizeof *s.base);
    s.want = s.base + s.n;
    s.got = s.want + s.n;
    run_text(s.model, NULL, LENGTH, s.base);
    ck_assert_ptr_nonnull(mkdtemp(s.folder));
    return s;
}

/* Tensors of the file that are matrices, or stacks of them; and matrices that go by another name to adapters. */
static void try_all(const char *name)
{
    subject s = open_subject(name);
    const hlmi_store *store = s.model->store;
    const bool gguf = hlmi_store_dialect(store) == HLMI_GGUF;
    size_t number = 0, before = added;
    for (size_t i = 0; i < hlmi_store_count(store); i++) {
        const hlmi_tensor *t = hlmi_store_at(store, i);
        const size_t len = strlen(t->name);
        const bool named = gguf || (len > 7 && strcmp(t->name + len - 7, ".weight") == 0);
        if (t->n_dims >= 2 && named) try_matrix(&s, t->name, t, number++);
    }
    for (size_t i = 0; i < s.plan->n_weights; i++) {
        const char *other = s.plan->weights[i]->name;
        if (hlmi_store_find(store, other)) continue;
        const char *table = gguf ? "token_embd.weight" : NULL; /* the head of a model that has it in common */
        for (size_t k = 0; !table && k < hlmi_store_count(store); k++)
            if (strstr(hlmi_store_at(store, k)->name, "embed")) table = hlmi_store_at(store, k)->name;
        try_matrix(&s, other, hlmi_store_find(store, table), number++);
    }
    ck_assert_msg(added > before, "%s: no matrix takes adapters", name);
    remove_all(&s);
    free(s.base);
    hlm_model_release(s.model);
}

START_TEST(every_matrix)
{
    struct dirent **names = NULL;
    const int n = scandir(models, &names, NULL, alphasort);
    ck_assert_int_gt(n, 2);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') try_all(names[i]->d_name);
        free(names[i]);
    }
    free(names);
    ck_assert_uint_gt(crossed, added / 2);
    printf("adapters of %zu matrices as merged weights, of %zu from files of either kind, of %zu refused by name\n",
           added, crossed, refused);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    models = argv[1];
    TCase *t = tcase_create("adapter_all");
    tcase_add_test(t, every_matrix);
    return api_main("adapter_all", t);
}
