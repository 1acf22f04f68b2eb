/* One turn of a chat: the whole history is rendered and tokenized, and only what neither the cache nor the prefix cache
 * has of it is run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "interrupt.h"
#include "report.h"

/** Of a context, the part kept free for the answer when there are turns to drop: 1 / ROOM_SHARE. */
enum { ROOM_SHARE = 4 };

/** Make the conversation, with what is already answered, fit the context with `room` tokens to spare; whole turns go,
 *  the oldest first. *ids is set. */
static int fit(cli_chat *c, const cli_answer *answer, size_t room, cli_ids *ids)
{
    const size_t max = (size_t)c->s.max_tokens;
    for (;;) {
        ids->n = 0;
        const hlm_status st = cli_conversation_tokens(&c->conversation, c->s.model, ids);
        if (st != HLM_OK) return cli_fail_status(c->s.o, st, "the messages could not be rendered");
        const size_t used = ids->n + answer->ids.n;
        if (used <= max && room <= max - used) break;
        if (!cli_conversation_drop_oldest(&c->conversation)) break;
        c->n_dropped++;
    }
    if (ids->n + answer->ids.n < max && ids->n) return CLI_OK;
    if (answer->ids.n) return CLI_FAILED; /* an answer that fills the context: it ends here */
    return cli_fail(c->s.o, CLI_FAILED, "Give more room with --ctx, or say less.",
                    "the message takes %zu tokens; the context has %zu", ids->n, max);
}

/** Generate from where *answer stands; HLM_FINISH_FULL asks for another round with fewer turns. */
static int answer_part(cli_chat *c, hlm_sampler *sampler, size_t room, cli_ids *ids, cli_answer *answer)
{
    const cli_options *o = c->s.o;
    const size_t before = c->n_dropped;
    const int rc = fit(c, answer, room, ids);
    if (rc != CLI_OK) return rc;
    if (c->n_dropped > before && c->terminal)
        cli_remark(o, "context full: dropped the oldest %zu turn%s", c->n_dropped - before,
                   c->n_dropped - before == 1 ? "" : "s");
    cli_ids_add(ids, answer->ids.data, answer->ids.n);
    const size_t left = o->max_tokens ? (size_t)o->max_tokens - answer->ids.n : 0;
    const hlm_status st = cli_generate(&c->s, sampler, ids->data, ids->n, left, true, answer);
    const hlm_status kept = hlm_prefix_add(c->s.cache); /* what there is of an interrupted answer, too */
    if (kept != HLM_OK) cli_remark(o, "the answer is not remembered: %s", hlm_last_error());
    if (st == HLM_OK || st == HLM_E_CANCELLED) return CLI_OK;
    return cli_fail_status(o, st, "the answer failed");
}

static bool goes_on(const cli_chat *c, const cli_answer *answer)
{
    if (answer->interrupted || answer->finish != HLM_FINISH_FULL) return false;
    return !c->s.o->max_tokens || answer->ids.n < (size_t)c->s.o->max_tokens;
}

/** Answer the last message. The answer, also a partial one, joins the conversation. */
static int take_turn(cli_chat *c, hlm_sampler *sampler, cli_answer *answer)
{
    const cli_options *o = c->s.o;
    const size_t quarter = (size_t)c->s.max_tokens / ROOM_SHARE;
    size_t room = o->max_tokens && (size_t)o->max_tokens < quarter ? (size_t)o->max_tokens : quarter;
    cli_ids ids = {0};
    c->n_dropped = 0;
    cli_interrupt_clear();
    int rc = answer_part(c, sampler, room, &ids, answer);
    while (rc == CLI_OK && goes_on(c, answer)) {
        const size_t turns = json_array_size(c->conversation.messages);
        rc = answer_part(c, sampler, room, &ids, answer);
        if (json_array_size(c->conversation.messages) == turns) break; /* nothing left to drop */
    }
    cli_ids_free(&ids);
    if (rc != CLI_OK && answer->ids.n == 0) return rc;
    cli_conversation_add(&c->conversation, "assistant", answer->text.data ? answer->text.data : "", answer->text.len);
    return CLI_OK;
}

/* ---- what is shown of it --------------------------------------------------------- */

static int print_json(const cli_chat *c, const cli_answer *answer)
{
    json_t *result = json_object();
    cli_answer_json(answer, result);
    json_object_set_new(result, "reused_tokens", json_integer((json_int_t)answer->n_reused));
    json_object_set_new(result, "recomputed_tokens", json_integer((json_int_t)answer->n_recomputed));
    json_object_set_new(result, "dropped_turns", json_integer((json_int_t)c->n_dropped));
    return cli_print_json(result);
}

static void print_remarks(const cli_chat *c, const cli_answer *answer)
{
    const cli_options *o = c->s.o;
    if (c->n_dropped && !c->terminal)
        cli_remark(o, "context full: dropped the oldest %zu turn%s", c->n_dropped, c->n_dropped == 1 ? "" : "s");
    if (answer->interrupted) cli_remark(o, "stopped");
    else if (answer->finish == HLM_FINISH_FULL)
        cli_remark(o, "the context of %lld tokens is full; --ctx makes it larger", (long long)c->s.max_tokens);
    else if (answer->finish == HLM_FINISH_LENGTH)
        cli_remark(o, "stopped after %zu tokens; -n allows more", answer->ids.n);
    if (o->stats) {
        cli_answer_stats(o, answer);
        cli_remark(o, "%zu tokens reused, %zu of them computed again", answer->n_reused, answer->n_recomputed);
    }
}

int cli_chat_answer(cli_chat *c, hlm_sampler *sampler, bool *interrupted)
{
    const cli_options *o = c->s.o;
    cli_wrap out;
    cli_wrap_begin(&out, o, stdout);
    cli_answer answer = {.out = o->json ? NULL : &out};
    c->drawn = c->drawn || o->temperature > 0 || sampler == c->warm;
    int rc = take_turn(c, sampler, &answer);
    cli_wrap_end(&out);
    if (rc == CLI_OK && o->json) rc = print_json(c, &answer);
    else if (answer.text.len) putchar('\n');
    if (rc == CLI_OK) print_remarks(c, &answer);
    if (interrupted) *interrupted = answer.interrupted;
    cli_answer_free(&answer);
    return rc;
}

int cli_chat_say(cli_chat *c, const char *text, size_t len, bool *interrupted)
{
    cli_conversation_add(&c->conversation, "user", text, len);
    const int rc = cli_chat_answer(c, c->s.sampler, interrupted);
    if (rc != CLI_OK) cli_conversation_take_last(&c->conversation, "user");
    return rc;
}
