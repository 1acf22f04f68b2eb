/* What lies in the files of a model, also of one that can not be run: for `hybridlm info`. All that comes from the
 * files is printed escaped. */
#ifndef CLI_INFO_FILE_H
#define CLI_INFO_FILE_H

#include <jansson.h>

#include <hybridlm/hybridlm.h>

#include "options.h"

typedef struct cli_file {
    hlm_file *file;
    hlm_file_info info;
    /** What hlm_model_load says, behind what the files tell; NULL: it loads. */
    const char *refused;
} cli_file;

/** The report: container, types with their bytes, quantisation. */
void cli_file_print(const cli_file *f);
/** Its settings, a line for each. */
int cli_file_print_keys(const cli_options *o, const cli_file *f);
/** Its tensors, a line for each. */
int cli_file_print_tensors(const cli_options *o, const cli_file *f);
/** "cannot be run: ..." for each reason; nothing for a model that was not refused. */
void cli_file_print_problems(const cli_file *f);

/** The same as JSON. */
json_t *cli_file_json(const cli_file *f);
json_t *cli_file_keys_json(const cli_file *f);
json_t *cli_file_tensors_json(const cli_file *f);
json_t *cli_file_problems_json(const cli_file *f);

#endif
