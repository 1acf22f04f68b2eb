/* The Unicode normal forms of a text, in time that grows with its length. */
#ifndef HLMI_TEXT_NORMAL_FORM_H
#define HLMI_TEXT_NORMAL_FORM_H

#include "base/buf.h"

typedef enum hlmi_form { HLMI_NFC, HLMI_NFD, HLMI_NFKC, HLMI_NFKD } hlmi_form;

/** Appends the form of s [len], well-formed UTF-8, to out.
 *  work    grows by the code points that were looked at or moved; NULL: not counted.
 *  Errors  HLM_E_NOMEM; check out's status, too. */
hlm_status hlmi_normal_form(hlmi_form form, const char *s, size_t len, hlmi_buf *out, size_t *work);

#endif
