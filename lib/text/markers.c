/* Which tokens end an answer, and which are markers whatever their file calls them. The three questions that hang on it
 * have one answer: what ends an answer is special, is found in a text with PARSE_SPECIAL only, and is left out by
 * SKIP_SPECIAL. Many files get this wrong: re-uploads type "<end_of_turn>" as an ordinary token, templates that write
 * it then spell it in letters, and answers run on. */
#include <string.h>

#include "text/tokenizer_impl.h"

/* ---- special ---- */

hlm_status hlmi_tokenizer_make_special(hlmi_tokenizer *t, int32_t id)
{
    if (id < 0 || (size_t)id >= t->tokens.n) return HLM_OK;
    const hlmi_str text = hlmi_tokens_text(&t->tokens, id);
    if (text.len > HLMI_ADDED_MAX)
        return hlmi_fail(HLM_E_UNSUPPORTED, "token %d, a marker, has %zu bytes; at most %d", (int)id, text.len,
                         HLMI_ADDED_MAX);
    const hlmi_str shown = hlmi_tokens_shown(&t->tokens, id);
    t->tokens.v[id].attr =
        (uint8_t)((t->tokens.v[id].attr | HLMI_TOK_SPECIAL) & ~(unsigned)(HLMI_TOK_RESPELLED | HLMI_TOK_UNUSED));
    hlmi_added_add_flags(&t->added, text.s, text.len, id, HLMI_ADDED_SPECIAL);
    const uint8_t flags =
        hlmi_added_add_flags(&t->added_normalized, shown.s, shown.len, id, HLMI_ADDED_SPECIAL) | HLMI_ADDED_SPECIAL;
    return hlmi_added_insert(&t->added, &t->mem, text.s, text.len, id, flags);
}

bool hlmi_looks_like_marker(hlmi_str s)
{
    if (s.len < 3 || hlmi_byte_token(s) >= 0) return false;
    return (s.s[0] == '<' && s.s[s.len - 1] == '>') || (s.s[0] == '[' && s.s[s.len - 1] == ']');
}

/* ---- ends ---- */

/* A line's end may end an answer of a model without markers; it stays text. */
static hlm_status spells_space(const hlmi_tokenizer *t, int32_t id, bool *out)
{
    hlmi_buf b;
    hlmi_buf_init(&b, &t->mem);
    const hlm_status st = hlmi_tokenizer_piece(t, id, &b);
    *out = st == HLM_OK && b.len > 0;
    for (size_t i = 0; st == HLM_OK && i < b.len; i++)
        if (b.data[i] != ' ' && (b.data[i] < '\t' || b.data[i] > '\r')) *out = false;
    hlmi_buf_free(&b);
    return st;
}

hlm_status hlmi_tokenizer_add_end(hlmi_tokenizer *t, int32_t id)
{
    bool space;
    if (id < 0 || (size_t)id >= t->tokens.n || !(t->tokens.v[id].attr & HLMI_TOK_PRESENT)) return HLM_OK;
    HLMI_DO(spells_space(t, id, &space));
    t->tokens.v[id].attr |= HLMI_TOK_ENDS;
    return space || t->tokens.v[id].attr & HLMI_TOK_SPECIAL ? HLM_OK : hlmi_tokenizer_make_special(t, id);
}

static int32_t find(const hlmi_tokenizer *t, const char *text)
{
    return hlmi_tokens_find(&t->tokens, text, strlen(text));
}

/* Texts that look like ends and are none beside certain others: in chats of several channels <|end|> closes one of
 * them, and </s> ends struck-out text where the vocabulary has HTML's other tags. */
static bool is_no_end(const hlmi_tokenizer *t, const char *name)
{
    if (strcmp(name, "<|end|>") == 0) {
        const bool call = find(t, "<|call|>") >= 0 || find(t, "<|calls|>") >= 0;
        return call && (find(t, "<|return|>") >= 0 || find(t, "<|flush|>") >= 0);
    }
    const int32_t bold = find(t, "</b>");
    return strcmp(name, "</s>") == 0 && !hlmi_tokenizer_is_special(t, find(t, name)) &&
        (find(t, "<|tool_response>") >= 0 || (bold >= 0 && !hlmi_tokenizer_is_special(t, bold)));
}

hlm_status hlmi_tokenizer_mark_ends(hlmi_tokenizer *t, bool words)
{
    static const char *const names[] = {
        /* of a turn */
        "<|im_end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|eot|>",
        "<|EOT|>",
        "<|end|>",
        "<|end_of_turn|>",
        "<|END_OF_TURN_TOKEN|>",
        "<|endofturn|>",
        "[|endofturn|]",
        "<end_of_turn>",
        "<turn|>",
        "<|endofutterance|>",
        "<end_of_utterance>",
        "<EOT>",
        "_<EOT>",
        "\xE2\x96\x81<EOT>",
        "[EOT]",
        "[e~[",
        /* of an answer, or of one that asks for a tool */
        "<|return|>",
        "<|call|>",
        "<|calls|>",
        "<|flush|>",
        "<|tool_response>",
        /* of a text */
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|end_of_sentence|>",
        ("<\xEF\xBD\x9C"
         "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"),
        "</s>",
        "<eos>",
        "[EOS]",
        /* of a file, where code is filled in */
        "<|fim_pad|>",
        "<fim-pad>",
        "<fim_pad>",
        "<PAD>",
        "[PAD]",
        "<|fim_repo|>",
        "<|repo_name|>",
        "<fim-repo>",
        "<REPO>",
        "<reponame>",
        "<|file_sep|>",
    };
    hlm_status st = hlmi_tokenizer_add_end(t, t->special.eos);
    for (size_t i = 0; i < sizeof names / sizeof *names && st == HLM_OK; i++) {
        const int32_t id = find(t, names[i]);
        const bool marker = id >= 0 && (words || t->tokens.v[id].attr & (HLMI_TOK_ADDED | HLMI_TOK_SPECIAL));
        if (marker && !is_no_end(t, names[i])) st = hlmi_tokenizer_add_end(t, id);
    }
    return st;
}
