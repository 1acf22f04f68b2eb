/* A tokenizer's life, its encode pipeline and the questions one can ask it. */
#include "text/tokenizer_impl.h"

#include <string.h>

/* ---- arrays of ids ---- */

void hlmi_ids_init(hlmi_ids *ids, const hlmi_mem *mem)
{
    *ids = (hlmi_ids){.mem = *mem};
}

void hlmi_ids_free(hlmi_ids *ids)
{
    hlmi_free(&ids->mem, ids->v);
    ids->v = NULL;
    ids->n = ids->cap = 0;
}

hlm_status hlmi_ids_reserve(hlmi_ids *ids, size_t n)
{
    if (n <= ids->cap - ids->n) return HLM_OK;
    return HLMI_GROW(&ids->mem, ids->v, ids->cap, ids->n + n, "token ids");
}

hlm_status hlmi_ids_push(hlmi_ids *ids, int32_t id)
{
    const hlm_status st = hlmi_ids_reserve(ids, 1);
    if (st == HLM_OK) ids->v[ids->n++] = id;
    return st;
}

static hlm_status append(hlmi_ids *out, const hlmi_ids *ids)
{
    const hlm_status st = hlmi_ids_reserve(out, ids->n);
    if (st != HLM_OK || ids->n == 0) return st;
    memcpy(out->v + out->n, ids->v, ids->n * sizeof *ids->v);
    out->n += ids->n;
    return HLM_OK;
}

/* ---- life ---- */

hlm_status hlmi_tokenizer_alloc(hlmi_tokenizer **out, const hlmi_mem *mem)
{
    hlmi_tokenizer *t = hlmi_calloc(mem, 1, sizeof *t);
    *out = t;
    if (!t) return hlmi_nomem(sizeof *t, "tokenizer");
    t->mem = t->tokens.mem = *mem;
    hlmi_ids_init(&t->post.prefix, mem);
    hlmi_ids_init(&t->post.suffix, mem);
    t->special = (hlmi_special_ids){-1, -1, -1, -1};
    return HLM_OK;
}

void hlmi_tokenizer_free(hlmi_tokenizer *t)
{
    if (!t) return;
    const hlmi_mem mem = t->mem;
    hlmi_tokens_free(&t->tokens);
    hlmi_added_free(&t->added, &t->mem);
    hlmi_added_free(&t->added_normalized, &t->mem);
    hlmi_norms_free(&t->norms, &t->mem);
    hlmi_pretoks_free(&t->pretoks, &t->mem);
    if (t->model) t->model->kind->free(t->model, &t->mem);
    hlmi_ids_free(&t->post.prefix);
    hlmi_ids_free(&t->post.suffix);
    hlmi_decode_steps_free(&t->decode, &t->mem);
    hlmi_free(&mem, t);
}

hlm_status hlmi_tokenizer_register_added(hlmi_tokenizer *t, int32_t id, uint8_t flags, bool normalized)
{
    hlm_status st;
    hlmi_buf a, b;
    const hlmi_str text = hlmi_tokens_text(&t->tokens, id);
    const char *s = text.s;
    size_t len = text.len, most = 0;
    if (!normalized) return hlmi_added_insert(&t->added, &t->mem, s, len, id, flags);
    hlmi_buf_init(&a, &t->mem);
    hlmi_buf_init(&b, &t->mem);
    a.max = b.max = 1024 + 32 * len; /* there are many tokens */
    HLMI_TRY(hlmi_norms_run(&t->norms, &s, &len, &a, &b, &most));
    HLMI_TRY(hlmi_added_insert(&t->added_normalized, &t->mem, s, len, id, flags));
    if (len != text.len || memcmp(s, text.s, len) != 0) /* the reference then shows it so, too */
        HLMI_TRY(hlmi_tokens_respell(&t->tokens, id, (hlmi_str){s, len}));
done:
    hlmi_buf_free(&a);
    hlmi_buf_free(&b);
    return st;
}

void hlmi_tokenizer_forget_added(hlmi_tokenizer *t, int32_t id)
{
    const hlmi_str text = hlmi_tokens_text(&t->tokens, id), shown = hlmi_tokens_shown(&t->tokens, id);
    hlmi_added_remove(&t->added, text.s, text.len, id);
    hlmi_added_remove(&t->added_normalized, shown.s, shown.len, id);
    for (size_t i = 0; t->tokens.attr[id] & HLMI_TOK_RESPELLED && i < t->tokens.n_respelled; i++)
        if (t->tokens.respelled[i].id == id) t->tokens.respelled[i].id = -1;
    t->tokens.attr[id] &= (uint8_t) ~(unsigned)(HLMI_TOK_ADDED | HLMI_TOK_SPECIAL | HLMI_TOK_RESPELLED);
}

/* ---- encode ---- */

/* One call's state. */
typedef struct encoding {
    const hlmi_tokenizer *t;
    bool special;
    const char *text, *trusted; /* see hlmi_tokenizer_encode_traced; NULL: all is trusted */
    hlmi_ids *out;
    hlmi_buf clean, a, b; /* well-formed input; normalizers */
    size_t room; /* bytes that the normalizers may still make, of all sections together */
    hlmi_pieces p, q;
    void *scratch; /* of the model */
} encoding;

static hlm_status begin(encoding *e, const hlmi_tokenizer *t, const hlmi_mem *mem, size_t len)
{
    const hlmi_model_kind *kind = t->model->kind;
    hlmi_buf_init(&e->clean, mem);
    hlmi_buf_init(&e->a, mem);
    hlmi_buf_init(&e->b, mem);
    e->room = ((size_t)16 << 20) + 32 * len; /* chained replacements can grow without bound */
    e->p.mem = e->q.mem = *mem;
    hlmi_buf_init(&e->p.own, mem);
    hlmi_buf_init(&e->q.own, mem);
    return kind->begin ? kind->begin(t->model, mem, len, e->trusted != NULL, &e->scratch) : HLM_OK;
}

static void end(encoding *e)
{
    const hlmi_mem *mem = &e->p.mem;
    if (e->t->model->kind->end) e->t->model->kind->end(e->scratch);
    hlmi_buf_free(&e->clean);
    hlmi_buf_free(&e->a);
    hlmi_buf_free(&e->b);
    hlmi_buf_free(&e->p.own);
    hlmi_buf_free(&e->q.own);
    hlmi_free(mem, e->p.v);
    hlmi_free(mem, e->q.v);
}

static hlm_status check_length(size_t len)
{
    if (len <= INT32_MAX / 4) return HLM_OK;
    return hlmi_fail(HLM_E_LIMIT, "a text of %zu bytes; at most %d at once", len, INT32_MAX / 4);
}

/* Puts U+FFFD for each maximal bad sequence; text that is well-formed stays where it is. */
static hlm_status make_clean(encoding *e, const char **text, size_t *len)
{
    const char *s = *text;
    size_t at = hlmi_utf8_valid(s, *len), bad;
    if (at == *len) return HLM_OK;
    hlmi_buf_add(&e->clean, s, at);
    while (at < *len && !e->clean.failed) {
        hlmi_utf8_next(s + at, *len - at, &bad);
        hlmi_buf_utf8(&e->clean, 0xFFFD);
        at += bad;
        const size_t good = hlmi_utf8_valid(s + at, *len - at);
        hlmi_buf_add(&e->clean, s + at, good);
        at += good;
    }
    *text = e->clean.data;
    *len = e->clean.len;
    return hlmi_buf_status(&e->clean, "text");
}

/* Normalized text without added tokens: cut into pieces, each to ids. */
static hlm_status encode_words(encoding *e, const char *s, size_t len, bool first)
{
    hlm_status st;
    const hlmi_token_model *m = e->t->model;
    if (len == 0) return HLM_OK;
    e->p.text = s;
    e->p.n = 0;
    HLMI_TRY(hlmi_pieces_add(&e->p, 0, len, first));
    HLMI_TRY(hlmi_pretoks_run(&e->t->pretoks, &e->p, &e->q));
    for (size_t i = 0; i < e->p.n; i++) {
        const hlmi_piece v = e->p.v[i];
        HLMI_TRY(m->kind->encode(m, e->scratch, e->p.text + v.begin, v.end - v.begin, e->out));
    }
done:
    return st;
}

/* Offsets are lost in normalizing, so special tokens are looked for only in what is trusted as a whole. */
static bool section_special(const encoding *e, const char *s, size_t len)
{
    return e->special && (!e->trusted || !memchr(e->trusted + (s - e->text), 0, len));
}

/* Text between raw added tokens: normalized, then cut at the normalized added tokens. */
static hlm_status encode_section(encoding *e, const char *s, size_t len, bool first)
{
    hlm_status st;
    hlmi_added_cursor c = {0};
    hlmi_added_match m;
    size_t from = 0, most = 0;
    const bool special = section_special(e, s, len);
    first = first && !hlmi_norms_strip_left(&e->t->norms, s);
    e->a.max = e->b.max = e->room;
    HLMI_TRY(hlmi_norms_run(&e->t->norms, &s, &len, &e->a, &e->b, &most));
    e->room -= most;
    HLMI_TRY(check_length(len));
    while (hlmi_added_next(&e->t->added_normalized, s, len, special, &c, &m)) {
        if (from < m.begin) HLMI_TRY(encode_words(e, s + from, m.begin - from, first && from == 0));
        HLMI_TRY(hlmi_ids_push(e->out, m.id));
        from = m.end;
    }
    if (from < len) HLMI_TRY(encode_words(e, s + from, len - from, first && from == 0));
done:
    return st;
}

static hlm_status encode_text(encoding *e, const char *s, size_t len)
{
    hlm_status st = HLM_OK;
    hlmi_added_cursor c = {.trusted = e->trusted};
    hlmi_added_match m;
    size_t from = 0;
    e->text = s;
    while (hlmi_added_next(&e->t->added, s, len, e->special, &c, &m)) {
        if (from < m.begin) HLMI_TRY(encode_section(e, s + from, m.begin - from, from == 0));
        HLMI_TRY(hlmi_ids_push(e->out, m.id));
        from = m.end;
    }
    if (from < len) HLMI_TRY(encode_section(e, s + from, len - from, from == 0));
done:
    return st;
}

hlm_status hlmi_tokenizer_encode(const hlmi_tokenizer *t, const char *text, size_t len, uint32_t flags, hlmi_ids *out)
{
    hlm_status st;
    encoding e = {.t = t, .special = flags & HLM_TOKENIZE_PARSE_SPECIAL, .out = out};
    const char *s = len ? text : "";
    if (check_length(len) != HLM_OK) return HLM_E_LIMIT;
    HLMI_TRY(begin(&e, t, &out->mem, len));
    HLMI_TRY(make_clean(&e, &s, &len));
    if (flags & HLM_TOKENIZE_ADD_SPECIAL) HLMI_TRY(append(out, &t->post.prefix));
    HLMI_TRY(encode_text(&e, s, len));
    if (flags & HLM_TOKENIZE_ADD_SPECIAL) HLMI_TRY(append(out, &t->post.suffix));
done:
    end(&e);
    return st;
}

hlm_status hlmi_tokenizer_encode_traced(const hlmi_tokenizer *t, const char *text, size_t len, const char *trusted,
                                        hlmi_ids *out)
{
    hlm_status st;
    encoding e = {.t = t, .special = true, .trusted = trusted, .out = out};
    if (len == 0) return HLM_OK;
    if (check_length(len) != HLM_OK) return HLM_E_LIMIT;
    if (hlmi_utf8_valid(text, len) < len) return hlmi_fail(HLM_E_FORMAT, "the rendered chat is not UTF-8");
    HLMI_TRY(begin(&e, t, &out->mem, len));
    HLMI_TRY(encode_text(&e, text, len));
done:
    end(&e);
    return st;
}

/* ---- facts ---- */

int32_t hlmi_tokenizer_size(const hlmi_tokenizer *t)
{
    return (int32_t)t->tokens.n;
}

hlmi_special_ids hlmi_tokenizer_special(const hlmi_tokenizer *t)
{
    return t->special;
}

static void suppose(const hlmi_tokenizer *t, bool said, int32_t supposed, int32_t *id)
{
    if (*id < 0 && !said && supposed >= 0 && (size_t)supposed < t->tokens.n) *id = supposed;
}

void hlmi_tokenizer_suppose(hlmi_tokenizer *t, hlmi_special_ids ids)
{
    suppose(t, t->said.bos, ids.bos, &t->special.bos);
    suppose(t, t->said.eos, ids.eos, &t->special.eos);
    suppose(t, t->said.pad, ids.pad, &t->special.pad);
}

static unsigned attributes(const hlmi_tokenizer *t, int32_t id)
{
    return id >= 0 && (size_t)id < t->tokens.n ? t->tokens.attr[id] : 0u;
}

bool hlmi_tokenizer_is_special(const hlmi_tokenizer *t, int32_t id)
{
    return attributes(t, id) & HLMI_TOK_SPECIAL;
}

bool hlmi_tokenizer_ends(const hlmi_tokenizer *t, int32_t id)
{
    return attributes(t, id) & HLMI_TOK_ENDS;
}

int32_t hlmi_tokenizer_find(const hlmi_tokenizer *t, const char *text, size_t len)
{
    return hlmi_tokens_find(&t->tokens, text, len);
}

hlmi_str hlmi_tokenizer_text(const hlmi_tokenizer *t, int32_t id)
{
    if (id < 0 || (size_t)id >= t->tokens.n) return (hlmi_str){"", 0};
    return hlmi_tokens_text(&t->tokens, id);
}
