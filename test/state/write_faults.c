/* write_faults MODEL: every call to the system that writes, while a snapshot or a prefix cache is saved, fails once.
 * What was in the folder before is then there, byte for byte, and nothing else; the same save then succeeds. The calls
 * are the program's own, which the library finds before the C library's. */
#define _GNU_SOURCE 1
#undef _FILE_OFFSET_BITS
#include <hybridlm/hybridlm.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 64, PATH = 400, TOKENS = 60 };

/* ---- calls that fail ---- */

static struct {
    bool armed, for_good; /* for_good: all after the first fail, too */
    size_t at, calls; /* the call that fails, from 1 */
    int error;
    bool failed, folder_synced; /* a call failed; the one that brings the folder to the disk */
} faults;

static bool fails(void)
{
    if (!faults.armed) return false;
    const size_t n = ++faults.calls;
    if (n != faults.at && !(faults.for_good && n > faults.at)) return false;
    faults.failed = true;
    errno = faults.error;
    return true;
}

static int open_at(const char *path, int flags, mode_t mode)
{
    if (strcmp(path, "/") != 0 && fails()) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(path, flags, mode);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return fails() ? -1 : syscall(SYS_write, fd, p, n);
}

int fsync(int fd)
{
    struct stat sb;
    if (fails()) {
        if (fstat(fd, &sb) == 0 && S_ISDIR(sb.st_mode)) faults.folder_synced = true;
        return -1;
    }
    return 0; /* the disk is not what is tested */
}

int rename(const char *from, const char *to)
{
    return fails() ? -1 : (int)syscall(SYS_rename, from, to);
}

int mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

/* ---- what is in a folder ---- */

typedef struct content {
    char name[80];
    unsigned char *data;
    size_t n;
} content;

typedef struct listing {
    bool there;
    content files[FILES];
    size_t n;
} listing;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const content *)a)->name, ((const content *)b)->name);
}

static void look(listing *l, const char *folder)
{
    DIR *d = opendir(folder);
    *l = (listing){.there = d != NULL};
    for (const struct dirent *e; d && l->n < FILES && (e = readdir(d));) {
        char path[PATH];
        struct stat sb;
        if (e->d_name[0] == '.') continue;
        content *c = &l->files[l->n++];
        snprintf(c->name, sizeof c->name, "%.79s", e->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f || fstat(fileno(f), &sb) != 0) exit(3);
        c->data = malloc((size_t)sb.st_size + 1);
        c->n = fread(c->data, 1, (size_t)sb.st_size, f);
        fclose(f);
    }
    if (d) closedir(d);
    qsort(l->files, l->n, sizeof *l->files, by_name);
}

static void forget(listing *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->files[i].data);
    l->n = 0;
}

static bool same(const listing *a, const listing *b)
{
    if (a->there != b->there || a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->files[i].name, b->files[i].name) != 0 || a->files[i].n != b->files[i].n ||
            memcmp(a->files[i].data, b->files[i].data, a->files[i].n) != 0)
            return false;
    return true;
}

/* The folder as it was. */
static void put_back(const listing *l, const char *folder)
{
    listing now;
    char path[PATH];
    look(&now, folder);
    for (size_t i = 0; i < now.n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, now.files[i].name);
        unlink(path);
    }
    forget(&now);
    if (!l->there) rmdir(folder);
    else syscall(SYS_mkdir, folder, 0755);
    for (size_t i = 0; i < l->n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, l->files[i].name);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(l->files[i].data, 1, l->files[i].n, f) != l->files[i].n || fclose(f) != 0) exit(3);
    }
}

/* ---- the scenarios ---- */

typedef struct world {
    hlm_model *model;
    hlm_pool *pool, *other;
    hlm_cache *a, *b;
    char folder[64], path[80];
} world;

static hlm_status save_file(world *w)
{
    return hlm_cache_save(w->b, w->path);
}

static hlm_status save_texts(world *w)
{
    return hlm_prefix_save(w->pool, w->folder);
}

static hlm_status load_file(world *w)
{
    hlm_cache *c = NULL;
    const hlm_status st = hlm_cache_load(&c, w->pool, w->path, 0);
    hlm_cache_free(c);
    return st;
}

static hlm_status load_texts(world *w)
{
    size_t refused = 0;
    const hlm_status st = hlm_prefix_load(w->other, w->folder, 0, &refused);
    return st == HLM_OK && refused ? HLM_E_FORMAT : st;
}

static hlm_status old_file(world *w)
{
    return hlm_cache_save(w->a, w->path);
}

static hlm_status old_texts(world *w)
{
    hlm_status st = hlm_prefix_clear(w->pool);
    if (st == HLM_OK) st = hlm_prefix_add(w->a);
    if (st == HLM_OK) st = hlm_prefix_save(w->pool, w->folder);
    if (st == HLM_OK) st = hlm_prefix_add(w->b);
    return st;
}

static hlm_status damaged_texts(world *w)
{
    char path[PATH];
    const hlm_status st = old_texts(w);
    snprintf(path, sizeof path, "%s/texts.index", w->folder);
    return st == HLM_OK && truncate(path, 9) != 0 ? HLM_E_IO : st;
}

static const struct {
    const char *name;
    hlm_status (*before)(world *w), (*save)(world *w), (*load)(world *w);
    bool folder; /* is there beforehand */
    bool one; /* a single file: it is replaced, though its folder may not reach the disk */
    bool lost; /* what was there is nothing that could be put back */
} scenarios[] = {
    {"a new snapshot", NULL, save_file, load_file, true, true, false},
    {"over a snapshot", old_file, save_file, load_file, true, true, false},
    {"a new prefix cache", NULL, save_texts, load_texts, false, false, false},
    {"in an empty folder", NULL, save_texts, load_texts, true, false, false},
    {"over a prefix cache", old_texts, save_texts, load_texts, true, false, false},
    {"over a damaged one", damaged_texts, save_texts, load_texts, true, false, true},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* One save in which call k fails; *ended: there are not so many. */
static bool run_with(world *w, size_t which, size_t k, bool for_good, const listing *before, bool *ended)
{
    listing now;
    faults.armed = true;
    faults.for_good = for_good;
    faults.at = k;
    faults.calls = 0;
    faults.error = k % 2 ? EIO : ENOSPC;
    faults.failed = faults.folder_synced = false;
    const hlm_status st = scenarios[which].save(w);
    faults.armed = false;
    *ended = !faults.failed;
    look(&now, w->folder);
    bool ok;
    /* the last call failed: the new one is there, whole */
    const bool replaced = faults.folder_synced || for_good;
    const bool may_stay = replaced && (scenarios[which].one ? now.n == 1 : for_good || scenarios[which].lost);
    if (st == HLM_OK) ok = scenarios[which].load(w) == HLM_OK;
    else ok = st == HLM_E_IO && (same(&now, before) || (may_stay && scenarios[which].load(w) == HLM_OK));
    for (size_t i = 0; i < now.n; i++) ok = ok && strstr(now.files[i].name, ".saving") == NULL;
    if (!ok)
        printf("%s, call %zu fails%s: %s, %zu files, were %zu (%s)\n", scenarios[which].name, k,
               for_good ? " and all after it" : "", hlm_status_name(st), now.n, before->n, hlm_last_error());
    forget(&now);
    put_back(before, w->folder);
    if (ok && scenarios[which].save(w) != HLM_OK) {
        printf("%s, after call %zu: %s\n", scenarios[which].name, k, hlm_last_error());
        ok = false;
    }
    put_back(before, w->folder);
    return ok;
}

static unsigned run_scenario(world *w, size_t which, unsigned *failed)
{
    unsigned passed = 0;
    listing before;
    const listing nothing = {.there = scenarios[which].folder};
    put_back(&nothing, w->folder);
    if (scenarios[which].before && scenarios[which].before(w) != HLM_OK) {
        printf("%s: %s\n", scenarios[which].name, hlm_last_error());
        ++*failed;
        return 0;
    }
    look(&before, w->folder);
    for (int for_good = 0; for_good < 2; for_good++) {
        bool ended = false;
        for (size_t k = 1; !ended; k++) {
            if (run_with(w, which, k, for_good, &before, &ended)) passed++;
            else ++*failed;
        }
    }
    forget(&before);
    return passed;
}

static hlm_status tell(hlm_context *ctx, hlm_pool *pool, hlm_cache **out, int32_t first, size_t n)
{
    int32_t ids[TOKENS];
    hlm_status st = hlm_cache_new(out, pool, NULL);
    for (size_t i = 0; i < n; i++) ids[i] = first + (int32_t)(i % 50);
    const hlm_step one = {.struct_size = sizeof one, .cache = *out, .tokens = ids, .n_tokens = n};
    const hlm_step *const steps[] = {&one};
    return st == HLM_OK ? hlm_decode_step(ctx, steps, 1) : st;
}

static hlm_status open_world(world *w, const char *path)
{
    hlm_context *ctx = NULL;
    hlm_status st = hlm_model_load(&w->model, path, NULL);
    if (st == HLM_OK) st = hlm_pool_new(&w->pool, w->model, NULL);
    if (st == HLM_OK) st = hlm_pool_new(&w->other, w->model, NULL);
    const hlm_ctx_params cp = {.struct_size = sizeof cp, .n_threads = 1, .pool = w->pool};
    if (st == HLM_OK) st = hlm_ctx_new(&ctx, w->model, &cp);
    if (st == HLM_OK) st = tell(ctx, w->pool, &w->a, 3, TOKENS);
    if (st == HLM_OK) st = tell(ctx, w->pool, &w->b, 90, 40);
    if (st == HLM_OK) st = hlm_prefix_add(w->a);
    if (st == HLM_OK) st = hlm_prefix_add(w->b);
    hlm_ctx_free(ctx);
    strcpy(w->folder, "/tmp/hlm-write-XXXXXX");
    if (!mkdtemp(w->folder)) st = HLM_E_IO;
    snprintf(w->path, sizeof w->path, "%s/text", w->folder);
    return st;
}

int main(int argc, char **argv)
{
    world w = {.model = NULL};
    unsigned passed = 0, failed = 0;
    if (argc != 2) return 2;
    if (open_world(&w, argv[1]) == HLM_OK)
        for (size_t i = 0; i < SCENARIOS; i++) passed += run_scenario(&w, i, &failed);
    else printf("%s: %s\n", argv[1], hlm_last_error());
    const listing nothing = {.there = false};
    put_back(&nothing, w.folder);
    hlm_cache_free(w.a);
    hlm_cache_free(w.b);
    hlm_pool_release(w.pool);
    hlm_pool_release(w.other);
    hlm_model_release(w.model);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
