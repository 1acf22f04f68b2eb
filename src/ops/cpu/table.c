/* The CPU's op table. */
#include "ops/cpu/cpu.h"

const hlmi_ops hlmi_ops_cpu = {
#define OP(op, ...) .op = hlmi_cpu_##op,
    HLMI_OPS(OP)
#undef OP
};
