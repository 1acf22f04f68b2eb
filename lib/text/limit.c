/* Tokens beyond a model's rows. Fine-tuned models add a [PAD] to the tokenizer and leave the embedding as it is: the
 * model can neither read nor produce such a token, and needs none of them. */
#include <string.h>

#include "base/size.h"
#include "text/tokenizer_impl.h"

enum { SHOWN = 8 };

/* Words may become it, so texts would fail now and then. */
static bool is_word(uint8_t attr)
{
    return attr & HLMI_TOK_MODEL && !(attr & (HLMI_TOK_SPECIAL | HLMI_TOK_ADDED | HLMI_TOK_UNUSED));
}

static hlm_status check_words(const hlmi_tokenizer *t, size_t rows)
{
    size_t last = t->tokens.n;
    while (last > rows && !is_word(t->tokens.v[last - 1].attr)) last--;
    if (last == rows) return HLM_OK;
    const hlmi_str text = hlmi_tokens_text(&t->tokens, (int32_t)last - 1);
    return hlmi_fail(HLM_E_FORMAT, "the vocabulary has ids up to %zu ('%.*s'), the embedding %zu rows", last - 1,
                     (int)hlmi_min_size(text.len, 80), text.s, rows);
}

static bool unset(const hlmi_logger *log, const char *what, size_t rows, int32_t *id)
{
    if (*id < 0 || (size_t)*id < rows) return false;
    if (what)
        hlmi_log_line(log, HLM_LOG_WARN, "%s is the id %d, the embedding has %zu rows: unset", what, (int)*id, rows);
    *id = -1;
    return true;
}

static void drop(hlmi_ids *ids, size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < ids->n; i++)
        if ((size_t)ids->v[i] < rows) ids->v[n++] = ids->v[i];
    ids->n = n;
}

hlm_status hlmi_tokenizer_limit(hlmi_tokenizer *t, size_t rows, const hlmi_logger *log)
{
    size_t gone = 0;
    if (t->tokens.n <= rows) return HLM_OK;
    HLMI_DO(check_words(t, rows));
    for (size_t id = rows; id < t->tokens.n; id++) {
        if (!(t->tokens.v[id].attr & HLMI_TOK_PRESENT)) continue;
        const hlmi_str text = hlmi_tokens_text(&t->tokens, (int32_t)id);
        if (gone++ < SHOWN)
            hlmi_log_line(log, HLM_LOG_WARN, "token %zu, '%.*s', is beyond the embedding's %zu rows: left out", id,
                          (int)hlmi_min_size(text.len, 80), text.s, rows);
        hlmi_tokenizer_forget_added(t, (int32_t)id);
    }
    if (gone > SHOWN) hlmi_log_line(log, HLM_LOG_WARN, "and %zu more such tokens", gone - SHOWN);
    unset(log, "bos", rows, &t->special.bos);
    unset(log, "eos, which the model can not produce,", rows, &t->special.eos);
    unset(log, "pad", rows, &t->special.pad);
    unset(log, "unk", rows, &t->special.unk);
    unset(log, NULL, rows, &t->model->unk);
    drop(&t->post.prefix, rows);
    drop(&t->post.suffix, rows);
    t->tokens.n = rows;
    return HLM_OK;
}
