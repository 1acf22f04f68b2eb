/* The CPU's op table. */
#include "ops/cpu/cpu.h"

const hlmi_ops hlmi_ops_cpu = {
    .name = "cpu",
    .rope_table = hlmi_cpu_rope_table,
    .gather = hlmi_cpu_gather,
    .linear = hlmi_cpu_linear,
    .rope_append = hlmi_cpu_rope_append,
    .attention = hlmi_cpu_attention,
    .attention_tap = hlmi_cpu_attention_tap,
    .delta = hlmi_cpu_delta,
    .norm_rows = hlmi_cpu_norm_rows,
    .combine = hlmi_cpu_combine,
    .conv = hlmi_cpu_conv,
    .scan2 = hlmi_cpu_scan2,
    .scan1 = hlmi_cpu_scan1,
    .route = hlmi_cpu_route,
    .linear_grouped = hlmi_cpu_linear_grouped,
    .log_write = hlmi_cpu_log_write,
    .log_read = hlmi_cpu_log_read,
    .pick_rows = hlmi_cpu_pick_rows,
    .kept_rows = hlmi_cpu_kept_rows,
    .tap = hlmi_cpu_tap,
    .tap_branch = hlmi_cpu_tap_branch,
};
