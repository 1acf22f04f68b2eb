/* The table of weights of every model: each tensor is covered once by what is wanted of it, and divides into its units.
 * Headers alone are read.
 *
 *   test_weights MODEL...
 */
#define _POSIX_C_SOURCE 200809L
#include "api_help.h"

static int n_models;
static char **models;

/* Elements of the tensor of weight i that weights before it, itself and those behind it hold. */
static uint64_t covered(const hlm_model *m, const hlm_weight_info *of)
{
    uint64_t n = 0;
    hlm_weight_info w = {.struct_size = sizeof w};
    for (size_t i = 0; i < of->n_weights; i++) {
        OK(hlm_model_weight(m, i, &w));
        if (strcmp(w.tensor, of->tensor) == 0) n += w.rows * (w.cols ? w.cols : 1);
    }
    return n;
}

static void check_weight(const hlm_model *m, const hlm_model_info *info, const hlm_weight_info *w)
{
    uint64_t elements = 1;
    for (size_t i = 0; i < 4 && w->dims[i]; i++) elements *= w->dims[i];
    ck_assert_msg(covered(m, w) == elements, "%s: %llu of %llu elements are wanted", w->tensor,
                  (unsigned long long)covered(m, w), (unsigned long long)elements);
    ck_assert_msg(*w->role && *w->block && *w->type && w->unit > 0, "%s is used for nothing", w->tensor);
    ck_assert_msg(w->layer >= -1 && w->layer < info->n_layers, "%s is of layer %d", w->tensor, (int)w->layer);
    /* heads and groups; what is divided as kernels take it may end with less */
    if (w->unit != 16 && w->unit != 32)
        ck_assert_msg(w->rows % w->unit == 0, "%s: %llu rows in units of %llu", w->tensor, (unsigned long long)w->rows,
                      (unsigned long long)w->unit);
}

START_TEST(every_tensor_once)
{
    hlm_model *m = NULL;
    const hlm_model_params p = {.struct_size = sizeof p, .flags = HLM_LOAD_HEADERS};
    hlm_model_info info = {.struct_size = sizeof info};
    hlm_weight_info w = {.struct_size = sizeof w, .n_weights = 1};
    uint64_t bytes = 0, parameters = 0;
    OK(hlm_model_load(&m, models[_i], &p));
    OK(hlm_model_info_get(m, &info));
    for (size_t i = 0; i < w.n_weights; i++) {
        OK(hlm_model_weight(m, i, &w));
        check_weight(m, &info, &w);
        bytes += w.bytes;
        parameters += w.rows * (w.cols ? w.cols : 1);
    }
    ck_assert_uint_eq(bytes, info.weight_bytes);
    ck_assert_uint_eq(parameters, info.n_parameters);
    hlm_model_release(m);
}
END_TEST

int main(int argc, char **argv)
{
    models = argv + 1;
    n_models = argc - 1;
    TCase *t = tcase_create("weights");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_tensor_once, 0, n_models);
    return n_models ? api_main("weights", t) : 2;
}
