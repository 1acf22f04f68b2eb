/* Which places a model has, and what each computes. */
#ifndef HLMI_API_PLACES_H
#define HLMI_API_PLACES_H

#include "plan/model.h"

/** For a model whose plan is made, before its weights are read: its places, and those of the plan's blocks, recurrences
 *  and head. */
void hlmi_places_choose(hlm_model *m);

#endif
