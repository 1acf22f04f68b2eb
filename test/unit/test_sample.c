/* The sampler: published vectors of the random numbers, every stage and the draw against plain computations in double
 * with a full sort, statistics with fixed seeds, forks, bad parameters and failing allocations. */
#include "unit/suite.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "sample/draw.h"
#include "sample/philox.h"
#include "sample/softmax.h"
#include "unit/fake_model.h"

enum { MAX_VOCAB = 5000 };

/* ---- reference ------------------------------------------------------------ */

typedef struct ref_token {
    int32_t id;
    double logit, p, rank; /* rank: smaller is better */
} ref_token;

static int by_rank(const void *a, const void *b)
{
    const ref_token *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static int by_id(const void *a, const void *b)
{
    const ref_token *x = a, *y = b;
    return x->id < y->id ? -1 : 1;
}

static void ref_softmax(ref_token *t, size_t n, double temperature)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) max = fmax(max, t[i].logit);
    for (size_t i = 0; i < n; i++) sum += t[i].p = exp((t[i].logit - max) / temperature);
    for (size_t i = 0; i < n; i++) t[i].p /= sum;
}

static size_t ref_top_mass(ref_token *t, size_t n, double mass)
{
    qsort(t, n, sizeof *t, by_rank);
    double sum = 0;
    size_t keep = 0;
    while (keep < n && sum < mass) sum += t[keep++].p;
    return keep;
}

static size_t ref_filter(const hlm_sampler_params *p, ref_token *t, size_t n)
{
    if (p->top_k > 0 && (size_t)p->top_k < n) {
        for (size_t i = 0; i < n; i++) t[i].rank = -t[i].logit;
        qsort(t, n, sizeof *t, by_rank);
        n = (size_t)p->top_k;
    }
    if (p->typical_p > 0 && p->typical_p < 1) {
        ref_softmax(t, n, 1);
        double entropy = 0;
        for (size_t i = 0; i < n; i++) entropy -= t[i].p > 0 ? t[i].p * log(t[i].p) : 0;
        for (size_t i = 0; i < n; i++) t[i].rank = fabs(-log(t[i].p) - entropy);
        n = ref_top_mass(t, n, (double)p->typical_p);
    }
    if (p->top_p > 0 && p->top_p < 1) {
        ref_softmax(t, n, 1);
        for (size_t i = 0; i < n; i++) t[i].rank = -t[i].logit;
        n = ref_top_mass(t, n, (double)p->top_p);
    }
    if (p->min_p > 0) {
        double best = 0;
        size_t keep = 0;
        ref_softmax(t, n, 1);
        for (size_t i = 0; i < n; i++) best = fmax(best, t[i].p);
        for (size_t i = 0; i < n; i++) {
            if (t[i].p >= (double)p->min_p * best) t[keep++] = t[i];
        }
        n = keep;
    }
    qsort(t, n, sizeof *t, by_id);
    return n;
}

/* Draw number `draw` from logits already biased and penalised. */
static int32_t ref_draw(const hlm_sampler_params *p, const double *logits, size_t vocab, uint64_t draw)
{
    static ref_token t[MAX_VOCAB];
    for (size_t i = 0; i < vocab; i++) t[i] = (ref_token){.id = (int32_t)i, .logit = logits[i]};
    const size_t n = ref_filter(p, t, vocab);
    if (p->temperature == 0) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++) best = t[i].logit > t[best].logit ? i : best;
        return t[best].id;
    }
    ref_softmax(t, n, (double)p->temperature);
    double left = hlmi_philox_uniform(p->seed, draw);
    for (size_t i = 0; i < n; i++) {
        if (left < t[i].p) return t[i].id;
        left -= t[i].p;
    }
    return t[n - 1].id;
}

/* ---- logits ---------------------------------------------------------------- */

/* About normal, with standard deviation `spread`. */
static void fill_logits(float *l, size_t n, uint64_t seed, double spread)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (uint64_t j = 0; j < 12; j++) sum += hlmi_philox_uniform(seed, i * 12 + j);
        l[i] = (float)((sum - 6) * spread);
    }
}

static hlm_sampler *new_sampler(hlm_model *m, hlm_sampler_params *p)
{
    hlm_sampler *s = NULL;
    p->struct_size = sizeof *p;
    ck_assert_int_eq(hlm_sampler_new(&s, m, p), HLM_OK);
    ck_assert_ptr_nonnull(s);
    return s;
}

static int32_t sample(hlm_sampler *s, const float *logits)
{
    int32_t token = -1;
    ck_assert_int_eq(hlm_sampler_sample(s, logits, &token), HLM_OK);
    return token;
}

static void end_of(hlm_sampler *s, hlm_model *m)
{
    hlm_sampler_free(s);
    ck_assert_int_eq(m->refs, 1);
    ck_assert_uint_eq(m->blocks, 0);
}

/* ---- random numbers --------------------------------------------------------- */

START_TEST(philox_published_vectors) /* Random123, kat_vectors, philox4x32 10 */
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } v[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        uint32_t out[4];
        hlmi_philox(out, v[i].counter, v[i].key);
        ck_assert_mem_eq(out, v[i].want, sizeof out);
    }
}
END_TEST

START_TEST(philox_uniform_is_in_range)
{
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        const double u = hlmi_philox_uniform(7, i << 30); /* both counter words */
        ck_assert(u >= 0 && u < 1);
        sum += u;
    }
    ck_assert(fabs(sum / 10000 - 0.5) < 0.015); /* five standard deviations */
    ck_assert(hlmi_philox_uniform(1, 0) != hlmi_philox_uniform((uint64_t)1 << 32, 0));
}
END_TEST

/* ---- passes over the vocabulary ------------------------------------------------ */

START_TEST(softmax_is_as_exact_as_stated)
{
    static float x[4000], y[4000];
    for (size_t n = 1; n <= 4000; n = n < 200 ? n + 1 : n * 2) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) x[i] = 3 - (float)i * (86.0f / 4000) * (i % 2 ? 1 : 0.5f);
        x[n - 1] = n > 1 ? -INFINITY : x[0];
        const double got = hlmi_softmax(y, x, n, 3, 1.5f);
        for (size_t i = 0; i < n; i++) {
            const double d = (double)((x[i] - 3) * 1.5f), want = exp(d);
            sum += (double)y[i];
            if (d > -86) ck_assert(fabs((double)y[i] / want - 1) <= 0x1p-21);
            else ck_assert(y[i] == 0);
        }
        ck_assert(fabs(got / sum - 1) < 1e-14);
        ck_assert(hlmi_sum_exp(x, n, 3) == hlmi_softmax(y, x, n, 3, 1));
    }
}
END_TEST

/* ---- greedy ------------------------------------------------------------------- */

START_TEST(greedy_takes_the_lowest_of_equals)
{
    static float l[MAX_VOCAB];
    hlm_model m;
    for (int32_t vocab = 1; vocab < 70; vocab++) {
        fake_model_init(&m, vocab);
        hlm_sampler *s = new_sampler(&m, &(hlm_sampler_params){0});
        fill_logits(l, (size_t)vocab, 3, 1);
        for (int32_t at = 0; at < vocab; at++) {
            const float a = l[at], b = l[vocab - 1];
            l[at] = l[vocab - 1] = 100;
            ck_assert_int_eq(sample(s, l), at);
            l[at] = a;
            l[vocab - 1] = at == vocab - 1 ? a : b;
        }
        end_of(s, &m);
    }
}
END_TEST

START_TEST(nan_and_infinity)
{
    hlm_model m;
    fake_model_init(&m, 5);
    float l[5] = {NAN, -INFINITY, -3, -2, NAN};
    for (int hot = 0; hot < 2; hot++) {
        hlm_sampler *s = new_sampler(&m, &(hlm_sampler_params){.temperature = hot ? 1e-30f : 0, .top_p = 0.5f});
        l[2] = -3, l[3] = -2;
        ck_assert_int_eq(sample(s, l), 3);
        l[2] = INFINITY;
        ck_assert_int_eq(sample(s, l), 2);
        l[2] = l[3] = -INFINITY;
        int32_t token = 77;
        ck_assert_int_eq(hlm_sampler_sample(s, l, &token), HLM_E_ARG);
        ck_assert_int_eq(token, 77);
        end_of(s, &m);
    }
    /* nothing but the one finite token is ever drawn, whatever the temperature */
    l[2] = -FLT_MAX, l[3] = -INFINITY;
    hlm_sampler *s = new_sampler(&m, &(hlm_sampler_params){.temperature = FLT_MAX, .typical_p = 0.9f});
    for (int i = 0; i < 100; i++) ck_assert_int_eq(sample(s, l), 2);
    end_of(s, &m);
}
END_TEST

/* ---- stages against the reference ------------------------------------------------ */

static void same_draws(const hlm_sampler_params *params, int32_t vocab, double spread, uint64_t draws)
{
    static float l[MAX_VOCAB];
    static double wide[MAX_VOCAB];
    hlm_model m;
    fake_model_init(&m, vocab);
    hlm_sampler_params p = *params;
    p.seed = 0x123456789abcdef0u + (uint64_t)vocab;
    hlm_sampler *s = new_sampler(&m, &p);
    for (uint64_t i = 0; i < draws; i++) {
        fill_logits(l, (size_t)vocab, i % 10, spread);
        for (size_t j = 3; j < (size_t)vocab; j += 7) l[j] = l[j / 2]; /* ties */
        for (size_t j = 0; j < (size_t)vocab; j++) wide[j] = (double)l[j];
        ck_assert_int_eq(sample(s, l), ref_draw(&p, wide, (size_t)vocab, i));
    }
    end_of(s, &m);
}

START_TEST(stages_equal_the_reference)
{
    static const hlm_sampler_params all[] = {
        {.temperature = 1},
        {.temperature = 0.3f},
        {.temperature = 2.5f},
        {.temperature = 1, .top_k = 1},
        {.temperature = 1, .top_k = 5},
        {.temperature = 1, .top_k = 40},
        {.temperature = 1, .top_k = 1000000},
        {.temperature = 1, .top_p = 0.1f},
        {.temperature = 1, .top_p = 0.9f},
        {.temperature = 1, .top_p = 0.9999f},
        {.temperature = 1, .min_p = 0.05f},
        {.temperature = 1.5f, .min_p = 0.3f},
        {.temperature = 1, .typical_p = 0.2f},
        {.temperature = 1, .typical_p = 0.95f},
        {.temperature = 0, .typical_p = 0.2f},
        {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f},
        {.temperature = 0.7f, .top_k = 100, .typical_p = 0.8f, .top_p = 0.9f, .min_p = 0.02f},
    };
    static const int32_t vocabs[] = {1, 2, 17, 64, 65, 300, 3001};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (size_t v = 0; v < sizeof vocabs / sizeof *vocabs; v++) {
            same_draws(&all[i], vocabs[v], 1, 40);
            same_draws(&all[i], vocabs[v], 4, 40);
        }
    }
}
END_TEST

START_TEST(equal_logits_keep_the_lowest_ids)
{
    float l[100];
    for (size_t i = 0; i < 100; i++) l[i] = i % 2 ? 0.0f : -0.0f;
    hlm_model m;
    fake_model_init(&m, 100);
    hlm_sampler *by_k = new_sampler(&m, &(hlm_sampler_params){.temperature = 1, .top_k = 10});
    hlm_sampler *by_p = new_sampler(&m, &(hlm_sampler_params){.temperature = 1, .top_p = 0.0999f});
    bool seen_k[100] = {0}, seen_p[100] = {0};
    for (int i = 0; i < 500; i++) {
        seen_k[sample(by_k, l)] = true;
        seen_p[sample(by_p, l)] = true;
    }
    for (size_t i = 0; i < 100; i++) {
        ck_assert_int_eq(seen_k[i], i < 10);
        ck_assert_int_eq(seen_p[i], i < 10);
    }
    hlm_sampler_free(by_k);
    end_of(by_p, &m);
}
END_TEST

START_TEST(frequencies_follow_the_probabilities)
{
    enum { VOCAB = 20, DRAWS = 200000 };
    float l[VOCAB];
    ref_token t[VOCAB];
    double seen[VOCAB] = {0}, chi2 = 0;
    fill_logits(l, VOCAB, 11, 1);
    for (int32_t i = 0; i < VOCAB; i++) t[i] = (ref_token){.id = i, .logit = (double)l[i]};
    ref_softmax(t, VOCAB, 1.3f);
    hlm_model m;
    fake_model_init(&m, VOCAB);
    hlm_sampler *s = new_sampler(&m, &(hlm_sampler_params){.temperature = 1.3f, .seed = 42});
    for (int i = 0; i < DRAWS; i++) seen[sample(s, l)]++;
    for (size_t i = 0; i < VOCAB; i++) chi2 += pow(seen[i] - (double)DRAWS * t[i].p, 2) / ((double)DRAWS * t[i].p);
    ck_assert(chi2 < 43.8); /* 19 degrees of freedom, 0.1 % */
    ck_assert(chi2 > 5.4); /* and not too good to be true either */
    end_of(s, &m);
}
END_TEST

/* ---- bias and penalties --------------------------------------------------------- */

START_TEST(bias_adds_and_forbids)
{
    hlm_model m;
    fake_model_init(&m, 4);
    const float l[4] = {4, 3, 2, 1};
    hlm_logit_bias bias[] = {{.token = 0, .bias = -INFINITY}, {.token = 3, .bias = 1}, {.token = 3, .bias = 1.5f}};
    hlm_sampler *s = new_sampler(&m, &(hlm_sampler_params){.logit_bias = bias, .n_logit_bias = 3});
    bias[1].bias = -100; /* copied */
    ck_assert_int_eq(sample(s, l), 3);
    const float forced[4] = {INFINITY, 3, 2, -INFINITY};
    ck_assert_int_eq(sample(s, forced), 1);
    end_of(s, &m);
}
END_TEST

static void ref_penalties(const hlm_sampler_params *p, const int32_t *text, size_t n, double *l, size_t vocab)
{
    size_t window = p->penalty_window == 0 ? 64 : (size_t)p->penalty_window;
    if (p->penalty_window < 0 || window > n) window = n;
    for (size_t v = 0; v < vocab; v++) {
        double count = 0;
        for (size_t i = n - window; i < n; i++) count += text[i] == (int32_t)v;
        if (count == 0) continue;
        if (p->repetition_penalty != 0)
            l[v] = l[v] > 0 ? l[v] / (double)p->repetition_penalty : l[v] * (double)p->repetition_penalty;
        l[v] -= count * (double)p->frequency_penalty + (double)p->presence_penalty;
    }
}

static void same_with_penalties(const hlm_sampler_params *params)
{
    enum { VOCAB = 50, TEXT = 300 };
    float l[VOCAB];
    double wide[VOCAB];
    int32_t text[TEXT];
    hlm_model m;
    fake_model_init(&m, VOCAB);
    hlm_sampler_params p = *params;
    hlm_sampler *s = new_sampler(&m, &p), *fork = NULL;
    for (size_t n = 0; n < TEXT; n++) {
        if (n % 50 == 20) { /* go on as a fork */
            ck_assert_int_eq(hlm_sampler_fork(&fork, s), HLM_OK);
            ck_assert_int_eq(hlm_sampler_accept(s, 0), HLM_OK);
            hlm_sampler_free(s);
            s = fork;
        }
        fill_logits(l, VOCAB, n, 2);
        for (size_t i = 0; i < VOCAB; i++) wide[i] = (double)l[i];
        ref_penalties(&p, text, n, wide, VOCAB);
        text[n] = sample(s, l);
        ck_assert_int_eq(text[n], ref_draw(&p, wide, VOCAB, n));
        ck_assert_int_eq(hlm_sampler_accept(s, text[n]), HLM_OK);
    }
    end_of(s, &m);
}

START_TEST(penalties_equal_the_reference)
{
    static const hlm_sampler_params all[] = {
        {.repetition_penalty = 1.3f},
        {.repetition_penalty = 0.7f, .temperature = 1},
        {.frequency_penalty = 0.4f, .penalty_window = 10},
        {.presence_penalty = 1, .penalty_window = -1, .temperature = 1},
        {.presence_penalty = -0.5f, .penalty_window = 1},
        {.repetition_penalty = 1.1f,
         .frequency_penalty = 0.1f,
         .presence_penalty = 0.2f,
         .penalty_window = 100,
         .top_k = 20,
         .top_p = 0.9f,
         .temperature = 0.9f},
        {.repetition_penalty = 1.1f, .penalty_window = INT64_MAX},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) same_with_penalties(&all[i]);
}
END_TEST

/* ---- forks, errors, memory ---------------------------------------------------------- */

START_TEST(forks_are_equal_and_independent)
{
    float l[200];
    hlm_model m;
    fake_model_init(&m, 200);
    hlm_sampler *a = new_sampler(&m, &(hlm_sampler_params){.temperature = 1, .seed = 5}), *b = NULL;
    fill_logits(l, 200, 1, 1);
    for (int i = 0; i < 10; i++) sample(a, l);
    ck_assert_int_eq(hlm_sampler_fork(&b, a), HLM_OK);
    int32_t drawn[50];
    for (int i = 0; i < 50; i++) drawn[i] = sample(a, l);
    hlm_sampler_free(a);
    for (int i = 0; i < 50; i++) ck_assert_int_eq(sample(b, l), drawn[i]);
    end_of(b, &m);
}
END_TEST

START_TEST(draws_are_the_same_everywhere) /* gcc -O0 and -O3, clang, with and without FMA, x86-64 and aarch64 */
{
    enum { VOCAB = 5000, DRAWS = 300 };
    static const hlm_sampler_params all[] = {
        {.seed = 9, .temperature = 0.7f},
        {.seed = 9, .temperature = 1, .top_p = 0.9f},
        {.seed = 9, .temperature = 1.3f, .typical_p = 0.8f},
        {.seed = 9,
         .temperature = 0.9f,
         .min_p = 0.02f,
         .top_k = 100,
         .repetition_penalty = 1.2f,
         .frequency_penalty = 0.1f},
    };
    static float l[VOCAB];
    hlm_model m;
    fake_model_init(&m, VOCAB);
    uint64_t hash = 1;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        hlm_sampler_params p = all[k];
        hlm_sampler *s = new_sampler(&m, &p);
        for (uint64_t d = 0; d < DRAWS; d++) {
            for (uint64_t i = 0; i < VOCAB; i++)
                l[i] = (float)(hlmi_philox_uniform(d, i) + hlmi_philox_uniform(d + 1000, i) - 1) * 9;
            const int32_t token = sample(s, l);
            ck_assert_int_eq(hlm_sampler_accept(s, token), HLM_OK);
            hash = hash * 1099511628211u + (uint64_t)token;
        }
        end_of(s, &m);
    }
    ck_assert_uint_eq(hash, 0x56ca98ccb5f23a18u);
}
END_TEST

START_TEST(logits_are_not_changed)
{
    float l[300], copy[300];
    hlm_model m;
    fake_model_init(&m, 300);
    hlm_sampler *s =
        new_sampler(&m, &(hlm_sampler_params){.temperature = 1, .repetition_penalty = 1.5f, .top_p = 0.5f, .top_k = 9});
    fill_logits(l, 300, 2, 1);
    memcpy(copy, l, sizeof l);
    ck_assert_int_eq(hlm_sampler_accept(s, 7), HLM_OK);
    sample(s, l);
    ck_assert_mem_eq(copy, l, sizeof l);
    end_of(s, &m);
}
END_TEST

START_TEST(bad_parameters)
{
    const hlm_logit_bias outside = {.token = 8}, negative = {.token = -1}, nan = {.token = 1, .bias = NAN};
    const struct {
        hlm_sampler_params p;
        hlm_status want;
    } all[] = {
        {{.temperature = -1}, HLM_E_ARG},
        {{.temperature = NAN}, HLM_E_ARG},
        {{.temperature = INFINITY}, HLM_E_ARG},
        {{.top_k = -1}, HLM_E_ARG},
        {{.top_p = 1.01f}, HLM_E_ARG},
        {{.top_p = NAN}, HLM_E_ARG},
        {{.min_p = -0.1f}, HLM_E_ARG},
        {{.typical_p = 2}, HLM_E_ARG},
        {{.repetition_penalty = -1}, HLM_E_ARG},
        {{.repetition_penalty = INFINITY}, HLM_E_ARG},
        {{.frequency_penalty = NAN}, HLM_E_ARG},
        {{.presence_penalty = INFINITY}, HLM_E_ARG},
        {{.n_logit_bias = 1}, HLM_E_ARG},
        {{.n_logit_bias = 1, .logit_bias = &nan}, HLM_E_ARG},
        {{.n_logit_bias = 1, .logit_bias = &outside}, HLM_E_TOKEN},
        {{.n_logit_bias = 1, .logit_bias = &negative}, HLM_E_TOKEN},
    };
    hlm_model m;
    fake_model_init(&m, 8);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        hlm_sampler_params p = all[i].p;
        p.struct_size = sizeof p;
        hlm_sampler *s = (hlm_sampler *)(void *)&m;
        ck_assert_int_eq(hlm_sampler_new(&s, &m, &p), all[i].want);
        ck_assert_ptr_null(s);
        ck_assert_int_eq(m.refs, 1);
    }
}
END_TEST

START_TEST(null_arguments)
{
    hlm_model m;
    fake_model_init(&m, 8);
    hlm_sampler *s = NULL;
    const float l[8] = {0};
    int32_t token;
    ck_assert_int_eq(hlm_sampler_new(NULL, &m, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_new(&s, NULL, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_fork(&s, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_accept(NULL, 0), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_new(&s, &m, NULL), HLM_OK); /* all defaults */
    ck_assert_int_eq(hlm_sampler_sample(NULL, l, &token), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_sample(s, NULL, &token), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_sample(s, l, NULL), HLM_E_ARG);
    ck_assert_int_eq(hlm_sampler_accept(s, 8), HLM_E_TOKEN);
    ck_assert_int_eq(hlm_sampler_accept(s, -1), HLM_E_TOKEN);
    hlm_sampler_free(NULL);
    end_of(s, &m);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const hlm_logit_bias bias = {.token = 1, .bias = 1};
    const hlm_sampler_params p = {
        .struct_size = sizeof p, .logit_bias = &bias, .n_logit_bias = 1, .repetition_penalty = 2, .temperature = 1};
    hlm_model m;
    fake_model_init(&m, 8);
    size_t k = 0;
    hlm_status st;
    do {
        hlm_sampler *s = NULL, *fork = NULL;
        m.allocs = 0;
        m.fail_at = ++k;
        st = hlm_sampler_new(&s, &m, &p);
        if (st == HLM_OK) st = hlm_sampler_accept(s, 3);
        if (st == HLM_OK) st = hlm_sampler_fork(&fork, s);
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
        hlm_sampler_free(fork);
        end_of(s, &m);
    } while (st != HLM_OK);
    ck_assert_uint_eq(k, 2 * 5 + 1); /* sampler, bias, candidates, counts, window, for both; then none fails */
}
END_TEST

START_TEST(sampling_allocates_nothing)
{
    float l[500];
    hlm_model m;
    fake_model_init(&m, 500);
    hlm_sampler *s = new_sampler(
        &m, &(hlm_sampler_params){.temperature = 1, .top_p = 0.9f, .typical_p = 0.9f, .presence_penalty = 1});
    fill_logits(l, 500, 9, 1);
    m.allocs = 0;
    for (int i = 0; i < 20; i++) sample(s, l);
    ck_assert_uint_eq(m.allocs, 0);
    end_of(s, &m);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        philox_published_vectors,
        philox_uniform_is_in_range,
        softmax_is_as_exact_as_stated,
        greedy_takes_the_lowest_of_equals,
        nan_and_infinity,
        stages_equal_the_reference,
        equal_logits_keep_the_lowest_ids,
        frequencies_follow_the_probabilities,
        bias_adds_and_forbids,
        penalties_equal_the_reference,
        forks_are_equal_and_independent,
        draws_are_the_same_everywhere,
        logits_are_not_changed,
        bad_parameters,
        null_arguments,
        every_allocation_may_fail,
        sampling_allocates_nothing,
    };
    return suite_run("sample", tests, sizeof tests / sizeof *tests);
}
