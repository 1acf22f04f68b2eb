/* What recording takes: scratch, and regions with their arguments. */
#include "exec/program.h"

#include <string.h>

#include "base/size.h"

enum { LINE = 16 /* floats of a cache line */, WAY = 1024 /* floats of 4 KB */ };

size_t hlmi_ld(size_t n)
{
    const size_t ld = hlmi_round_up(n, LINE);
    return ld % WAY == 0 ? ld + LINE : ld;
}

void *hlmi_scratch(hlmi_builder *b, size_t bytes)
{
    uint8_t *p = (uint8_t *)((uintptr_t)b->base + b->at);
    size_t end;
    if (bytes > SIZE_MAX - HLMI_ALIGN || !hlmi_add_size(b->at, hlmi_round_up(bytes, HLMI_ALIGN), &end)) {
        if (b->st == HLM_OK) b->st = hlmi_nomem(bytes, "scratch");
        return p;
    }
    b->at = end;
    b->peak = hlmi_max_size(b->peak, end);
    return p;
}

hlmi_rows hlmi_scratch_rows(hlmi_builder *b, size_t rows, size_t cols)
{
    const size_t ld = hlmi_ld(cols);
    size_t bytes;
    if (!hlmi_mul_size(rows, ld * sizeof(float), &bytes)) bytes = SIZE_MAX;
    return (hlmi_rows){hlmi_scratch(b, bytes), ld};
}

void hlmi_scratch_worker(hlmi_builder *b, size_t bytes)
{
    b->worker_bytes = hlmi_max_size(b->worker_bytes, bytes);
}

/* What a region takes and a copy of its argument lie in one block. They are read and written by different threads at
 * one time, so that they share no cache line. */
void hlmi_emit(hlmi_builder *b, hlmi_region_fn *run, const void *arg, size_t size, size_t min_rows, size_t max_rows)
{
    const size_t head = hlmi_round_up(sizeof(hlmi_cost), HLMI_ALIGN);
    hlmi_program *p = b->program;
    if (!p || b->st != HLM_OK) return;
    b->st = HLMI_GROW(&p->mem, p->regions, p->cap, p->n + 1, "a program");
    if (b->st != HLM_OK) return;
    hlmi_cost *cost = hlmi_calloc(&p->mem, 1, head + size);
    if (!cost) {
        b->st = hlmi_nomem(head + size, "a program");
        return;
    }
    void *copy = memcpy((char *)cost + head, arg, size);
    p->regions[p->n++] = (hlmi_region){
        .run = run, .arg = copy, .min_rows = min_rows, .max_rows = max_rows, .cost = cost, .place = b->place};
}

void hlmi_emitted_by_past(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].by_past = true;
}

void hlmi_emitted_for_adapters(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].adapted = true;
}

void hlmi_program_free(hlmi_program *p)
{
    for (size_t i = 0; i < p->n; i++) hlmi_free(&p->mem, p->regions[i].cost);
    hlmi_free(&p->mem, p->regions);
    *p = (hlmi_program){.mem = p->mem};
}
