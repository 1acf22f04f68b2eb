/* Failures that are told and not passed on: for who asks for all that is wrong, where others stop at the first. */
#ifndef HLMI_BASE_NOTES_H
#define HLMI_BASE_NOTES_H

#include "base/status.h"

typedef struct hlmi_notes {
    hlm_status (*add)(void *user, const char *sentence);
    void *user;
} hlmi_notes;

/** HLM_OK after the thread's sentence about st was added; out of memory stays a failure. */
static inline hlm_status hlmi_noted(const hlmi_notes *n, hlm_status st)
{
    if (st == HLM_OK || st == HLM_E_NOMEM) return st;
    st = n->add(n->user, hlmi_error());
    if (st == HLM_OK) hlmi_error_clear();
    return st;
}

#endif
