/* What the program says besides its result: errors with advice, remarks, progress on a terminal; and the JSON result.
 * Everything but results goes to standard error. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>

#include <hybridlm/hybridlm.h>

#include "options.h"

/** Say what is wrong and, in `hint` (may be NULL), what to do; with --json also as {"error": ...} on standard output.
 *  Returns `rc`. */
int cli_fail(const cli_options *o, int rc, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The same for a failed call of the library; `doing` names the work. Gives CLI_INTERRUPTED for HLM_E_CANCELLED, else
 *  CLI_FAILED. */
int cli_fail_status(const cli_options *o, hlm_status status, const char *doing);

/** The same with advice of the caller's own, or NULL. */
int cli_fail_advised(const cli_options *o, hlm_status status, const char *doing, const char *hint);

/** A remark in brackets on a line of its own, unless --quiet. */
void cli_remark(const cli_options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Print `result` to standard output and release it. */
int cli_print_json(json_t *result);

/** json_real, or null where JSON has no such number. */
json_t *cli_json_real(double value);

/** [n] ids as an array. */
json_t *cli_json_ids(const int32_t *ids, size_t n);

/** A bar on the terminal; nothing is drawn for the first moments, elsewhere, or with --quiet. */
typedef struct cli_progress {
    const char *label;
    bool enabled;
    bool drawn;
    double started;
    double last;
} cli_progress;

void cli_progress_start(cli_progress *p, const cli_options *o, const char *label);
void cli_progress_show(cli_progress *p, double done, double total);
/** Remove the bar. */
void cli_progress_end(cli_progress *p);

/** Seconds of the monotonic clock. */
double cli_seconds(void);

#endif
