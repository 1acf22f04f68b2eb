/* Recurrent states as kernels want them, in f32. A block of f32 is read and written in place; of a block of 16 bits a
 * worker makes f32 in its scratch, runs the kernel on that, and puts it back, which loses nothing because the kernel
 * has rounded it. */
#ifndef HLMI_CPU_HELD_H
#define HLMI_CPU_HELD_H

#include "cpu/cpu.h"

/** A part of a state: `rows` rows of n elements, `ld` elements apart. */
typedef struct hlmi_held {
    const hlmi_kernels *k;
    const hlmi_state_layout *states;
    const char *from; /* in the blocks that a span comes in with and leaves with */
    char *to;
    size_t rows, n, ld;
    float *room; /* [rows][ld] of the worker's scratch, 16-bit states only */
    const float *in; /* what the kernel reads and writes, rows of stride ld */
    float *out;
} hlmi_held;

/** Bytes of worker's scratch for a state of so many elements. */
static inline size_t hlmi_held_bytes(const hlmi_state_layout *states, size_t elements)
{
    return states->type == HLMI_STATE_F32 ? 0 : elements * sizeof(float);
}

/** Element `at` of the states at `from` and `to` is the first of the part. */
static inline void hlmi_held_open(hlmi_held *h, const void *from, void *to, size_t at)
{
    h->from = (const char *)from + at * h->states->item;
    h->to = (char *)to + at * h->states->item;
    if (h->states->type == HLMI_STATE_F32) {
        h->in = (const float *)(const void *)h->from;
        h->out = (float *)(void *)h->to;
        return;
    }
    h->in = h->out = h->room;
    for (size_t i = 0; i < h->rows; i++)
        h->k->widen[h->states->type](h->room + i * h->ld, (const uint16_t *)(const void *)h->from + i * h->ld, h->n);
}

static inline void hlmi_held_close(const hlmi_held *h)
{
    if (h->states->type == HLMI_STATE_F32) return;
    for (size_t i = 0; i < h->rows; i++)
        h->k->narrow[h->states->type]((uint16_t *)(void *)h->to + i * h->ld, h->room + i * h->ld, h->n);
}

#endif
