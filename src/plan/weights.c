/* Where the rows of a plan's weights are in files. */
#include "plan/weights.h"

bool hlmi_file_order(const hlmi_row_order *o)
{
    return !o->half && !o->parts && !o->period && !o->turn;
}

size_t hlmi_file_row(const hlmi_row_order *o, size_t r)
{
    const size_t from = o->layer * o->in_file + o->first;
    if (hlmi_file_order(o)) return from + r;
    const size_t period = o->period ? o->period : (o->parts ? o->parts : 1) * o->head_dim;
    const size_t part = o->period || o->parts ? o->part : 0;
    size_t head = r / o->head_dim, i = r % o->head_dim;
    if (o->turn) head = head % o->turn * o->turns + head / o->turn;
    if (i < 2 * o->half) i = i < o->half ? 2 * i : 2 * (i - o->half) + 1;
    return from + head * period + part * o->head_dim + i;
}

size_t hlmi_file_rows(const hlmi_row_order *o, size_t n)
{
    return o->in_file ? o->in_file : o->parts ? n * o->parts : n;
}
