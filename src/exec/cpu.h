/* The CPU as a place. */
#ifndef HLMI_EXEC_CPU_H
#define HLMI_EXEC_CPU_H

#include "exec/program.h"

/** mem is borrowed; ops: the CPU's (ops/ops.h). */
void hlmi_place_cpu(hlmi_place *p, const hlmi_mem *mem, const hlmi_ops *ops);

#endif
