/* Pre-tokenizers: a section is cut into pieces, each of which the model reads on its own. Kinds that do several things
 * in tokenizer.json (ByteLevel, Metaspace) become several steps here. */
#include "text/tokenizer_impl.h"

#include <string.h>

#include "base/find.h"
#include "text/json_read.h"
#include "text/scan.h"

/* Texts are indexed with 32 bits, a byte becoming two at most. */
enum { TEXT_MAX = INT32_MAX - 1 };

hlm_status hlmi_pieces_add(hlmi_pieces *p, size_t begin, size_t end, bool first)
{
    if (p->n == p->cap) HLMI_DO(HLMI_GROW(&p->mem, p->v, p->cap, p->n + 1, "pieces"));
    p->v[p->n++] = (hlmi_piece){(uint32_t)begin, (uint32_t)end, first};
    return HLM_OK;
}

/* ---- cutting by matches ---- */

/* Takes the matches and the text between them, in order, and adds pieces by the rule of `behavior`. */
typedef struct cutter {
    const hlmi_pretok *p;
    hlmi_pieces *out;
    hlmi_piece parent;
    size_t begin, end; /* the piece that may still grow; none when equal */
    bool prev_match;
} cutter;

static hlm_status cut_flush(cutter *c)
{
    if (c->begin == c->end) return HLM_OK;
    const bool first = c->parent.first && c->begin == c->parent.begin;
    const hlm_status st = hlmi_pieces_add(c->out, c->begin, c->end, first);
    c->begin = c->end;
    return st;
}

static bool cut_joins(const cutter *c, bool match)
{
    if (c->begin == c->end) return false;
    switch (c->p->behavior) {
    case HLMI_SPLIT_CONTIGUOUS: return match == c->prev_match;
    case HLMI_SPLIT_MERGED_WITH_PREVIOUS: return match && !c->prev_match;
    case HLMI_SPLIT_MERGED_WITH_NEXT: return !match && c->prev_match;
    case HLMI_SPLIT_ISOLATED:
    case HLMI_SPLIT_REMOVED: break;
    }
    return false;
}

static hlm_status cut_feed(cutter *c, size_t begin, size_t end, bool match)
{
    if (begin == end) return HLM_OK;
    match = match != c->p->invert;
    if (cut_joins(c, match)) {
        c->end = end;
    } else {
        HLMI_DO(cut_flush(c));
        const bool drop = match && c->p->behavior == HLMI_SPLIT_REMOVED;
        c->begin = drop ? end : begin;
        c->end = end;
    }
    c->prev_match = match;
    return HLM_OK;
}

/* ---- Split by a regular expression, a literal or a scanner ---- */

static hlm_status cut_regex(cutter *c, hlmi_regex_walk *w, const char *text)
{
    hlm_status st;
    const size_t at = c->parent.begin;
    size_t from = 0, begin = 0, end = 0;
    bool found = false;
    hlmi_regex_walk_text(w, text + at, c->parent.end - at);
    for (;;) {
        HLMI_TRY(hlmi_regex_walk_next(w, &found, &begin, &end));
        if (!found) break;
        HLMI_TRY(cut_feed(c, at + from, at + begin, false));
        HLMI_TRY(cut_feed(c, at + begin, at + end, true));
        from = end;
    }
    HLMI_TRY(cut_feed(c, at + from, c->parent.end, false));
    HLMI_TRY(cut_flush(c));
done:
    return st;
}

static hlm_status run_regex(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st;
    hlmi_regex_walk w;
    HLMI_TRY(hlmi_regex_walk_begin(&w, &p->regex));
    for (size_t i = 0; i < in->n; i++) {
        cutter c = {.p = p, .out = out, .parent = in->v[i]};
        HLMI_TRY(cut_regex(&c, &w, in->text));
    }
done:
    hlmi_regex_walk_end(&w);
    return st;
}

static hlm_status run_scan(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    for (size_t i = 0; i < in->n; i++) {
        const hlmi_piece piece = in->v[i];
        const char *s = in->text + piece.begin;
        const size_t len = piece.end - piece.begin;
        for (size_t at = 0, end; at < len; at = end) {
            end = hlmi_scan_next(p->scan, s, len, at);
            HLMI_DO(hlmi_pieces_add(out, piece.begin + at, piece.begin + end, piece.first && at == 0));
        }
    }
    return HLM_OK;
}

static hlm_status cut_literal(cutter *c, const char *text)
{
    hlm_status st = HLM_OK;
    const char *lit = c->p->literal;
    const size_t n = c->p->literal_len, end = c->parent.end;
    size_t from = c->parent.begin, at = from;
    while (n > 0) {
        const size_t hit = hlmi_find(text + at, end - at, lit, n, false, NULL);
        if (hit == SIZE_MAX) break;
        at += hit;
        HLMI_TRY(cut_feed(c, from, at, false));
        HLMI_TRY(cut_feed(c, at, at + n, true));
        from = at += n;
    }
    HLMI_TRY(cut_feed(c, from, end, false));
    HLMI_TRY(cut_flush(c));
done:
    return st;
}

static hlm_status run_literal(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < in->n && st == HLM_OK; i++) {
        cutter c = {.p = p, .out = out, .parent = in->v[i]};
        st = cut_literal(&c, in->text);
    }
    return st;
}

static hlm_status run_split(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    if (p->scan) return run_scan(p, in, out);
    return p->regex.code ? run_regex(p, in, out) : run_literal(p, in, out);
}

static hlm_status read_behavior(hlmi_pretok *p, const hlmi_json *v)
{
    static const char *const names[] = {"Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"};
    const char *s = hlmi_json_str(v).s;
    for (size_t i = 0; s && i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], s) != 0) continue;
        p->behavior = (hlmi_behavior)i;
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_FORMAT, "behavior '%.40s' is unknown", s ? s : "(none)");
}

static void find_scan(hlmi_pretok *p)
{
    const bool tiles =
        (p->behavior == HLMI_SPLIT_ISOLATED && !p->invert) || (p->behavior == HLMI_SPLIT_REMOVED && p->invert);
    if (p->regex.code && tiles) p->scan = hlmi_scan_find(p->literal, p->literal_len);
}

static hlm_status read_split(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    hlm_status st;
    HLMI_TRY(read_behavior(p, hlmi_json_get(def, "behavior")));
    p->invert = hlmi_json_flag(def, "invert", false);
    HLMI_TRY(hlmi_json_pattern(mem, def, &p->literal, &p->literal_len, &p->regex));
    if (!p->regex.code && p->literal_len == 0) HLMI_TRY(hlmi_fail(HLM_E_UNSUPPORTED, "a split at the empty text"));
    find_scan(p);
done:
    return st;
}

/* ---- cutting by character class ---- */

static hlm_status cut_class(cutter *c, const char *text, unsigned cls)
{
    hlm_status st = HLM_OK;
    size_t from = c->parent.begin, k;
    for (size_t at = from; at < c->parent.end; at += k) {
        k = hlmi_utf8_len((unsigned char)text[at]);
        if (!(hlmi_char_class(hlmi_utf8_get(text + at)) & cls)) continue;
        HLMI_TRY(cut_feed(c, from, at, false));
        HLMI_TRY(cut_feed(c, at, at + k, true));
        from = at + k;
    }
    HLMI_TRY(cut_feed(c, from, c->parent.end, false));
    HLMI_TRY(cut_flush(c));
done:
    return st;
}

static hlm_status run_class(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out, unsigned cls)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < in->n && st == HLM_OK; i++) {
        cutter c = {.p = p, .out = out, .parent = in->v[i]};
        st = cut_class(&c, in->text, cls);
    }
    return st;
}

static hlm_status read_digits(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    p->behavior = hlmi_json_flag(def, "individual_digits", false) ? HLMI_SPLIT_ISOLATED : HLMI_SPLIT_CONTIGUOUS;
    return HLM_OK;
}

static hlm_status run_digits(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    return run_class(p, in, out, HLMI_CC_NUMBER);
}

static hlm_status read_punctuation(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    const hlmi_json *v = hlmi_json_get(def, "behavior");
    return v ? read_behavior(p, v) : HLM_OK;
}

static hlm_status run_punctuation(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    return run_class(p, in, out, HLMI_CC_PUNCT);
}

static hlm_status read_removing(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    (void)def;
    p->behavior = HLMI_SPLIT_REMOVED;
    return HLM_OK;
}

static hlm_status run_space_split(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    return run_class(p, in, out, HLMI_CC_SPACE);
}

/* ---- Whitespace: words and runs of symbols, white space removed ---- */

static unsigned word_kind(const char *s)
{
    const unsigned c = hlmi_char_class(hlmi_utf8_get(s));
    return c & HLMI_CC_WORD ? 1 : c & HLMI_CC_SPACE ? 0 : 2;
}

static hlm_status run_words(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    (void)p;
    for (size_t i = 0; i < in->n; i++) {
        const hlmi_piece v = in->v[i];
        for (size_t at = v.begin, end; at < v.end; at = end) {
            const unsigned kind = word_kind(in->text + at);
            end = at;
            do end += hlmi_utf8_len((unsigned char)in->text[end]);
            while (end < v.end && word_kind(in->text + end) == kind);
            if (kind == 0) continue;
            HLMI_DO(hlmi_pieces_add(out, at, end, v.first && at == v.begin));
        }
    }
    return HLM_OK;
}

/* ---- fixed length ---- */

static hlm_status read_fixed(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    int64_t n;
    if (!hlmi_json_int(hlmi_json_get(def, "length"), 1, INT64_MAX, &n))
        return hlmi_fail(HLM_E_FORMAT, "\"length\" is no positive number");
    p->length = (size_t)n;
    return HLM_OK;
}

static hlm_status run_fixed(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    for (size_t i = 0; i < in->n; i++) {
        const hlmi_piece v = in->v[i];
        for (size_t at = v.begin, end; at < v.end; at = end) {
            end = at;
            for (size_t k = 0; k < p->length && end < v.end; k++) end += hlmi_utf8_len((unsigned char)in->text[end]);
            HLMI_DO(hlmi_pieces_add(out, at, end, v.first && at == v.begin));
        }
    }
    return HLM_OK;
}

/* ---- steps that change the text ---- */

/* Ends the piece that began at `begin` of out's own text. */
static hlm_status end_piece(hlmi_pieces *out, size_t begin, bool first)
{
    if (out->own.failed || out->own.len > TEXT_MAX) return HLM_OK; /* reported by the caller */
    return begin == out->own.len ? HLM_OK : hlmi_pieces_add(out, begin, out->own.len, first);
}

static hlm_status run_prefix_space(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st = HLM_OK;
    (void)p;
    for (size_t i = 0; i < in->n && st == HLM_OK; i++) {
        const hlmi_piece v = in->v[i];
        const size_t begin = out->own.len;
        if (in->text[v.begin] != ' ') hlmi_buf_char(&out->own, ' ');
        hlmi_buf_add(&out->own, in->text + v.begin, v.end - v.begin);
        st = end_piece(out, begin, v.first);
    }
    return st;
}

uint32_t hlmi_byte_char(uint8_t b)
{
    if ((b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE) return b;
    if (b <= 0x20) return 0x100u + b; /* the others in order, from U+0100 on */
    return b == 0xAD ? 0x143 : 0x121u + (b - 0x7Fu);
}

int hlmi_char_byte(uint32_t cp)
{
    if (cp < 0x100) return hlmi_byte_char((uint8_t)cp) == cp ? (int)cp : -1;
    if (cp <= 0x120) return (int)(cp - 0x100);
    if (cp <= 0x142) return (int)(cp - 0x121 + 0x7F);
    return cp == 0x143 ? 0xAD : -1;
}

static hlm_status run_byte_map(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st = HLM_OK;
    (void)p;
    for (size_t i = 0; i < in->n && st == HLM_OK; i++) {
        const hlmi_piece v = in->v[i];
        const size_t begin = out->own.len;
        for (size_t k = v.begin, plain; k < v.end; k = plain) {
            plain = k;
            while (plain < v.end && in->text[plain] > 0x20 && in->text[plain] < 0x7F) plain++;
            hlmi_buf_add(&out->own, in->text + k, plain - k);
            if (plain < v.end) hlmi_buf_utf8(&out->own, hlmi_byte_char((uint8_t)in->text[plain++]));
        }
        st = end_piece(out, begin, v.first);
    }
    return st;
}

static hlm_status run_metaspace(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st = HLM_OK;
    for (size_t i = 0; i < in->n && st == HLM_OK; i++) {
        const hlmi_piece v = in->v[i];
        const char *s = in->text + v.begin, *end = in->text + v.end;
        const size_t begin = out->own.len, n = p->literal_len;
        const bool has = *s == ' ' || ((size_t)(end - s) >= n && memcmp(s, p->literal, n) == 0);
        if (!has && (p->prepend == HLMI_PREPEND_ALWAYS || (p->prepend == HLMI_PREPEND_FIRST && v.first)))
            hlmi_buf_add(&out->own, p->literal, n);
        while (s < end) {
            const char *q = memchr(s, ' ', (size_t)(end - s));
            hlmi_buf_add(&out->own, s, (size_t)((q ? q : end) - s));
            if (!q) break;
            hlmi_buf_add(&out->own, p->literal, n);
            s = q + 1;
        }
        st = end_piece(out, begin, v.first);
    }
    return st;
}

static hlm_status read_metaspace(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    static const char *const schemes[] = {"always", "first", "never"};
    hlm_status st;
    HLMI_TRY(hlmi_json_text(mem, def, "replacement", &p->literal, &p->literal_len));
    if (p->literal_len == 0 || hlmi_utf8_len((unsigned char)p->literal[0]) != p->literal_len)
        HLMI_TRY(hlmi_fail(HLM_E_FORMAT, "\"replacement\" is not one character"));
    const char *scheme = hlmi_json_string(def, "prepend_scheme");
    p->prepend = hlmi_json_flag(def, "add_prefix_space", true) ? HLMI_PREPEND_ALWAYS : HLMI_PREPEND_NEVER;
    if (!scheme) goto done;
    for (size_t i = 0; i < 3; i++) {
        p->prepend = (hlmi_prepend)i;
        if (strcmp(scheme, schemes[i]) == 0) goto done;
    }
    st = hlmi_fail(HLM_E_FORMAT, "prepend_scheme '%.40s' is unknown", scheme);
done:
    return st;
}

/* ---- the list of steps ---- */

static const hlmi_pretok_kind kinds[] = {
    {"Split", read_split, run_split},
    {"Digits", read_digits, run_digits},
    {"Punctuation", read_punctuation, run_punctuation},
    {"Whitespace", NULL, run_words},
    {"WhitespaceSplit", read_removing, run_space_split},
    {"FixedLength", read_fixed, run_fixed},
    {"Metaspace", read_metaspace, run_metaspace},
    {"prefix space", NULL, run_prefix_space}, /* parts of ByteLevel */
    {"byte map", NULL, run_byte_map},
};

hlm_status hlmi_pretoks_add(hlmi_pretoks *ps, const hlmi_mem *mem, const char *kind, hlmi_pretok **out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0) continue;
        HLMI_DO(HLMI_GROW(mem, ps->v, ps->cap, ps->n + 1, "pre-tokenizer"));
        *out = &ps->v[ps->n++];
        **out = (hlmi_pretok){.kind = &kinds[i]};
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "pre-tokenizer '%.40s' is not supported; Sequence, ByteLevel, Split, Digits, Punctuation, "
                     "Whitespace, WhitespaceSplit, FixedLength, Metaspace, CharDelimiterSplit and BertPreTokenizer are",
                     kind);
}

static hlm_status add_byte_level(hlmi_pretoks *ps, const hlmi_mem *mem, bool prefix, bool split)
{
    hlm_status st;
    hlmi_pretok *p = NULL;
    if (prefix) HLMI_TRY(hlmi_pretoks_add(ps, mem, "prefix space", &p));
    if (split) {
        HLMI_TRY(hlmi_pretoks_add(ps, mem, "Split", &p));
        p->scan = hlmi_scan_gpt2();
    }
    HLMI_TRY(hlmi_pretoks_add(ps, mem, "byte map", &p));
done:
    return st;
}

/* A split at a literal text: the delimiter removed, or kept at the beginning of a piece. */
static hlm_status add_literal(hlmi_pretoks *ps, const hlmi_mem *mem, const char *s, size_t len, hlmi_behavior b)
{
    hlmi_pretok *p = NULL;
    HLMI_DO(hlmi_pretoks_add(ps, mem, "Split", &p));
    p->behavior = b;
    p->literal = hlmi_strndup(mem, s, len);
    p->literal_len = len;
    return p->literal ? HLM_OK : hlmi_nomem(len, "pre-tokenizer");
}

hlm_status hlmi_pretoks_add_regex(hlmi_pretoks *ps, const hlmi_mem *mem, const char *pattern)
{
    hlm_status st;
    HLMI_TRY(add_literal(ps, mem, pattern, strlen(pattern), HLMI_SPLIT_ISOLATED));
    hlmi_pretok *p = &ps->v[ps->n - 1];
    HLMI_TRY(hlmi_regex_compile(&p->regex, mem, p->literal, p->literal_len));
    find_scan(p);
done:
    return st;
}

static hlm_status read_step(void *list, const hlmi_mem *mem, const char *kind, const hlmi_json *def)
{
    hlm_status st;
    hlmi_pretoks *ps = list;
    hlmi_pretok *p = NULL;
    if (strcmp(kind, "ByteLevel") == 0)
        return add_byte_level(ps, mem, hlmi_json_flag(def, "add_prefix_space", true),
                              hlmi_json_flag(def, "use_regex", true));
    if (strcmp(kind, "CharDelimiterSplit") == 0) {
        const hlmi_str d = hlmi_json_str(hlmi_json_get(def, "delimiter"));
        return d.len ? add_literal(ps, mem, d.s, d.len, HLMI_SPLIT_REMOVED)
                     : hlmi_fail(HLM_E_FORMAT, "\"delimiter\" is no text");
    }
    if (strcmp(kind, "BertPreTokenizer") == 0) {
        HLMI_TRY(read_step(ps, mem, "WhitespaceSplit", def));
        return hlmi_pretoks_add(ps, mem, "Punctuation", &p);
    }
    HLMI_TRY(hlmi_pretoks_add(ps, mem, kind, &p));
    if (p->kind->read) HLMI_TRY(p->kind->read(p, mem, def));
    if (p->kind->run == run_metaspace && hlmi_json_flag(def, "split", true))
        return add_literal(ps, mem, p->literal, p->literal_len, HLMI_SPLIT_MERGED_WITH_NEXT);
done:
    return st;
}

hlm_status hlmi_pretoks_read(hlmi_pretoks *ps, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_json_steps(def, "pre-tokenizer", "pretokenizers", mem, read_step, ps);
}

hlm_status hlmi_pretoks_run(const hlmi_pretoks *ps, hlmi_pieces *in, hlmi_pieces *tmp)
{
    for (size_t i = 0; i < ps->n; i++) {
        tmp->n = 0;
        hlmi_buf_clear(&tmp->own);
        hlm_status st = ps->v[i].kind->run(&ps->v[i], in, tmp);
        if (st == HLM_OK) st = hlmi_buf_status(&tmp->own, "pre-tokenized text");
        if (st != HLM_OK) return st;
        if (tmp->own.len > TEXT_MAX) return hlmi_fail(HLM_E_LIMIT, "a text of more than 2 GB");
        const bool mapped = tmp->own.len > 0;
        tmp->text = mapped ? tmp->own.data : in->text;
        if (!mapped) { /* the text may live in `in`: its owner stays with it */
            const hlmi_buf own = in->own;
            in->own = tmp->own;
            tmp->own = own;
        }
        const hlmi_pieces swap = *in;
        *in = *tmp;
        *tmp = swap;
    }
    return HLM_OK;
}

void hlmi_pretoks_free(hlmi_pretoks *ps, const hlmi_mem *mem)
{
    for (size_t i = 0; i < ps->n; i++) {
        hlmi_regex_free(&ps->v[i].regex);
        hlmi_free(mem, ps->v[i].literal);
    }
    hlmi_free(mem, ps->v);
    *ps = (hlmi_pretoks){0};
}
