/* The model functions that the sampler and the session call. */
#include "unit/fake_model.h"

#include "base/os.h"
#include "base/params.h"
#include "plan/model_mem.h"

static void *counted_alloc(void *user, size_t size, size_t align)
{
    hlm_model *m = user;
    if (++m->allocs == m->fail_at) return NULL;
    void *p = hlmi_os_alloc(NULL, size, align);
    if (p) m->blocks++;
    return p;
}

static void counted_free(void *user, void *p)
{
    hlm_model *m = user;
    m->blocks--;
    hlmi_os_free(NULL, p);
}

void fake_model_init(hlm_model *m, int32_t vocab)
{
    *m = (hlm_model){.vocab = vocab, .refs = 1};
    m->mem = (hlmi_mem){.user = m, .alloc = counted_alloc, .free = counted_free};
}

const hlmi_mem *hlmi_model_mem(const hlm_model *model)
{
    return &model->mem;
}

void hlm_model_retain(hlm_model *model)
{
    if (model) model->refs++;
}

void hlm_model_release(hlm_model *model)
{
    if (model) model->refs--;
}

hlm_status hlm_model_info_get(const hlm_model *model, hlm_model_info *info)
{
    const hlm_model_info full = {.struct_size = sizeof full,
                                 .arch = "fake",
                                 .name = "",
                                 .weight_type = "",
                                 .kernel_class = "",
                                 .vocab_size = model->vocab,
                                 .max_positions = 64};
    return hlmi_result_write(info, &full, sizeof full, "hlm_model_info");
}
