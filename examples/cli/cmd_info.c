/* hybridlm info: what a model is and how much memory it takes. */
#include <stdio.h>

#include "commands.h"
#include "info_file.h"
#include "report.h"
#include "session.h"

/* Prompts are run in steps of that many tokens. */
enum { CLI_PROMPT_PART = 512 };

static hlm_status make_plan(const cli_session *s, hlm_memory_plan_info *plan, hlm_plan_params *params)
{
    const cli_options *o = s->o;
    *params = (hlm_plan_params){
        .struct_size = sizeof *params,
        .n_sequences = (size_t)o->sequences,
        .n_tokens = o->ctx ? o->ctx : s->info.max_positions,
        .kv_type = o->kv,
        .state_type = o->state,
        .n_threads = (int32_t)o->threads,
        .window_rows = o->window_rows,
        .step_tokens = CLI_PROMPT_PART,
    };
    *plan = (hlm_memory_plan_info){.struct_size = sizeof *plan};
    return hlm_model_plan_memory(s->model, params, plan);
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static const char *head_name(int32_t head)
{
    static const char *const names[] = {"text", "sequence", "token", "none"};
    return head >= 0 && head <= HLM_HEAD_NONE ? names[head] : "?";
}

static json_t *model_json(const hlm_model_info *m)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:o, s:o, s:o, s:o, s:i, s:i, s:i, s:i, "
        "s:b, s:s, s:i, s:o}",
        "arch", m->arch, "name", m->name, "weight_type", m->weight_type, "kernel_class", m->kernel_class, "vocab_size",
        m->vocab_size, "n_layers", m->n_layers, "hidden_size", m->hidden_size, "n_heads", m->n_heads, "n_kv_heads",
        m->n_kv_heads, "head_dim", m->head_dim, "max_positions", (json_int_t)m->max_positions, "n_parameters",
        integer(m->n_parameters), "file_bytes", integer(m->file_bytes), "weight_bytes", integer(m->weight_bytes),
        "bytes_per_token", integer(m->bytes_per_token), "bos_token", m->bos_token, "eos_token", m->eos_token,
        "pad_token", m->pad_token, "unk_token", m->unk_token, "has_chat_template", m->has_chat_template, "head",
        head_name(m->head), "n_labels", m->n_labels, "n_active_parameters", integer(m->n_active_parameters));
}

static json_t *plan_json(const hlm_plan_params *p, const hlm_memory_plan_info *m)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequences", integer(p->n_sequences), "ctx",
                     integer((uint64_t)p->n_tokens), "weights", integer(m->weights), "state", integer(m->state),
                     "state_per_token", integer(m->state_per_token), "state_per_sequence",
                     integer(m->state_per_sequence), "scratch", integer(m->scratch), "total", integer(m->total),
                     "prefix", integer(m->prefix));
}

static void print_bytes(const char *name, uint64_t bytes)
{
    if (bytes >= 10000000) printf("  %-22s %.1f MB\n", name, (double)bytes * 1e-6);
    else printf("  %-22s %llu bytes\n", name, (unsigned long long)bytes);
}

static void print_model(const hlm_model_info *m)
{
    printf("model\n");
    printf("  %-22s %s\n", "name", *m->name ? m->name : "-");
    printf("  %-22s %s\n", "architecture", m->arch);
    printf("  %-22s %.1f million, %.1f for a token\n", "parameters", (double)m->n_parameters * 1e-6,
           (double)m->n_active_parameters * 1e-6);
    printf("  %-22s %s\n", "weights", m->weight_type);
    printf("  %-22s %d of width %d\n", "layers", m->n_layers, m->hidden_size);
    printf("  %-22s %d of %d, %d for keys and values\n", "heads", m->n_heads, m->head_dim, m->n_kv_heads);
    printf("  %-22s %d\n", "vocabulary", m->vocab_size);
    if (m->head == HLM_HEAD_NONE) printf("  %-22s none: embeddings and no text\n", "head");
    else if (m->head != HLM_HEAD_TEXT) printf("  %-22s %d classes\n", "head", m->n_labels);
    printf("  %-22s %lld tokens\n", "longest text", (long long)m->max_positions);
    printf("  %-22s bos %d, eos %d, pad %d, unk %d\n", "special tokens", m->bos_token, m->eos_token, m->pad_token,
           m->unk_token);
    printf("  %-22s %s\n", "chat template", m->has_chat_template ? "yes" : "no");
    print_bytes("file", m->file_bytes);
    print_bytes("read for each token", m->bytes_per_token);
    printf("  %-22s %s\n", "kernels here", m->kernel_class);
}

static void print_plan(const hlm_plan_params *p, const hlm_memory_plan_info *m)
{
    printf("memory for %zu sequence%s of %lld tokens\n", p->n_sequences, p->n_sequences == 1 ? "" : "s",
           (long long)p->n_tokens);
    print_bytes("weights", m->weights);
    print_bytes("state", m->state);
    print_bytes("  for each token", m->state_per_token);
    if (m->state_per_sequence) print_bytes("  for each sequence", m->state_per_sequence);
    print_bytes("scratch", m->scratch);
    print_bytes("total", m->total);
    print_bytes("prefix cache, at most", m->prefix);
}

/* ---- the table of weights ---- */

typedef int each_weight(const hlm_weight_info *w, void *user);

static int for_weights(const cli_session *s, each_weight *each, void *user)
{
    hlm_weight_info w = {.struct_size = sizeof w, .n_weights = 1};
    int rc = CLI_OK;
    for (size_t i = 0; i < w.n_weights && rc == CLI_OK; i++) {
        const hlm_status st = hlm_model_weight(s->model, i, &w);
        rc = st == HLM_OK ? each(&w, user) : cli_fail_status(s->o, st, "the weights could not be listed");
    }
    return rc;
}

static int add_weight(const hlm_weight_info *w, void *user)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < 4 && w->dims[i]; i++) json_array_append_new(shape, integer(w->dims[i]));
    json_t *entry = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "tensor", w->tensor, "type",
                              w->type, "kept_type", w->kept_type, "shape", shape, "block", w->block, "role", w->role,
                              "rows", integer(w->rows), "unit", integer(w->unit), "file_bytes", integer(w->file_bytes),
                              "bytes", integer(w->bytes));
    if (w->cols) json_object_set_new(entry, "cols", integer(w->cols));
    if (w->layer >= 0) json_object_set_new(entry, "layer", json_integer(w->layer));
    if (w->item >= 0) json_object_set_new(entry, "item", json_integer(w->item));
    json_array_append_new(user, entry);
    return CLI_OK;
}

static int print_weight(const hlm_weight_info *w, void *user)
{
    char shape[96] = "", where[64] = "";
    size_t at = 0;
    (void)user;
    for (size_t i = 0; i < 4 && w->dims[i]; i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, i ? ", %llu" : "%llu", (unsigned long long)w->dims[i]);
    if (w->layer >= 0 && w->item >= 0) snprintf(where, sizeof where, "%d.%d", w->layer, w->item);
    else if (w->layer >= 0) snprintf(where, sizeof where, "%d", w->layer);
    printf("%-52s %-5s %-18s %11llu  %-5s %-8s %-10s %-12s %7llu %6llu\n", w->tensor, w->type, shape,
           (unsigned long long)w->file_bytes, w->kept_type, where, w->block, w->role, (unsigned long long)w->rows,
           (unsigned long long)w->unit);
    return CLI_OK;
}

static int show_weights(const cli_session *s)
{
    printf("%-52s %-5s %-18s %11s  %-5s %-8s %-10s %-12s %7s %6s\n", "tensor", "type", "shape", "bytes", "kept",
           "layer", "block", "role", "rows", "unit");
    return for_weights(s, print_weight, NULL);
}

/* ---- what lies in the files ---- */

static int print_file(const cli_options *o, const cli_file *f)
{
    int rc = CLI_OK;
    if (o->files || !(o->keys || o->tensors)) cli_file_print(f);
    if (o->keys) rc = cli_file_print_keys(o, f);
    if (o->tensors && f->refused && rc == CLI_OK) rc = cli_file_print_tensors(o, f);
    return rc;
}

/** Of a model that is refused all of it, else what was asked for. */
static void add_file(const cli_options *o, const cli_file *f, json_t *result)
{
    const bool all = f->refused;
    if (all || o->files) json_object_set_new(result, "file", cli_file_json(f));
    if (all || o->keys) json_object_set_new(result, "keys", cli_file_keys_json(f));
    if (all) json_object_set_new(result, "tensors", cli_file_tensors_json(f));
    if (all) json_object_set_new(result, "problems", cli_file_problems_json(f));
}

static hlm_status open_file(const cli_session *s, cli_file *f)
{
    const hlm_model_params params = {.struct_size = sizeof params, .flags = s->o->read ? (uint32_t)HLM_LOAD_READ : 0};
    f->info.struct_size = sizeof f->info;
    const hlm_status st = hlm_file_open(&f->file, s->path, &params);
    return st == HLM_OK ? hlm_file_info_get(f->file, &f->info) : st;
}

/** It was the options, and not its files, that a model was refused for. */
static bool loads_without_options(const cli_session *s)
{
    const hlm_model_params plain = {.struct_size = sizeof plain, .flags = HLM_LOAD_HEADERS};
    hlm_model *model = NULL;
    const hlm_status st = hlm_model_load(&model, s->path, &plain);
    hlm_model_release(model);
    return st == HLM_OK;
}

/** Refused again, and told as every command tells it. */
static int fail_again(const cli_options *o)
{
    cli_session s;
    const int rc = cli_session_open(&s, o, CLI_NEED_FACTS);
    cli_session_close(&s);
    return rc;
}

/** A model that can not be run. The sentence about it is the thread's; what is no container at all is only refused. */
static int show_refused(const cli_session *s, hlm_status refused)
{
    char why[1024];
    int rc = CLI_OK;
    if (refused == HLM_E_CANCELLED || refused == HLM_E_NOMEM) return cli_session_refused(s, refused);
    snprintf(why, sizeof why, "%s", hlm_last_error());
    cli_file f = {.refused = why};
    if (loads_without_options(s)) return fail_again(s->o);
    if (open_file(s, &f) != HLM_OK) {
        hlm_file_free(f.file);
        return cli_session_refused(s, refused);
    }
    if (s->o->json) {
        json_t *result = json_pack("{s:s}", "version", hlm_version());
        add_file(s->o, &f, result);
        rc = cli_print_json(result);
    } else {
        rc = print_file(s->o, &f);
        cli_file_print_problems(&f);
    }
    hlm_file_free(f.file);
    return rc;
}

/* ---- a model that can be run ---- */

static int show_json(const cli_session *s, const hlm_plan_params *params, const hlm_memory_plan_info *plan,
                     const cli_file *f)
{
    int rc = CLI_OK;
    json_t *result = json_pack("{s:s, s:o, s:o}", "version", hlm_version(), "model", model_json(&s->info), "memory",
                               plan_json(params, plan));
    json_t *weights = json_array();
    if (s->o->tensors) rc = for_weights(s, add_weight, weights);
    if (s->o->tensors) json_object_set(result, "tensors", weights);
    json_decref(weights);
    if (f->file) add_file(s->o, f, result);
    if (rc == CLI_OK) return cli_print_json(result);
    json_decref(result);
    return rc;
}

static int show_model(const cli_session *s)
{
    const cli_options *o = s->o;
    hlm_plan_params params;
    hlm_memory_plan_info plan;
    cli_file f = {.refused = NULL};
    const bool files = o->files || o->keys;
    int rc = CLI_OK;
    hlm_status st = make_plan(s, &plan, &params);
    if (st != HLM_OK) return cli_fail_status(o, st, "the memory could not be planned");
    if (files) st = open_file(s, &f);
    if (st != HLM_OK) {
        hlm_file_free(f.file);
        return cli_fail_status(o, st, "the files could not be looked at");
    }
    if (o->json) {
        rc = show_json(s, &params, &plan, &f);
    } else {
        if (files) rc = print_file(o, &f);
        if (o->tensors && rc == CLI_OK) rc = show_weights(s);
        if (!files && !o->tensors) {
            print_model(&s->info);
            print_plan(&params, &plan);
        }
    }
    hlm_file_free(f.file);
    return rc;
}

static int run(const cli_options *o)
{
    cli_session s;
    hlm_status refused = HLM_OK;
    int rc = cli_session_facts(&s, o, &refused);
    if (rc == CLI_OK) rc = refused == HLM_OK ? show_model(&s) : show_refused(&s, refused);
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_FLAG("tensors", 0, tensors, "the table of weights: tensors, and what each is used for"),
    CLI_OPT_FLAG("keys", 0, keys, "the settings that lie in the files, with types and values"),
    CLI_OPT_FLAG("files", 0, files, "what lies in the files: container, parts, types and their bytes"),
    CLI_OPT_INT("seqs", 0, sequences, 1, 1 << 20, "plan memory for so many sequences (default 1)"),
};
static const cli_group group = {"Plan", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group, &cli_group_model, &cli_group_context, &cli_group_common, NULL};

const cli_command cli_command_info = {
    .name = "info",
    .summary = "facts about a model and its files, and the memory it takes",
    .usage = "-m PATH [OPTIONS]",
    .notes = "Examples:\n"
             "  hybridlm info model.gguf\n"
             "  hybridlm info model.gguf --tensors\n"
             "  hybridlm info model.gguf --keys --files\n"
             "  hybridlm info model.gguf --ctx 4096 --seqs 8 --kv f16 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = offsetof(cli_options, model),
    .defaults = {.sequences = 1},
    .run = run,
};
