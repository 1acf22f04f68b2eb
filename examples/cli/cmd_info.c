/* hybridlm info: what a model is and how much memory it takes. */
#include <stdio.h>

#include "commands.h"
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

static int run(const cli_options *o)
{
    cli_session s;
    hlm_plan_params params;
    hlm_memory_plan_info plan;
    int rc = cli_session_open(&s, o, CLI_NEED_FACTS);
    if (rc == CLI_OK) {
        const hlm_status st = make_plan(&s, &plan, &params);
        if (st != HLM_OK) rc = cli_fail_status(o, st, "the memory could not be planned");
    }
    if (rc == CLI_OK && o->json) {
        json_t *result = json_pack("{s:s, s:o, s:o}", "version", hlm_version(), "model", model_json(&s.info), "memory",
                                   plan_json(&params, &plan));
        json_t *weights = json_array();
        if (o->tensors) rc = for_weights(&s, add_weight, weights);
        if (o->tensors) json_object_set(result, "tensors", weights);
        json_decref(weights);
        if (rc == CLI_OK) rc = cli_print_json(result);
        else json_decref(result);
    } else if (rc == CLI_OK && o->tensors) {
        rc = show_weights(&s);
    } else if (rc == CLI_OK) {
        print_model(&s.info);
        print_plan(&params, &plan);
    }
    cli_session_close(&s);
    return rc;
}

static const cli_option options[] = {
    CLI_OPT_FLAG("tensors", 0, tensors, "the table of weights: tensors, and what each is used for"),
    CLI_OPT_INT("seqs", 0, sequences, 1, 1 << 20, "plan memory for so many sequences (default 1)"),
};
static const cli_group group = {"Plan", options, CLI_COUNT(options)};
static const cli_group *const groups[] = {&group, &cli_group_model, &cli_group_context, &cli_group_common, NULL};

const cli_command cli_command_info = {
    .name = "info",
    .summary = "facts about a model, and the memory it takes",
    .usage = "-m PATH [OPTIONS]",
    .notes = "Examples:\n"
             "  hybridlm info model.gguf\n"
             "  hybridlm info model.gguf --tensors\n"
             "  hybridlm info model.gguf --ctx 4096 --seqs 8 --kv f16 --json\n",
    .groups = groups,
    .takes_argument = true,
    .argument_at = offsetof(cli_options, model),
    .defaults = {.sequences = 1},
    .run = run,
};
