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

static hlm_status keep_arg(hlmi_program *p, const void *arg, size_t size, const void **kept)
{
    void *copy = hlmi_alloc(&p->mem, size);
    if (!copy) return hlmi_nomem(size, "a program");
    memcpy(copy, arg, size);
    const hlm_status st = HLMI_GROW(&p->mem, p->args, p->cap_args, p->n_args + 1, "a program");
    if (st != HLM_OK) {
        hlmi_free(&p->mem, copy);
        return st;
    }
    p->args[p->n_args++] = copy;
    *kept = copy;
    return HLM_OK;
}

void hlmi_emit(hlmi_builder *b, hlmi_region_fn *run, const void *arg, size_t size, size_t min_rows, size_t max_rows)
{
    hlmi_program *p = b->program;
    if (!p || b->st != HLM_OK) return;
    const void *kept = NULL;
    b->st = keep_arg(p, arg, size, &kept);
    if (b->st != HLM_OK) return;
    b->st = HLMI_GROW(&p->mem, p->regions, p->cap, p->n + 1, "a program");
    if (b->st != HLM_OK) return;
    p->regions[p->n++] =
        (hlmi_region){.run = run, .arg = kept, .min_rows = min_rows, .max_rows = max_rows, .place = b->place};
}

void hlmi_emitted_by_past(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].by_past = true;
}

void hlmi_emitted_for_adapters(hlmi_builder *b)
{
    if (b->program && b->st == HLM_OK) b->program->regions[b->program->n - 1].adapted = true;
}

hlm_status hlmi_program_finish(hlmi_builder *b)
{
    hlmi_program *p = b->program;
    if (!p || b->st != HLM_OK) return b->st;
    p->costs = hlmi_calloc(&p->mem, p->n + 1, sizeof *p->costs);
    if (!p->costs) return hlmi_nomem(p->n * sizeof *p->costs, "a program");
    for (size_t i = 0; i < p->n; i++) p->regions[i].cost = &p->costs[i];
    return HLM_OK;
}

void hlmi_program_free(hlmi_program *p)
{
    for (size_t i = 0; i < p->n_args; i++) hlmi_free(&p->mem, p->args[i]);
    hlmi_free(&p->mem, p->args);
    hlmi_free(&p->mem, p->regions);
    hlmi_free(&p->mem, p->costs);
    *p = (hlmi_program){.mem = p->mem};
}
