/* Matrices that are quantised at load: test_quantise MODELS. What comes out is what a file with such weights gives, and
 * what is told beforehand is so. */
#define _POSIX_C_SOURCE 200809L
#include "api_help.h"

#include "quant/type.h"
#include "unit/memmodel.h"
#include "weights/ggml_type.h"

#define TIED "gguf-qwen2/model.gguf"

enum { INT4_GROUP = 128 };

static const char *models;

static void model_path(char *out, size_t cap, const char *name)
{
    snprintf(out, cap, "%s/%s", models, name);
}

static hlm_model_params params_of(const char *quantise, uint32_t flags)
{
    return (hlm_model_params){.struct_size = sizeof(hlm_model_params), .flags = flags, .quantise = quantise};
}

static hlm_model *load(const char *name, const char *quantise, uint32_t flags)
{
    char path[1024];
    hlm_model *m = NULL;
    const hlm_model_params p = params_of(quantise, flags);
    model_path(path, sizeof path, name);
    OK(hlm_model_load(&m, path, &p));
    return m;
}

/* ---- the values ---- */

/* Element k of the group of 128 that begins at x, as torchao's int4_weight_only has it. */
static float int4_at(const float *x, size_t k)
{
    float low = x[0], high = x[0];
    for (size_t i = 1; i < INT4_GROUP; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    const float scale = (high - low) / 15 > 1e-6f ? (high - low) / 15 : 1e-6f, zero = low + 8 * scale;
    const float v = (x[k] - low) / scale;
    int q = (int)v;
    const float rest = v - (float)q;
    if (rest > 0.5f || (rest == 0.5f && q % 2)) q++;
    return (float)((q > 15 ? 15 : q) - 8) * scale + zero;
}

START_TEST(int4_is_the_reference)
{
    const hlmi_type_info *t = hlmi_type_get(hlmi_type_made("int4"));
    float x[3 * INT4_GROUP], got[3 * INT4_GROUP];
    unsigned char blocks[3 * 72];
    ck_assert_uint_eq(t->block, INT4_GROUP);
    ck_assert_uint_eq(t->bytes, 72);
    for (size_t i = 0; i < 2 * INT4_GROUP; i++) x[i] = (float)((int)(i * i * 31 + i * 7) % 251 - 90) / 128.0f;
    for (size_t i = INT4_GROUP; i < 2 * INT4_GROUP; i++) x[i] = (float)(i % 31) * 0.5f; /* halves: 15 is the range */
    for (size_t i = 2 * INT4_GROUP; i < 3 * INT4_GROUP; i++) x[i] = -0.25f; /* no range */
    t->quantise(blocks, x, 3 * INT4_GROUP);
    t->dequantise(got, blocks, 3 * INT4_GROUP);
    for (size_t i = 0; i < 3 * INT4_GROUP; i++) {
        const float want = int4_at(x + i / INT4_GROUP * INT4_GROUP, i % INT4_GROUP);
        ck_assert_msg(memcmp(&got[i], &want, sizeof want) == 0, "element %zu: %a, expected %a", i, (double)got[i],
                      (double)want);
    }
}
END_TEST

/* ---- a file with such weights ---- */

static size_t elements(const mm_gguf *g, size_t i)
{
    size_t n = 1;
    for (uint32_t d = 0; d < g->t[i].n_dims; d++) n *= (size_t)g->t[i].dims[d];
    return n;
}

/* Is it multiplied, and are its rows whole blocks? */
static bool is_quantised(const mm_gguf *g, size_t i, size_t block, bool tied)
{
    return g->t[i].n_dims > 1 && (tied || strcmp(g->t[i].name, "token_embd.weight") != 0) &&
        !strstr(g->t[i].name, "ffn_gate_inp") && g->t[i].dims[0] % block == 0;
}

/* The tensor's numbers become f32, in the file too. */
static float *widen(mm_gguf *g, size_t i)
{
    const char *name = NULL;
    hlmi_type type = HLMI_F32;
    ck_assert(hlmi_ggml_type(g->t[i].type, &type, &name));
    const hlmi_type_info *t = hlmi_type_get(type);
    const size_t n = elements(g, i);
    float *x = malloc(n * sizeof *x);
    t->dequantise(x, g->t[i].data.data, n);
    g->t[i].data.n = 0;
    put(&g->t[i].data, x, n * sizeof *x);
    g->t[i].type = 0;
    return x;
}

/* "plain.gguf" with f32 in place of all that may be quantised to the type, and "made.gguf" with what it is quantised
 * to, of a type that files have, or as f32. */
static void write_both(mm *fs, const char *name, const char *quantise, bool tied)
{
    char path[1024];
    model_path(path, sizeof path, name);
    mm_gguf *g = mm_gguf_read(path);
    const hlmi_type_info *t = hlmi_type_get(hlmi_type_made(quantise));
    float **wide = calloc(g->n, sizeof *wide);
    for (size_t i = 0; i < g->n; i++)
        if (is_quantised(g, i, t->block, tied)) wide[i] = widen(g, i);
    mm_gguf_write(g, fs, "plain.gguf", 1, 0, g->n, NULL, 0);
    for (size_t i = 0; i < g->n; i++) {
        if (!wide[i]) continue;
        const size_t n = elements(g, i), bytes_made = n / t->block * t->bytes;
        unsigned char *made = malloc(bytes_made);
        t->quantise(made, wide[i], n);
        if (strcmp(quantise, "int4") == 0) {
            for (size_t k = 0; k < n; k++)
                ((float *)g->t[i].data.data)[k] = int4_at(wide[i] + k / INT4_GROUP * INT4_GROUP, k % INT4_GROUP);
        } else {
            g->t[i].type = strcmp(quantise, "q4_0") == 0 ? 2 : 8;
            g->t[i].data.n = 0;
            put(&g->t[i].data, made, bytes_made);
        }
        free(made);
        free(wide[i]);
    }
    mm_gguf_write(g, fs, "made.gguf", 1, 0, g->n, NULL, 0);
    free(wide);
    mm_gguf_free(g);
}

static hlm_model *load_from(mm *fs, const char *path, const char *quantise, bool tied, int32_t activations)
{
    hlm_model *m = NULL;
    const hlm_vfs vfs = {
        .struct_size = sizeof vfs, .user = fs, .open = mm_open, .size = mm_size, .read_at = mm_read, .close = mm_close};
    hlm_model_params p = params_of(quantise, HLM_LOAD_CHECK_WEIGHTS | (tied ? (uint32_t)HLM_LOAD_QUANTISE_TIED : 0));
    p.vfs = &vfs;
    p.activations = activations;
    OK(hlm_model_load(&m, path, &p));
    return m;
}

static void same_logits(hlm_model *a, hlm_model *b, const char *what)
{
    size_t n = 0;
    float *x = mm_logits(a, &n), *y = mm_logits(b, &n);
    ck_assert_ptr_nonnull(x);
    ck_assert_ptr_nonnull(y);
    ck_assert_msg(memcmp(x, y, n * sizeof *x) == 0, "%s: other logits than of the file", what);
    free(x);
    free(y);
}

/* The file was quantised before, or is now: the bits are the same, and other ones than of plain numbers. */
static void as_file(const char *name, const char *quantise, bool tied)
{
    mm fs = {.n = 0};
    size_t n = 0;
    write_both(&fs, name, quantise, tied);
    for (int32_t act = HLM_ACTIVATIONS_DEFAULT; act <= HLM_ACTIVATIONS_F32; act++) {
        hlm_model *now = load_from(&fs, "plain.gguf", quantise, tied, act),
                  *plain = load_from(&fs, "plain.gguf", NULL, tied, act);
        hlm_model *before = load_from(&fs, "made.gguf", NULL, tied, act);
        same_logits(now, before, name);
        float *x = mm_logits(now, &n), *y = mm_logits(plain, &n);
        ck_assert(memcmp(x, y, n * sizeof *x) != 0);
        free(x);
        free(y);
        hlm_model_release(before);
        hlm_model_release(plain);
        hlm_model_release(now);
    }
    mm_clear(&fs);
}

START_TEST(results_are_those_of_a_file)
{
    static const char *const files[] = {"gguf-experts/model.gguf", "gguf-qwen2/model.gguf", "gguf-k/model.gguf"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        as_file(files[i], "q8_0", false);
        as_file(files[i], "q4_0", false);
    }
    as_file("gguf-k/model.gguf", "int4", false);
}
END_TEST

/* The embedding is the head, too: it is quantised when that is asked for. */
START_TEST(a_tied_head_is_asked_for)
{
    mm fs = {.n = 0};
    as_file(TIED, "q8_0", true);
    as_file(TIED, "q4_0", true);
    write_both(&fs, TIED, "q8_0", true);
    for (int tied = 0; tied < 2; tied++) {
        hlm_model *m = load_from(&fs, "plain.gguf", "q8_0", tied != 0, HLM_ACTIVATIONS_DEFAULT);
        hlm_weight_info w = {.struct_size = sizeof w};
        OK(hlm_model_weight(m, 0, &w));
        ck_assert_str_eq(w.role, "embedding");
        ck_assert_str_eq(w.kept_type, tied ? "q8_0" : "f32");
        hlm_model_release(m);
    }
    mm_clear(&fs);
}
END_TEST

/* What a file has quantised stays, and so do the results and the snapshots' fingerprint. */
START_TEST(quantised_files_stay)
{
    hlm_model *a = load("gguf-q4_0/model.gguf", NULL, 0), *b = load("gguf-q4_0/model.gguf", "q8_0", 0);
    same_logits(a, b, "gguf-q4_0");
    hlm_model_release(a);
    hlm_model_release(b);
}
END_TEST

/* The same of folders, whatever the matrix lies as. */
START_TEST(quantised_folders_stay)
{
    static const char name[] = "model.layers.0.self_attn.q_proj.weight";
    mm fs = {.n = 0};
    char path[512];
    model_path(path, sizeof path, "llama3");
    mm_folder *f = mm_folder_read(path);
    mm_tensor *q = mm_find(f, name);
    ck_assert_ptr_nonnull(q);
    strcpy(q->dtype, "F8_E4M3");
    q->bytes /= 2;
    memset(q->data, 0x28, q->bytes);
    const float scales[4] = {1, 2, 3, 4};
    mm_add(f, "model.layers.0.self_attn.q_proj.weight_scale_inv", "F32", json_pack("[i,i]", 2, 2), scales,
           sizeof scales);
    json_object_set_new(f->config, "quantization_config",
                        json_pack("{s:s,s:[i,i]}", "quant_method", "fp8", "weight_block_size", 128, 128));
    mm_folder_write(f, &fs);
    hlm_model *m = load_from(&fs, "m", "q8_0", false, HLM_ACTIVATIONS_DEFAULT);
    hlm_weight_info w = {.struct_size = sizeof w};
    OK(hlm_model_weight(m, 2, &w));
    ck_assert_str_eq(w.tensor, name);
    ck_assert_str_eq(w.kept_type, w.type);
    OK(hlm_model_weight(m, 3, &w));
    ck_assert_str_eq(w.kept_type, "q8_0");
    hlm_model_release(m);
    mm_folder_free(f);
    mm_clear(&fs);
}
END_TEST

/* ---- what is told of it ---- */

static hlm_model_info info_of(const hlm_model *m)
{
    hlm_model_info info = {.struct_size = sizeof info};
    OK(hlm_model_info_get(m, &info));
    return info;
}

/* Each weight is kept in the type that it should be; returns how many are quantised, and adds up their bytes. */
static size_t count_kept(const hlm_model *m, const char *quantise, size_t block, uint64_t *sum)
{
    hlm_weight_info w = {.struct_size = sizeof w, .n_weights = 1};
    size_t n = 0;
    for (size_t i = 0; i < w.n_weights; i++) {
        OK(hlm_model_weight(m, i, &w));
        const bool looked_up = strcmp(w.block, "embed") == 0;
        const bool routes = strcmp(w.role, "router") == 0 || strcmp(w.role, "shared scale") == 0;
        const bool made = w.cols && !looked_up && !routes && strcmp(w.role, "taps") != 0 && w.cols % block == 0 &&
            strcmp(w.kept_type, "f32") != 0;
        ck_assert_msg(!made || strcmp(w.kept_type, quantise) == 0, "%s is kept as %s", w.tensor, w.kept_type);
        ck_assert_msg(made || strcmp(w.kept_type, quantise) != 0, "%s is quantised", w.tensor);
        ck_assert_str_ne(w.type, quantise);
        n += made;
        *sum += w.bytes;
    }
    return n;
}

START_TEST(what_is_told_is_so)
{
    static const char *const names[] = {"jamba", "qwen3-next", "nemotron-h-moe", "llama3", "hymba-options"};
    static const char *const types[] = {"q8_0", "q4_0", "int4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            const size_t block = strcmp(types[k], "int4") == 0 ? INT4_GROUP : 32;
            hlm_model *plain = load(names[i], NULL, HLM_LOAD_HEADERS), *m = load(names[i], types[k], 0);
            hlm_model *told = load(names[i], types[k], HLM_LOAD_HEADERS);
            hlm_memory_plan_info plan = {.struct_size = sizeof plan}, before = plan;
            uint64_t sum = 0, sum_told = 0;
            OK(hlm_model_plan_memory(m, NULL, &plan));
            OK(hlm_model_plan_memory(told, NULL, &before));
            ck_assert_mem_eq(&plan, &before, sizeof plan);
            const size_t n = count_kept(m, types[k], block, &sum);
            ck_assert_uint_eq(n, count_kept(told, types[k], block, &sum_told));
            const hlm_model_info a = info_of(plain), b = info_of(m), c = info_of(told);
            ck_assert(n > 0 || (block == INT4_GROUP && a.hidden_size < INT4_GROUP));
            ck_assert(sum == sum_told && sum == b.weight_bytes && sum == plan.weights);
            ck_assert(c.weight_bytes == b.weight_bytes && c.bytes_per_token == b.bytes_per_token);
            ck_assert(a.n_parameters == b.n_parameters && a.file_bytes == b.file_bytes);
            ck_assert(n == 0 || b.weight_bytes < a.weight_bytes);
            ck_assert(n == 0 || b.bytes_per_token < a.bytes_per_token);
            ck_assert_str_eq(b.weight_type, c.weight_type);
            if (strcmp(names[i], "llama3") == 0) ck_assert_str_eq(b.weight_type, types[k]);
            hlm_model_release(told);
            hlm_model_release(m);
            hlm_model_release(plain);
        }
    }
}
END_TEST

/* ---- memory ---- */

typedef struct taken {
    size_t live, most;
} taken;

static void *take(void *user, size_t size, size_t align)
{
    taken *t = user;
    const size_t room = align < 64 ? 64 : align;
    char *p = NULL;
    if (posix_memalign((void **)&p, room, size + room) != 0) return NULL;
    t->live += size;
    t->most = t->live > t->most ? t->live : t->most;
    /* what give() needs stands right before the block */
    memcpy(p + room - 2 * sizeof size, &size, sizeof size);
    memcpy(p + room - sizeof size, &room, sizeof room);
    return p + room;
}

static void give(void *user, void *block)
{
    size_t size, room;
    memcpy(&size, (char *)block - 2 * sizeof size, sizeof size);
    memcpy(&room, (char *)block - sizeof room, sizeof room);
    ((taken *)user)->live -= size;
    free((char *)block - room);
}

/* Bytes that the model holds, without and with its weights. */
static void holds(const char *name, const char *quantise, size_t *bare, size_t *full, size_t *most)
{
    char path[1024];
    taken t = {0, 0};
    const hlm_allocator a = {.struct_size = sizeof a, .user = &t, .alloc = take, .free = give};
    model_path(path, sizeof path, name);
    for (int with = 0; with < 2; with++) {
        hlm_model *m = NULL;
        hlm_model_params p = params_of(quantise, with ? 0 : HLM_LOAD_HEADERS);
        p.allocator = &a;
        OK(hlm_model_load(&m, path, &p));
        *(with ? full : bare) = t.live;
        *most = t.most;
        hlm_model_release(m);
        ck_assert_uint_eq(t.live, 0);
    }
}

/* Quantising takes as many bytes less as the plan says, but for where chunks of small matrices end. */
START_TEST(the_plan_is_what_is_taken)
{
    static const char *const types[] = {"q8_0", "q4_0", "int4"};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        size_t bare, full, most, chunk;
        hlm_model *m = load("llama3", types[k], HLM_LOAD_HEADERS);
        hlm_memory_plan_info plan = {.struct_size = sizeof plan};
        hlm_weight_info w = {.struct_size = sizeof w, .n_weights = 1};
        uint64_t packed = 0;
        OK(hlm_model_plan_memory(m, NULL, &plan));
        for (size_t i = 0; i < w.n_weights; i++) {
            OK(hlm_model_weight(m, i, &w));
            if (w.cols && strcmp(w.block, "embed") != 0) packed += w.bytes;
        }
        holds("llama3", types[k], &bare, &full, &most);
        chunk = (size_t)info_of(m).file_bytes * 9 / 8;
        ck_assert_msg(full - bare >= packed && full - bare <= packed + 2 * chunk, "%s: %zu bytes for %zu", types[k],
                      full - bare, (size_t)packed);
        hlm_model_release(m);
    }
}
END_TEST

typedef struct told_bytes {
    uint64_t done, total;
    int32_t stop, reserved;
} told_bytes;

static int32_t tell(void *user, uint64_t done, uint64_t total)
{
    told_bytes *t = user;
    ck_assert(done > t->done && done <= total);
    t->done = done;
    t->total = total;
    return t->stop;
}

START_TEST(progress_is_of_the_file)
{
    char path[1024];
    hlm_model *m = NULL;
    told_bytes t = {.stop = 0};
    hlm_model_params p = params_of("int4", 0);
    p.progress = tell;
    p.progress_user = &t;
    model_path(path, sizeof path, "llama3");
    OK(hlm_model_load(&m, path, &p));
    hlm_model_release(m);
    const told_bytes as_quantised = t;
    t = (told_bytes){.stop = 0};
    p.quantise = NULL;
    OK(hlm_model_load(&m, path, &p));
    hlm_model_release(m);
    ck_assert_mem_eq(&t, &as_quantised, sizeof t);
    p.quantise = "int4";
    t = (told_bytes){.stop = 1};
    REFUSED(hlm_model_load(&m, path, &p), HLM_E_CANCELLED);
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(other_names_are_refused)
{
    static const char *const names[] = {"", "int8", "q4_1", "Q4_0", "f16", "fp8"};
    char path[1024];
    model_path(path, sizeof path, "llama3");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        hlm_model *m = NULL;
        char want[160];
        const hlm_model_params p = params_of(names[i], 0);
        REFUSED(hlm_model_load(&m, path, &p), HLM_E_UNSUPPORTED);
        snprintf(want, sizeof want, "hlm_model_params.quantise is '%s', which is none of q4_0, q8_0, int4", names[i]);
        ck_assert_str_eq(hlm_last_error(), want);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    char path[1024];
    hlm_model *m = NULL;
    counter c = {.fail_at = 0};
    const hlm_allocator a = counter_allocator(&c);
    hlm_model_params p = params_of("q8_0", HLM_LOAD_READ);
    p.allocator = &a;
    model_path(path, sizeof path, "experts");
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st == HLM_E_NOMEM; k++) {
        atomic_store(&c.calls, 0);
        c.fail_at = k;
        st = hlm_model_load(&m, path, &p);
        ck_assert(st == HLM_OK || (st == HLM_E_NOMEM && !m && atomic_load(&c.live) == 0));
    }
    OK(st);
    hlm_model_release(m);
    ck_assert_uint_eq(atomic_load(&c.live), 0);
}
END_TEST

/* A NaN is found before it is rounded away, asked for or not. */
START_TEST(weights_are_checked)
{
    mm fs = {.n = 0};
    hlm_model *m = NULL;
    char path[1024];
    model_path(path, sizeof path, "gguf-k/model.gguf");
    mm_gguf *g = mm_gguf_read(path);
    size_t i = 0;
    while (!is_quantised(g, i, INT4_GROUP, false)) i++;
    free(widen(g, i));
    memcpy(g->t[i].data.data + 4 * g->t[i].dims[0] + 20, "\0\0\xC0\x7F", 4);
    mm_gguf_write(g, &fs, "plain.gguf", 1, 0, g->n, NULL, 0);
    const hlm_vfs vfs = {.struct_size = sizeof vfs,
                         .user = &fs,
                         .open = mm_open,
                         .size = mm_size,
                         .read_at = mm_read,
                         .close = mm_close};
    hlm_model_params p = params_of("int4", HLM_LOAD_CHECK_WEIGHTS);
    p.vfs = &vfs;
    REFUSED(hlm_model_load(&m, "plain.gguf", &p), HLM_E_FORMAT);
    ck_assert_msg(strstr(hlm_last_error(), "has a NaN or infinity in row") != NULL, "%s", hlm_last_error());
    p.flags = 0;
    REFUSED(hlm_model_load(&m, "plain.gguf", &p), HLM_E_FORMAT);
    p.quantise = NULL;
    OK(hlm_model_load(&m, "plain.gguf", &p));
    hlm_model_release(m);
    mm_gguf_free(g);
    mm_clear(&fs);
}
END_TEST

int main(int argc, char **argv)
{
    TCase *t = tcase_create("quantise");
    models = argc > 1 ? argv[1] : "test/data/models";
    tcase_set_timeout(t, 120);
    tcase_add_test(t, int4_is_the_reference);
    tcase_add_test(t, results_are_those_of_a_file);
    tcase_add_test(t, a_tied_head_is_asked_for);
    tcase_add_test(t, quantised_files_stay);
    tcase_add_test(t, quantised_folders_stay);
    tcase_add_test(t, every_allocation_may_fail);
    tcase_add_test(t, what_is_told_is_so);
    tcase_add_test(t, the_plan_is_what_is_taken);
    tcase_add_test(t, progress_is_of_the_file);
    tcase_add_test(t, other_names_are_refused);
    tcase_add_test(t, weights_are_checked);
    return api_main("quantise", t);
}
