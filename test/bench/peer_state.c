/* peer_state MODEL.gguf THREADS N[,N...]: what `hybridlm bench state` measures, done with llama.cpp's calls, as far as
 * it has any. Built by peer_state.sh only. A line is "tokens what value unit"; what is refused is said, and what comes
 * out of a fork or a rewind is compared with the logits of a sequence that was fed the same tokens. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <llama.h>

enum { CHUNK = 512, ROOM = 256, SEQUENCES = 20, TAKES = 7, UNDO = 8, QUICK = 51 };

/* Sequences: the text, a fork of it, a kept copy, a fresh one, and the text to go back to between measurements. */
enum { TEXT, FORK, KEPT, FRESH, WHOLE };

typedef struct peer {
    struct llama_model *model;
    struct llama_context *ctx;
    llama_memory_t memory;
    struct llama_batch batch;
    int32_t n_vocab, n; /* n: tokens of TEXT */
    float *want;
} peer;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n ? v[n / 2] : 0;
}

static void line(const peer *p, const char *what, double value, const char *unit)
{
    if (isnan(value)) printf("%8d  %-36s failed\n", p->n, what);
    else printf("%8d  %-36s %10.3f %s\n", p->n, what, value, unit);
    fflush(stdout);
}

static void say(const peer *p, const char *what, const char *text)
{
    printf("%8d  %-36s %s\n", p->n, what, text);
    fflush(stdout);
}

static llama_token token(const peer *p, int32_t at)
{
    return (llama_token)(((uint32_t)at * 2654435761u >> 8) % (uint32_t)p->n_vocab);
}

/* Tokens [from, to) of a sequence; false when llama.cpp refuses. */
static bool run(peer *p, int32_t seq, int32_t from, int32_t to)
{
    for (int32_t at = from; at < to;) {
        const int32_t m = to - at < CHUNK ? to - at : CHUNK;
        p->batch.n_tokens = m;
        for (int32_t i = 0; i < m; i++) {
            p->batch.token[i] = token(p, at + i);
            p->batch.pos[i] = at + i;
            p->batch.n_seq_id[i] = 1;
            p->batch.seq_id[i][0] = seq;
            p->batch.logits[i] = i == m - 1;
        }
        if (llama_decode(p->ctx, p->batch) != 0) return false;
        at += m;
    }
    llama_synchronize(p->ctx);
    return true;
}

static double timed(peer *p, int32_t seq, int32_t at)
{
    const double start = now();
    return run(p, seq, at, at + 1) ? now() - start : NAN;
}

static bool drop(peer *p, int32_t seq, int32_t from)
{
    return llama_memory_seq_rm(p->memory, seq, from, -1);
}

/* TEXT becomes what was kept of it. */
static void restore(peer *p, int32_t kept)
{
    drop(p, TEXT, -1);
    llama_memory_seq_cp(p->memory, kept, TEXT, -1, -1);
}

/* Are the logits of the latest step those of `want`? */
static void compare(const peer *p, const char *what)
{
    const float *got = llama_get_logits_ith(p->ctx, -1);
    double most = 0, largest = 0;
    for (int32_t i = 0; i < p->n_vocab; i++) {
        most = fmax(most, fabs((double)got[i] - (double)p->want[i]));
        largest = fmax(largest, fabs((double)p->want[i]));
    }
    char text[96];
    if (memcmp(got, p->want, (size_t)p->n_vocab * sizeof *got) == 0) snprintf(text, sizeof text, "same logits");
    else snprintf(text, sizeof text, "other logits: off by up to %.2g of %.2g", most, largest);
    say(p, what, text);
}

static void keep_logits(peer *p)
{
    memcpy(p->want, llama_get_logits_ith(p->ctx, -1), (size_t)p->n_vocab * sizeof *p->want);
}

/* ---- what is measured ------------------------------------------------------------ */

static void forks(peer *p)
{
    double us[QUICK], plain[TAKES], first[TAKES];
    for (int i = 0; i < QUICK; i++) {
        const double start = now();
        llama_memory_seq_cp(p->memory, TEXT, FORK, -1, -1);
        us[i] = (now() - start) * 1e6;
        drop(p, FORK, -1);
    }
    line(p, "fork", median(us, QUICK), "us");
    int32_t at = p->n;
    for (int i = 0; i < TAKES; i++, at++) {
        llama_memory_seq_cp(p->memory, TEXT, FORK, -1, -1);
        plain[i] = timed(p, TEXT, at);
        keep_logits(p);
        first[i] = timed(p, FORK, at) / plain[i];
        if (i == 0) compare(p, "logits of a fork");
        drop(p, FORK, -1);
    }
    line(p, "plain step", median(plain, TAKES) * 1e3, "ms");
    line(p, "first step after a fork", median(first, TAKES), "steps");
}

/* A fork at an earlier position, and whether it is one. */
static void fork_earlier(peer *p)
{
    const int32_t half = p->n / 2;
    llama_memory_seq_cp(p->memory, TEXT, FORK, -1, half);
    if (llama_memory_seq_pos_max(p->memory, FORK) != half - 1) {
        say(p, "fork at half of it", "refused (the copy has another end)");
    } else if (!run(p, FORK, half, half + 1)) {
        say(p, "fork at half of it", "refused (by the next step)");
    } else if (p->n <= 1024) {
        float *got = malloc((size_t)p->n_vocab * sizeof *got);
        memcpy(got, llama_get_logits_ith(p->ctx, -1), (size_t)p->n_vocab * sizeof *got);
        run(p, FRESH, 0, half + 1);
        memcpy(p->want, got, (size_t)p->n_vocab * sizeof *got);
        compare(p, "fork at half of it, then a step");
        free(got);
    } else {
        say(p, "fork at half of it", "done");
    }
    drop(p, FORK, -1);
    drop(p, FRESH, -1);
}

static void undo(peer *p, int32_t at)
{
    double us[TAKES], added[TAKES];
    for (int i = 0; i < TAKES; i++) {
        double step = 0;
        for (int32_t k = 0; k < UNDO; k++) {
            step = timed(p, TEXT, at + k);
            if (i == 0 && k == 0) keep_logits(p);
        }
        const double start = now();
        if (!drop(p, TEXT, at)) {
            say(p, "rewind by 8 tokens", "refused");
            return;
        }
        us[i] = (now() - start) * 1e6;
        const double next = timed(p, TEXT, at);
        if (i == 0) compare(p, "logits after a rewind by 8 tokens");
        added[i] = (next + us[i] * 1e-6 - step) / step;
        drop(p, TEXT, at);
    }
    line(p, "rewind by 8 tokens", median(us, TAKES), "us");
    line(p, "what it adds to the next step", median(added, TAKES), "steps");
}

/* A mark as a copy under another number: taking it, and going back to it. */
static void marks(peer *p, int32_t at)
{
    double us[TAKES], next[TAKES];
    llama_memory_seq_cp(p->memory, TEXT, KEPT, -1, -1);
    for (int i = 0; i < TAKES; i++) {
        const double step = timed(p, TEXT, at);
        if (i == 0) keep_logits(p);
        const double start = now();
        restore(p, KEPT);
        us[i] = (now() - start) * 1e6;
        next[i] = timed(p, TEXT, at) / step;
        if (i == 0) compare(p, "logits after going back to a copy");
        restore(p, KEPT);
    }
    drop(p, KEPT, -1);
    line(p, "back to a kept copy", median(us, TAKES), "us");
    line(p, "first step after it", median(next, TAKES), "steps");
}

static double write_plain(const void *data, size_t n, const char *path)
{
    const double start = now();
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    for (size_t at = 0; file >= 0 && at < n;) {
        const ssize_t m = write(file, (const char *)data + at, n - at);
        if (m <= 0) break;
        at += (size_t)m;
    }
    if (file < 0 || fsync(file) != 0 || close(file) != 0) return NAN;
    return now() - start;
}

/* TEXT goes on from `at`, where WHOLE ends. */
static void snapshots(peer *p, int32_t at)
{
    const char *path = "peer_state.tmp";
    const size_t size = llama_state_seq_get_size(p->ctx, TEXT);
    uint8_t *data = malloc(size), *copy = malloc(size);
    if (!data || !copy) exit(1);
    memset(data, 1, size);
    memset(copy, 1, size);
    double save[TAKES], load[TAKES], plain[TAKES], warm[TAKES], restored[TAKES];
    for (int i = 0; i < TAKES; i++) {
        double start = now();
        llama_state_seq_get_data(p->ctx, data, size, TEXT);
        save[i] = now() - start;
        start = now();
        memcpy(copy, data, size);
        plain[i] = now() - start;
        drop(p, FORK, -1);
        start = now();
        if (llama_state_seq_set_data(p->ctx, data, size, FORK) == 0) say(p, "load from memory", "refused");
        load[i] = now() - start;
        restored[i] = load[i] + timed(p, FORK, at);
        warm[i] = timed(p, TEXT, at);
        restored[i] /= warm[i];
        restore(p, WHOLE); /* loading it once more would take cells for a third sequence */
    }
    const double m = median(plain, TAKES);
    line(p, "snapshot", (double)size * 1e-6, "MB");
    line(p, "save to memory", m / median(save, TAKES), "of memcpy's speed");
    line(p, "load from memory", m / median(load, TAKES), "of memcpy's speed");
    line(p, "load and a step", median(restored, TAKES), "steps");
    double start = now();
    llama_state_seq_save_file(p->ctx, path, TEXT, NULL, 0);
    const int file = open(path, O_RDONLY);
    fsync(file); /* llama.cpp leaves it to the system */
    close(file);
    const double saved = now() - start;
    line(p, "save to disk, with fsync", write_plain(data, size, path) / saved, "of the disk's speed");
    unlink(path);
    drop(p, FORK, -1);
    free(data);
    free(copy);
}

static bool open_peer(peer *p, const char *path, int32_t threads, int32_t longest)
{
    struct llama_model_params mp = llama_model_default_params();
    struct llama_context_params cp = llama_context_default_params();
    p->model = llama_model_load_from_file(path, mp);
    if (!p->model) return false;
    cp.n_ctx = (uint32_t)(2 * longest + 4 * ROOM);
    cp.n_batch = cp.n_ubatch = CHUNK;
    cp.n_seq_max = SEQUENCES;
    cp.n_threads = cp.n_threads_batch = threads;
    cp.kv_unified = true;
    p->ctx = llama_init_from_model(p->model, cp);
    if (!p->ctx) return false;
    p->memory = llama_get_memory(p->ctx);
    p->batch = llama_batch_init(CHUNK, 0, 1);
    p->n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(p->model));
    p->want = calloc((size_t)p->n_vocab, sizeof *p->want);
    return p->want != NULL;
}

static void quiet(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static bool measure(peer *p, int32_t n)
{
    if (!run(p, TEXT, p->n, n)) return false;
    p->n = n;
    llama_memory_seq_cp(p->memory, TEXT, WHOLE, -1, -1);
    timed(p, TEXT, n); /* warm */
    restore(p, WHOLE);
    forks(p);
    restore(p, WHOLE);
    fork_earlier(p);
    marks(p, n);
    snapshots(p, n);
    restore(p, WHOLE);
    undo(p, n);
    restore(p, WHOLE);
    return drop(p, WHOLE, -1);
}

static const char *next(const char *list)
{
    const char *comma = strchr(list, ',');
    return comma ? comma + 1 : NULL;
}

int main(int argc, char **argv)
{
    peer p = {.n = 0};
    int32_t longest = 0;
    if (argc != 4) return 2;
    for (const char *at = argv[3]; at; at = next(at)) longest = atoi(at);
    llama_log_set(quiet, NULL);
    llama_backend_init();
    bool ok = open_peer(&p, argv[1], atoi(argv[2]), longest);
    const double start = now();
    for (const char *at = argv[3]; at && ok; at = next(at)) ok = measure(&p, atoi(at));
    printf("%.0f s in all\n", now() - start);
    llama_batch_free(p.batch);
    llama_free(p.ctx);
    llama_model_free(p.model);
    free(p.want);
    return !ok;
}
