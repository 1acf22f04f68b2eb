/* GGUF files that say the same thing otherwise: settings in other types and as arrays, dimensions of one, several
 * files, a folder around the file. All compute the same bits. test_gguf_forms FOLDER, by default test/data/models. */
#include <sys/stat.h>
#include <unistd.h>

#include "unit/memmodel.h"
#include "unit/suite.h"

static const char *folder = "test/data/models";
static const char *const models[] = {"tiny-llama.gguf", "gguf-qwen2/model.gguf", "gguf-experts/model.gguf"};
enum { MODELS = sizeof models / sizeof *models };

static mm_gguf *read_model(size_t i)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, models[i]);
    return mm_gguf_read(path);
}

static void write_whole(const mm_gguf *g, mm *fs)
{
    mm_gguf_write(g, fs, "m.gguf", 1, 0, g->n, NULL, 0);
}

/* Logits of the file; fails the test when it does not load. Clears fs. */
static float *logits_of(mm *fs, const char *path, size_t *n)
{
    hlm_model *m = NULL;
    ck_assert_msg(mm_load(&m, fs, path, 0) == HLM_OK, "%s", hlm_last_error());
    float *out = mm_logits(m, n);
    ck_assert_msg(out != NULL, "%s", hlm_last_error());
    hlm_model_release(m);
    mm_clear(fs);
    return out;
}

static void check_same(mm *fs, const char *path, const float *want, size_t n, const char *what)
{
    size_t found = 0;
    float *got = logits_of(fs, path, &found);
    ck_assert_msg(found == n && memcmp(got, want, n * sizeof *got) == 0, "%s: other logits", what);
    free(got);
}

/* The file is refused with that status, and the sentence has `words`. Clears fs. */
static void check_refused(mm *fs, const char *path, hlm_status status, const char *words)
{
    hlm_model *m = NULL;
    const hlm_status st = mm_load(&m, fs, path, 0);
    ck_assert_msg(st == status && strstr(hlm_last_error(), words), "'%s' lacks '%s', status %d", hlm_last_error(),
                  words, st);
    mm_clear(fs);
}

/* ---- types ---- */

static double value_of(const mm_kv *kv)
{
    const unsigned char *p = kv->value.data;
    const uint64_t bits = mm_le(&p, mm_width(kv->type));
    float f;
    double d;
    memcpy(&f, &(uint32_t){(uint32_t)bits}, sizeof f);
    memcpy(&d, &bits, sizeof d);
    return kv->type == 6 ? (double)f : kv->type == 12 ? d : (double)bits;
}

/* v as a number of that type; 0: it can not be. */
static int put_number(bytes *b, uint32_t type, double v)
{
    static const double most[] = {255, 127, 65535, 32767, 4294967295.0, 2147483647, 0, 1, 0, 0, 0x1p53, 0x1p53};
    const float f = (float)v;
    uint32_t bits;
    uint64_t wide;
    memcpy(&bits, &f, sizeof bits);
    memcpy(&wide, &v, sizeof wide);
    if (type == 6) put_le(b, bits, 4);
    else if (type == 12) put_le(b, wide, 8);
    else if (v != (double)(int64_t)v || v < 0 || v > most[type]) return 0;
    else put_le(b, (uint64_t)v, mm_width(type));
    return type != 6 || (double)f == v;
}

/* Replaces the setting by a number, or an array of n. */
static int set_number(mm_kv *kv, uint32_t type, size_t n, const double *v)
{
    kv->value.n = 0;
    kv->type = n ? 9 : type;
    if (n) {
        put_le(&kv->value, type, 4);
        put_le(&kv->value, n, 8);
    }
    for (size_t i = 0; i < (n ? n : 1); i++)
        if (!put_number(&kv->value, type, v[i])) return 0;
    return 1;
}

static int is_number(const mm_kv *kv, const char *arch)
{
    const size_t n = strlen(arch);
    return strncmp(kv->key, arch, n) == 0 && kv->key[n] == '.' && mm_width(kv->type) && kv->type != 7;
}

static void arch_of(mm_gguf *g, char out[32])
{
    const unsigned char *p = mm_gguf_kv(g, "general.architecture")->value.data;
    mm_name(&p, out, 32);
}

static size_t layers_of(mm_gguf *g, const char *arch)
{
    char key[64];
    snprintf(key, sizeof key, "%s.block_count", arch);
    return (size_t)value_of(mm_gguf_kv(g, key));
}

/* Each number of the architecture, in each type that holds it, alone and as an array of equal ones. */
START_TEST(reads_numbers_of_any_type)
{
    size_t tried = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        char arch[32];
        size_t n = 0;
        arch_of(g, arch);
        const size_t layers = layers_of(g, arch);
        write_whole(g, &fs);
        float *want = logits_of(&fs, "m.gguf", &n);
        for (size_t i = 0; i < g->n_kvs; i++) {
            mm_kv *kv = &g->kv[i];
            if (!is_number(kv, arch)) continue;
            const double v = value_of(kv), many[8] = {v, v, v, v, v, v, v, v};
            for (uint32_t type = 0; type <= 12; type++) {
                if (type >= 7 && type <= 9) continue;
                for (int array = 0; array < 2; array++) {
                    if (!set_number(kv, type, array ? layers : 0, many)) continue;
                    write_whole(g, &fs);
                    check_same(&fs, "m.gguf", want, n, kv->key);
                    tried++;
                }
            }
            ck_assert(set_number(kv, 12, 0, &v));
        }
        free(want);
        mm_gguf_free(g);
    }
    ck_assert_msg(tried > 300, "%zu", tried);
}
END_TEST

/* Numbers that a setting can not be, by its name: a fraction, a text, no item, different ones. */
START_TEST(refuses_what_is_not_exact)
{
    size_t tried = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        char arch[32];
        arch_of(g, arch);
        const size_t layers = layers_of(g, arch);
        for (size_t i = 0; i < g->n_kvs; i++) {
            mm_kv *kv = &g->kv[i];
            static const char *const known[] = {"embedding_length",
                                                "block_count",
                                                "context_length",
                                                "expert_count",
                                                "expert_used_count",
                                                "rope.dimension_count",
                                                "rope.freq_base",
                                                "attention.layer_norm_rms_epsilon",
                                                "attention.key_length",
                                                "attention.value_length",
                                                "vocab_size"};
            int ours = 0, whole = 1;
            if (!is_number(kv, arch)) continue;
            for (size_t j = 0; j < sizeof known / sizeof *known; j++)
                if (strcmp(kv->key + strlen(arch) + 1, known[j]) == 0) ours = 1;
            if (!ours) continue; /* heads and the feed-forward's rows may differ from layer to layer */
            const double v = value_of(kv), half = v + 0.5, two[8] = {v, v + 1, v, v, v, v, v, v};
            whole = v == (double)(int64_t)v && !strstr(kv->key, "freq_base");
            if (whole) {
                ck_assert(set_number(kv, 12, 0, &half));
                write_whole(g, &fs);
                check_refused(&fs, "m.gguf", HLM_E_FORMAT, kv->key);
            }
            set_number(kv, 12, layers > 1 ? layers : 2, two);
            write_whole(g, &fs);
            check_refused(&fs, "m.gguf", HLM_E_UNSUPPORTED, kv->key);
            kv->value.n = 0;
            kv->type = 8;
            put_string(&kv->value, "4");
            write_whole(g, &fs);
            check_refused(&fs, "m.gguf", HLM_E_FORMAT, kv->key);
            set_number(kv, 4, 0, &v);
            kv->value.n = 0;
            kv->type = 9;
            put_le(&kv->value, 4, 4);
            put_le(&kv->value, 0, 8);
            write_whole(g, &fs);
            check_refused(&fs, "m.gguf", HLM_E_FORMAT, kv->key);
            ck_assert(set_number(kv, 12, 0, &v));
            tried++;
        }
        mm_gguf_free(g);
    }
    ck_assert_msg(tried > 15, "%zu", tried);
}
END_TEST

/* Heads may differ; where they are as many as the weights do not hold, the tensor is named. */
START_TEST(heads_are_the_layers)
{
    mm_gguf *g = read_model(0);
    mm fs = {.n = 0};
    char arch[32], key[64];
    arch_of(g, arch);
    snprintf(key, sizeof key, "%s.attention.head_count_kv", arch);
    mm_kv *kv = mm_gguf_kv(g, key);
    const size_t layers = layers_of(g, arch);
    const double v = value_of(kv), more[8] = {v, 2 * v, v, v, v, v, v, v};
    ck_assert(layers > 1 && set_number(kv, 4, layers, more));
    write_whole(g, &fs);
    check_refused(&fs, "m.gguf", HLM_E_FORMAT, "blk.1.attn_k.weight");
    ck_assert(set_number(kv, 4, layers + 1, more));
    write_whole(g, &fs);
    check_refused(&fs, "m.gguf", HLM_E_FORMAT, key);
    mm_gguf_free(g);
}
END_TEST

/* ---- dimensions ---- */

START_TEST(reads_dimensions_of_one)
{
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        size_t n = 0;
        write_whole(g, &fs);
        float *want = logits_of(&fs, "m.gguf", &n);
        for (int round = 0; round < 4; round++) {
            for (size_t i = 0; i < g->n; i++) g->t[i].dims[g->t[i].n_dims++] = 1;
            write_whole(g, &fs);
            check_same(&fs, "m.gguf", want, n, models[k]);
        }
        g->t[1].dims[g->t[1].n_dims - 1] = 2; /* not of one */
        write_whole(g, &fs);
        hlm_model *m = NULL;
        ck_assert_int_ne(mm_load(&m, &fs, "m.gguf", 0), HLM_OK);
        mm_clear(&fs);
        free(want);
        mm_gguf_free(g);
    }
}
END_TEST

/* Vectors of f64, and a matrix, are f32 after rounding. */
START_TEST(reads_f64)
{
    size_t tried = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        size_t n = 0;
        write_whole(g, &fs);
        float *want = logits_of(&fs, "m.gguf", &n);
        for (size_t i = 0; i < g->n; i++) {
            if (g->t[i].type != 0) continue;
            bytes wide = {.n = 0};
            for (size_t at = 0; at < g->t[i].data.n; at += 4) {
                float x;
                memcpy(&x, g->t[i].data.data + at, 4);
                const double y = (double)x * (1.0 + 1e-9);
                put(&wide, &y, sizeof y);
            }
            free(g->t[i].data.data);
            g->t[i].data = wide;
            g->t[i].type = 28;
            tried++;
        }
        write_whole(g, &fs);
        check_same(&fs, "m.gguf", want, n, models[k]);
        free(want);
        mm_gguf_free(g);
    }
    ck_assert_msg(tried > 10, "%zu", tried);
}
END_TEST

/* ---- several files ---- */

static void write_parts(const mm_gguf *g, mm *fs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[64];
        bytes more = {.n = 0};
        put_kv(&more, "split.no", 2, i, 2);
        put_kv(&more, "split.count", 2, count, 2);
        put_kv(&more, "split.tensors.count", 5, g->n, 4);
        snprintf(path, sizeof path, "d/m-%05zu-of-%05zu.gguf", i + 1, count);
        mm_gguf_write(g, fs, path, i == 0, g->n * i / count, g->n * (i + 1) / count, &more, 3);
        free(more.data);
    }
}

START_TEST(split_files_are_the_same)
{
    static const size_t counts[] = {1, 2, 3, 7};
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        size_t n = 0;
        write_whole(g, &fs);
        float *want = logits_of(&fs, "m.gguf", &n);
        for (size_t c = 0; c < 4; c++) {
            for (size_t from = 1; from <= counts[c]; from += counts[c] > 1 ? counts[c] - 1 : 1) {
                char path[64];
                write_parts(g, &fs, counts[c]);
                snprintf(path, sizeof path, "d/m-%05zu-of-%05zu.gguf", from, counts[c]);
                check_same(&fs, path, want, n, path);
            }
        }
        write_parts(g, &fs, 3);
        fs.files[2].path[0] = 'x';
        check_refused(&fs, "d/m-00001-of-00003.gguf", HLM_E_IO, "d/m-00003-of-00003.gguf");
        free(want);
        mm_gguf_free(g);
    }
}
END_TEST

/* ---- folders ---- */

static char place[64];

static void make_file(const char *name, const void *data, size_t n)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place, name);
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

static void remove_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place, name);
    ck_assert_int_eq(remove(path), 0);
}

/* Loads the folder; the logits must be `want`, or the sentence have `words`. */
static void try_folder(const float *want, size_t n, hlm_status status, const char *words)
{
    hlm_model *m = NULL;
    const hlm_model_params vocab = {.struct_size = sizeof vocab, .flags = HLM_LOAD_VOCAB_ONLY};
    const hlm_status st = hlm_model_load(&m, place, NULL);
    ck_assert_msg(st == status, "%d: %s", st, hlm_last_error());
    if (st == HLM_OK) {
        size_t found = 0;
        float *got = mm_logits(m, &found);
        ck_assert(got && found == n && memcmp(got, want, n * sizeof *got) == 0);
        free(got);
        hlm_model_release(m);
    } else {
        ck_assert_msg(strstr(hlm_last_error(), words) != NULL, "'%s' lacks '%s'", hlm_last_error(), words);
    }
    if (st == HLM_E_ARG)
        ck_assert_int_eq(hlm_model_load(&m, place, &vocab), HLM_E_ARG); /* the tokenizer is found alike */
}

START_TEST(a_folder_around_a_file_is_the_file)
{
    mm_gguf *g = read_model(0);
    mm fs = {.n = 0};
    size_t n = 0;
    write_whole(g, &fs);
    float *want = logits_of(&fs, "m.gguf", &n);
    snprintf(place, sizeof place, "/tmp/hlm_forms_%d", (int)getpid());
    ck_assert_int_eq(mkdir(place, 0700), 0);
    try_folder(want, n, HLM_E_IO, "one .gguf file");
    write_whole(g, &fs);
    make_file("a.gguf", fs.files[0].data, fs.files[0].size);
    try_folder(want, n, HLM_OK, NULL);
    make_file("mmproj-a-f16.gguf", "x", 1); /* not a model of text */
    make_file("a.MMPROJ.gguf", "x", 1);
    make_file("README.md", "x", 1);
    make_file("config.json", "{\"model_type\": \"llama\"}", 23); /* without weights beside it */
    try_folder(want, n, HLM_OK, NULL);
    make_file("b.gguf", fs.files[0].data, fs.files[0].size);
    try_folder(want, n, HLM_E_ARG, "2 models, give one of 'a.gguf', 'b.gguf'");
    make_file("model.safetensors", "x", 1); /* weights of its own: no folder around a file */
    try_folder(want, n, HLM_E_FORMAT, "model.safetensors");
    remove_file("model.safetensors");
    remove_file("a.gguf");
    remove_file("b.gguf");
    mm_clear(&fs);
    write_parts(g, &fs, 3);
    for (size_t i = 0; i < 3; i++) make_file(fs.files[i].path + 2, fs.files[i].data, fs.files[i].size);
    try_folder(want, n, HLM_OK, NULL); /* the parts of one model are one */
    make_file("c.gguf", "x", 1);
    try_folder(want, n, HLM_E_ARG, "'c.gguf', 'm-00001-of-00003.gguf'");
    remove_file("c.gguf");
    remove_file("m-00001-of-00003.gguf");
    try_folder(want, n, HLM_E_IO, "m-00001-of-00003.gguf");
    remove_file("m-00002-of-00003.gguf");
    remove_file("m-00003-of-00003.gguf");
    static const char *const rest[] = {"mmproj-a-f16.gguf", "a.MMPROJ.gguf", "README.md", "config.json"};
    for (size_t i = 0; i < 4; i++) remove_file(rest[i]);
    ck_assert_int_eq(rmdir(place), 0);
    mm_clear(&fs);
    write_whole(g, &fs); /* a vfs can not be asked for what is in a folder */
    strcpy(fs.files[0].path, "m/m.gguf");
    check_refused(&fs, "m", HLM_E_IO, "give the .gguf file itself");
    free(want);
    mm_gguf_free(g);
}
END_TEST

/* ---- experts ---- */

static void add_number(mm_gguf *g, const char *key, uint32_t v)
{
    mm_kv *kv = &g->kv[g->n_kvs++];
    snprintf(kv->key, sizeof kv->key, "%s", key);
    kv->type = 4;
    put_le(&kv->value, v, 4);
}

/* Jamba without experts may say any number of those of a token, since there is no router; with one it would choose two
 * of one. The file is a Mixtral's with one expert, under Jamba's name. */
START_TEST(no_more_experts_are_chosen_than_there_are)
{
    mm_gguf *g = read_model(2);
    mm fs = {.n = 0};
    memcpy(mm_gguf_kv(g, "general.architecture")->value.data + 8, "jamba", 5);
    for (size_t i = 0; i < g->n_kvs; i++)
        if (strncmp(g->kv[i].key, "llama.", 6) == 0) memcpy(g->kv[i].key, "jamba", 5);
    const double one = 1;
    ck_assert(set_number(mm_gguf_kv(g, "jamba.expert_count"), 4, 0, &one));
    add_number(g, "jamba.ssm.inner_size", 64);
    add_number(g, "jamba.ssm.state_size", 16);
    add_number(g, "jamba.ssm.conv_kernel", 4);
    add_number(g, "jamba.ssm.time_step_rank", 2);
    for (size_t i = 0; i < g->n; i++)
        if (strstr(g->t[i].name, "_exps") || strstr(g->t[i].name, "gate_inp")) g->t[i].dims[g->t[i].n_dims - 1] = 1;
    write_whole(g, &fs);
    check_refused(&fs, "m.gguf", HLM_E_FORMAT, "blk.0.ffn_gate.weight");
    mm_gguf_free(g);
}
END_TEST

/* Granite's experts without a shared one compute as Mixtral's do. */
START_TEST(granite_needs_no_shared_expert)
{
    static const char arch[] = "granitemoe";
    mm_gguf *g = read_model(2);
    mm fs = {.n = 0};
    size_t n = 0;
    write_whole(g, &fs);
    float *want = logits_of(&fs, "m.gguf", &n);
    mm_kv *name = mm_gguf_kv(g, "general.architecture");
    name->value.n = 0;
    put_string(&name->value, arch);
    for (size_t i = 0; i < g->n_kvs; i++) {
        char key[96];
        strcpy(key, g->kv[i].key);
        if (strncmp(key, "llama.", 6) == 0) snprintf(g->kv[i].key, sizeof key, "%s%.80s", arch, key + 5);
    }
    write_whole(g, &fs);
    size_t found = 0;
    float *got = logits_of(&fs, "m.gguf", &found);
    ck_assert_uint_eq(found, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq_tol(got[i], want[i], 1e-4f); /* softmax before the choice, or after */
    free(got);
    free(want);
    mm_gguf_free(g);
}
END_TEST

/* ---- q, k and v in one tensor ---- */

/* Tensor number i of the table, of layer `layer`; g->n: there is none. */
static size_t find_part(const mm_gguf *g, size_t layer, const char *part)
{
    char name[96];
    size_t i = 0;
    snprintf(name, sizeof name, "blk.%zu.attn_%s", layer, part);
    while (i < g->n && strcmp(g->t[i].name, name) != 0) i++;
    return i;
}

/* q, k and v become f32, other numbers than they were. */
static void make_plain(mm_gguf *g, size_t layer)
{
    static const char *const parts[] = {"q.weight", "k.weight", "v.weight"};
    for (size_t i = 0; i < 3; i++) {
        const size_t at = find_part(g, layer, parts[i]);
        ck_assert_uint_lt(at, g->n);
        g->t[at].type = 0;
        g->t[at].data.n = 0;
        for (uint64_t k = 0; k < g->t[at].dims[0] * g->t[at].dims[1]; k++) {
            const float f = (float)((k * 37 + i) % 101) / 500 - 0.1f;
            put(&g->t[at].data, &f, sizeof f);
        }
    }
}

/* Puts k's and v's rows behind q's, under another name. Their bytes fill the padding. */
static int fuse(mm_gguf *g, size_t layer, const char *tail)
{
    static const char *const parts[] = {"q", "k", "v"};
    size_t at[3];
    char part[32];
    for (size_t i = 0; i < 3; i++) {
        snprintf(part, sizeof part, "%s.%s", parts[i], tail);
        at[i] = find_part(g, layer, part);
        if (at[i] == g->n || g->t[at[i]].type != g->t[at[0]].type) return 0;
    }
    const size_t rows = g->t[at[0]].n_dims - 1;
    for (size_t i = 1; i < 3; i++) {
        put(&g->t[at[0]].data, g->t[at[i]].data.data, g->t[at[i]].data.n);
        g->t[at[0]].dims[rows] += g->t[at[i]].dims[rows];
        snprintf(g->t[at[i]].name, sizeof g->t[at[i]].name, "gone");
    }
    snprintf(g->t[at[0]].name, sizeof g->t[at[0]].name, "blk.%zu.attn_qkv.%s", layer, tail);
    for (size_t i = g->n; i-- > 0;) {
        if (strcmp(g->t[i].name, "gone") != 0) continue;
        free(g->t[i].data.data);
        memmove(&g->t[i], &g->t[i + 1], (g->n - i - 1) * sizeof g->t[i]);
        g->n--;
    }
    return 1;
}

START_TEST(fused_projections_are_the_same)
{
    size_t fused = 0;
    for (size_t k = 0; k < MODELS; k++) {
        mm_gguf *g = read_model(k);
        mm fs = {.n = 0};
        char arch[32];
        size_t n = 0;
        arch_of(g, arch);
        const size_t layers = layers_of(g, arch), whole = g->n;
        for (size_t i = 0; i < layers; i++) make_plain(g, i);
        write_whole(g, &fs);
        float *want = logits_of(&fs, "m.gguf", &n);
        for (size_t i = 0; i < layers; i++)
            if (fuse(g, i, "weight")) fuse(g, i, "bias");
        fused += g->n < whole;
        write_whole(g, &fs);
        check_same(&fs, "m.gguf", want, n, "q, k and v in one tensor");
        for (size_t i = 0; i < g->n; i++) {
            if (strcmp(g->t[i].name, "blk.0.attn_qkv.weight") != 0) continue;
            g->t[i].dims[1]--; /* a row less */
            write_whole(g, &fs);
            check_refused(&fs, "m.gguf", HLM_E_FORMAT, "blk.0.attn_qkv.weight");
        }
        free(want);
        mm_gguf_free(g);
    }
    ck_assert_uint_gt(fused, 0);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {reads_numbers_of_any_type,
                                  refuses_what_is_not_exact,
                                  heads_are_the_layers,
                                  no_more_experts_are_chosen_than_there_are,
                                  granite_needs_no_shared_expert,
                                  reads_dimensions_of_one,
                                  reads_f64,
                                  split_files_are_the_same,
                                  a_folder_around_a_file_is_the_file,
                                  fused_projections_are_the_same};
    if (argc > 1) folder = argv[1];
    return suite_run("gguf_forms", tests, sizeof tests / sizeof *tests);
}
