/* Methods of Python's types. Each type has a table of descriptors; a new method is one function and one line of its
 * table. */
#ifndef HLMI_JINJA_METHODS_H
#define HLMI_JINJA_METHODS_H

#include "jinja/run.h"

typedef struct jtable {
    const jdesc *at;
    size_t n;
} jtable;

extern const jtable hlmi_jstr_methods; /* methods_str.c */

const jdesc *hlmi_jmethod_find(jv of, jv name);
/** true for the methods that change a list or dictionary, which the sandbox hides. */
bool hlmi_jmutates(jv of, jv name);

#endif
