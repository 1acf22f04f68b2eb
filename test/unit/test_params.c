/* Structs from older, equal and newer callers. */
#include "unit/suite.h"

#include <string.h>

#include "base/params.h"
#include "base/structs.h"

/* A struct that has grown by `more`, and the table that knows it, in place of lib/base/structs.c. */
typedef struct grown {
    size_t struct_size;
    int64_t a, more;
} grown;

int hlmi_struct_had(const char *name, size_t size)
{
    return strcmp(name, "grown") == 0 && (size == offsetof(grown, more) || size == sizeof(grown));
}

typedef struct known {
    size_t struct_size;
    int32_t a, b;
    int64_t c;
} known;

typedef struct newer {
    known k;
    int64_t d, e;
} newer;

START_TEST(params_null_gives_defaults)
{
    known k;
    memset(&k, 0xff, sizeof k);
    ck_assert_int_eq(hlmi_params_read(&k, sizeof k, NULL, "known"), HLM_OK);
    ck_assert_uint_eq(k.struct_size, sizeof k);
    ck_assert(k.a == 0 && k.b == 0 && k.c == 0);
}
END_TEST

START_TEST(params_older_caller)
{
    const grown src = {.struct_size = offsetof(grown, more), .a = 1, .more = 2};
    grown g;
    ck_assert_int_eq(hlmi_params_read(&g, sizeof g, &src, "grown"), HLM_OK);
    ck_assert_uint_eq(g.struct_size, sizeof g);
    ck_assert(g.a == 1 && g.more == 0);
}
END_TEST

START_TEST(params_newer_caller)
{
    newer src = {.k = {.struct_size = sizeof src, .a = 1, .b = 2, .c = 3}};
    known k;
    ck_assert_int_eq(hlmi_params_read(&k, sizeof k, &src, "known"), HLM_OK);
    ck_assert(k.a == 1 && k.b == 2 && k.c == 3);
    src.e = (int64_t)1 << 56;
    ck_assert_int_eq(hlmi_params_read(&k, sizeof k, &src, "known"), HLM_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(hlmi_error(), "known"));
    ck_assert(k.struct_size == 0 && k.a == 0);
}
END_TEST

START_TEST(params_absurd_sizes)
{
    const size_t bad[] = {0, 1, sizeof(size_t) - 1, HLMI_STRUCT_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        known src = {.struct_size = bad[i]}, k;
        ck_assert_int_eq(hlmi_params_read(&k, sizeof k, &src, "known"), HLM_E_ARG);
        ck_assert_int_eq(hlmi_result_write(&src, &k, sizeof k, "known"), HLM_E_ARG);
        ck_assert_uint_eq(src.struct_size, bad[i]);
    }
}
END_TEST

START_TEST(result_keeps_the_callers_size)
{
    const known full = {.struct_size = sizeof full, .a = 1, .b = 2, .c = 3};
    const grown all = {.struct_size = sizeof all, .a = 3, .more = 4};
    const size_t before = offsetof(grown, more);
    grown older = {.struct_size = before, .more = 8};
    ck_assert_int_eq(hlmi_result_check(&older, sizeof older, "grown"), HLM_OK);
    ck_assert_int_eq(hlmi_result_write(&older, &all, sizeof all, "grown"), HLM_OK);
    ck_assert(older.struct_size == before && older.a == 3 && older.more == 8);

    newer n = {.k = {.struct_size = sizeof n}, .d = 9, .e = 9};
    ck_assert_int_eq(hlmi_result_write(&n, &full, sizeof full, "known"), HLM_OK);
    ck_assert(n.k.struct_size == sizeof n && n.k.c == 3 && n.d == 0 && n.e == 0);
    ck_assert_int_eq(hlmi_result_write(NULL, &full, sizeof full, "known"), HLM_E_ARG);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        params_null_gives_defaults, params_older_caller,           params_newer_caller,
        params_absurd_sizes,        result_keeps_the_callers_size,
    };
    return suite_run("params", tests, sizeof tests / sizeof *tests);
}
