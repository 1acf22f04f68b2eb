/* Speculative decoding: hlm_generate with hlm_generate_params.speculation. */
#ifndef HLMI_SESSION_SPECULATE_H
#define HLMI_SESSION_SPECULATE_H

#include "session/run.h"

typedef struct hlmi_speculation hlmi_speculation;

/** Checks the parameters and takes the memory for rows of logits; the prompt may come afterwards. To be closed after a
 *  failure, too. */
hlm_status hlmi_speculation_open(hlmi_speculation **out, hlmi_run *run);
/** NULL is fine. */
void hlmi_speculation_close(hlmi_speculation *s);

/** Generates from run->logits on until there is a reason to end, run->result.finish. At every return the cache holds
 *  all drawn tokens but the last. */
hlm_status hlmi_speculate(hlmi_speculation *s);

#endif
