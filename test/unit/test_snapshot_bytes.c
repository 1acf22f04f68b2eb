/* Snapshots that are damaged, cut off or interrupted: refused whole, and nothing has changed. test_snapshot_bytes
 * FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "snapshot_help.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;

/* Small snapshots: of a Transformer, of a hybrid, and of one with a prefix. */
static const char *const models[] = {"tiny-llama.gguf", "falcon-h1-options", "hymba-options"};
enum { N_MODELS = sizeof models / sizeof *models };

/* A few tokens; with a mark and a log. */
static hlm_cache *short_text(const world *w)
{
    hlm_cache *c = NULL;
    const hlm_cache_params p = {.struct_size = sizeof p, .max_tokens = 40};
    OK(hlm_cache_new(&c, w->pool, &p));
    add(w, c, 2, NULL);
    OK(hlm_cache_mark(c));
    add(w, c, 1, NULL);
    return c;
}

static hlm_pool_params tiny_pool(void)
{
    return (hlm_pool_params){
        .struct_size = sizeof(hlm_pool_params), .page_tokens = 2, .mark_stride = -1, .mark_bytes = 1, .undo_tokens = 2};
}

static void refused_whole(const world *w, const void *data, size_t n)
{
    hlm_cache *d = (hlm_cache *)(uintptr_t)1;
    const uint64_t before = used(w);
    const hlm_status st = hlm_cache_load_memory(&d, w->pool, data, n, 0);
    ck_assert_msg(st == HLM_E_FORMAT || st == HLM_E_UNSUPPORTED, "%s", hlm_status_name(st));
    ck_assert_uint_gt(strlen(hlm_last_error()), 5);
    ck_assert_ptr_null(d);
    ck_assert_uint_eq(used(w), before);
}

START_TEST(every_byte)
{
    hlm_pool_params pp = tiny_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = short_text(&w), *d = NULL;
    const bytes b = saved(c);
    for (size_t i = 0; i < b.n; i++) {
        const unsigned char was = b.data[i];
        b.data[i] = (unsigned char)(was ^ (i % 3 == 0 ? 0xFF : 1u << i % 8));
        refused_whole(&w, b.data, b.n);
        b.data[i] = was;
    }
    OK(hlm_cache_load_memory(&d, w.pool, b.data, b.n, 0));
    same_at(&w, c, &w, d, HLM_NOW);
    hlm_cache_free(d);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* Cut off at every length, in memory that ends there, and with something behind it. */
START_TEST(every_cut)
{
    hlm_pool_params pp = tiny_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = short_text(&w);
    const bytes b = saved(c);
    for (size_t n = 0; n < b.n; n++) {
        unsigned char *part = malloc(n ? n : 1);
        memcpy(part, b.data, n);
        refused_whole(&w, part, n);
        free(part);
    }
    unsigned char *more = calloc(b.n + 9, 1);
    memcpy(more, b.data, b.n);
    refused_whole(&w, more, b.n + 1);
    refused_whole(&w, more, b.n + 8);
    free(more);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* ---- callbacks ---- */

typedef struct pipe_end {
    bytes b;
    size_t at, calls, fail_at; /* fail_at: the call, from 1, that fails; 0: none */
    size_t most; /* bytes a call gives at most; 0: any */
    size_t lie; /* added to what it says it gave */
} pipe_end;

static int32_t write_part(void *user, const void *data, size_t n)
{
    pipe_end *p = user;
    if (++p->calls == p->fail_at) return 7;
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_le(n, p->b.n - p->at);
    memcpy(p->b.data + p->at, data, n);
    p->at += n;
    return 0;
}

static int32_t read_part(void *user, void *out, size_t cap, size_t *n)
{
    pipe_end *p = user;
    if (++p->calls == p->fail_at) return -3;
    ck_assert_uint_gt(cap, 0);
    *n = p->b.n - p->at < cap ? p->b.n - p->at : cap;
    if (p->most && *n > p->most) *n = p->most;
    memcpy(out, p->b.data + p->at, *n);
    p->at += *n;
    if (p->lie) *n = cap + p->lie;
    return 0;
}

/* The same bytes as in memory, in few parts; a writer that fails ends it. */
START_TEST(through_functions)
{
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    pipe_end to = {.b = {.data = malloc(b.n), .n = b.n}};
    const hlm_writer writer = {.struct_size = sizeof writer, .user = &to, .write = write_part};
    OK(hlm_cache_save_to(c, &writer));
    ck_assert_uint_eq(to.at, b.n);
    ck_assert_mem_eq(to.b.data, b.data, b.n);
    const size_t calls = to.calls;
    ck_assert_uint_le(calls, 1 + b.n / 4096);
    const uint64_t before = used(&w);
    for (size_t k = 1; k <= calls; k++) {
        to.at = to.calls = 0;
        to.fail_at = k;
        REFUSED(hlm_cache_save_to(c, &writer), HLM_E_IO);
        ck_assert_uint_eq(used(&w), before);
    }
    /* and back, a byte or a few at a time, inside something larger */
    pipe_end from = {.b = {.data = calloc(b.n + 100, 1), .n = b.n + 100}};
    memcpy(from.b.data, b.data, b.n);
    const hlm_reader reader = {.struct_size = sizeof reader, .user = &from, .read = read_part};
    static const size_t parts[] = {0, 1, 7, 1000};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        from.at = from.calls = 0;
        from.most = parts[i];
        OK(hlm_cache_load_from(&d, w.pool, &reader, 0));
        ck_assert_uint_eq(from.at, b.n);
        same_at(&w, c, &w, d, HLM_NOW);
        hlm_cache_free(d);
    }
    from.most = b.n / 20;
    for (size_t k = 1; k <= 20; k++) {
        from.at = from.calls = 0;
        from.fail_at = k;
        REFUSED(hlm_cache_load_from(&d, w.pool, &reader, 0), HLM_E_IO);
        ck_assert_ptr_null(d);
        ck_assert_uint_eq(used(&w), before);
    }
    from.fail_at = 0;
    for (size_t n = 0; n < b.n; n += 1 + b.n / 50) { /* it ends too early */
        from.at = from.calls = 0;
        from.b.n = n;
        REFUSED(hlm_cache_load_from(&d, w.pool, &reader, 0), HLM_E_FORMAT);
    }
    from.b.n = b.n;
    from.at = 0;
    from.lie = 1;
    REFUSED(hlm_cache_load_from(&d, w.pool, &reader, 0), HLM_E_IO);
    free(to.b.data);
    free(from.b.data);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* ---- files ---- */

static size_t files_in(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static bytes file_bytes(const char *path)
{
    FILE *f = fopen(path, "rb");
    bytes b = {0};
    ck_assert_ptr_nonnull(f);
    fseek(f, 0, SEEK_END);
    b.n = (size_t)ftell(f);
    b.data = malloc(b.n + 1);
    rewind(f);
    ck_assert_uint_eq(fread(b.data, 1, b.n, f), b.n);
    fclose(f);
    return b;
}

START_TEST(on_disk)
{
    char dir[] = "/tmp/hlm-snapshot-XXXXXX", path[100], bad[120];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/text", dir);
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w), *d = NULL;
    const bytes b = saved(c);
    REFUSED(hlm_cache_load(&d, w.pool, path, 0), HLM_E_IO);
    OK(hlm_cache_save(c, path));
    OK(hlm_cache_save(c, path)); /* over the first */
    ck_assert_uint_eq(files_in(dir), 1);
    const bytes f = file_bytes(path);
    ck_assert_uint_eq(f.n, b.n);
    ck_assert_mem_eq(f.data, b.data, b.n);
    OK(hlm_cache_load(&d, w.pool, path, 0));
    same_at(&w, c, &w, d, HLM_NOW);
    hlm_cache_free(d);
    for (size_t n = 0; n < b.n; n += 1 + b.n / 40) { /* cut off, and damaged */
        write_file(path, b.data, n);
        REFUSED(hlm_cache_load(&d, w.pool, path, 0), HLM_E_FORMAT);
        f.data[n] ^= 4;
        write_file(path, f.data, f.n);
        ck_assert_int_ne(hlm_cache_load(&d, w.pool, path, 0), HLM_OK);
        ck_assert_msg(strstr(hlm_last_error(), path) != NULL, "%s", hlm_last_error());
        f.data[n] ^= 4;
    }
    REFUSED(hlm_cache_save(c, dir), HLM_E_IO); /* a folder */
    REFUSED(hlm_cache_load(&d, w.pool, dir, 0), HLM_E_IO);
    snprintf(bad, sizeof bad, "%s/none/text", dir);
    REFUSED(hlm_cache_save(c, bad), HLM_E_IO);
    ck_assert_msg(strstr(hlm_last_error(), "no such folder") != NULL, "%s", hlm_last_error());
    ck_assert_uint_eq(files_in(dir), 1);
    unlink(path);
    rmdir(dir);
    free(f.data);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* The disk is full after n bytes, for every n that makes a difference: the old file is there, and nothing else. */
START_TEST(a_full_disk)
{
    char dir[] = "/tmp/hlm-snapshot-XXXXXX", path[100];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/text", dir);
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[_i], NULL, &pp);
    hlm_cache *c = told(&w);
    OK(hlm_cache_save(c, path));
    const bytes old = file_bytes(path);
    add(&w, c, 1, NULL);
    const bytes b = saved(c);
    struct rlimit was, limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t n = 0; n < b.n; n += 1 + b.n / 60) {
        limit = was;
        limit.rlim_cur = n;
        const int limited =
            setrlimit(RLIMIT_FSIZE, &limit); /* Check writes a file of its own: no assertions in between */
        const hlm_status st = hlm_cache_save(c, path);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was) | limited, 0);
        REFUSED(st, HLM_E_IO);
        ck_assert_msg(strstr(hlm_last_error(), "no room") != NULL, "%s", hlm_last_error());
        ck_assert_uint_eq(files_in(dir), 1);
        const bytes now = file_bytes(path);
        ck_assert_uint_eq(now.n, old.n);
        ck_assert_mem_eq(now.data, old.data, old.n);
        free(now.data);
    }
    OK(hlm_cache_save(c, path));
    unlink(path);
    rmdir(dir);
    free(old.data);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

/* What others have left beside the path, or put there. */
START_TEST(beside_the_path)
{
    char dir[] = "/tmp/hlm-snapshot-XXXXXX", path[100], beside[120], other[120];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/text", dir);
    snprintf(beside, sizeof beside, "%s.saving0", path);
    snprintf(other, sizeof other, "%s/other", dir);
    hlm_pool_params pp = small_pool();
    world w = open_world(folder, models[0], NULL, &pp);
    hlm_cache *c = told(&w);
    const bytes b = saved(c);
    /* a killed process's, longer than what is written now: used again */
    unsigned char *junk = calloc(3, b.n);
    write_file(beside, junk, 3 * b.n);
    OK(hlm_cache_save(c, path));
    bytes f = file_bytes(path);
    ck_assert_uint_eq(f.n, b.n);
    ck_assert_mem_eq(f.data, b.data, b.n);
    free(f.data);
    ck_assert_uint_eq(files_in(dir), 1);
    /* a link to a file of somebody else's: not followed */
    write_file(other, "mine", 4);
    ck_assert_int_eq(symlink(other, beside), 0);
    OK(hlm_cache_save(c, path));
    f = file_bytes(other);
    ck_assert_uint_eq(f.n, 4);
    free(f.data);
    unlink(beside);
    ck_assert_int_eq(link(other, beside), 0); /* under two names */
    OK(hlm_cache_save(c, path));
    f = file_bytes(other);
    ck_assert_uint_eq(f.n, 4);
    free(f.data);
    unlink(beside);
    unlink(other);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
    free(junk);
    free(b.data);
    hlm_cache_free(c);
    close_world(&w);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    folder = argv[1];
    const int n = argc > 2 ? atoi(argv[2]) : N_MODELS; /* the first n models, where the CPU is emulated */
    TCase *t = tcase_create("snapshot_bytes");
    tcase_add_loop_test(t, every_byte, 0, n);
    tcase_add_loop_test(t, every_cut, 0, n);
    tcase_add_loop_test(t, through_functions, 0, n);
    tcase_add_loop_test(t, on_disk, 0, n);
    tcase_add_loop_test(t, a_full_disk, 0, n);
    tcase_add_test(t, beside_the_path);
    return api_main("snapshot_bytes", t);
}
