/* A model made ready as the options say: loaded with a progress bar, with context, cache and sampler as far as a
 * command needs them. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <hybridlm/hybridlm.h>

#include "drafter.h"
#include "options.h"
#include "text.h"

typedef struct cli_session {
    const cli_options *o;
    const char *path;
    hlm_model *model;
    hlm_pool *pool;
    /** Of --adapter, or NULL. */
    hlm_adapter *adapter;
    hlm_context *ctx;
    hlm_cache *cache;
    hlm_sampler *sampler;
    cli_drafter drafter;
    hlm_model_info info;
    char name[256]; /* info.name, as it can be shown */
    /** Most tokens the cache may hold; 0: no bound. */
    int64_t max_tokens;
    /** Of the draws: --seed, or one of its own. */
    uint64_t seed;
} cli_session;

/** How much of a session is needed; each includes those before. */
typedef enum cli_need { CLI_NEED_VOCAB, CLI_NEED_FACTS, CLI_NEED_CONTEXT, CLI_NEED_CACHE, CLI_NEED_SAMPLER } cli_need;

/** Returns CLI_OK or an exit code after telling why; close it in both cases. */
int cli_session_open(cli_session *s, const cli_options *o, cli_need need);
void cli_session_close(cli_session *s);
/** The facts of a model. One that is refused is CLI_OK: *refused then tells, hlm_last_error() why, and there is no
 *  model. cli_session_refused tells of it as cli_session_open would, with the thread's sentence. */
int cli_session_facts(cli_session *s, const cli_options *o, hlm_status *refused);
int cli_session_refused(const cli_session *s, hlm_status refused);

/** With --prefix-cache: the texts of its folder into the pool, and the pool's texts into the folder. What can not be
 *  had or kept is told, and is no reason to end. */
void cli_session_recall(cli_session *s);
void cli_session_keep(cli_session *s);

/** Load a model as the options say, with a progress bar. */
int cli_load_model(const cli_options *o, const char *path, cli_need need, hlm_model **out);

/** The tokens that --ids, --prompt, --file or standard input give, added to *ids. */
int cli_session_input(const cli_session *s, cli_ids *ids);

/** The sampler that the options describe, at `temperature`, with the session's seed. */
int cli_session_sampler(const cli_session *s, double temperature, hlm_sampler **out);

/** Without --seed another seed for the samplers made from now on. */
void cli_session_new_seed(cli_session *s);
/** A remark on the seed, where it was not given and something was drawn with it. */
void cli_session_tell_seed(const cli_session *s, bool drawn);

#endif
