/* Speculative decoding as the options say: nothing, drafts from the text, or drafts of a second model with context and
 * cache of its own. */
#ifndef CLI_DRAFTER_H
#define CLI_DRAFTER_H

#include <hybridlm/hybridlm.h>

#include "options.h"

typedef struct cli_drafter {
    bool on;
    hlm_speculation params;
    hlm_model *model;
    hlm_context *ctx;
    hlm_cache *cache;
} cli_drafter;

/** Returns CLI_OK or an exit code after telling why; close it in both cases. */
int cli_drafter_open(cli_drafter *d, const cli_options *o);
void cli_drafter_close(cli_drafter *d);

/** What hlm_generate_params.speculation takes. */
const hlm_speculation *cli_drafter_speculation(const cli_drafter *d);

#endif
