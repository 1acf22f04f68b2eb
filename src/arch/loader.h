/* Fills a plan's table from the file that it was declared for: matrices packed for the kernels, vectors widened to
 * f32. */
#ifndef HLMI_ARCH_LOADER_H
#define HLMI_ARCH_LOADER_H

#include "arch/config.h"
#include "plan/plan.h"
#include "weights/fingerprint.h"

typedef struct hlmi_loader {
    const hlmi_store *store;
    hlmi_plan *plan;
    bool check_values; /* refuse NaN and infinity */
    int32_t (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    uint64_t done, total; /* bytes of the file */
    hlmi_fingerprint *fingerprint; /* is told of all rows */
    bool *added; /* [tensors of the store] numbers that it knows */
} hlmi_loader;

/** A store's settings, and the dialect in which its files name them and its tensors: asked here and by nobody else. */
hlmi_config hlmi_loader_settings(const hlmi_store *store);

/** All plain numbers of a tensor as f32; *out is the caller's to free. check: NaN and infinity are refused. l, unless
 *  NULL, tells them to its fingerprint. */
hlm_status hlmi_loader_numbers(const hlmi_store *store, const hlmi_mem *mem, const hlmi_tensor *t, bool check,
                               hlmi_loader *l, float **out);
/** The same of n numbers from number `first` on, checked. */
hlm_status hlmi_loader_some(const hlmi_store *store, const hlmi_mem *mem, const hlmi_tensor *t, size_t first, size_t n,
                            float **out);
hlm_status hlmi_loader_run(hlmi_loader *l);

#endif
