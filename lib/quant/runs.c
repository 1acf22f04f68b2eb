/* Runs themselves (layout.h), as matrices have them that are made of several tensors (weights/coded.h): no file has
 * them. */
#include "quant/scaled.h"

typedef struct hlmi_runs {
    hlmi_run run[2];
} hlmi_runs;
typedef hlmi_runs hlmi_runs_m;

static void runs_split(hlmi_run *runs, const void *block)
{
    memcpy(runs, block, sizeof(hlmi_runs));
}

static void runs_m_split(hlmi_run *runs, const void *block)
{
    runs_split(runs, block);
}

HLMI_SCALED_TYPE(runs, "runs", 32, S8)
HLMI_SCALED_TYPE(runs_m, "runs_m", 32, S8M)
