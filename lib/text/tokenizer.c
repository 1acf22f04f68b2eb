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

hlm_status hlmi_ids_push(hlmi_ids *ids, int32_t id)
{
    return hlmi_ids_append(ids, &id, 1);
}

hlm_status hlmi_ids_append(hlmi_ids *ids, const int32_t *v, size_t n)
{
    if (n > ids->cap - ids->n) HLMI_DO(HLMI_GROW(&ids->mem, ids->v, ids->cap, ids->n + n, "token ids"));
    if (n) memcpy(ids->v + ids->n, v, n * sizeof *v);
    ids->n += n;
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
    hlmi_byte_trie_free(&t->added.trie, &t->mem);
    hlmi_byte_trie_free(&t->added_normalized.trie, &t->mem);
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
    for (size_t i = 0; t->tokens.v[id].attr & HLMI_TOK_RESPELLED && i < t->tokens.n_respelled; i++)
        if (t->tokens.respelled[i].id == id) t->tokens.respelled[i].id = -1;
    t->tokens.v[id].attr &= (uint8_t) ~(unsigned)(HLMI_TOK_ADDED | HLMI_TOK_SPECIAL | HLMI_TOK_RESPELLED);
}

hlm_status hlmi_tokenizer_register_types(hlmi_tokenizer *t, const int32_t *types, size_t n, const char *what,
                                         uint8_t but)
{
    for (size_t i = 0; i < n; i++) {
        if (!hlmi_type_is_marker(types[i]) || t->tokens.v[i].attr & but) continue;
        if (t->tokens.v[i].len > HLMI_ADDED_MAX)
            return hlmi_fail(HLM_E_UNSUPPORTED, "%s %zu, a marker, has %zu bytes; at most %d", what, i,
                             (size_t)t->tokens.v[i].len, HLMI_ADDED_MAX);
        const uint8_t flags = types[i] == HLMI_TYPE_USER_DEFINED ? 0 : HLMI_ADDED_SPECIAL;
        HLMI_DO(hlmi_tokenizer_register_added(t, (int32_t)i, flags, false));
    }
    return HLM_OK;
}

hlm_status hlmi_tokenizer_put_around(hlmi_tokenizer *t, bool bos, bool eos)
{
    if (bos && t->special.bos >= 0) HLMI_DO(hlmi_ids_push(&t->post.prefix, t->special.bos));
    return eos && t->special.eos >= 0 ? hlmi_ids_push(&t->post.suffix, t->special.eos) : HLM_OK;
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
    hlmi_buf_init(&e->clean, mem);
    hlmi_buf_init(&e->a, mem);
    hlmi_buf_init(&e->b, mem);
    e->room = ((size_t)16 << 20) + 32 * len; /* chained replacements can grow without bound */
    e->p.mem = e->q.mem = *mem;
    hlmi_buf_init(&e->p.own, mem);
    hlmi_buf_init(&e->q.own, mem);
    return t->model->kind->begin(mem, len, e->trusted != NULL, &e->scratch);
}

static void end(encoding *e)
{
    const hlmi_mem *mem = &e->p.mem;
    e->t->model->kind->end(e->scratch);
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
    const hlmi_token_model *m = e->t->model;
    e->p.text = s;
    e->p.n = 0;
    HLMI_DO(hlmi_pieces_add(&e->p, 0, len, first));
    HLMI_DO(hlmi_pretoks_run(&e->t->pretoks, &e->p, &e->q));
    for (size_t i = 0; i < e->p.n; i++) {
        const hlmi_piece v = e->p.v[i];
        HLMI_DO(m->kind->encode(m, e->scratch, e->p.text + v.begin, v.end - v.begin, e->out));
    }
    return HLM_OK;
}

typedef hlm_status between_fn(encoding *e, const char *s, size_t len, bool first);

/* Cuts s [len] at added tokens; the text between them goes to `between`. */
static hlm_status cut_added(encoding *e, const hlmi_added *added, bool special, hlmi_added_cursor c, const char *s,
                            size_t len, bool first, between_fn *between)
{
    hlmi_added_match m;
    size_t from = 0;
    while (hlmi_added_next(added, s, len, special, &c, &m)) {
        if (from < m.begin) HLMI_DO(between(e, s + from, m.begin - from, first && from == 0));
        HLMI_DO(hlmi_ids_push(e->out, m.id));
        from = m.end;
    }
    return from < len ? between(e, s + from, len - from, first && from == 0) : HLM_OK;
}

/* Offsets are lost in normalizing, so special tokens are looked for only in what is trusted as a whole. */
static bool section_special(const encoding *e, const char *s, size_t len)
{
    return e->special && (!e->trusted || !memchr(e->trusted + (s - e->text), 0, len));
}

/* Text between raw added tokens: normalized, then cut at the normalized added tokens. */
static hlm_status encode_section(encoding *e, const char *s, size_t len, bool first)
{
    size_t most = 0;
    const bool special = section_special(e, s, len);
    first = first && !hlmi_norms_strip_left(&e->t->norms, s);
    e->a.max = e->b.max = e->room;
    HLMI_DO(hlmi_norms_run(&e->t->norms, &s, &len, &e->a, &e->b, &most));
    e->room -= most;
    HLMI_DO(check_length(len));
    return cut_added(e, &e->t->added_normalized, special, (hlmi_added_cursor){0}, s, len, first, encode_words);
}

static hlm_status encode_text(encoding *e, const char *s, size_t len)
{
    e->text = s;
    return cut_added(e, &e->t->added, e->special, (hlmi_added_cursor){.trusted = e->trusted}, s, len, true,
                     encode_section);
}

hlm_status hlmi_tokenizer_encode(const hlmi_tokenizer *t, const char *text, size_t len, uint32_t flags, hlmi_ids *out)
{
    hlm_status st;
    encoding e = {.t = t, .special = flags & HLM_TOKENIZE_PARSE_SPECIAL, .out = out};
    const char *s = len ? text : "";
    if (check_length(len) != HLM_OK) return HLM_E_LIMIT;
    HLMI_TRY(begin(&e, t, &out->mem, len));
    HLMI_TRY(make_clean(&e, &s, &len));
    if (flags & HLM_TOKENIZE_ADD_SPECIAL) HLMI_TRY(hlmi_ids_append(out, t->post.prefix.v, t->post.prefix.n));
    HLMI_TRY(encode_text(&e, s, len));
    if (flags & HLM_TOKENIZE_ADD_SPECIAL) HLMI_TRY(hlmi_ids_append(out, t->post.suffix.v, t->post.suffix.n));
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
    return id >= 0 && (size_t)id < t->tokens.n ? t->tokens.v[id].attr : 0u;
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
