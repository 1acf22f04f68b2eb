/* Which bytes of the text come from the template itself.
 *
 * Every byte of the rendering's arena has a shadow: 1 when the byte was copied from the template's source or from a
 * token that the model's files name, 0 when it comes from messages or was made in a way that nobody vouches for. Copies
 * keep their source's shadow, so it survives slicing, trimming, joining and replacing. Characters made anew (by upper,
 * tojson, ...) are trusted only when all that the filter or method was given is. Nothing here costs anything, and all
 * is trusted, when the arena has no shadow. */
#ifndef HLMI_JINJA_TRUST_H
#define HLMI_JINJA_TRUST_H

#include "jinja/run.h"

/** n bytes at `to`, in the arena, were copied from `from`. */
void hlmi_jtrust_copy(jx *x, char *to, const char *from, size_t n);
/** n bytes at `to` were made anew. */
void hlmi_jtrust_fill(jx *x, char *to, size_t n);
/** A copy of a text, all of it trusted; v itself when nothing is tracked. */
jv hlmi_jtrust_text(jx *x, jv v);
/** Called before a function runs on p0 and `a`: what it makes is trusted when they are. Returns what x->trusted was,
 *  for the caller to put back. */
bool hlmi_jtrust_call(jx *x, jv p0, const jargs *a);

#endif
