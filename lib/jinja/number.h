/* Numbers to text and back, as Python writes and reads them, whatever the process's locale says. */
#ifndef HLMI_JINJA_NUMBER_H
#define HLMI_JINJA_NUMBER_H

#include "jinja/run.h"

enum { HLMI_FLOAT_TEXT = 400 };

/** Number literal at p: its length, 0 when malformed. Underscores, 0x/0o/0b, exponents; floats only when `floats`. */
size_t hlmi_jnumber_scan(jx *x, const char *p, size_t n, bool floats, jv *out);
/** [n] plain decimal digits (with a '-' in front or not) as JV_INT, or JV_BIG past 64 bits. */
jv hlmi_jdecimal(const char *p, size_t n);
/** A float as text says, "inf" and "nan" included; false when it is none. */
bool hlmi_jparse_float(const char *p, size_t n, double *out);
/** float() and int() of a string: white space around and underscores are allowed. */
bool hlmi_jstr_float(jv s, double *out);
bool hlmi_jstr_int(jx *x, jv s, int base, jv *out);
/** Python's repr of a float; buf has HLMI_FLOAT_TEXT bytes. */
size_t hlmi_jfloat_repr(double f, char *buf);
/** printf's %.{prec}{conv} without the locale; prec at most 300. Returns the length, at most size - 1. */
size_t hlmi_jfloat_format(double f, int prec, char conv, bool alt, char *buf, size_t size);
/** Decimal text of i; buf has 24 bytes. */
size_t hlmi_jint_text(int64_t i, char *buf);
double hlmi_jfloat_of(jv number);
bool hlmi_jfinite(double f);
double hlmi_jfloor(double f);
double hlmi_jfmod(double a, double b); /* sign of b, as in Python */
/** f rounded to `digits` decimals, half to even of the exact value. */
double hlmi_jround(double f, int64_t digits);

#endif
