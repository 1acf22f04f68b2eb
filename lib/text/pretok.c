/* Pre-tokenizers: a section is cut into pieces, each of which the model reads on its own. Kinds that do several things
 * in tokenizer.json (ByteLevel, Metaspace) become several steps here. */
#include "text/tokenizer_impl.h"

#include <string.h>

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

/* A step on its way through the pieces. */
typedef struct cutter {
    const hlmi_pretok *p;
    const char *text;
    hlmi_piece piece; /* the one that is cut */
    hlmi_pieces *out;
    hlmi_matches matches; /* of a Split */
    size_t from; /* end of the latest match */
    size_t begin, end; /* the new piece that may still grow; none when equal */
    bool prev_match;
} cutter;

typedef struct hlmi_pretok_kind {
    const char *name;
    hlm_status (*read)(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def);
    /** Appends to out what becomes of the piece. Text that it appends to out's own is one piece without being called
     *  so. */
    hlm_status (*run)(cutter *c);
    unsigned cut_at; /* HLMI_CC_...: each such character is a match */
    hlmi_behavior behavior; /* until `read` sets another */
} hlmi_pretok_kind;

static hlm_status add_piece(cutter *c, size_t begin, size_t end)
{
    return hlmi_pieces_add(c->out, begin, end, c->piece.first && begin == c->piece.begin);
}

/* ---- cutting by matches: they and the text between them, in order, become pieces by the rule of `behavior` ---- */

static hlm_status flush(cutter *c)
{
    if (c->begin == c->end) return HLM_OK;
    const size_t begin = c->begin;
    c->begin = c->end;
    return add_piece(c, begin, c->end);
}

static bool joins(const cutter *c, bool match)
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

static hlm_status feed(cutter *c, size_t begin, size_t end, bool match)
{
    if (begin == end) return HLM_OK;
    match = match != c->p->invert;
    if (!joins(c, match)) {
        HLMI_DO(flush(c));
        c->begin = match && c->p->behavior == HLMI_SPLIT_REMOVED ? end : begin;
    }
    c->end = end;
    c->prev_match = match;
    return HLM_OK;
}

static hlm_status cut_match(cutter *c, size_t begin, size_t end)
{
    HLMI_DO(feed(c, c->from, begin, false));
    c->from = end;
    return feed(c, begin, end, true);
}

/* There are no more matches. */
static hlm_status cut_rest(cutter *c)
{
    HLMI_DO(feed(c, c->from, c->piece.end, false));
    return flush(c);
}

static hlm_status run_class(cutter *c)
{
    const char *s = c->text;
    for (size_t at = c->piece.begin, end; at < c->piece.end; at = end) {
        end = at + hlmi_utf8_len((unsigned char)s[at]);
        if (hlmi_char_class(hlmi_utf8_get(s + at)) & c->p->kind->cut_at) HLMI_DO(cut_match(c, at, end));
    }
    return cut_rest(c);
}

/* ---- Split by a regular expression, a literal or a scanner ---- */

static hlm_status run_scan(cutter *c)
{
    const char *s = c->text + c->piece.begin;
    const size_t begin = c->piece.begin, len = c->piece.end - begin;
    for (size_t at = 0, end; at < len; at = end) {
        end = hlmi_scan_next(c->p->scan, s, len, at);
        HLMI_DO(add_piece(c, begin + at, begin + end));
    }
    return HLM_OK;
}

static hlm_status run_split(cutter *c)
{
    const size_t begin = c->piece.begin;
    if (c->p->scan) return run_scan(c);
    hlmi_matches_text(&c->matches, c->text + begin, c->piece.end - begin);
    for (;;) {
        HLMI_DO(hlmi_matches_next(&c->matches));
        if (!c->matches.found) return cut_rest(c);
        HLMI_DO(cut_match(c, begin + c->matches.begin, begin + c->matches.end));
    }
}

/* The name's place in names [n]; n when it is none of them. */
static size_t index_of(const char *const *names, size_t n, const char *name)
{
    size_t i = 0;
    while (i < n && strcmp(names[i], name) != 0) i++;
    return i;
}

static hlm_status read_behavior(hlmi_pretok *p, const hlmi_json *v)
{
    static const char *const names[] = {"Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"};
    const char *s = hlmi_json_str(v).s ? hlmi_json_str(v).s : "(none)";
    const size_t i = index_of(names, sizeof names / sizeof *names, s);
    p->behavior = (hlmi_behavior)i;
    if (i < sizeof names / sizeof *names) return HLM_OK;
    return hlmi_fail(HLM_E_FORMAT, "behavior '%.40s' is unknown", s);
}

static void find_scan(hlmi_pretok *p)
{
    const bool tiles =
        (p->behavior == HLMI_SPLIT_ISOLATED && !p->invert) || (p->behavior == HLMI_SPLIT_REMOVED && p->invert);
    if (p->pattern.code && tiles) p->scan = hlmi_scan_find(p->pattern.text, p->pattern.len);
}

static hlm_status read_split(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    HLMI_DO(read_behavior(p, hlmi_json_get(def, "behavior")));
    p->invert = hlmi_json_flag(def, "invert", false);
    HLMI_DO(hlmi_json_pattern(mem, def, &p->pattern));
    if (!p->pattern.code && p->pattern.len == 0) return hlmi_fail(HLM_E_UNSUPPORTED, "a split at the empty text");
    find_scan(p);
    return HLM_OK;
}

static hlm_status read_digits(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    if (hlmi_json_flag(def, "individual_digits", false)) p->behavior = HLMI_SPLIT_ISOLATED;
    return HLM_OK;
}

static hlm_status read_punctuation(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    (void)mem;
    const hlmi_json *v = hlmi_json_get(def, "behavior");
    return v ? read_behavior(p, v) : HLM_OK;
}

/* ---- Whitespace: words and runs of symbols, white space removed ---- */

static unsigned word_kind(const char *s)
{
    const unsigned c = hlmi_char_class(hlmi_utf8_get(s));
    return c & HLMI_CC_WORD ? 1 : c & HLMI_CC_SPACE ? 0 : 2;
}

static hlm_status run_words(cutter *c)
{
    for (size_t at = c->piece.begin, end; at < c->piece.end; at = end) {
        const unsigned kind = word_kind(c->text + at);
        end = at;
        do end += hlmi_utf8_len((unsigned char)c->text[end]);
        while (end < c->piece.end && word_kind(c->text + end) == kind);
        if (kind != 0) HLMI_DO(add_piece(c, at, end));
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

static hlm_status run_fixed(cutter *c)
{
    const size_t last = c->piece.end;
    for (size_t at = c->piece.begin, end; at < last; at = end) {
        end = at;
        for (size_t k = 0; k < c->p->length && end < last; k++) end += hlmi_utf8_len((unsigned char)c->text[end]);
        HLMI_DO(add_piece(c, at, end));
    }
    return HLM_OK;
}

/* ---- steps that change the text ---- */

static hlm_status run_prefix_space(cutter *c)
{
    const char *s = c->text + c->piece.begin;
    if (*s != ' ') hlmi_buf_char(&c->out->own, ' ');
    hlmi_buf_add(&c->out->own, s, c->piece.end - c->piece.begin);
    return HLM_OK;
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

static hlm_status run_byte_map(cutter *c)
{
    hlmi_buf *own = &c->out->own;
    for (size_t k = c->piece.begin, plain; k < c->piece.end; k = plain) {
        plain = k;
        while (plain < c->piece.end && c->text[plain] > 0x20 && c->text[plain] < 0x7F) plain++;
        hlmi_buf_add(own, c->text + k, plain - k);
        if (plain < c->piece.end) hlmi_buf_utf8(own, hlmi_byte_char((uint8_t)c->text[plain++]));
    }
    return HLM_OK;
}

static hlm_status run_metaspace(cutter *c)
{
    const hlmi_pretok *p = c->p;
    const char *s = c->text + c->piece.begin, *end = c->text + c->piece.end, *mark = p->pattern.text;
    hlmi_buf *own = &c->out->own;
    const size_t n = p->pattern.len;
    const bool has = *s == ' ' || ((size_t)(end - s) >= n && memcmp(s, mark, n) == 0);
    if (!has && (p->prepend == HLMI_PREPEND_ALWAYS || (p->prepend == HLMI_PREPEND_FIRST && c->piece.first)))
        hlmi_buf_add(own, mark, n);
    while (s < end) {
        const char *q = memchr(s, ' ', (size_t)(end - s));
        hlmi_buf_add(own, s, (size_t)((q ? q : end) - s));
        if (!q) break;
        hlmi_buf_add(own, mark, n);
        s = q + 1;
    }
    return HLM_OK;
}

static hlm_status read_metaspace(hlmi_pretok *p, const hlmi_mem *mem, const hlmi_json *def)
{
    static const char *const schemes[] = {"always", "first", "never"};
    HLMI_DO(hlmi_json_text(mem, def, "replacement", &p->pattern.text, &p->pattern.len));
    if (p->pattern.len == 0 || hlmi_utf8_len((unsigned char)p->pattern.text[0]) != p->pattern.len)
        return hlmi_fail(HLM_E_FORMAT, "\"replacement\" is not one character");
    const char *scheme = hlmi_json_string(def, "prepend_scheme");
    p->prepend = hlmi_json_flag(def, "add_prefix_space", true) ? HLMI_PREPEND_ALWAYS : HLMI_PREPEND_NEVER;
    if (!scheme) return HLM_OK;
    const size_t i = index_of(schemes, 3, scheme);
    p->prepend = (hlmi_prepend)i;
    return i < 3 ? HLM_OK : hlmi_fail(HLM_E_FORMAT, "prepend_scheme '%.40s' is unknown", scheme);
}

/* ---- the list of steps ---- */

static const hlmi_pretok_kind kinds[] = {
    {"Split", .read = read_split, .run = run_split},
    {"Digits", .read = read_digits, .run = run_class, .cut_at = HLMI_CC_NUMBER, .behavior = HLMI_SPLIT_CONTIGUOUS},
    {"Punctuation", .read = read_punctuation, .run = run_class, .cut_at = HLMI_CC_PUNCT},
    {"Whitespace", .run = run_words},
    {"WhitespaceSplit", .run = run_class, .cut_at = HLMI_CC_SPACE, .behavior = HLMI_SPLIT_REMOVED},
    {"FixedLength", .read = read_fixed, .run = run_fixed},
    {"Metaspace", .read = read_metaspace, .run = run_metaspace},
    {"prefix space", .run = run_prefix_space}, /* parts of ByteLevel */
    {"byte map", .run = run_byte_map},
};

hlm_status hlmi_pretoks_add(hlmi_pretoks *ps, const hlmi_mem *mem, const char *kind, hlmi_pretok **out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0) continue;
        HLMI_DO(HLMI_GROW(mem, ps->v, ps->cap, ps->n + 1, "pre-tokenizer"));
        *out = &ps->v[ps->n++];
        **out = (hlmi_pretok){.kind = &kinds[i], .behavior = kinds[i].behavior};
        return HLM_OK;
    }
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "pre-tokenizer '%.40s' is not supported; Sequence, ByteLevel, Split, Digits, Punctuation, "
                     "Whitespace, WhitespaceSplit, FixedLength, Metaspace, CharDelimiterSplit and BertPreTokenizer are",
                     kind);
}

static hlm_status add_byte_level(hlmi_pretoks *ps, const hlmi_mem *mem, bool prefix, bool split)
{
    hlmi_pretok *p = NULL;
    if (prefix) HLMI_DO(hlmi_pretoks_add(ps, mem, "prefix space", &p));
    if (split) {
        HLMI_DO(hlmi_pretoks_add(ps, mem, "Split", &p));
        p->scan = hlmi_scan_find(HLMI_SCAN_GPT2, strlen(HLMI_SCAN_GPT2));
    }
    return hlmi_pretoks_add(ps, mem, "byte map", &p);
}

static hlm_status add_split(hlmi_pretoks *ps, const hlmi_mem *mem, hlmi_str text, bool expression, hlmi_behavior b)
{
    hlmi_pretok *p = NULL;
    HLMI_DO(hlmi_pretoks_add(ps, mem, "Split", &p));
    p->behavior = b;
    HLMI_DO(hlmi_pattern_set(&p->pattern, mem, text, expression));
    find_scan(p);
    return HLM_OK;
}

hlm_status hlmi_pretoks_add_regex(hlmi_pretoks *ps, const hlmi_mem *mem, const char *pattern)
{
    return add_split(ps, mem, (hlmi_str){pattern, strlen(pattern)}, true, HLMI_SPLIT_ISOLATED);
}

static hlm_status read_step(void *list, const hlmi_mem *mem, const char *kind, const hlmi_json *def)
{
    hlmi_pretoks *ps = list;
    hlmi_pretok *p = NULL;
    if (strcmp(kind, "ByteLevel") == 0)
        return add_byte_level(ps, mem, hlmi_json_flag(def, "add_prefix_space", true),
                              hlmi_json_flag(def, "use_regex", true));
    if (strcmp(kind, "CharDelimiterSplit") == 0) {
        const hlmi_str d = hlmi_json_str(hlmi_json_get(def, "delimiter"));
        return d.len ? add_split(ps, mem, d, false, HLMI_SPLIT_REMOVED)
                     : hlmi_fail(HLM_E_FORMAT, "\"delimiter\" is no text");
    }
    if (strcmp(kind, "BertPreTokenizer") == 0) {
        HLMI_DO(hlmi_pretoks_add(ps, mem, "WhitespaceSplit", &p));
        return hlmi_pretoks_add(ps, mem, "Punctuation", &p);
    }
    HLMI_DO(hlmi_pretoks_add(ps, mem, kind, &p));
    if (p->kind->read) HLMI_DO(p->kind->read(p, mem, def));
    if (p->kind->run != run_metaspace || !hlmi_json_flag(def, "split", true)) return HLM_OK;
    return add_split(ps, mem, (hlmi_str){p->pattern.text, p->pattern.len}, false, HLMI_SPLIT_MERGED_WITH_NEXT);
}

hlm_status hlmi_pretoks_read(hlmi_pretoks *ps, const hlmi_mem *mem, const hlmi_json *def)
{
    return hlmi_json_steps(def, "pre-tokenizer", "pretokenizers", mem, read_step, ps);
}

/* Appends to `out` (empty, own text empty) what becomes of the pieces of `in`. */
static hlm_status run_step(const hlmi_pretok *p, const hlmi_pieces *in, hlmi_pieces *out)
{
    hlm_status st;
    const hlmi_buf *own = &out->own;
    cutter c = {.p = p, .text = in->text, .out = out};
    HLMI_TRY(p->scan ? HLM_OK : hlmi_matches_begin(&c.matches, &p->pattern));
    for (size_t i = 0; i < in->n; i++) {
        const size_t begin = own->len;
        c.piece = in->v[i];
        c.from = c.piece.begin;
        HLMI_TRY(p->kind->run(&c));
        if (begin == own->len || own->failed || own->len > TEXT_MAX) continue; /* the caller reports the latter two */
        HLMI_TRY(hlmi_pieces_add(out, begin, own->len, c.piece.first));
    }
    st = hlmi_buf_status(own, "pre-tokenized text");
done:
    hlmi_matches_end(&c.matches);
    return st;
}

hlm_status hlmi_pretoks_run(const hlmi_pretoks *ps, hlmi_pieces *in, hlmi_pieces *tmp)
{
    for (size_t i = 0; i < ps->n; i++) {
        tmp->n = 0;
        hlmi_buf_clear(&tmp->own);
        HLMI_DO(run_step(&ps->v[i], in, tmp));
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
    for (size_t i = 0; i < ps->n; i++) hlmi_pattern_free(&ps->v[i].pattern, mem);
    hlmi_free(mem, ps->v);
    *ps = (hlmi_pretoks){0};
}
