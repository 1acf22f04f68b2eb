/* The library's own elementary functions: the same bits on every machine, which libm does not promise. Round-to-nearest
 * is assumed. Stated errors are against the exact value over the whole range given, checked by
 * test/unit/test_math.c. */
#ifndef HLMI_BASE_MATH_H
#define HLMI_BASE_MATH_H

/** e^x in f32, relative error at most 2^-22; 0 below -87.3 (no subnormal results), +inf above 88.7, NaN for NaN. The
 *  sequence of operations (fma polynomial, exponent in two steps where needed) is also that of the vector kernels. */
float hlmi_expf(float x);

/* double: relative error at most 2^-48 (absolute for sin and cos, |x| <= 2^30) */
double hlmi_exp(double x);
double hlmi_log(double x); /* x > 0; -inf at 0, NaN below */
double hlmi_pow(double x, double y); /* x > 0 */
void hlmi_sincos(double x, double *sin, double *cos);

#endif
