/* Messages to tokens (see conversation.h). */
#define _POSIX_C_SOURCE 200809L
#include "conversation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"

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

/* ---- files ------------------------------------------------------------------ */

bool cli_conversation_save(const cli_conversation *c, const char *path)
{
    char *json = json_dumps(c->messages, JSON_INDENT(1));
    errno = ENOMEM;
    const bool good = json && cli_replace_file(path, json, strlen(json));
    free(json);
    return good;
}

/** A regular file for reading; others may never come to an end. */
static FILE *open_file(const char *path)
{
    struct stat what;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    int error = fstat(fd, &what) != 0 ? errno : S_ISDIR(what.st_mode) ? EISDIR : 0;
    if (!error && !S_ISREG(what.st_mode)) error = EINVAL;
    FILE *f = error ? NULL : fdopen(fd, "rb");
    if (f) return f;
    if (!error) error = errno;
    close(fd);
    errno = error;
    return NULL;
}

/** Whether it is an array of messages whose role and content are texts; else *why is set. */
static bool check(const json_t *messages, char *why, size_t cap)
{
    size_t i;
    json_t *m;
    if (!json_is_array(messages)) {
        snprintf(why, cap, "it is no array of messages");
        return false;
    }
    json_array_foreach(messages, i, m)
    {
        const char *missing = !json_is_string(json_object_get(m, "role")) ? "role"
            : !json_is_string(json_object_get(m, "content"))              ? "content"
                                                                          : NULL;
        if (!missing) continue;
        snprintf(why, cap, "message %zu has no %s that is a text", i, missing);
        return false;
    }
    return true;
}

bool cli_conversation_load(cli_conversation *c, const char *path, char *why, size_t cap)
{
    json_error_t error = {.text = ""};
    FILE *f = open_file(path);
    if (!f) {
        snprintf(why, cap, "%s", errno == EINVAL ? "it is no regular file" : strerror(errno));
        return false;
    }
    json_t *messages = json_loadf(f, 0, &error);
    fclose(f);
    const bool good = messages && check(messages, why, cap);
    if (!messages) snprintf(why, cap, "line %d is no JSON: %s", error.line, error.text);
    if (!good) {
        json_decref(messages);
        return false;
    }
    json_decref(c->messages);
    c->messages = messages;
    return true;
}

/* ---- tokens -------------------------------------------------------------------- */

static hlm_status tokenize(const cli_conversation *c, const hlm_model *model, const char *json, cli_ids *ids)
{
    const hlm_chat_params params = {.struct_size = sizeof params, .chat_template = c->chat_template};
    size_t need = 0;
    hlm_status st = hlm_chat_tokenize(model, json, &params, NULL, 0, &need);
    if (st != HLM_E_SPACE) return st;
    int32_t *got = cli_alloc(need, sizeof *got);
    st = hlm_chat_tokenize(model, json, &params, got, need, &need);
    if (st == HLM_OK) cli_ids_add(ids, got, need);
    free(got);
    return st;
}

hlm_status cli_conversation_tokens(const cli_conversation *c, const hlm_model *model, cli_ids *ids)
{
    char *json = json_dumps(c->messages, JSON_COMPACT);
    if (!json) return HLM_E_NOMEM;
    const hlm_status st = tokenize(c, model, json, ids);
    free(json);
    return st;
}
