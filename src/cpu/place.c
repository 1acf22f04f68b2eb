/* The CPU as a place: the host's memory, the ops of this folder, and the team. */
#include "cpu/place.h"

#include <string.h>

#include "cpu/cpu.h"
#include "exec/slice.h"

const hlmi_ops hlmi_ops_cpu = {
#define OP(op, ...) .op = hlmi_cpu_##op,
    HLMI_OPS(OP)
#undef OP
};

static hlmi_layout layout(const hlmi_place *p, hlmi_type type)
{
    (void)p;
    return hlmi_type_get(type)->layout;
}

static bool can(const hlmi_place *p, const hlmi_block *block)
{
    (void)p;
    (void)block;
    return true;
}

static void *take(hlmi_place *p, size_t bytes)
{
    return hlmi_alloc(p->mem, bytes);
}

static void give(hlmi_place *p, void *rows)
{
    hlmi_free(p->mem, rows);
}

static void move(hlmi_place *p, void *to, const void *from, size_t bytes)
{
    (void)p;
    memcpy(to, from, bytes);
}

static void copy(hlmi_place *p, void *to, const void *from, const hlmi_rect *r)
{
    (void)p;
    for (size_t i = 0; i < r->n; i++) memcpy((char *)to + i * r->to, (const char *)from + i * r->from, r->bytes);
}

static void zero(hlmi_place *p, void *to, size_t bytes)
{
    (void)p;
    memset(to, 0, bytes);
}

static hlm_status run(hlmi_place *p, hlmi_team *team, const hlmi_work *work, hlmi_stop *at, hlmi_slice *slice,
                      bool *done)
{
    (void)p;
    if (slice) return hlmi_slice_run(team, work, at, slice, done);
    *done = true;
    return hlmi_team_run(team, work);
}

void hlmi_place_cpu(hlmi_place *p, const hlmi_mem *mem)
{
    *p = (hlmi_place){.name = "cpu",
                      .mem = mem,
                      .ops = &hlmi_ops_cpu,
                      .host = true,
                      .layout = layout,
                      .can = can,
                      .take = take,
                      .give = give,
                      .put = move,
                      .get = move,
                      .copy = copy,
                      .zero = zero,
                      .run = run};
}
