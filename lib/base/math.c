/* Elementary functions without libm and without fused operations in double: plain IEEE additions, multiplications and
 * divisions in a fixed order give the same bits wherever they run. Polynomials are Taylor series, long enough that what
 * is left out is below rounding on the reduced range.
 *
 * A "pair" is an unevaluated sum hi + lo of two doubles, about 106 bits; pow needs it because the exponent magnifies
 * the error of the logarithm. */
#include "base/math.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/expf.h"

#define LN2_HI 0x1.62e42fefa2p-1 /* 40 bits: an exponent times it is exact */
#define LN2_LO 0x1.9ef35793c7673p-41
#define LOG2E 0x1.71547652b82fep+0
/* pi / 2 in two parts of 23 and 22 bits (times an integer below 2^30 exact) and the rest */
#define PIO2_A 0x1.921fb4p+0
#define PIO2_B 0x1.4442dp-24
#define PIO2_C 0x1.8469898cc517p-48
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define SINCOS_MAX 0x1p+30
#define ROUND_MAGIC 0x1.8p+52 /* adding and subtracting it rounds to the nearest integer, ties to even */

typedef struct pair {
    double hi, lo;
} pair;

static double from_bits(uint64_t u)
{
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static uint64_t to_bits(double d)
{
    uint64_t u;
    memcpy(&u, &d, sizeof u);
    return u;
}

/* 2^n for a normal result */
static double power_of_two(int n)
{
    return from_bits((uint64_t)(n + 1023) << 52);
}

float hlmi_expf(float x)
{
    return hlmi_expf_inline(x);
}

/* a + b exactly, by Knuth */
static pair two_sum(double a, double b)
{
    const double s = a + b, t = s - a;
    return (pair){s, (a - (s - t)) + (b - t)};
}

/* a * b exactly, by Veltkamp's splitting */
static pair two_prod(double a, double b)
{
    const double split = 0x1p+27 + 1.0;
    const double p = a * b;
    const double ca = split * a, cb = split * b;
    const double ah = ca - (ca - a), al = a - ah;
    const double bh = cb - (cb - b), bl = b - bh;
    return (pair){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static pair pair_add(pair a, pair b)
{
    const pair s = two_sum(a.hi, b.hi);
    return two_sum(s.hi, s.lo + (a.lo + b.lo));
}

static pair pair_mul(pair a, pair b)
{
    const pair p = two_prod(a.hi, b.hi);
    return two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* e^(a.hi + a.lo), a.lo at most half an ulp of a.hi */
static double exp_pair(pair a)
{
    /* 1 / 13!, 1 / 12!, ... 1 / 0! */
    static const double c[] = {1.0 / 6227020800.0,
                               1.0 / 479001600.0,
                               1.0 / 39916800.0,
                               1.0 / 3628800.0,
                               1.0 / 362880.0,
                               1.0 / 40320.0,
                               1.0 / 5040.0,
                               1.0 / 720.0,
                               1.0 / 120.0,
                               1.0 / 24.0,
                               1.0 / 6.0,
                               0.5,
                               1.0,
                               1.0};
    const double x = a.hi;
    if (x != x) return x;
    if (x > 710.0) return HUGE_VAL;
    if (x < -746.0) return 0.0;
    const double n = (x * LOG2E + ROUND_MAGIC) - ROUND_MAGIC;
    const double r = ((x - n * LN2_HI) - n * LN2_LO) + a.lo;
    double p = c[0];
    for (int i = 1; i < 14; i++) p = p * r + c[i];
    const int e = (int)n, half = e / 2; /* two steps: 2^e itself may not be a normal number */
    return p * power_of_two(half) * power_of_two(e - half);
}

double hlmi_exp(double x)
{
    return exp_pair((pair){x, 0.0});
}

/* x = 2^e * m with m in about [sqrt(1/2), sqrt(2)); x finite and above 0 */
static double split_exponent(double x, double *e)
{
    int shift = 0;
    if (x < 0x1p-1022) { /* subnormal */
        x *= 0x1p+54;
        shift = -54;
    }
    const uint64_t sqrt_half = 0x3FE6A09E667F3BCDu;
    const uint64_t u = to_bits(x) - sqrt_half; /* wraps below sqrt(1/2); the shift below is of a signed value */
    const int64_t k = (int64_t)(u & 0xFFF0000000000000u) / ((int64_t)1 << 52);
    *e = (double)(k + shift);
    return from_bits((u & 0x000FFFFFFFFFFFFFu) + sqrt_half);
}

/* sum of z^i / (2 i + 5), i >= 0: what follows 1 + z / 3 in atanh(s) / s as a factor of z^2, z = s^2 */
static double atanh_tail(double z)
{
    double p = 1.0 / 25.0;
    for (int i = 23; i >= 5; i -= 2) p = p * z + 1.0 / (double)i;
    return p;
}

double hlmi_log(double x)
{
    if (x != x || x < 0.0) return (double)NAN;
    if (x == 0.0) return -HUGE_VAL;
    if (x == HUGE_VAL) return x;
    double e;
    const double m = split_exponent(x, &e);
    const double s = (m - 1.0) / (m + 1.0), z = s * s; /* log m = 2 atanh(s) */
    const double tail = 2.0 * s * (z * (1.0 / 3.0 + z * atanh_tail(z)));
    return e * LN2_HI + (2.0 * s + (tail + e * LN2_LO));
}

/* The logarithm as a pair, relative error below 2^-62; x finite and above 0. */
static pair log_pair(double x)
{
    const pair third = {0x1.5555555555555p-2, 0x1.5555555555555p-56};
    const pair ln2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    double e;
    const double m = split_exponent(x, &e);
    /* s = (m - 1) / (m + 1): the quotient and what it leaves */
    const pair den = two_sum(m, 1.0);
    const double num = m - 1.0, q = num / den.hi;
    const pair back = two_prod(q, den.hi);
    const pair s = two_sum(q, ((num - back.hi) - back.lo - q * den.lo) / den.hi);
    const pair z = pair_mul(s, s);
    const pair cubic = pair_mul(z, pair_add(third, (pair){z.hi * atanh_tail(z.hi), 0.0}));
    const pair half = pair_add(s, pair_mul(s, cubic));
    const pair ke = pair_mul(ln2, (pair){e, 0.0});
    return pair_add(ke, (pair){2.0 * half.hi, 2.0 * half.lo});
}

double hlmi_pow(double x, double y)
{
    if (y == 0.0 || x == 1.0) return 1.0;
    if (x != x || y != y || x < 0.0) return (double)NAN;
    if (x == 0.0) return y > 0.0 ? 0.0 : HUGE_VAL;
    if (x == HUGE_VAL) return y > 0.0 ? x : 0.0;
    const pair l = log_pair(x);
    const double rough = l.hi * y;
    if (rough > 800.0 || rough < -800.0) return rough > 0.0 ? HUGE_VAL : 0.0;
    /* |y| may be as large as 2^62 here, far from where splitting it would overflow */
    return exp_pair(pair_mul(l, (pair){y, 0.0}));
}

/* sin and cos on |r| <= pi/4 */
static double sin_near_zero(double r)
{
    static const double c[] = {-1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
                               -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
    const double z = r * r;
    double p = c[0];
    for (int i = 1; i < 7; i++) p = p * z + c[i];
    return r + r * (z * p);
}

static double cos_near_zero(double r)
{
    static const double c[] = {1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0,
                               1.0 / 40320.0,          -1.0 / 720.0,         1.0 / 24.0,        -0.5};
    const double z = r * r;
    double p = c[0];
    for (int i = 1; i < 8; i++) p = p * z + c[i];
    return 1.0 + z * p;
}

void hlmi_sincos(double x, double *sin, double *cos)
{
    if (!(x <= SINCOS_MAX && x >= -SINCOS_MAX)) {
        *sin = *cos = (double)NAN;
        return;
    }
    const double n = (x * TWO_OVER_PI + ROUND_MAGIC) - ROUND_MAGIC;
    const double r = ((x - n * PIO2_A) - n * PIO2_B) - n * PIO2_C;
    const double s = sin_near_zero(r), c = cos_near_zero(r);
    const unsigned quadrant = (unsigned)(int64_t)n & 3u;
    const double a = quadrant & 1u ? c : s, b = quadrant & 1u ? s : c;
    *sin = quadrant & 2u ? -a : a;
    *cos = quadrant == 1u || quadrant == 2u ? -b : b;
}
