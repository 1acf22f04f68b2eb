/* The CPU as a place. */
#ifndef HLMI_CPU_PLACE_H
#define HLMI_CPU_PLACE_H

#include "ops/ops.h"

extern const hlmi_ops hlmi_ops_cpu;

/** mem is borrowed. */
void hlmi_place_cpu(hlmi_place *p, const hlmi_mem *mem);

#endif
