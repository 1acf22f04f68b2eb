/* What `hybridlm bench state` measures of snapshots: in memory beside memcpy of as many bytes, on the disk beside plain
 * writes with fsync and plain reads, each taken in turns. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_state.h"

enum { TAKES = 7 /* always: disks, and memory that was never touched, give wide ranges */ };

/* A snapshot, and room to copy it. */
typedef struct room {
    uint8_t *data, *copy;
    size_t n;
} room;

static hlm_status open_room(const cli_bench_state *b, room *r)
{
    const hlm_status st = hlm_cache_save_memory(b->s.cache, NULL, 0, &r->n);
    if (st != HLM_E_SPACE) return st;
    r->data = cli_alloc(r->n, 1);
    r->copy = cli_alloc(r->n, 1);
    memset(r->copy, 1, r->n);
    return hlm_cache_save_memory(b->s.cache, r->data, r->n, &r->n);
}

/* ---- in memory ----------------------------------------------------------------------- */

static double copy_seconds(const room *r)
{
    const double start = cli_seconds();
    memcpy(r->copy, r->data, r->n);
    return cli_seconds() - start;
}

static hlm_status in_memory(cli_bench_state *b, const room *r)
{
    cli_takes save = {.n = 0}, load = {.n = 0}, restore = {.n = 0};
    hlm_status st = HLM_OK;
    for (cli_repeats turn = {.most = TAKES, .least = TAKES}; st == HLM_OK && cli_again(&turn);) {
        hlm_cache *c = NULL, *warm = NULL;
        size_t n;
        const double plain = copy_seconds(r), start = cli_seconds();
        st = hlm_cache_save_memory(b->s.cache, r->copy, r->n, &n);
        const double saved = cli_seconds();
        if (st == HLM_OK) st = hlm_cache_load_memory(&c, b->s.pool, r->copy, r->n, 0);
        const double loaded = cli_seconds();
        if (st == HLM_OK) st = cli_bench_step(b, b->s.ctx, c, 1);
        const double run = cli_seconds();
        if (st == HLM_OK) st = hlm_cache_fork(&warm, b->s.cache, HLM_NOW);
        if (st == HLM_OK) st = cli_bench_step(b, b->s.ctx, warm, 1);
        cli_take(&save, plain / (saved - start));
        cli_take(&load, plain / (loaded - saved));
        cli_take(&restore, (run - saved) / (cli_seconds() - run));
        hlm_cache_free(warm);
        hlm_cache_free(c);
    }
    cli_figure_add(b, "snapshot", "MB", (double)r->n * 1e-6, CLI_NO_GOAL, 0);
    cli_figure_add(b, "save to memory", "of memcpy", cli_median(&save), CLI_AT_LEAST, 0.7);
    cli_figure_add(b, "load from memory", "of memcpy", cli_median(&load), CLI_AT_LEAST, 0.7);
    cli_figure_add(b, "load from memory and a step", "steps", cli_median(&restore), CLI_AT_MOST, 2);
    return st;
}

/* ---- on the disk ------------------------------------------------------------------------- */

/* Seconds to write the bytes and have them on the disk, or less than 0. */
static double write_seconds(const room *r, const char *path)
{
    const double start = cli_seconds();
    const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (file < 0) return -1;
    bool ok = true;
    for (size_t at = 0; at < r->n && ok;) {
        const ssize_t m = write(file, r->data + at, r->n - at);
        ok = m > 0;
        at += ok ? (size_t)m : 0;
    }
    ok = ok && fsync(file) == 0;
    ok = close(file) == 0 && ok;
    return ok ? cli_seconds() - start : -1;
}

static double read_seconds(const room *r, const char *path)
{
    const double start = cli_seconds();
    const int file = open(path, O_RDONLY);
    if (file < 0) return -1;
    size_t at = 0;
    for (ssize_t m = 1; m > 0 && at<r->n; at += m> 0 ? (size_t)m : 0) m = read(file, r->copy + at, r->n - at);
    close(file);
    return at == r->n ? cli_seconds() - start : -1;
}

static hlm_status on_disk(cli_bench_state *b, const room *r)
{
    cli_takes save = {.n = 0}, load = {.n = 0}, disk = {.n = 0};
    char path[4096];
    hlm_status st = HLM_OK;
    snprintf(path, sizeof path, "%s/hybridlm-bench-state.%ld", b->s.o->folder, (long)getpid());
    for (cli_repeats turn = {.most = TAKES, .least = TAKES}; st == HLM_OK && cli_again(&turn);) {
        hlm_cache *c = NULL;
        const double plain = write_seconds(r, path), start = cli_seconds();
        st = hlm_cache_save(b->s.cache, path);
        const double saved = cli_seconds() - start, plain_read = read_seconds(r, path), again = cli_seconds();
        if (st == HLM_OK) st = hlm_cache_load(&c, b->s.pool, path, 0);
        const double loaded = cli_seconds() - again;
        hlm_cache_free(c);
        if (plain < 0 || plain_read < 0) continue;
        cli_take(&disk, (double)r->n * 1e-6 / plain);
        cli_take(&save, plain / saved);
        cli_take(&load, plain_read / loaded);
    }
    unlink(path);
    cli_figure_add(b, "plain write with fsync", "MB/s", cli_median(&disk), CLI_NO_GOAL, 0);
    cli_figure_add(b, "save to disk", "of plain write", cli_median(&save), CLI_AT_LEAST, 0.7);
    cli_figure_add(b, "load from disk (its pages in memory)", "of plain read", cli_median(&load), CLI_AT_LEAST, 0.7);
    return st;
}

hlm_status cli_bench_snapshots(cli_bench_state *b)
{
    room r = {.n = 0};
    hlm_status st = open_room(b, &r);
    if (st == HLM_OK) st = in_memory(b, &r);
    if (st == HLM_OK) st = on_disk(b, &r);
    free(r.data);
    free(r.copy);
    return st;
}
