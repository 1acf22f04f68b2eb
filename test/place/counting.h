/* What the second place of counting.c can not do. */
#ifndef HLMI_TEST_PLACE_COUNTING_H
#define HLMI_TEST_PLACE_COUNTING_H

#include "quant/type.h"

extern hlmi_type place_lacks_type; /* HLMI_TYPE_COUNT: it lacks none */
extern int place_lacks_block; /* a kind of plan/layers.h; -1: it lacks none */

#endif
