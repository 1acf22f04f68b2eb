/* Elementary functions against long double libm, the soft fused multiply-add against fmaf, and the 16-bit conversions
 * against rounding spelled out in double. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/fma.h"
#include "base/half.h"
#include "base/math.h"
#include "base/softplusf.h"
#include "unit/suite.h"

/* One of so many arguments is tried: more than 1 where the CPU is emulated. */
#ifndef SPARSE
#  define SPARSE 1
#endif

static uint64_t next_random(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state, double lo, double hi)
{
    return lo + (hi - lo) * ((double)(next_random(state) >> 11) * 0x1p-53);
}

static double relative(double got, long double want)
{
    return (double)fabsl(((long double)got - want) / want);
}

static bool same_float(float a, float b)
{
    return (isnan(a) && isnan(b)) || hlmi_f32_bits(a) == hlmi_f32_bits(b);
}

/* ck_assert writes to a pipe even when all is well: too slow for millions of checks. */
static void expect(bool ok, const char *what, double value)
{
    if (!ok) ck_abort_msg("%s %a", what, value);
}

START_TEST(fma_soft_special)
{
    static const uint32_t v[] = {0,           0x80000000u, 1,          0x80000001u, 0x7FFFFFu,   0x800000,
                                 0x3F800000,  0xBF800000u, 0x3F800001, 0x3F7FFFFF,  0x7F7FFFFF,  0xFF7FFFFFu,
                                 0x7F800000,  0xFF800000u, 0x7FC00000, 0x33800000,  0xB3800000u, 0x800001,
                                 0x80800001u, 0x34000000,  0x4B800000, 0x4B7FFFFF,  0x1F800000,  0x20000000};
    const size_t n = sizeof v / sizeof *v;
    for (size_t i = 0; i < n * n * n; i++) {
        const float a = hlmi_f32_from_bits(v[i % n]), b = hlmi_f32_from_bits(v[i / n % n]);
        const float c = hlmi_f32_from_bits(v[i / n / n]);
        expect(same_float(hlmi_fmaf_soft(a, b, c), fmaf(a, b, c)), "fma of", a);
        expect(same_float(hlmi_fmaf(a, b, c), fmaf(a, b, c)), "fma of", a);
    }
}
END_TEST

/* Few-bit operands with exponents that put c's or the product's last bits on rounding boundaries. */
START_TEST(fma_soft_random)
{
    uint64_t st = 1;
    for (size_t i = 0; i < 4000000; i++) {
        const uint64_t r = next_random(&st), s = next_random(&st);
        uint32_t a = (uint32_t)r, b = (uint32_t)(r >> 32), c = (uint32_t)s;
        const uint32_t e = (uint32_t)(s >> 32);
        if (i % 4 == 1) {
            a = (a & 0x807FFFFFu) | ((120 + (e & 15)) << 23);
            b = (b & 0x807FFFFFu) | ((120 + (e >> 4 & 15)) << 23);
            c = (c & 0x807FFFFFu) | ((95 + (e >> 8 & 63)) << 23);
        } else if (i % 4 == 2) { /* results among the subnormals */
            a = (a & 0x80000FFFu) | ((60 + (e & 15)) << 23);
            b = (b & 0x807FFFFFu) | ((60 + (e >> 4 & 15)) << 23);
            c &= 0x80000007u;
        } else if (i % 4 == 3) { /* halfway cases */
            a = (a & 0x807FF000u) | (127u << 23);
            b = (b & 0x807FF000u) | ((100 + (e & 31)) << 23);
            c = (c & 0x80400003u) | ((100 + (e >> 5 & 63)) << 23);
        }
        const float x = hlmi_f32_from_bits(a), y = hlmi_f32_from_bits(b), z = hlmi_f32_from_bits(c);
        expect(same_float(hlmi_fmaf_soft(x, y, z), fmaf(x, y, z)), "fma of", x);
    }
}
END_TEST

START_TEST(expf_error)
{
    double worst = 0;
    for (uint32_t step = 0; step <= 4000000; step += SPARSE) {
        const float x = -87.3f + (88.7f + 87.3f) * ((float)step / 4000000.0f);
        if (x < -87.3f || x > 88.7f) continue;
        worst = fmax(worst, relative(hlmi_expf(x), expl((long double)x)));
    }
    for (uint32_t u = 0; u < 0x3F800000u; u += 997 * SPARSE) { /* small arguments of both signs */
        const float x = hlmi_f32_from_bits(u | (u & 1u) << 31);
        worst = fmax(worst, relative(hlmi_expf(x), expl((long double)x)));
    }
    ck_assert_double_le(worst, 0x1p-22);
}
END_TEST

START_TEST(expf_special)
{
    ck_assert(hlmi_f32_bits(hlmi_expf(0.0f)) == 0x3F800000u);
    ck_assert(hlmi_f32_bits(hlmi_expf(-0.0f)) == 0x3F800000u);
    ck_assert(hlmi_f32_bits(hlmi_expf(-INFINITY)) == 0);
    ck_assert(hlmi_f32_bits(hlmi_expf(nextafterf(-87.3f, -100.0f))) == 0);
    ck_assert(hlmi_expf(-87.3f) >= 0x1p-126f);
    ck_assert(hlmi_f32_bits(hlmi_expf(-3e38f)) == 0);
    ck_assert(isinf(hlmi_expf(INFINITY)) && hlmi_expf(INFINITY) > 0);
    ck_assert(isfinite(hlmi_expf(88.7f)));
    ck_assert(isinf(hlmi_expf(nextafterf(88.7f, 100.0f))));
    ck_assert(isnan(hlmi_expf(NAN)) && isnan(hlmi_expf(hlmi_f32_from_bits(0xFF800001u))));
    ck_assert(isnan(hlmi_expf(hlmi_f32_from_bits(0x7FFFFFFFu))));
}
END_TEST

START_TEST(softplusf_error)
{
    double worst = 0;
    for (uint32_t step = 0; step <= 4000000; step += SPARSE) {
        const float x = -87.3f + (40.0f + 87.3f) * ((float)step / 4000000.0f);
        if (x >= -87.3f) worst = fmax(worst, relative(hlmi_softplusf(x), log1pl(expl((long double)x))));
    }
    for (uint32_t u = 0; u < 0x42A00000u; u += 997 * SPARSE) { /* every size up to 80, of both signs */
        const float x = hlmi_f32_from_bits(u | (u & 1u) << 31);
        worst = fmax(worst, relative(hlmi_softplusf(x), log1pl(expl((long double)x))));
    }
    ck_assert_double_le(worst, 0x1p-22);
}
END_TEST

START_TEST(softplusf_special)
{
    ck_assert(hlmi_f32_bits(hlmi_softplusf(-INFINITY)) == 0);
    ck_assert(hlmi_f32_bits(hlmi_softplusf(nextafterf(-87.3f, -100.0f))) == 0);
    ck_assert(hlmi_softplusf(-87.3f) >= 0x1p-126f);
    ck_assert(isinf(hlmi_softplusf(INFINITY)) && hlmi_softplusf(INFINITY) > 0);
    ck_assert(hlmi_softplusf(0.0f) == hlmi_softplusf(-0.0f));
    ck_assert(isnan(hlmi_softplusf(NAN)) && isnan(hlmi_softplusf(hlmi_f32_from_bits(0xFF800001u))));
    for (uint32_t u = 0x41A00000u; u < 0x7F800000u; u += 99991) { /* from 20 on it is x */
        const float x = hlmi_f32_from_bits(u);
        expect(hlmi_softplusf(x) == x, "softplus of", x);
    }
}
END_TEST

START_TEST(exp_error)
{
    uint64_t st = 2;
    double worst = 0;
    for (size_t i = 0; i < 500000; i++) {
        const double range = i & 1 ? 708.0 : 1.0, x = uniform(&st, -range, range);
        worst = fmax(worst, relative(hlmi_exp(x), expl((long double)x)));
    }
    ck_assert_double_le(worst, 0x1p-48);
    ck_assert(hlmi_exp(0.0) == 1.0 && hlmi_exp(-INFINITY) == 0.0 && isinf(hlmi_exp(710.0)));
    ck_assert(hlmi_exp(-800.0) == 0.0 && isinf(hlmi_exp(INFINITY)) && isnan(hlmi_exp(NAN)));
    ck_assert_double_le(relative(hlmi_exp(709.78), expl(709.78L)), 1e-12);
    ck_assert_double_le(fabs(hlmi_exp(-740.0) - exp(-740.0)), 0x1p-1074);
}
END_TEST

START_TEST(log_error)
{
    uint64_t st = 3;
    double worst = 0;
    for (size_t i = 0; i < 500000; i++) {
        double x;
        if (i % 3 == 0) x = uniform(&st, 0.5, 2.0);
        else if (i % 3 == 1) x = 1.0 + uniform(&st, -1.0, 1.0) * ldexp(1.0, -(int)(next_random(&st) % 50));
        else {
            const uint64_t u = next_random(&st) % 0x7FF0000000000000u; /* every positive double */
            memcpy(&x, &u, sizeof x);
        }
        if (x <= 0.0 || x == 1.0) continue;
        worst = fmax(worst, relative(hlmi_log(x), logl((long double)x)));
    }
    ck_assert_double_le(worst, 0x1p-48);
    ck_assert(hlmi_log(1.0) == 0.0 && isinf(hlmi_log(0.0)) && hlmi_log(0.0) < 0);
    ck_assert(isnan(hlmi_log(-1.0)) && isnan(hlmi_log(NAN)) && isinf(hlmi_log(INFINITY)));
}
END_TEST

START_TEST(pow_error)
{
    uint64_t st = 4;
    double worst = 0;
    for (size_t i = 0; i < 500000; i++) {
        const double lx = uniform(&st, -700.0, 700.0) * ldexp(1.0, -(int)(next_random(&st) % 40));
        const double x = exp(lx), l = log(x);
        if (l == 0.0) continue;
        const double y = uniform(&st, -700.0, 700.0) / l;
        /* reduce in long double: log2 keeps 64 bits, the exponent up to 1010 takes 10 of them */
        const long double want = powl((long double)x, (long double)y);
        worst = fmax(worst, relative(hlmi_pow(x, y), want));
    }
    for (int i = 0; i < 4096; i++) { /* rope frequencies */
        const double y = -(double)i / 4096.0;
        worst = fmax(worst, relative(hlmi_pow(10000.0, y), powl(10000.0L, (long double)y)));
        worst = fmax(worst, relative(hlmi_pow(1e6, y), powl(1e6L, (long double)y)));
    }
    ck_assert_double_le(worst, 0x1p-48);
}
END_TEST

START_TEST(pow_special)
{
    ck_assert(hlmi_pow(2.0, 10.0) == 1024.0 && hlmi_pow(4.0, 0.5) == 2.0 && hlmi_pow(10.0, 0.0) == 1.0);
    ck_assert(hlmi_pow(1.0, 1e300) == 1.0 && hlmi_pow(0.0, 2.0) == 0.0 && isinf(hlmi_pow(0.0, -2.0)));
    ck_assert(isinf(hlmi_pow(1.5, 1e300)) && hlmi_pow(1.5, -1e300) == 0.0 && isnan(hlmi_pow(-2.0, 2.0)));
    ck_assert(isinf(hlmi_pow(INFINITY, 1.0)) && hlmi_pow(INFINITY, -1.0) == 0.0 && isnan(hlmi_pow(2.0, NAN)));
}
END_TEST

START_TEST(sincos_error)
{
    uint64_t st = 5;
    double worst = 0;
    for (size_t i = 0; i < 1000000; i++) {
        double x = i & 1 ? uniform(&st, -0x1p30, 0x1p30) : uniform(&st, -10.0, 10.0);
        if (i % 8 == 3) x = (double)(next_random(&st) % (1u << 30)); /* positions */
        if (i % 8 == 5) x = (double)(float)(1.5707963267948966 * floor(x / 2.0)); /* near multiples of pi/2 */
        double s, c;
        hlmi_sincos(x, &s, &c);
        worst = fmax(worst, (double)fabsl((long double)s - sinl((long double)x)));
        worst = fmax(worst, (double)fabsl((long double)c - cosl((long double)x)));
    }
    ck_assert_double_le(worst, 0x1p-48);
    double s, c;
    hlmi_sincos(0.0, &s, &c);
    ck_assert(s == 0.0 && c == 1.0);
    hlmi_sincos(INFINITY, &s, &c);
    ck_assert(isnan(s) && isnan(c));
}
END_TEST

START_TEST(f16_to_f32_all)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const uint32_t e = h >> 10 & 31u, frac = h & 1023u;
        const double sign = h & 0x8000u ? -1.0 : 1.0;
        const float got = hlmi_f16_to_f32((uint16_t)h);
        if (e == 31) {
            expect(frac ? isnan(got) : got == (float)(sign * INFINITY), "special f16", got);
            continue;
        }
        const double mag = e ? ldexp(1024.0 + frac, (int)e - 25) : ldexp(frac, -24);
        expect(same_float(got, (float)(sign * mag)), "f16", got);
        expect(hlmi_f32_to_f16(got) == h, "f16 of", got);
    }
}
END_TEST

/* The nearest multiple of the format's spacing at f, ties to even; infinity beyond the largest value. */
static double round_to(double f, int digits, int min_exp, double largest)
{
    if (!isfinite(f) || f == 0) return f;
    int e;
    frexp(f, &e);
    const int ulp = e - digits < min_exp ? min_exp : e - digits;
    const double r = ldexp(nearbyint(ldexp(f, -ulp)), ulp);
    return fabs(r) > largest ? copysign(INFINITY, f) : r;
}

START_TEST(f32_to_16_bits)
{
    uint64_t st = 6;
    for (size_t i = 0; i < 2000000; i++) {
        uint32_t u = (uint32_t)next_random(&st);
        if (i & 1) u = (u & 0x807FF001u) | ((95u + (u >> 23) % 50u) << 23); /* f16's range, many ties */
        if (i % 16 == 2) u &= 0xFFFF8000u; /* bf16 ties */
        if (i % 64 == 4) u = (u & 0x80FFFFFFu) | 0x7F000000u; /* the top of the range, NaN */
        const float f = hlmi_f32_from_bits(u);
        const float h = hlmi_f16_to_f32(hlmi_f32_to_f16(f)), b = hlmi_bf16_to_f32(hlmi_f32_to_bf16(f));
        if (isnan(f)) {
            expect(isnan(h) && isnan(b), "16 bits of NaN", f);
            continue;
        }
        expect(same_float(h, (float)round_to(f, 11, -24, 65504.0)), "f16 of", f);
        expect(same_float(b, (float)round_to(f, 8, -133, 0x1.FEp127)), "bf16 of", f);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {fma_soft_special,  fma_soft_random, expf_error,    expf_special, softplusf_error,
                                  softplusf_special, exp_error,       log_error,     pow_error,    pow_special,
                                  sincos_error,      f16_to_f32_all,  f32_to_16_bits};
    return suite_run("math", tests, sizeof tests / sizeof *tests);
}
