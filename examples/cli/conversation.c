/* Messages to tokens (see conversation.h).
 *
 * The template's own markers must become special tokens and those that a
 * message spells must not. So the template is rendered a second time with a
 * placeholder for each message. The whole text is tokenized at once, which
 * gives the tokens that the model was trained on, only when it is seen to be
 * harmless: no message changes when markers in it are parsed, and the special
 * tokens of the whole are those of the rendering with placeholders. Otherwise
 * the parts of the template and the messages are tokenized one by one, only the
 * former with markers. */
#include "conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- messages -------------------------------------------------------------- */

int cli_conversation_open(cli_conversation *c, const cli_options *o)
{
    *c = (cli_conversation){.messages = json_array()};
    if (o->template_file) {
        cli_text text = {0};
        const int rc = cli_read_file(o, o->template_file, &text);
        c->chat_template = text.data;
        if (rc != CLI_OK) return rc;
    }
    if (o->system) cli_conversation_set_system(c, o->system, strlen(o->system));
    return CLI_OK;
}

void cli_conversation_close(cli_conversation *c)
{
    json_decref(c->messages);
    free(c->chat_template);
}

static const char *role_at(const cli_conversation *c, size_t i)
{
    const char *role = json_string_value(json_object_get(json_array_get(c->messages, i), "role"));
    return role ? role : "";
}

static const json_t *content_at(const cli_conversation *c, size_t i)
{
    return json_object_get(json_array_get(c->messages, i), "content");
}

/** 1 when the first message is the system's, else 0. */
static size_t n_system(const cli_conversation *c)
{
    return strcmp(role_at(c, 0), "system") == 0;
}

static json_t *message(const char *role, const char *text, size_t len)
{
    cli_text clean = {0};
    cli_text_add_clean(&clean, text, len);
    json_t *m = json_object();
    json_object_set_new(m, "role", json_string(role));
    json_object_set_new(m, "content", json_stringn(clean.data, clean.len));
    cli_text_free(&clean);
    return m;
}

void cli_conversation_reset(cli_conversation *c)
{
    while (json_array_size(c->messages) > n_system(c)) json_array_remove(c->messages, json_array_size(c->messages) - 1);
}

void cli_conversation_set_system(cli_conversation *c, const char *text, size_t len)
{
    if (n_system(c)) json_array_remove(c->messages, 0);
    if (len) json_array_insert_new(c->messages, 0, message("system", text, len));
}

void cli_conversation_add(cli_conversation *c, const char *role, const char *text, size_t len)
{
    json_array_append_new(c->messages, message(role, text, len));
}

bool cli_conversation_take_last(cli_conversation *c, const char *role)
{
    const size_t n = json_array_size(c->messages);
    if (n == 0 || strcmp(role_at(c, n - 1), role) != 0) return false;
    json_array_remove(c->messages, n - 1);
    return true;
}

bool cli_conversation_drop_oldest(cli_conversation *c)
{
    const size_t first = n_system(c);
    size_t next = first + 1;
    while (next < json_array_size(c->messages) && strcmp(role_at(c, next), "user") != 0) next++;
    if (next >= json_array_size(c->messages)) return false;
    for (size_t i = first; i < next; i++) json_array_remove(c->messages, first);
    return true;
}

/* ---- template ---------------------------------------------------------------- */

static hlm_status render(const cli_conversation *c, const hlm_model *model, const json_t *messages, cli_text *out)
{
    char *json = json_dumps(messages, JSON_COMPACT);
    if (!json) return HLM_E_NOMEM;
    const hlm_chat_params params = {.struct_size = sizeof params, .chat_template = c->chat_template};
    size_t need = 0;
    hlm_status st = hlm_chat_render(model, json, &params, NULL, 0, &need);
    if (st == HLM_E_SPACE || st == HLM_OK) {
        char *text = cli_alloc(need, 1);
        st = hlm_chat_render(model, json, &params, text, need, &need);
        if (st == HLM_OK) cli_text_add(out, text, need);
        free(text);
    }
    free(json);
    return st;
}

enum { MAX_MARK = 64 };

/** A text that no message contains; the placeholder of message i is this, i in decimal digits, and 'z'. */
static void choose_mark(const cli_conversation *c, char mark[MAX_MARK])
{
    bool taken = true;
    for (unsigned attempt = 0; taken; attempt++) {
        snprintf(mark, MAX_MARK, "qzmessage%uxq", attempt);
        taken = false;
        for (size_t i = 0; i < json_array_size(c->messages) && !taken; i++)
            taken = strstr(json_string_value(content_at(c, i)), mark) != NULL;
    }
}

static hlm_status render_marked(const cli_conversation *c, const hlm_model *model, const char *mark, cli_text *out)
{
    json_t *marked = json_array();
    for (size_t i = 0; i < json_array_size(c->messages); i++) {
        char placeholder[MAX_MARK + 24];
        const int len = snprintf(placeholder, sizeof placeholder, "%s%zuz", mark, i);
        json_array_append_new(marked, message(role_at(c, i), placeholder, (size_t)len));
    }
    const hlm_status st = render(c, model, marked, out);
    json_decref(marked);
    return st;
}

/* ---- tokens -------------------------------------------------------------------- */

/** Whether markers in the text change its tokens. */
static hlm_status has_markers(const hlm_model *model, const char *text, size_t len, bool *yes)
{
    cli_ids plain = {0}, parsed = {0};
    hlm_status st = cli_tokenize(model, text, len, 0, &plain);
    if (st == HLM_OK) st = cli_tokenize(model, text, len, HLM_TOKENIZE_PARSE_SPECIAL, &parsed);
    *yes = st == HLM_OK && !cli_ids_equal(&plain, &parsed);
    cli_ids_free(&plain);
    cli_ids_free(&parsed);
    return st;
}

/** Keep of *ids the special tokens: those that have a text, but none with special tokens left out. */
static hlm_status keep_special(const hlm_model *model, cli_ids *ids)
{
    size_t kept = 0;
    for (size_t i = 0; i < ids->n; i++) {
        size_t shown = 0, left = 0;
        char none;
        hlm_status st = hlm_detokenize(model, &ids->data[i], 1, 0, &none, 0, &shown);
        if (st == HLM_OK || st == HLM_E_SPACE)
            st = hlm_detokenize(model, &ids->data[i], 1, HLM_DETOKENIZE_SKIP_SPECIAL, &none, 0, &left);
        if (st != HLM_OK && st != HLM_E_SPACE) return st;
        if (shown && !left) ids->data[kept++] = ids->data[i];
    }
    ids->n = kept;
    return HLM_OK;
}

/** Whether `whole` has exactly the special tokens of the rendering with placeholders. */
static hlm_status same_special(const hlm_model *model, const cli_ids *whole, const cli_text *marked, bool *yes)
{
    cli_ids have = {0}, want = {0};
    cli_ids_add(&have, whole->data, whole->n);
    hlm_status st = keep_special(model, &have);
    if (st == HLM_OK) st = cli_tokenize(model, marked->data, marked->len, HLM_TOKENIZE_PARSE_SPECIAL, &want);
    if (st == HLM_OK) st = keep_special(model, &want);
    *yes = st == HLM_OK && cli_ids_equal(&have, &want);
    cli_ids_free(&have);
    cli_ids_free(&want);
    return st;
}

static hlm_status is_harmless(const cli_conversation *c, const hlm_model *model, const cli_ids *whole,
                              const cli_text *marked, bool *yes)
{
    for (size_t i = 0; i < json_array_size(c->messages); i++) {
        const json_t *content = content_at(c, i);
        bool markers = false;
        const hlm_status st = has_markers(model, json_string_value(content), json_string_length(content), &markers);
        *yes = false;
        if (st != HLM_OK || markers) return st;
    }
    return same_special(model, whole, marked, yes);
}

/** The marked rendering part by part: template with markers, messages without. */
static hlm_status tokenize_parts(const cli_conversation *c, const hlm_model *model, const cli_text *marked,
                                 const char *mark, cli_ids *ids)
{
    const char *at = marked->data, *end = marked->data + marked->len;
    hlm_status st = HLM_OK;
    while (st == HLM_OK && at < end) {
        const char *found = strstr(at, mark);
        const char *stop = found ? found : end;
        if (stop > at) st = cli_tokenize(model, at, (size_t)(stop - at), HLM_TOKENIZE_PARSE_SPECIAL, ids);
        if (!found || st != HLM_OK) break;
        char *after = NULL;
        const json_t *content = content_at(c, strtoul(found + strlen(mark), &after, 10));
        if (content) st = cli_tokenize(model, json_string_value(content), json_string_length(content), 0, ids);
        at = after + (*after == 'z');
    }
    return st;
}

hlm_status cli_conversation_tokens(const cli_conversation *c, const hlm_model *model, cli_ids *ids)
{
    char mark[MAX_MARK];
    cli_text text = {0}, marked = {0};
    cli_ids whole = {0};
    bool harmless = false;
    choose_mark(c, mark);
    hlm_status st = render(c, model, c->messages, &text);
    if (st == HLM_OK) st = render_marked(c, model, mark, &marked);
    if (st == HLM_OK) st = cli_tokenize(model, text.data, text.len, HLM_TOKENIZE_PARSE_SPECIAL, &whole);
    if (st == HLM_OK) st = is_harmless(c, model, &whole, &marked, &harmless);
    if (st == HLM_OK && harmless) cli_ids_add(ids, whole.data, whole.n);
    if (st == HLM_OK && !harmless) st = tokenize_parts(c, model, &marked, mark, ids);
    cli_ids_free(&whole);
    cli_text_free(&marked);
    cli_text_free(&text);
    return st;
}
