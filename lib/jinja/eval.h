/* Running the tree: expressions (eval.c), statements (exec.c), calls (call.c). */
#ifndef HLMI_JINJA_EVAL_H
#define HLMI_JINJA_EVAL_H

#include "jinja/ast.h"
#include "jinja/ops.h"

typedef enum { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE } jflow;

jv hlmi_jeval(jx *x, const jnode *n);
/** A call with one more keyword argument, `caller`, unless it is JV_MISSING. */
jv hlmi_jeval_call(jx *x, const jnode *call, jv caller);
/** n->args applied to the filter n, on `v`. */
jv hlmi_jeval_filter(jx *x, const jnode *n, jv v);
jflow hlmi_jexec(jx *x, const jnode *list);
/** What the statements print, in scope `s`. */
jv hlmi_jcapture(jx *x, const jnode *list, jscope *s);
void hlmi_jassign(jx *x, const jnode *target, jscope *s, jv v);
jv hlmi_jmacro_new(jx *x, const jnode *n);

#endif
