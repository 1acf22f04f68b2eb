/* The table of layouts and the reading of single rows out of them. */
#include "quant/layout.h"

#include "base/half.h"
#include "base/size.h"
#include "quant/unit.h"

/* ---- layouts of floats: one load an element ---- */

static void read_f32(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n)
{
    const float *w = (const float *)group + row;
    for (size_t i = 0; i < n; i++) y[i * step] = w[(k0 + i) * 32];
}

static void read_f16(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n)
{
    const uint16_t *w = (const uint16_t *)group + row;
    for (size_t i = 0; i < n; i++) y[i * step] = hlmi_f16_to_f32(w[(k0 + i) * 32]);
}

static void read_bf16(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n)
{
    const uint16_t *w = (const uint16_t *)group + row * 2;
    for (size_t k = k0; k < k0 + n; k++, y += step) *y = hlmi_bf16_to_f32(w[k / 2 * 64 + k % 2]);
}

/* ---- layouts of units: a run at a time ---- */

/* A lane's nibbles of two chunks of 8, `step` bytes apart. */
static void run_nibbles(int8_t q[HLMI_RUN], const uint8_t *p, size_t step)
{
    for (size_t k = 0; k < HLMI_RUN; k++) q[k] = (int8_t)(p[k / 8 * step + k % 4] >> (k % 8 / 4 * 4) & 15);
}

/* Adds the fifth bits of columns k0 .. of a word's 32. */
static void run_fifth(int8_t q[HLMI_RUN], uint32_t word, size_t k0)
{
    for (size_t k = 0; k < HLMI_RUN; k++) q[k] = (int8_t)(q[k] + (int)(word >> (k % 4 * 8 + (k0 + k) / 4) & 1) * 16);
}

/* A lane's bytes of four chunks of 4. */
static void run_bytes(int8_t q[HLMI_RUN], const int8_t *p, size_t step)
{
    for (size_t k = 0; k < HLMI_RUN; k++) q[k] = p[k / 4 * step + k % 4];
}

static void run_q4(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_q4 *u = (const hlmi_unit_q4 *)group + k0 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]);
    run_nibbles(run->q, u->q[k0 % 32 / 8][row], sizeof u->q[0]);
    for (size_t k = 0; k < HLMI_RUN; k++) run->q[k] = (int8_t)(run->q[k] - 8);
}

static void run_q4m(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_q4m *u = (const hlmi_unit_q4m *)group + k0 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]);
    run->m = hlmi_f16_to_f32(u->m[row]);
    run_nibbles(run->q, u->q[k0 % 32 / 8][row], sizeof u->q[0]);
}

static void run_q5m(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_q5m *u = (const hlmi_unit_q5m *)group + k0 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]);
    run->m = hlmi_f16_to_f32(u->m[row]);
    run_nibbles(run->q, u->q[k0 % 32 / 8][row], sizeof u->q[0]);
    run_fifth(run->q, u->high[row], k0 % 32);
}

static void run_q8(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_q8 *u = (const hlmi_unit_q8 *)group + k0 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]);
    run_bytes(run->q, u->q[k0 % 32 / 4][row], sizeof u->q[0]);
}

static void run_nibbles_k(hlmi_run *run, const hlmi_unit_k4 *u, size_t row, size_t k0)
{
    const size_t s = k0 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]) * (float)u->sc[s][row];
    run->m = -(hlmi_f16_to_f32(u->dmin[row]) * (float)u->mn[s][row]);
    run_nibbles(run->q, u->q[s][k0 % 32 / 8][row], sizeof u->q[0][0]);
}

static void run_k4(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    run_nibbles_k(run, (const hlmi_unit_k4 *)group + k0 / 256, row, k0 % 256);
}

static void run_k5(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_k5 *u = (const hlmi_unit_k5 *)group + k0 / 256;
    run_nibbles_k(run, &u->low, row, k0 % 256);
    run_fifth(run->q, u->high[k0 % 256 / 32][row], k0 % 32);
}

const int8_t hlmi_k4t_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static void run_k4t(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_k4t *u = (const hlmi_unit_k4t *)group + k0 / 256;
    const size_t s = k0 % 256 / 32;
    run->d = hlmi_f16_to_f32(u->d[row]) * (float)u->sc[s][row];
    run_nibbles(run->q, u->q[s][k0 % 32 / 8][row], sizeof u->q[0][0]);
    for (size_t k = 0; k < HLMI_RUN; k++) run->q[k] = hlmi_k4t_values[run->q[k]];
}

static void run_k6(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_k6 *u = (const hlmi_unit_k6 *)group + k0 / 256;
    const size_t s = k0 % 256 / HLMI_RUN;
    run->d = hlmi_f16_to_f32(u->d[row]) * (float)u->sc[s][row];
    run_bytes(run->q, u->q[s][0][row], sizeof u->q[0][0]);
}

static void run_s8(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_s8 *u = (const hlmi_unit_s8 *)group + k0 / 32;
    run->d = u->d[k0 % 32 / HLMI_RUN][row];
    run_bytes(run->q, u->q[k0 % 32 / 4][row], sizeof u->q[0]);
}

static void run_s8m(hlmi_run *run, const void *group, size_t row, size_t k0)
{
    const hlmi_unit_s8m *u = (const hlmi_unit_s8m *)group + k0 / 32;
    run->d = u->d[k0 % 32 / HLMI_RUN][row];
    run->m = u->m[k0 % 32 / HLMI_RUN][row];
    run_bytes(run->q, u->q[k0 % 32 / 4][row], sizeof u->q[0]);
}

static void read_units(const hlmi_layout_info *l, float *y, size_t step, const void *group, size_t row, size_t k0,
                       size_t n)
{
    hlmi_run run;
    for (size_t k = k0; k < k0 + n; k++, y += step) {
        if (k == k0 || k % HLMI_RUN == 0) l->read_run(&run, group, row, k / HLMI_RUN * HLMI_RUN);
        const float w = run.d * (float)run.q[k % HLMI_RUN];
        *y = l->minimum ? w + run.m : w;
    }
}

/* ---- codes of floats ---- */

static void read_f8(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n)
{
    for (size_t k = k0; k < k0 + n; k++, y += step) {
        const hlmi_unit_f8 *u = (const hlmi_unit_f8 *)group + k / 32;
        *y = u->d[row] * hlmi_e4m3_to_f32(u->q[k % 32 / 4][row][k % 4]);
    }
}

#define READER(constant, name, ...)                                                                  \
  static void read_##name(float *y, size_t step, const void *group, size_t row, size_t k0, size_t n) \
  {                                                                                                  \
    read_units(hlmi_layout_get(HLMI_LAYOUT_##constant), y, step, group, row, k0, n);                 \
  }
HLMI_UNIT_LAYOUTS(READER)

#define FLOATS(constant, name, rows, unit_k, unit_bytes, ...) \
  [HLMI_LAYOUT_##constant] = {#name, rows, unit_k, unit_bytes, read_##name, NULL, false},
#define UNITS(constant, name, rows, unit_k, unit_bytes, minimum) \
  [HLMI_LAYOUT_##constant] = {#name, rows, unit_k, unit_bytes, read_##name, run_##name, minimum},

static const hlmi_layout_info layouts[HLMI_LAYOUT_COUNT] = {HLMI_FLOAT_LAYOUTS(FLOATS) HLMI_UNIT_LAYOUTS(UNITS)
                                                                HLMI_CODE_LAYOUTS(FLOATS)};

const hlmi_layout_info *hlmi_layout_get(hlmi_layout layout)
{
    return (unsigned)layout < HLMI_LAYOUT_COUNT ? &layouts[layout] : NULL;
}

size_t hlmi_layout_group_bytes(hlmi_layout layout, size_t cols)
{
    const hlmi_layout_info *l = hlmi_layout_get(layout);
    return l ? hlmi_div_up(cols, l->unit_k) * l->unit_bytes : 0;
}

bool hlmi_layout_bytes(hlmi_layout layout, size_t rows, size_t cols, size_t *bytes)
{
    return hlmi_mul_size(hlmi_div_up(rows, hlmi_layout_get(layout)->rows), hlmi_layout_group_bytes(layout, cols),
                         bytes);
}
