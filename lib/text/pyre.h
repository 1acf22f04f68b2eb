/* Regular expressions that were written for Python's re, on PCRE2: matched against short names, under a budget of
 * steps. Constructs that the two read differently are spelled anew or refused. */
#ifndef HLMI_TEXT_PYRE_H
#define HLMI_TEXT_PYRE_H

#include "text/regex.h"

/** Which texts match. */
typedef enum hlmi_pyre_kind {
    HLMI_PYRE_FULL, /* as re.fullmatch: the whole text */
    HLMI_PYRE_TAIL, /* as re.match of (.*\.)?(expression)$: the text, or what stands behind one of its points */
    HLMI_PYRE_NUMBER /* as re.match of (?:^|.*?\.)expression\.(?P<idx>\d+)\. */
} hlmi_pyre_kind;

/** Errors  HLM_E_UNSUPPORTED with the expression and why, HLM_E_NOMEM. *mem must stay where it is while the expression
 *          lives. */
hlm_status hlmi_pyre_compile(hlmi_pattern *re, const hlmi_mem *mem, hlmi_pyre_kind kind, const char *pattern);
/** Does s [len] match? number (or NULL): of HLMI_PYRE_NUMBER what it has found, -1 for one above 2^31.
 *  Errors  HLM_E_LIMIT (too many steps), HLM_E_NOMEM. */
hlm_status hlmi_pyre_match(const hlmi_pattern *re, const char *s, size_t len, bool *matches, int64_t *number);

#endif
