/* hybridlm tokenize: text to token ids and back. */
#include <stdio.h>

#include "commands.h"
#include "report.h"
#include "session.h"
#include "text.h"

/** The text of ids[i] behind the id before it, as a JSON string: every control character is visible. */
static json_t *piece(const cli_session *s, const int32_t *ids, size_t i)
{
    cli_text text = {0}, clean = {0};
    json_t *string = NULL;
    if (cli_piece(s->model, ids, i, &text) == HLM_OK) {
        cli_text_add_clean(&clean, text.data, text.len);
        string = json_stringn(clean.data, clean.len);
    }
    cli_text_free(&text);
    cli_text_free(&clean);
    return string ? string : json_null();
}

static int print_json(const cli_session *s, const cli_ids *ids)
{
    json_t *result = json_object();
    json_object_set_new(result, "count", json_integer((json_int_t)ids->n));
    if (!s->o->count) json_object_set_new(result, "ids", cli_json_ids(ids->data, ids->n));
    if (s->o->pieces) {
        json_t *pieces = json_array();
        for (size_t i = 0; i < ids->n; i++) json_array_append_new(pieces, piece(s, ids->data, i));
        json_object_set_new(result, "pieces", pieces);
    }
    return cli_print_json(result);
}

static void print_pieces(const cli_session *s, const cli_ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        json_t *string = piece(s, ids->data, i);
        printf("%7d  ", ids->data[i]);
        json_dumpf(string, stdout, JSON_ENCODE_ANY);
        putchar('\n');
        json_decref(string);
    }
}

static int encode(const cli_session *s)
{
    const cli_options *o = s->o;
    cli_ids ids = {0};
    int rc = cli_session_input(s, &ids);
    if (rc == CLI_OK && o->json) {
        rc = print_json(s, &ids);
    } else if (rc == CLI_OK && o->count) {
        printf("%zu\n", ids.n);
    } else if (rc == CLI_OK && o->pieces) {
        print_pieces(s, &ids);
    } else {
        for (size_t i = 0; i < ids.n; i++) printf("%d%c", ids.data[i], i + 1 < ids.n ? ' ' : '\n');
    }
    cli_ids_free(&ids);
    return rc;
}

static int print_decoded(const cli_session *s, const cli_ids *ids)
{
    cli_text text = {0}, clean = {0};
    int rc = CLI_OK;
    const hlm_status st = cli_detokenize(s->model, ids->data, ids->n, 0, &text);
    if (st != HLM_OK) {
        rc = cli_fail_status(s->o, st, "the ids could not be decoded");
    } else if (s->o->json) {
        cli_text_add_clean(&clean, text.data, text.len);
        json_t *result = json_object();
        json_object_set_new(result, "count", json_integer((json_int_t)ids->n));
        json_object_set_new(result, "text", json_stringn(clean.data, clean.len));
        rc = cli_print_json(result);
    } else {
        fwrite(text.data, 1, text.len, stdout);
        putchar('\n');
    }
    cli_text_free(&clean);
    cli_text_free(&text);
    return rc;
}

static int decode(const cli_session *s)
{
    const cli_options *o = s->o;
    if (o->prompt && o->file) return cli_fail(o, CLI_USAGE, NULL, "give ids or --file, not both");
    cli_ids ids = {0};
    int rc = cli_read_ids(o, o->prompt ? o->prompt : o->file ? o->file : "-", &ids);
    if (rc == CLI_OK) rc = print_decoded(s, &ids);
    cli_ids_free(&ids);
    return rc;
}

static int run(const cli_options *o)
{
    cli_session s;
    int rc = cli_session_open(&s, o, CLI_NEED_VOCAB);
    if (rc == CLI_OK) rc = o->decode ? decode(&s) : encode(&s);
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_FLAG("decode", 'd', decode, "ids to text"),
    CLI_OPT_FLAG("count", 0, count, "only the number of tokens"),
    CLI_OPT_FLAG("pieces", 0, pieces, "the text of each token, too"),
    CLI_OPT_TEXT("model", 'm', model, "PATH", "GGUF file, folder or tokenizer.json (default: $HYBRIDLM_MODEL)"),
};
static const cli_group group = {"Tokens", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&cli_group_input, &group, &cli_group_common, NULL};

const cli_command cli_command_tokenize = {
    .name = "tokenize",
    .summary = "text to token ids and back",
    .usage = "MODEL [TEXT | -f FILE] [OPTIONS]",
    .notes = "With -m PATH or $HYBRIDLM_MODEL the text stands alone.\n\n"
             "Examples:\n"
             "  hybridlm tokenize -m model.gguf \"Hello world\"\n"
             "  hybridlm tokenize -m model.gguf --count -f book.txt\n"
             "  hybridlm tokenize -m model.gguf --decode 1,2,3\n",
    .groups = groups,
    .takes_argument = true,
    .takes_model = true,
    .argument_at = offsetof(cli_options, prompt),
    .run = run,
};
