/* The prefix cache in a folder: what comes back is what was saved, stored once; damaged files and files of others are
 * left out. test_prefix_folder FOLDER, with the models of test/data/models. */
#define _GNU_SOURCE 1
#include "prefix_help.h"
#include "../calls.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char place[64];

/* Calls `each` with the path of every file of the place; how many there are. */
static size_t files(void (*each)(const char *path, void *user), void *user)
{
    size_t n = 0;
    char path[sizeof place + 300];
    DIR *d = opendir(place);
    const struct dirent *e;
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", place, e->d_name);
        if (each) each(path, user);
        n++;
    }
    if (d) closedir(d);
    return n;
}

static void remove_one(const char *path, void *user)
{
    (void)user;
    ck_assert_int_eq(unlink(path), 0);
}

static void begin_place(void)
{
    strcpy(place, "/tmp/hybridlm-prefix-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
    ck_assert_int_eq(rmdir(place), 0); /* hlm_prefix_save makes it */
}

static void end_place(void)
{
    files(remove_one, NULL);
    rmdir(place);
}

static void fill(world *w, size_t texts)
{
    for (size_t i = 0; i < texts; i++) {
        int32_t ids[LONG];
        hlm_cache *c = new_cache(w);
        const size_t n = random_text(w, ids);
        run_ids(w, c, ids, n, NULL);
        OK(hlm_prefix_add(c));
        hlm_cache_free(c);
    }
}

/* The two pools know the same beginnings. */
static void same_beginnings(world *a, world *b, size_t texts)
{
    for (size_t i = 0; i < texts; i++) {
        int32_t ids[LONG];
        size_t reused[2], pending[2];
        const size_t n = random_text(a, ids);
        hlm_cache *c = new_cache(a), *d = new_cache(b);
        OK(call_reuse(c, NULL, ids, n, &reused[0], &pending[0]));
        OK(call_reuse(d, NULL, ids, n, &reused[1], &pending[1]));
        ck_assert_msg(reused[0] == reused[1] && pending[0] == pending[1], "%zu - %zu, was %zu - %zu", reused[1],
                      pending[1], reused[0], pending[0]);
        if (i % 4 == 0) check_logits(b, d, ids, n, reused[1]);
        hlm_cache_free(c);
        hlm_cache_free(d);
    }
}

START_TEST(comes_back)
{
    for (size_t m = 0; m < n_names; m++) {
        world w, other;
        size_t refused = 9;
        begin_place();
        open_world(&w, names[m], 0, 0);
        fill(&w, TEXTS);
        OK(hlm_prefix_save(w.pool, place));
        const hlm_prefix_info was = info_of(&w);
        open_world(&other, names[m], 0, 0);
        OK(hlm_prefix_load(other.pool, place, 0, &refused));
        ck_assert_uint_eq(refused, 0);
        const hlm_prefix_info is = info_of(&other);
        ck_assert(is.tokens == was.tokens && is.states == was.states);
        ck_assert_uint_le(is.bytes, was.bytes); /* a text that was computed twice had two of some pages */
        same_beginnings(&w, &other, TEXTS);
        OK(hlm_prefix_load(other.pool, place, 0, NULL)); /* again: nothing new */
        ck_assert(info_of(&other).tokens == was.tokens && info_of(&other).bytes == is.bytes);
        close_world(&other);
        close_world(&w);
        end_place();
    }
}
END_TEST

static void add_size(const char *path, void *user)
{
    struct stat s;
    ck_assert_int_eq(stat(path, &s), 0);
    *(uint64_t *)user += (uint64_t)s.st_size;
}

/* Texts with a long beginning in common. */
START_TEST(beginnings_are_stored_once)
{
    enum { SAME = 400, BRANCHES = 8 };
    world w;
    int32_t ids[SAME + 4];
    uint64_t one = 0, all = 0;
    begin_place();
    open_world(&w, "jamba", 0, 0);
    for (size_t i = 0; i < SAME + 4; i++) ids[i] = (int32_t)(i % 250);
    for (int32_t b = 0; b < BRANCHES; b++) {
        size_t reused;
        hlm_cache *c = new_cache(&w);
        ids[SAME] = b;
        OK(call_reuse(c, NULL, ids, SAME + 4, &reused, NULL));
        run_ids(&w, c, ids + reused, SAME + 4 - reused, NULL);
        OK(hlm_prefix_add(c));
        hlm_cache_free(c);
        OK(hlm_prefix_save(w.pool, place));
        all = 0;
        ck_assert_uint_eq(files(add_size, &all), (size_t)b + 2);
        if (b == 0) one = all;
    }
    ck_assert_msg(all < 2 * one, "%llu bytes, one text %llu", (unsigned long long)all, (unsigned long long)one);
    OK(hlm_prefix_clear(w.pool));
    OK(hlm_prefix_save(w.pool, place));
    ck_assert_uint_eq(files(NULL, NULL), 1); /* the index: nothing */
    close_world(&w);
    end_place();
}
END_TEST

static void flip(const char *path, void *user)
{
    const size_t nth = *(size_t *)user;
    FILE *f = fopen(path, "r+b");
    struct stat s;
    ck_assert(f && stat(path, &s) == 0);
    if (strstr(path, ".text") && (size_t)s.st_ino % 3 == nth % 3) {
        const long at = (long)((nth * 7919u) % (size_t)s.st_size);
        fseek(f, at, SEEK_SET);
        const int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(byte ^ 0x10, f);
    }
    fclose(f);
}

START_TEST(damaged_files_are_left_out)
{
    world w;
    size_t some = 0;
    open_world(&w, "jamba", 0, 0);
    fill(&w, TEXTS / 2);
    for (size_t i = 0; i < 20; i++) {
        world other;
        size_t refused = 0;
        begin_place();
        OK(hlm_prefix_save(w.pool, place));
        files(flip, &i);
        open_world(&other, "jamba", 0, 0);
        OK(hlm_prefix_load(other.pool, place, 0, &refused));
        some += refused;
        for (size_t k = 0; k < 6; k++) {
            int32_t ids[LONG];
            size_t reused;
            const size_t n = random_text(&w, ids);
            hlm_cache *c = new_cache(&other);
            OK(call_reuse(c, NULL, ids, n, &reused, NULL));
            check_logits(&other, c, ids, n, reused);
            hlm_cache_free(c);
        }
        close_world(&other);
        end_place();
    }
    ck_assert_uint_gt(some, 20);
    close_world(&w);
}
END_TEST

START_TEST(others_are_refused)
{
    world w, other;
    size_t refused = 0;
    char path[128];
    begin_place();
    open_world(&w, "jamba", 0, 0);
    REFUSED(hlm_prefix_load(w.pool, place, 0, &refused), HLM_E_IO);
    REFUSED(hlm_prefix_load(w.pool, place, 2, &refused), HLM_E_UNSUPPORTED);
    REFUSED(hlm_prefix_load(w.pool, NULL, 0, &refused), HLM_E_ARG);
    REFUSED(hlm_prefix_load(NULL, place, 0, &refused), HLM_E_ARG);
    REFUSED(hlm_prefix_save(w.pool, NULL), HLM_E_ARG);
    REFUSED(hlm_prefix_save(NULL, place), HLM_E_ARG);
    REFUSED(hlm_prefix_save(w.pool, "/nowhere/at/all"), HLM_E_IO);
    fill(&w, 10);
    OK(hlm_prefix_save(w.pool, place));
    open_world(&other, "llama3", 0, 0);
    OK(hlm_prefix_load(other.pool, place, 0, &refused));
    ck_assert(refused == files(NULL, NULL) - 1 && info_of(&other).tokens == 0);
    close_world(&other);
    snprintf(path, sizeof path, "%s/texts.index", place);
    ck_assert_int_eq(truncate(path, 20), 0);
    REFUSED(hlm_prefix_load(w.pool, place, 0, &refused), HLM_E_FORMAT);
    OK(hlm_prefix_save(w.pool, place)); /* beside what nobody names any more */
    OK(hlm_prefix_load(w.pool, place, 0, &refused));
    ck_assert_uint_eq(refused, 0);
    close_world(&w);
    end_place();
}
END_TEST

START_TEST(budget_of_the_loading_pool)
{
    world w, other;
    size_t refused = 9;
    begin_place();
    open_world(&w, "qwen3-next", 0, 0);
    fill(&w, TEXTS);
    OK(hlm_prefix_save(w.pool, place));
    open_world(&other, "qwen3-next", info_of(&w).bytes / 4, 0);
    OK(hlm_prefix_load(other.pool, place, 0, &refused));
    ck_assert(info_of(&other).bytes <= info_of(&w).bytes / 4 && info_of(&other).tokens > 0);
    close_world(&other);
    close_world(&w);
    end_place();
}
END_TEST

START_TEST(failing_memory)
{
    world w, other;
    begin_place();
    open_world(&w, "jamba", 0, 0);
    open_world(&other, "jamba", 0, 0);
    fill(&w, 8);
    hlm_status st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        w.count.fail_at = atomic_load(&w.count.calls) + k;
        st = hlm_prefix_save(w.pool, place);
        w.count.fail_at = 0;
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
    }
    st = HLM_E_NOMEM;
    for (size_t k = 1; st != HLM_OK; k++) {
        OK(hlm_prefix_clear(other.pool));
        other.count.fail_at = atomic_load(&other.count.calls) + k;
        st = hlm_prefix_load(other.pool, place, 0, NULL);
        other.count.fail_at = 0;
        ck_assert(st == HLM_OK || st == HLM_E_NOMEM);
    }
    same_beginnings(&w, &other, 10);
    close_world(&other);
    close_world(&w);
    end_place();
}
END_TEST

int main(int argc, char **argv)
{
    if (!read_arguments(argc, argv)) return 2;
    TCase *t = tcase_create("prefix folder");
    tcase_add_test(t, comes_back);
    tcase_add_test(t, beginnings_are_stored_once);
    tcase_add_test(t, damaged_files_are_left_out);
    tcase_add_test(t, others_are_refused);
    tcase_add_test(t, budget_of_the_loading_pool);
    tcase_add_test(t, failing_memory);
    return api_main("prefix_folder", t);
}
