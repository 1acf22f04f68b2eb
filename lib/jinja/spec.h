/* Format specifications, shared by `%` and str.format. */
#ifndef HLMI_JINJA_SPEC_H
#define HLMI_JINJA_SPEC_H

#include "jinja/ops.h"

typedef struct jspec {
    uint32_t fill; /* 0: a blank */
    char align; /* '<' '>' '^' '=' or 0 for the type's own */
    char sign; /* '-', '+' or ' ' */
    char group; /* ',' '_' or 0 */
    char type; /* 0: none given */
    bool alt;
    int64_t width, prec; /* -1: none */
} jspec;

/** Width or precision at p[*i]: digits. false past what is allowed. */
bool hlmi_jspec_number(jx *x, const char *p, size_t n, size_t *i, int64_t *out);
/** Text padded, and cut to the precision. */
void hlmi_jspec_text(jx *x, jsb *b, jv text, const jspec *s);
/** An integer as d b o x X, or a float as e E f F g G %; fails for other types. */
void hlmi_jspec_int(jx *x, jsb *b, jv v, const jspec *s);
void hlmi_jspec_float(jx *x, jsb *b, double f, const jspec *s);

#endif
