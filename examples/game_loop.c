/* Three characters think inside a game's loop: 60 frames a second, of which they get 4 ms. They are forks of one
 * prompt, and run in one step of three sequences, in slices that fit the frame. The memory, the threads and the files
 * are the game's (game/): an allocator that counts, a job system of two threads, and weights out of a pack file.
 *   cc game_loop.c game/?*.c $(pkg-config --cflags --libs hybridlm) -pthread -o game_loop
 *   ./game_loop pack game.pack MODEL.gguf && ./game_loop game.pack [FRAMES [MICROSECONDS]] */
#define _POSIX_C_SOURCE 200809L
#include <hybridlm/hybridlm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "game/game.h"

enum { CHARACTERS = 3, WORDS = 40, ROOM = 512, THREADS = 2, FRAME_US = 16667, BUDGET_US = 4000 };

static const char world[] =
    "You are a villager of Oakrest, a village by a dark forest. Answer in one short sentence.\n";
static const char *const lines[CHARACTERS] = {
    "The smith is asked about the sword, and says:", "The innkeeper is asked for news, and says:",
    "The child is asked what it saw in the forest, and says:"};

typedef struct character {
    hlm_cache *cache; /* a fork of the world */
    int32_t ids[ROOM]; /* the line, then what is said */
    size_t line, n, held; /* ids of the line; of all; that the cache holds */
    int silent;
} character;

typedef struct mind {
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *world;
    character who[CHARACTERS];
    float *logits; /* [CHARACTERS, vocab] */
    size_t vocab;
    int begun, words;
} mind;

/* What each character has not thought through yet: the line at first, then its last word. */
static hlm_status begin_step(mind *m)
{
    hlm_step s[CHARACTERS];
    const hlm_step *steps[CHARACTERS];
    size_t n = 0;
    for (size_t i = 0; i < CHARACTERS; i++) {
        const character *c = &m->who[i];
        s[i] = (hlm_step){.struct_size = sizeof *s,
                          .cache = c->cache,
                          .tokens = c->ids + c->held,
                          .n_tokens = c->n - c->held,
                          .logits = m->logits + i * m->vocab};
        if (!c->silent) steps[n++] = &s[i];
    }
    return hlm_step_begin(m->ctx, steps, n);
}

/* Each character's likeliest word. Who has no more to say is silent. */
static void take_words(mind *m)
{
    int speaking = 0;
    for (size_t i = 0; i < CHARACTERS; i++) {
        character *c = &m->who[i];
        const float *l = m->logits + i * m->vocab;
        size_t best = 0;
        if (c->silent) continue;
        for (size_t t = 1; t < m->vocab; t++)
            if (l[t] > l[best]) best = t;
        c->held = c->n;
        c->silent = hlm_model_token_ends(m->model, (int32_t)best);
        if (!c->silent) c->ids[c->n++] = (int32_t)best;
        speaking += !c->silent;
    }
    m->words = speaking ? m->words + 1 : WORDS;
}

/* What the characters do in a frame: think for at most `budget` us, wherever in a step that ends. */
static hlm_status think(mind *m, double budget)
{
    const double end = now_us() + budget;
    hlm_status st = HLM_OK;
    for (double left = budget; st == HLM_OK && left >= 1 && m->words < WORDS; left = end - now_us()) {
        int32_t done = 0;
        if (!m->begun) st = begin_step(m);
        if (st == HLM_OK) st = hlm_step_run(m->ctx, (uint64_t)left, &done);
        if (done) take_words(m);
        m->begun = st == HLM_OK && !done;
    }
    return st;
}

static hlm_status play(mind *m, jobs *j, size_t frames, double budget, double *us)
{
    hlm_status st = HLM_OK;
    for (size_t f = 0; f < frames && st == HLM_OK; f++) {
        const double begin = now_us();
        jobs_wake(j, 1);
        st = think(m, budget);
        jobs_wake(j, 0);
        us[f] = now_us() - begin;
        /* here the game would move and draw */
        const double rest = (double)FRAME_US - (now_us() - begin);
        if (rest > 0) nanosleep(&(struct timespec){.tv_nsec = (long)(rest * 1000)}, NULL);
    }
    return st;
}

/* While the level loads: the model, the world, and the characters in it. */
static hlm_status open_mind(mind *m, jobs *j, pack *files)
{
    const hlm_allocator memory = memory_allocator();
    const hlm_vfs vfs = pack_vfs(files);
    const hlm_executor executor = jobs_executor(j);
    const hlm_model_params mp = {.struct_size = sizeof mp, .vfs = &vfs, .allocator = &memory};
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = THREADS, .executor = &executor};
    const hlm_cache_params kp = {.struct_size = sizeof kp, .max_tokens = 2 * ROOM};
    hlm_model_info info = {.struct_size = sizeof info};
    int32_t ids[ROOM];
    hlm_step all = {.struct_size = sizeof all, .tokens = ids};
    const hlm_step *const steps[] = {&all};
    hlm_status st = hlm_model_load(&m->model, "model", &mp);
    if (st == HLM_OK) st = hlm_model_info_get(m->model, &info);
    if (st == HLM_OK) st = hlm_ctx_new(&m->ctx, m->model, &cp);
    if (st == HLM_OK) st = hlm_cache_new(&m->world, hlm_ctx_pool(m->ctx), &kp);
    if (st == HLM_OK)
        st = hlm_tokenize(m->model, world, strlen(world), HLM_TOKENIZE_ADD_SPECIAL, ids, ROOM, &all.n_tokens);
    all.cache = m->world;
    if (st == HLM_OK) st = hlm_decode_step(m->ctx, steps, 1);
    for (size_t i = 0; i < CHARACTERS && st == HLM_OK; i++) {
        character *c = &m->who[i];
        st = hlm_cache_fork(&c->cache, m->world, HLM_NOW);
        if (st == HLM_OK) st = hlm_tokenize(m->model, lines[i], strlen(lines[i]), 0, c->ids, ROOM - WORDS, &c->n);
        c->line = c->n;
    }
    m->vocab = (size_t)info.vocab_size;
    m->logits = calloc(CHARACTERS * m->vocab + 1, sizeof *m->logits);
    return m->logits ? st : HLM_E_NOMEM;
}

static void close_mind(mind *m)
{
    hlm_ctx_free(m->ctx); /* a step that has not ended is taken back */
    for (size_t i = 0; i < CHARACTERS; i++) hlm_cache_free(m->who[i].cache);
    hlm_cache_free(m->world);
    hlm_model_release(m->model);
    free(m->logits);
}

static void print_words(const mind *m)
{
    for (size_t i = 0; i < CHARACTERS; i++) {
        const character *c = &m->who[i];
        char text[4096];
        size_t line = 0, n = 0;
        hlm_status st = hlm_detokenize(m->model, c->ids, c->line, 0, text, sizeof text, &line);
        if (st == HLM_OK) st = hlm_detokenize(m->model, c->ids, c->n, 0, text, sizeof text, &n);
        if (st == HLM_OK && n >= line) /* what is said goes on behind the line */
            printf("%s%.*s\n", lines[i], (int)(n - line), text + line);
    }
}

/* The program's exit code. */
static int run_game(pack *files, jobs *j, size_t frames, double budget, double *us)
{
    static mind m;
    jobs_wake(j, 1);
    hlm_status st = open_mind(&m, j, files);
    jobs_wake(j, 0);
    const size_t before = memory_blocks();
    if (st == HLM_OK) st = play(&m, j, frames, budget, us);
    if (st != HLM_OK) fprintf(stderr, "game_loop: %s\n", hlm_last_error());
    if (st == HLM_OK) {
        print_words(&m);
        print_histogram(us, frames);
        printf("%d words; blocks of memory: %zu before, %zu after\n", m.words, before, memory_blocks());
    }
    close_mind(&m);
    if (memory_blocks()) fprintf(stderr, "game_loop: %zu blocks were not given back\n", memory_blocks());
    return st == HLM_OK && memory_blocks() == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "pack") == 0) {
        if (pack_make(argv[2], argv[3]) == 0) return 0;
        return fprintf(stderr, "game_loop: %s can not be packed into %s\n", argv[3], argv[2]), 1;
    }
    if (argc < 2 || argc > 4)
        return fprintf(stderr, "usage: game_loop PACK [FRAMES [MICROSECONDS]], or game_loop pack PACK MODEL\n"), 2;
    const size_t frames = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
    const double budget = argc > 3 ? atof(argv[3]) : (double)BUDGET_US;
    double *us = calloc(frames + 1, sizeof *us);
    pack *files = pack_map(argv[1]);
    jobs *j = jobs_start(THREADS);
    int code = 1;
    if (!files || frames == 0) fprintf(stderr, "game_loop: %s is no pack\n", argv[1]);
    else if (!us || !j) fprintf(stderr, "game_loop: no memory or threads\n");
    else code = run_game(files, j, frames, budget, us);
    jobs_stop(j);
    pack_unmap(files);
    free(us);
    return code;
}
