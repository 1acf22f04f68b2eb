/* The CPU computes all. The tests have another way (test/place). */
#include "api/places.h"

#include "cpu/place.h"

void hlmi_places_choose(hlm_model *m)
{
    hlmi_place_cpu(&m->cpu, &m->mem);
    m->places[0] = &m->cpu;
    m->n_places = 1;
}
