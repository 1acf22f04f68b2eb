/* hlm_generate for people: streaming, progress, interruption (see generate.h). */
#include "generate.h"

#include "interrupt.h"
#include "report.h"

/** What the callbacks of one call share. */
typedef struct generation {
    cli_answer *answer;
    cli_progress progress;
    double started;
    double first_token;
} generation;

static int32_t on_progress(void *user, size_t done, size_t total)
{
    generation *g = user;
    cli_progress_show(&g->progress, (double)done, (double)total);
    return 0;
}

static int32_t on_token(void *user, int32_t token, const char *text, size_t len)
{
    generation *g = user;
    if (g->first_token == 0) {
        g->first_token = cli_seconds();
        cli_progress_end(&g->progress);
    }
    if (token >= 0) cli_ids_add(&g->answer->ids, &token, 1);
    cli_text_add(&g->answer->text, text, len);
    if (g->answer->out && len) {
        cli_wrap_write(g->answer->out, text, len);
        fflush(g->answer->out->to);
    }
    return 0;
}

/** A signal that came just after a call had ended cancels the next one: then it is simply made again. */
static hlm_status generate_once_more(cli_session *s, hlm_sampler *sampler, const hlm_generate_params *params,
                                     hlm_generate_result *result)
{
    const hlm_status st = hlm_generate(s->ctx, s->cache, sampler, params, result);
    if (st != HLM_E_CANCELLED || cli_interrupted()) return st;
    return hlm_generate(s->ctx, s->cache, sampler, params, result);
}

hlm_status cli_generate(cli_session *s, hlm_sampler *sampler, const int32_t *prompt, size_t n_prompt, size_t max_tokens,
                        bool reuse, cli_answer *answer)
{
    generation g = {.answer = answer, .started = cli_seconds()};
    cli_progress_start(&g.progress, s->o, "reading");
    const hlm_generate_params params = {
        .struct_size = sizeof params,
        .prompt = prompt,
        .n_prompt = n_prompt,
        .max_tokens = max_tokens,
        .stop = s->o->stop.items,
        .n_stop = s->o->stop.n,
        .ignore_eos = s->o->ignore_eos,
        .show_special = s->o->show_special,
        .progress = on_progress,
        .on_token = on_token,
        .user = &g,
        .reuse = reuse,
        .speculation = cli_drafter_speculation(&s->drafter),
        .adapter = s->adapter,
    };
    hlm_generate_result result = {.struct_size = sizeof result};
    cli_text_add(&answer->text, "", 0);
    const hlm_status st = generate_once_more(s, sampler, &params, &result);
    cli_progress_end(&g.progress);
    const double end = cli_seconds();
    if (g.first_token == 0) g.first_token = end;
    if (answer->n_prompt + answer->n_reused == 0) {
        answer->n_reused = result.n_reused;
        answer->n_recomputed = result.n_recomputed;
    }
    answer->n_prompt += n_prompt - result.n_reused;
    answer->prompt_seconds += g.first_token - g.started;
    answer->generate_seconds += end - g.first_token;
    answer->seed = s->seed;
    answer->drafts = s->drafter.on;
    answer->n_steps += result.n_steps;
    answer->n_drafted += result.n_drafted;
    answer->n_accepted += result.n_accepted;
    answer->finish = result.finish;
    answer->interrupted = st == HLM_E_CANCELLED;
    return st;
}

void cli_answer_free(cli_answer *answer)
{
    cli_ids_free(&answer->ids);
    cli_text_free(&answer->text);
}

const char *cli_finish_name(const cli_answer *answer)
{
    static const char *const names[] = {
        [HLM_FINISH_LENGTH] = "length",
        [HLM_FINISH_STOP_TOKEN] = "stop_token",
        [HLM_FINISH_STOP_STRING] = "stop_string",
        [HLM_FINISH_CALLBACK] = "callback",
        [HLM_FINISH_FULL] = "full",
    };
    if (answer->interrupted) return "interrupted";
    return answer->finish >= 0 && (size_t)answer->finish < CLI_COUNT(names) ? names[answer->finish] : "unknown";
}

/** Tokens per second, or 0 where nothing was measured. */
static double rate(size_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

/** The first token comes with the prompt, so the rest took generate_seconds. */
static size_t timed_tokens(const cli_answer *answer)
{
    return answer->ids.n ? answer->ids.n - 1 : 0;
}

void cli_answer_json(const cli_answer *a, json_t *object)
{
    cli_text clean = {0};
    cli_text_add_clean(&clean, a->text.data ? a->text.data : "", a->text.len);
    json_object_set_new(object, "text", json_stringn(clean.data, clean.len));
    cli_text_free(&clean);
    json_object_set_new(object, "ids", cli_json_ids(a->ids.data, a->ids.n));
    json_object_set_new(object, "finish", json_string(cli_finish_name(a)));
    json_object_set_new(object, "prompt_tokens", json_integer((json_int_t)a->n_prompt));
    json_object_set_new(object, "generated_tokens", json_integer((json_int_t)a->ids.n));
    json_object_set_new(object, "prompt_seconds", cli_json_real(a->prompt_seconds));
    json_object_set_new(object, "generate_seconds", cli_json_real(a->generate_seconds));
    json_object_set_new(object, "prompt_tokens_per_second", cli_json_real(rate(a->n_prompt, a->prompt_seconds)));
    json_object_set_new(object, "generated_tokens_per_second",
                        cli_json_real(rate(timed_tokens(a), a->generate_seconds)));
    json_object_set_new(object, "seed", json_integer((json_int_t)a->seed));
    if (!a->drafts) return;
    json_object_set_new(object, "steps", json_integer((json_int_t)a->n_steps));
    json_object_set_new(object, "drafted_tokens", json_integer((json_int_t)a->n_drafted));
    json_object_set_new(object, "accepted_tokens", json_integer((json_int_t)a->n_accepted));
}

void cli_answer_stats(const cli_options *o, const cli_answer *a)
{
    cli_remark(o, "%zu prompt tokens in %.3f s, %.0f a second; %zu generated in %.3f s, %.1f a second; %s", a->n_prompt,
               a->prompt_seconds, rate(a->n_prompt, a->prompt_seconds), a->ids.n, a->generate_seconds,
               rate(timed_tokens(a), a->generate_seconds), cli_finish_name(a));
    if (a->drafts)
        cli_remark(o, "%zu steps; of %zu drafted tokens %zu were right", a->n_steps, a->n_drafted, a->n_accepted);
}
