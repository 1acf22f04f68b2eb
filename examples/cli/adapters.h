/* The adapters of --adapter as one. */
#ifndef CLI_ADAPTERS_H
#define CLI_ADAPTERS_H

#include <hybridlm/hybridlm.h>

#include "options.h"

/** *out: the caller's to release; NULL where the options name none, or all with scale 0. Returns CLI_OK or an exit code
 *  after telling why. */
int cli_adapters_open(const cli_options *o, hlm_model *model, hlm_adapter **out);

#endif
