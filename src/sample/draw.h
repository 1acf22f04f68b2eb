/* The end of the chain: one of the candidates by chance. */
#ifndef HLMI_SAMPLE_DRAW_H
#define HLMI_SAMPLE_DRAW_H

#include "sample/cands.h"

/** Index of the candidate that u in [0, 1) falls on: in ascending id order each takes a piece as long as its
 *  probability at this temperature (> 0). c->max is set. */
size_t hlmi_draw(hlmi_cands *c, float temperature, double u);

#endif
