/* Memory that nobody has written gets its pages a few at a time, keeps its contents, and is touched nowhere else. */
#define _GNU_SOURCE 1
#include <string.h>
#ifdef __linux__
#  include <sys/mman.h>
#  include <unistd.h>
#endif

#include "base/fresh.h"
#include "base/os.h"
#include "unit/suite.h"

enum { PAGE = 4096, LARGE = 5 << 20 };

static void *callers_alloc(void *user, size_t size, size_t align)
{
    return hlmi_os_alloc(user, size, align);
}

/* Calls until it is done, when the time is over before it begins. */
static size_t calls_when_late(hlmi_fresh *f, void *block, const hlmi_mem *mem)
{
    size_t n = 1;
    while (!hlmi_fresh_touch(f, block, mem, 0)) n++;
    return n;
}

START_TEST(nothing_to_do)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_fresh none = {0}, empty = hlmi_fresh_block(0);
    ck_assert(hlmi_fresh_touch(&none, NULL, &mem, 0));
    ck_assert(hlmi_fresh_touch(&empty, NULL, &mem, 0));
}
END_TEST

START_TEST(in_time_it_is_one_call)
{
    const hlmi_mem mem = hlmi_mem_default();
    char *block = hlmi_alloc(&mem, LARGE);
    hlmi_fresh f = hlmi_fresh_block(LARGE);
    ck_assert(hlmi_fresh_touch(&f, block, &mem, UINT64_MAX));
    ck_assert_uint_eq(f.size, 0);
    hlmi_free(&mem, block);
}
END_TEST

/* Sizes around pages and batches of them; with the byte behind the block in somebody else's hands. */
START_TEST(contents_stay)
{
    const size_t sizes[] = {1, PAGE - 1, PAGE, PAGE + 1, 8 * PAGE, 8 * PAGE + 1, 100 * PAGE + 17, LARGE};
    hlmi_mem mems[] = {hlmi_mem_default(), hlmi_mem_default()};
    mems[1].alloc = callers_alloc;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t m = 0; m < 2; m++) {
            const size_t n = sizes[i];
            unsigned char *block = hlmi_alloc(&mems[m], n + 1);
            hlmi_fresh f = hlmi_fresh_block(n);
            for (size_t k = 0; k <= n; k++) block[k] = (unsigned char)(k * 7 % 251);
            const size_t calls = calls_when_late(&f, block, &mems[m]);
            ck_assert_uint_le(calls, n / PAGE + 1);
            if (n > 64 * PAGE) ck_assert_uint_gt(calls, 1);
            for (size_t k = 0; k <= n; k++)
                if (block[k] != (unsigned char)(k * 7 % 251)) ck_abort_msg("byte %zu of %zu has changed", k, n);
            hlmi_free(&mems[m], block);
        }
    }
}
END_TEST

#ifdef __linux__
static size_t resident(char *p, size_t size)
{
    static unsigned char pages[LARGE / PAGE + 1];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t n = 0;
    ck_assert_int_eq(mincore(p, size, pages), 0);
    for (size_t i = 0; i < size / page; i++) n += pages[i] & 1;
    return n * page;
}

/* A call brings in small pages, not a large one. */
START_TEST(a_few_at_a_time)
{
    const hlmi_mem mem = hlmi_mem_default();
    char *block = hlmi_alloc(&mem, LARGE);
    hlmi_fresh f = hlmi_fresh_block(LARGE);
    const size_t before = resident(block, LARGE);
    ck_assert(!hlmi_fresh_touch(&f, block, &mem, 0));
    const size_t first = resident(block, LARGE);
    if (before == 0) ck_assert_uint_le(first, 1 << 20);
    calls_when_late(&f, block, &mem);
    ck_assert_uint_eq(resident(block, LARGE), LARGE);
    hlmi_free(&mem, block);
}
END_TEST
#endif

int main(void)
{
    const TTest *const tests[] = {
        nothing_to_do,
        in_time_it_is_one_call,
        contents_stay,
#ifdef __linux__
        a_few_at_a_time,
#endif
    };
    return suite_run("fresh", tests, sizeof tests / sizeof *tests);
}
