/* Decoders. The reference hands a list of texts from step to step; here each text (a *unit*) goes through all steps at
 * once. Steps that join units (ByteLevel, Fuse) hand on an open unit in chunks, which lets text out early. */
#include "text/decode.h"

#include <string.h>

#include "base/find.h"
#include "base/size.h"
#include "text/json_read.h"

/* What replacements may add to the text of all tokens, beside 32 times its length. */
enum { GROWTH = 16 << 20 };

/* Most bytes that a Strip may take off an end. */
enum { STRIPPED = 1024 };

struct hlmi_decode_kind {
    const char *name;
    hlm_status (*read)(hlmi_decode_step *s, const hlmi_mem *mem, const hlmi_json *def);
    bool whole; /* `unit` takes whole units only: chunks are gathered before */
    hlm_status (*unit)(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end);
    hlm_status (*finish)(hlmi_tstream *d, size_t i); /* NULL: nothing is held */
};

/* ---- where the text comes out ---- */

static hlm_status put_text(hlmi_tstream *d, const char *s, size_t len)
{
    if (d->tail.len > 0) {
        hlmi_buf_add(&d->tail, s, len);
        HLMI_DO(hlmi_buf_status(&d->tail, "decoded text"));
        s = d->tail.data;
        len = d->tail.len;
    }
    size_t at = 0;
    while (at < len) {
        const size_t good = hlmi_utf8_valid(s + at, len - at);
        hlmi_buf_add(d->out, s + at, good);
        at += good;
        if (at == len || hlmi_utf8_partial(s + at, len - at)) break;
        size_t bad;
        hlmi_utf8_next(s + at, len - at, &bad);
        hlmi_buf_utf8(d->out, 0xFFFD);
        at += bad;
    }
    char rest[4];
    const size_t n = len - at;
    memcpy(rest, s + at, n);
    hlmi_buf_clear(&d->tail);
    hlmi_buf_add(&d->tail, rest, n);
    return hlmi_buf_status(&d->tail, "decoded text");
}

/* Hands s [len] to step i; `end` when the unit ends with it. */
static hlm_status pass(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    if (i == d->t->decode.n) return len ? put_text(d, s, len) : HLM_OK;
    const hlmi_decode_kind *kind = d->t->decode.v[i].kind;
    hlmi_buf *unit = &d->state[i].unit;
    if (!kind->whole || (end && unit->len == 0)) return kind->unit(d, i, s, len, end);
    hlmi_buf_add(unit, s, len);
    hlm_status st = hlmi_buf_status(unit, "decoded text");
    if (!end) return st;
    if (st == HLM_OK) st = kind->unit(d, i, unit->data, unit->len, true);
    hlmi_buf_clear(unit);
    return st;
}

static hlm_status pass_buf(hlmi_tstream *d, size_t i, const hlmi_buf *b, bool end)
{
    HLMI_DO(hlmi_buf_status(b, "decoded text"));
    return pass(d, i, b->len ? b->data : "", b->len, end);
}

/* ---- ByteLevel ---- */

void hlmi_byte_level_bytes(hlmi_str token, hlmi_buf *out)
{
    const size_t before = out->len;
    if (hlmi_utf8_valid(token.s, token.len) == token.len) {
        size_t at = 0;
        while (at < token.len) {
            const int byte = hlmi_char_byte(hlmi_utf8_get(token.s + at));
            if (byte < 0) break;
            hlmi_buf_char(out, (char)byte);
            at += hlmi_utf8_len((unsigned char)token.s[at]);
        }
        if (at == token.len || out->failed) return;
        out->len = before;
    }
    hlmi_buf_add(out, token.s, token.len);
}

static hlm_status unit_byte_level(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    (void)end;
    hlmi_buf *b = &d->state[i].made;
    hlmi_buf_clear(b);
    hlmi_byte_level_bytes((hlmi_str){s, len}, b);
    return pass_buf(d, i + 1, b, false);
}

static hlm_status end_unit(hlmi_tstream *d, size_t i)
{
    return pass(d, i + 1, "", 0, true);
}

/* ---- Fuse ---- */

static hlm_status unit_fuse(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    (void)end;
    return pass(d, i + 1, s, len, false);
}

/* ---- ByteFallback ---- */

int hlmi_byte_token(hlmi_str t)
{
    if (t.len != 6 || memcmp(t.s, "<0x", 3) != 0 || t.s[5] != '>') return -1;
    int v = 0;
    for (size_t i = 3; i < 5; i++) {
        const char c = t.s[i];
        if (c >= '0' && c <= '9') v = v * 16 + (c - '0');
        else if (c >= 'A' && c <= 'F') v = v * 16 + (c - 'A' + 10);
        else if (c >= 'a' && c <= 'f') v = v * 16 + (c - 'a' + 10);
        else return -1;
    }
    return v;
}

int hlmi_byte_piece(hlmi_str s)
{
    const int v = hlmi_byte_token(s);
    for (size_t i = 3; v >= 0 && i < 5; i++)
        if (s.s[i] >= 'a') return -1;
    return v;
}

/* A run of byte tokens is text when it is UTF-8 as a whole, else one U+FFFD for each byte; so it stays unknown until
 * the run ends. */
static hlm_status flush_bytes(hlmi_tstream *d, size_t i)
{
    hlmi_buf *b = &d->state[i].held;
    hlm_status st = hlmi_buf_status(b, "decoded text");
    if (st != HLM_OK || b->len == 0) return st;
    if (hlmi_utf8_valid(b->data, b->len) == b->len) {
        st = pass(d, i + 1, b->data, b->len, true);
    } else {
        for (size_t k = 0; k < b->len && st == HLM_OK; k++) st = pass(d, i + 1, "\xEF\xBF\xBD", 3, true);
    }
    hlmi_buf_clear(b);
    return st;
}

static hlm_status unit_byte_fallback(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    (void)end;
    const int byte = hlmi_byte_token((hlmi_str){s, len});
    if (byte >= 0) {
        hlmi_buf_char(&d->state[i].held, (char)byte);
        return hlmi_buf_status(&d->state[i].held, "decoded text");
    }
    HLMI_DO(flush_bytes(d, i));
    return pass(d, i + 1, s, len, true);
}

/* ---- Replace ---- */

static hlm_status read_replace(hlmi_decode_step *s, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_replace_read(&s->replace, mem, def);
}

static hlm_status unit_replace(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    hlmi_buf *b = &d->state[i].made;
    hlmi_buf_clear(b);
    b->max = len + (GROWTH + 32 * d->taken - d->grown); /* chained replacements can grow without bound */
    HLMI_DO(hlmi_replace_run(&d->t->decode.v[i].replace, s, len, b));
    HLMI_DO(hlmi_buf_status(b, "decoded text"));
    if (b->len > len) d->grown += b->len - len;
    return pass_buf(d, i + 1, b, end);
}

/* ---- Strip ---- */

static hlm_status read_count(const hlmi_json *def, const char *key, size_t *out)
{
    int64_t n = 0;
    hlmi_json_int(hlmi_json_get(def, key), INT64_MIN, INT64_MAX, &n);
    if (n < 0) return hlmi_fail(HLM_E_FORMAT, "\"%s\" is negative", key);
    *out = (size_t)n;
    return HLM_OK;
}

static hlm_status read_strip(hlmi_decode_step *s, const hlmi_mem *mem, const hlmi_json *def)
{
    HLMI_DO(read_count(def, "start", &s->start));
    HLMI_DO(read_count(def, "stop", &s->stop));
    HLMI_DO(hlmi_json_text(mem, def, "content", &s->text, &s->text_len));
    if (s->text_len == 0) return hlmi_fail(HLM_E_FORMAT, "\"content\" is empty");
    if (s->stop <= STRIPPED / s->text_len) return HLM_OK;
    return hlmi_fail(HLM_E_LIMIT, "\"stop\" is %zu, times %zu bytes; at most %d in all", s->stop, s->text_len,
                     STRIPPED);
}

/* Bytes at the end of s [len] that may come to be stripped: they begin a row of copies of the text. */
static size_t may_go(const hlmi_decode_step *p, const char *s, size_t len)
{
    size_t n = hlmi_min_size(len, p->stop * p->text_len);
    for (; n > 0; n--) {
        size_t k = 0;
        while (k < n && s[len - n + k] == p->text[k % p->text_len]) k++;
        if (k == n) break;
    }
    return n;
}

/* The end is stripped when the unit's end is known: until then what may go is held. */
static hlm_status unit_strip(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    hlm_status st = HLM_OK;
    const hlmi_decode_step *p = &d->t->decode.v[i];
    hlmi_step_state *state = &d->state[i];
    while (!state->begun && state->count < p->start && len >= p->text_len && memcmp(s, p->text, p->text_len) == 0) {
        s += p->text_len;
        len -= p->text_len;
        state->count++;
    }
    state->begun = state->begun || len > 0;
    if (p->stop > 0) {
        hlmi_buf_add(&state->held, s, len);
        HLMI_DO(hlmi_buf_status(&state->held, "decoded text"));
        s = state->held.len ? state->held.data : "";
        len = state->held.len;
        for (size_t k = 0; end && k < p->stop && len >= p->text_len; k++) {
            if (memcmp(s + len - p->text_len, p->text, p->text_len) != 0) break;
            len -= p->text_len;
        }
        if (!end) len -= may_go(p, s, len);
    }
    st = pass(d, i + 1, s, len, end);
    if (!end && p->stop > 0) hlmi_buf_drop(&state->held, len);
    if (end) {
        hlmi_buf_clear(&state->held);
        state->count = 0;
        state->begun = false;
    }
    return st;
}

/* ---- Metaspace ---- */

static hlm_status read_metaspace(hlmi_decode_step *s, const hlmi_mem *mem, const hlmi_json *def)
{
    const char *scheme = hlmi_json_string(def, "prepend_scheme");
    s->prefixed = scheme ? strcmp(scheme, "never") != 0 : hlmi_json_flag(def, "add_prefix_space", true);
    HLMI_DO(hlmi_json_text(mem, def, "replacement", &s->text, &s->text_len));
    return s->text_len ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "\"replacement\" is empty");
}

/* Hands s [len] on with the step's text as spaces, or without it. */
static hlm_status pass_spaces(hlmi_tstream *d, size_t i, const char *s, size_t len, bool drop, bool end)
{
    char space[] = " ";
    const hlmi_decode_step *p = &d->t->decode.v[i];
    const hlmi_replace marks = {
        .pattern = {.text = p->text, .len = p->text_len}, .content = space, .content_len = drop ? 0 : 1};
    hlmi_buf *b = &d->state[i].made;
    hlmi_buf_clear(b);
    HLMI_DO(hlmi_replace_run(&marks, s, len, b));
    return pass_buf(d, i + 1, b, end);
}

static hlm_status unit_metaspace(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    const bool drop = !d->state[i].begun && d->t->decode.v[i].prefixed;
    d->state[i].begun = true;
    return pass_spaces(d, i, s, len, drop, end);
}

/* ---- BPEDecoder: a suffix marks the end of a word; it is a space but in the last token, so what begins with it is
 * held ---- */

static hlm_status read_bpe(hlmi_decode_step *s, const hlmi_mem *mem, const hlmi_json *def)
{
    const hlmi_str suffix = hlmi_json_str(hlmi_json_get(def, "suffix"));
    s->text_len = suffix.s ? suffix.len : 4;
    s->text = hlmi_strndup(mem, suffix.s ? suffix.s : "</w>", s->text_len);
    if (!s->text) return hlmi_nomem(s->text_len, "decoder");
    return s->text_len ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "\"suffix\" is empty");
}

static hlm_status flush_bpe(hlmi_tstream *d, size_t i, bool last)
{
    const hlmi_buf *held = &d->state[i].held;
    HLMI_DO(hlmi_buf_status(held, "decoded text"));
    return d->state[i].begun ? pass_spaces(d, i, held->len ? held->data : "", held->len, last, true) : HLM_OK;
}

static hlm_status unit_bpe(hlmi_tstream *d, size_t i, const char *s, size_t len, bool end)
{
    (void)end;
    const hlmi_decode_step *p = &d->t->decode.v[i];
    hlm_status st = flush_bpe(d, i, false);
    const size_t plain = hlmi_min_size(hlmi_find(s, len, p->text, p->text_len, false, NULL), len);
    if (st == HLM_OK && plain) st = pass(d, i + 1, s, plain, false);
    hlmi_buf_clear(&d->state[i].held);
    hlmi_buf_add(&d->state[i].held, s + plain, len - plain);
    d->state[i].begun = true;
    return st == HLM_OK ? hlmi_buf_status(&d->state[i].held, "decoded text") : st;
}

static hlm_status finish_bpe(hlmi_tstream *d, size_t i)
{
    return flush_bpe(d, i, true);
}

/* ---- the list of steps ---- */

static const hlmi_decode_kind kinds[] = {
    {"ByteLevel", NULL, true, unit_byte_level, end_unit},
    {"Fuse", NULL, false, unit_fuse, end_unit},
    {"ByteFallback", NULL, true, unit_byte_fallback, flush_bytes},
    {"Replace", read_replace, true, unit_replace, NULL},
    {"Strip", read_strip, false, unit_strip, NULL},
    {"Metaspace", read_metaspace, true, unit_metaspace, NULL},
    {"BPEDecoder", read_bpe, true, unit_bpe, finish_bpe},
};

static hlm_status read_step(void *list, const hlmi_mem *mem, const char *kind, const hlmi_json *def)
{
    hlmi_decode_steps *d = list;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0) continue;
        HLMI_DO(HLMI_GROW(mem, d->v, d->cap, d->n + 1, "decoder"));
        if (d->n >= 64) return hlmi_fail(HLM_E_LIMIT, "more than 64 decoders");
        hlmi_decode_step *s = &d->v[d->n++];
        *s = (hlmi_decode_step){.kind = &kinds[i]};
        return kinds[i].read ? kinds[i].read(s, mem, def) : HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "decoder '%.40s' is not supported; Sequence, ByteLevel, Fuse, ByteFallback, Replace, Strip, "
                     "Metaspace and BPEDecoder are",
                     kind);
}

hlm_status hlmi_decode_steps_read(hlmi_decode_steps *d, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_json_steps(def, "decoder", "decoders", mem, read_step, d);
}

void hlmi_decode_steps_free(hlmi_decode_steps *d, const hlmi_mem *mem)
{
    for (size_t i = 0; i < d->n; i++) {
        hlmi_replace_free(&d->v[i].replace, mem);
        hlmi_free(mem, d->v[i].text);
    }
    hlmi_free(mem, d->v);
    *d = (hlmi_decode_steps){0};
}

bool hlmi_decode_has(const hlmi_decode_steps *d, const char *kind)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->v[i].kind->name, kind) == 0) return true;
    return false;
}

bool hlmi_decode_late(const hlmi_decode_steps *d)
{
    bool joined = false;
    for (size_t i = 0; i < d->n; i++) {
        const hlmi_decode_kind *kind = d->v[i].kind;
        if (joined && kind->whole) return true;
        joined = joined || kind->unit == unit_byte_level || kind->unit == unit_fuse;
    }
    return false;
}

/* ---- the stream ---- */

hlm_status hlmi_decode_push(hlmi_tstream *d, hlmi_str token, hlmi_buf *out)
{
    d->out = out;
    if (d->t->join_spaces && d->begun) HLMI_DO(put_text(d, " ", 1));
    d->begun = true;
    d->taken += token.len;
    HLMI_DO(pass(d, 0, token.len ? token.s : "", token.len, true));
    return hlmi_buf_status(out, "decoded text");
}

void hlmi_decode_reset(hlmi_tstream *d)
{
    d->begun = false;
    d->taken = d->grown = d->before = 0;
    hlmi_buf_clear(&d->tail);
    for (size_t i = 0; i < d->t->decode.n; i++) {
        hlmi_buf_clear(&d->state[i].unit);
        hlmi_buf_clear(&d->state[i].held);
        d->state[i].count = 0;
        d->state[i].begun = false;
    }
}

hlm_status hlmi_decode_finish(hlmi_tstream *d, hlmi_buf *out)
{
    hlm_status st = HLM_OK;
    d->out = out;
    for (size_t i = 0; i < d->t->decode.n && st == HLM_OK && d->begun; i++)
        if (d->t->decode.v[i].kind->finish) st = d->t->decode.v[i].kind->finish(d, i);
    if (d->tail.len > 0) hlmi_buf_utf8(out, 0xFFFD);
    if (st == HLM_OK) st = hlmi_buf_status(&d->tail, "decoded text");
    if (st == HLM_OK) st = hlmi_buf_status(out, "decoded text");
    hlmi_decode_reset(d);
    return st;
}
