/* The machine of pickles. What it makes takes memory in proportion to the bytes of the program: an opcode pushes at
 * most one value, and a value on the stack becomes an item of another at most once. */
#include "weights/pickle.h"

#include <string.h>

#include "weights/store_impl.h"

enum { VALUES_MAX = 1 << 21, DIMS_MAX = 64, MARK = 0 /* of the stack; value 0 is none */ };

typedef struct machine machine;
typedef hlm_status run_fn(machine *m);

/* What stands behind an opcode: a number of that many bytes, or a text behind its length in that many, or two lines. */
typedef enum operand { NOTHING = 0, N1 = 1, N2 = 2, N4 = 4, N8 = 8, TEXT = 16, LINES = 32 } operand;

typedef struct opcode {
    uint8_t code;
    const char *name;
    operand operand;
    run_fn *run;
    hlmi_pickle_kind pushed;
    int64_t integer;
} opcode;

struct machine {
    hlmi_pickle *p;
    const uint8_t *data;
    size_t size, pos;
    uint64_t at; /* of data in its file */
    uint32_t *stack, *memo;
    size_t n_stack, cap_stack, n_memo, cap_memo;
    const opcode *op;
    size_t op_pos;
    uint64_t number;
    hlmi_str text, name; /* the second of two lines */
    bool stopped;
};

/* ---- names that may be asked for ---- */

typedef enum global_kind { IS_DICT, IS_STORAGE, IS_TENSOR, IS_TENSOR_V2, IS_PARAMETER, IS_SIZE } global_kind;

static const struct {
    const char *module, *name;
    global_kind kind;
    hlmi_type type;
} globals[] = {
    {"collections", "OrderedDict", IS_DICT, HLMI_U8},
    {"torch._utils", "_rebuild_tensor", IS_TENSOR, HLMI_U8},
    {"torch._utils", "_rebuild_tensor_v2", IS_TENSOR_V2, HLMI_U8},
    {"torch._utils", "_rebuild_parameter", IS_PARAMETER, HLMI_U8},
    {"torch", "Size", IS_SIZE, HLMI_U8},
    {"torch", "FloatStorage", IS_STORAGE, HLMI_F32},
    {"torch", "HalfStorage", IS_STORAGE, HLMI_F16},
    {"torch", "BFloat16Storage", IS_STORAGE, HLMI_BF16},
    {"torch", "DoubleStorage", IS_STORAGE, HLMI_F64},
    {"torch", "CharStorage", IS_STORAGE, HLMI_I8},
    {"torch", "ByteStorage", IS_STORAGE, HLMI_U8},
    {"torch", "ShortStorage", IS_STORAGE, HLMI_I16},
    {"torch", "IntStorage", IS_STORAGE, HLMI_I32},
    {"torch", "LongStorage", IS_STORAGE, HLMI_I64},
    {"torch", "BoolStorage", IS_STORAGE, HLMI_BOOL},
};

static bool is(hlmi_str s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.s, word, s.len) == 0;
}

/* ---- stack ---- */

static hlm_status bad(const machine *m, const char *what)
{
    return hlmi_fail(HLM_E_FORMAT, "opcode %s at byte %llu, in a pickle: %s", m->op->name,
                     (unsigned long long)m->at + m->op_pos, what);
}

static hlm_status push_index(machine *m, uint32_t value)
{
    HLMI_DO(HLMI_GROW(&m->p->mem, m->stack, m->cap_stack, m->n_stack + 1, "a pickle's stack"));
    m->stack[m->n_stack++] = value;
    return HLM_OK;
}

static hlm_status push(machine *m, const hlmi_pickle_value *v)
{
    hlmi_pickle *p = m->p;
    if (p->n_values == VALUES_MAX)
        return hlmi_fail(HLM_E_FORMAT, "opcode %s at byte %llu: a pickle of more than %d values", m->op->name,
                         (unsigned long long)m->at + m->op_pos, VALUES_MAX);
    HLMI_DO(HLMI_GROW(&p->mem, p->values, p->cap_values, p->n_values + 1, "the values of a pickle"));
    p->values[p->n_values] = *v;
    return push_index(m, (uint32_t)p->n_values++);
}

static hlm_status push_kind(machine *m, hlmi_pickle_kind kind, int64_t integer)
{
    return push(m, &(hlmi_pickle_value){.kind = kind, .u.integer = integer});
}

static hlmi_pickle_value *value(const machine *m, uint32_t i)
{
    return &m->p->values[i];
}

/* The value i below the top, or NULL (a mark is none). */
static hlmi_pickle_value *top(const machine *m, size_t i)
{
    return i < m->n_stack && m->stack[m->n_stack - 1 - i] != MARK ? value(m, m->stack[m->n_stack - 1 - i]) : NULL;
}

static hlmi_pickle_value *top_of(const machine *m, size_t i, hlmi_pickle_kind kind)
{
    hlmi_pickle_value *v = top(m, i);
    return v && v->kind == kind ? v : NULL;
}

/* Values above the last mark. */
static bool above_mark(const machine *m, size_t *n)
{
    for (*n = 0; *n < m->n_stack; ++*n)
        if (m->stack[m->n_stack - 1 - *n] == MARK) return true;
    return false;
}

/* The n values on top, with no mark among them, become items of a container. */
static hlm_status move_items(machine *m, size_t n, hlmi_pickle_value *to)
{
    hlmi_pickle *p = m->p;
    HLMI_DO(HLMI_GROW(&p->mem, p->links, p->cap_links, p->n_links + n, "the items of a pickle"));
    const uint32_t *from = n ? m->stack + m->n_stack - n : NULL;
    for (size_t i = 0; i < n; i++) {
        const uint32_t link = (uint32_t)p->n_links++;
        p->links[link] = (hlmi_pickle_link){.value = from[i]};
        if (to->last) p->links[to->last].next = link;
        else to->first = link;
        to->last = link;
    }
    to->u.n += n;
    m->n_stack -= n;
    return HLM_OK;
}

/* ---- opcodes ---- */

static hlm_status run_proto(machine *m)
{
    return m->number >= 2 && m->number <= 5 ? HLM_OK : bad(m, "only protocols 2 to 5 are read");
}

static hlm_status run_frame(machine *m)
{
    return m->number <= m->size - m->pos ? HLM_OK : bad(m, "the frame ends behind the file (is it whole?)");
}

static hlm_status run_stop(machine *m)
{
    if (m->n_stack != 1 || !top(m, 0)) return bad(m, "other than one value on the stack");
    m->stopped = true;
    return HLM_OK;
}

static hlm_status run_mark(machine *m)
{
    return push_index(m, MARK);
}

/* What an opcode without operand pushes is in the table. */
static hlm_status run_push(machine *m)
{
    return push_kind(m, m->op->pushed, m->op->integer);
}

static hlm_status run_number(machine *m)
{
    return push_kind(m, HLMI_PICKLE_INT, m->op->operand == N4 ? (int32_t)m->number : (int64_t)m->number);
}

static hlm_status run_long(machine *m)
{
    const size_t n = m->text.len;
    if (n > sizeof(int64_t)) return bad(m, "an integer of more than 8 bytes");
    uint64_t v = n ? hlmi_load_le((const uint8_t *)m->text.s, n) : 0;
    if (n && n < sizeof v && (v >> (8 * n - 1)) & 1) v |= UINT64_MAX << (8 * n);
    int64_t integer;
    memcpy(&integer, &v, sizeof integer);
    return push_kind(m, HLMI_PICKLE_INT, integer);
}

static hlm_status run_string(machine *m)
{
    return push(m, &(hlmi_pickle_value){.kind = HLMI_PICKLE_STRING, .u.string = m->text});
}

static hlm_status make_tuple(machine *m, size_t n)
{
    hlmi_pickle_value t = {.kind = HLMI_PICKLE_TUPLE};
    HLMI_DO(move_items(m, n, &t));
    return push(m, &t);
}

static hlm_status run_tuple(machine *m)
{
    size_t n;
    if (!above_mark(m, &n)) return bad(m, "no mark on the stack");
    hlmi_pickle_value t = {.kind = HLMI_PICKLE_TUPLE};
    HLMI_DO(move_items(m, n, &t));
    m->n_stack--;
    return push(m, &t);
}

static hlm_status run_tuple_n(machine *m)
{
    const size_t n = (size_t)(m->op->code - 0x84); /* TUPLE1 is 0x85 */
    for (size_t i = 0; i < n; i++)
        if (!top(m, i)) return bad(m, "too few values on the stack");
    return make_tuple(m, n);
}

static hlm_status run_append(machine *m)
{
    hlmi_pickle_value *list = top_of(m, 1, HLMI_PICKLE_LIST);
    if (!top(m, 0) || !list) return bad(m, "no list and value on the stack");
    return move_items(m, 1, list);
}

static hlm_status run_appends(machine *m)
{
    size_t n;
    hlmi_pickle_value *list = above_mark(m, &n) ? top_of(m, n + 1, HLMI_PICKLE_LIST) : NULL;
    if (!list) return bad(m, "no list below a mark on the stack");
    HLMI_DO(move_items(m, n, list));
    m->n_stack--;
    return HLM_OK;
}

static hlm_status run_set_item(machine *m)
{
    hlmi_pickle_value *dict = top_of(m, 2, HLMI_PICKLE_DICT);
    if (!top(m, 0) || !top(m, 1) || !dict) return bad(m, "no dict, key and value on the stack");
    return move_items(m, 2, dict);
}

static hlm_status run_set_items(machine *m)
{
    size_t n;
    hlmi_pickle_value *dict = above_mark(m, &n) ? top_of(m, n + 1, HLMI_PICKLE_DICT) : NULL;
    if (!dict || n % 2) return bad(m, "no dict below a mark, with keys and values above it, on the stack");
    HLMI_DO(move_items(m, n, dict));
    m->n_stack--;
    return HLM_OK;
}

static hlm_status put_memo(machine *m, uint64_t i)
{
    if (!top(m, 0)) return bad(m, "no value on the stack");
    if (i > m->n_memo) return bad(m, "the memo has no such place yet");
    HLMI_DO(HLMI_GROW(&m->p->mem, m->memo, m->cap_memo, m->n_memo + 1, "a pickle's memo"));
    m->memo[i] = m->stack[m->n_stack - 1];
    m->n_memo += i == m->n_memo;
    return HLM_OK;
}

static hlm_status run_put(machine *m)
{
    return put_memo(m, m->number);
}

static hlm_status run_memoize(machine *m)
{
    return put_memo(m, m->n_memo);
}

static hlm_status run_get(machine *m)
{
    return m->number < m->n_memo ? push_index(m, m->memo[m->number]) : bad(m, "the memo has no such value");
}

static hlm_status find_global(machine *m, hlmi_str module, hlmi_str name)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (is(module, globals[i].module) && is(name, globals[i].name))
            return push_kind(m, HLMI_PICKLE_GLOBAL, (int64_t)i);
    const hlmi_quote q = hlmi_quoted(module.s, module.len);
    return hlmi_fail(HLM_E_UNSUPPORTED,
                     "opcode %s at byte %llu, in a pickle, asks for %s of %s, which is not among the few names that "
                     "tensors need (nothing of a pickle is run): convert it to safetensors",
                     m->op->name, (unsigned long long)m->at + m->op_pos, hlmi_quoted(name.s, name.len).s, q.s);
}

static hlm_status run_global(machine *m)
{
    return find_global(m, m->text, m->name);
}

static hlm_status run_stack_global(machine *m)
{
    const hlmi_pickle_value *name = top_of(m, 0, HLMI_PICKLE_STRING), *module = top_of(m, 1, HLMI_PICKLE_STRING);
    if (!name || !module) return bad(m, "no two strings on the stack");
    m->n_stack -= 2;
    return find_global(m, module->u.string, name->u.string);
}

static bool item_is(const machine *m, const hlmi_pickle_value *v, size_t i, hlmi_pickle_kind kind)
{
    const hlmi_pickle_value *item = hlmi_pickle_item(m->p, v, i);
    return item && item->kind == kind;
}

/* ("storage", class, key, where it was, elements), and in old files None. */
static hlm_status run_persistent(machine *m)
{
    const hlmi_pickle_value *id = top_of(m, 0, HLMI_PICKLE_TUPLE);
    if (!id || id->u.n < 5 || id->u.n > 6 || !item_is(m, id, 0, HLMI_PICKLE_STRING) ||
        !is(hlmi_pickle_item(m->p, id, 0)->u.string, "storage") || !item_is(m, id, 1, HLMI_PICKLE_GLOBAL) ||
        !item_is(m, id, 2, HLMI_PICKLE_STRING) || !item_is(m, id, 4, HLMI_PICKLE_INT))
        return bad(m, "no storage's class, key and number of elements on the stack");
    if (id->u.n == 6 && !item_is(m, id, 5, HLMI_PICKLE_NONE)) return bad(m, "a storage inside another");
    const size_t class = (size_t)hlmi_pickle_item(m->p, id, 1)->u.integer;
    if (globals[class].kind != IS_STORAGE) return bad(m, "the class is no storage's");
    hlmi_pickle_value storage = *id;
    storage.kind = HLMI_PICKLE_STORAGE;
    storage.type = globals[class].type;
    m->n_stack--;
    return push(m, &storage);
}

static bool is_shape(const machine *m, const hlmi_pickle_value *v)
{
    if (v->u.n > DIMS_MAX) return false;
    const hlmi_pickle_value *item;
    for (uint32_t link = v->first; (item = hlmi_pickle_next(m->p, &link)) != NULL;)
        if (item->kind != HLMI_PICKLE_INT) return false;
    return true;
}

/* (storage, offset, sizes, strides), and what is of no use here. */
static bool makes_tensor(const machine *m, const hlmi_pickle_value *args)
{
    return item_is(m, args, 0, HLMI_PICKLE_STORAGE) && item_is(m, args, 1, HLMI_PICKLE_INT) &&
        item_is(m, args, 2, HLMI_PICKLE_TUPLE) && item_is(m, args, 3, HLMI_PICKLE_TUPLE) &&
        is_shape(m, hlmi_pickle_item(m->p, args, 2)) && is_shape(m, hlmi_pickle_item(m->p, args, 3)) &&
        hlmi_pickle_item(m->p, args, 2)->u.n == hlmi_pickle_item(m->p, args, 3)->u.n;
}

static hlm_status run_reduce(machine *m)
{
    const hlmi_pickle_value *args = top_of(m, 0, HLMI_PICKLE_TUPLE), *what = top_of(m, 1, HLMI_PICKLE_GLOBAL);
    if (!args || !what) return bad(m, "no known name and its arguments on the stack");
    hlmi_pickle_value made = *args;
    const global_kind kind = globals[what->u.integer].kind;
    bool fits = true;
    m->n_stack -= 2;
    switch (kind) {
    case IS_DICT:
        fits = args->u.n == 0;
        made = (hlmi_pickle_value){.kind = HLMI_PICKLE_DICT, .ordered = true};
        break;
    case IS_TENSOR:
    case IS_TENSOR_V2:
        fits = (kind == IS_TENSOR ? args->u.n == 4 : args->u.n >= 6 && args->u.n <= 7) && makes_tensor(m, args);
        made.kind = HLMI_PICKLE_TENSOR;
        break;
    case IS_PARAMETER:
        fits = args->u.n == 3 && item_is(m, args, 0, HLMI_PICKLE_TENSOR);
        if (fits) return push_index(m, m->p->links[args->first].value);
        break;
    case IS_SIZE:
        fits = args->u.n == 1 && item_is(m, args, 0, HLMI_PICKLE_TUPLE);
        if (fits) return push_index(m, m->p->links[args->first].value);
        break;
    case IS_STORAGE: return bad(m, "a storage's class is called");
    }
    return fits ? push(m, &made) : bad(m, "the arguments are not those that tensors need");
}

/* Of all attributes only those of an OrderedDict, to which PyTorch adds the versions of modules. */
static hlm_status run_build(machine *m)
{
    const hlmi_pickle_value *dict = top_of(m, 1, HLMI_PICKLE_DICT);
    if (!top_of(m, 0, HLMI_PICKLE_DICT) || !dict || !dict->ordered)
        return bad(m, "attributes of something else than an OrderedDict");
    m->n_stack--;
    return HLM_OK;
}

static const opcode opcodes[] = {
    {'(', "MARK", NOTHING, run_mark, 0, 0},
    {'.', "STOP", NOTHING, run_stop, 0, 0},
    {'J', "BININT", N4, run_number, 0, 0},
    {'K', "BININT1", N1, run_number, 0, 0},
    {'M', "BININT2", N2, run_number, 0, 0},
    {'N', "NONE", NOTHING, run_push, HLMI_PICKLE_NONE, 0},
    {'Q', "BINPERSID", NOTHING, run_persistent, 0, 0},
    {'R', "REDUCE", NOTHING, run_reduce, 0, 0},
    {'T', "BINSTRING", TEXT | N4, run_string, 0, 0},
    {'U', "SHORT_BINSTRING", TEXT | N1, run_string, 0, 0},
    {'X', "BINUNICODE", TEXT | N4, run_string, 0, 0},
    {'a', "APPEND", NOTHING, run_append, 0, 0},
    {'b', "BUILD", NOTHING, run_build, 0, 0},
    {'c', "GLOBAL", LINES, run_global, 0, 0},
    {'}', "EMPTY_DICT", NOTHING, run_push, HLMI_PICKLE_DICT, 0},
    {'e', "APPENDS", NOTHING, run_appends, 0, 0},
    {'h', "BINGET", N1, run_get, 0, 0},
    {'j', "LONG_BINGET", N4, run_get, 0, 0},
    {']', "EMPTY_LIST", NOTHING, run_push, HLMI_PICKLE_LIST, 0},
    {'q', "BINPUT", N1, run_put, 0, 0},
    {'r', "LONG_BINPUT", N4, run_put, 0, 0},
    {'s', "SETITEM", NOTHING, run_set_item, 0, 0},
    {'t', "TUPLE", NOTHING, run_tuple, 0, 0},
    {')', "EMPTY_TUPLE", NOTHING, run_push, HLMI_PICKLE_TUPLE, 0},
    {'u', "SETITEMS", NOTHING, run_set_items, 0, 0},
    {'G', "BINFLOAT", N8, run_push, HLMI_PICKLE_FLOAT, 0},
    {0x80, "PROTO", N1, run_proto, 0, 0},
    {0x85, "TUPLE1", NOTHING, run_tuple_n, 0, 0},
    {0x86, "TUPLE2", NOTHING, run_tuple_n, 0, 0},
    {0x87, "TUPLE3", NOTHING, run_tuple_n, 0, 0},
    {0x88, "NEWTRUE", NOTHING, run_push, HLMI_PICKLE_BOOL, 1},
    {0x89, "NEWFALSE", NOTHING, run_push, HLMI_PICKLE_BOOL, 0},
    {0x8A, "LONG1", TEXT | N1, run_long, 0, 0},
    {0x8C, "SHORT_BINUNICODE", TEXT | N1, run_string, 0, 0},
    {0x8D, "BINUNICODE8", TEXT | N8, run_string, 0, 0},
    {0x93, "STACK_GLOBAL", NOTHING, run_stack_global, 0, 0},
    {0x94, "MEMOIZE", NOTHING, run_memoize, 0, 0},
    {0x95, "FRAME", N8, run_frame, 0, 0},
};

/* The others, which are refused. */
static const struct {
    uint8_t code;
    const char *name;
} refused[] = {
    {'0', "POP"},
    {'1', "POP_MARK"},
    {'2', "DUP"},
    {'F', "FLOAT"},
    {'I', "INT"},
    {'L', "LONG"},
    {'P', "PERSID"},
    {'S', "STRING"},
    {'V', "UNICODE"},
    {'d', "DICT"},
    {'g', "GET"},
    {'i', "INST"},
    {'l', "LIST"},
    {'o', "OBJ"},
    {'p', "PUT"},
    {'B', "BINBYTES"},
    {'C', "SHORT_BINBYTES"},
    {0x81, "NEWOBJ"},
    {0x82, "EXT1"},
    {0x83, "EXT2"},
    {0x84, "EXT4"},
    {0x8B, "LONG4"},
    {0x8E, "BINBYTES8"},
    {0x8F, "EMPTY_SET"},
    {0x90, "ADDITEMS"},
    {0x91, "FROZENSET"},
    {0x92, "NEWOBJ_EX"},
    {0x96, "BYTEARRAY8"},
    {0x97, "NEXT_BUFFER"},
    {0x98, "READONLY_BUFFER"},
};

/* ---- reading ---- */

static bool take_number(machine *m, size_t n)
{
    if (n > m->size - m->pos) return false;
    m->number = hlmi_load_le(m->data + m->pos, n);
    m->pos += n;
    return true;
}

static bool take_line(machine *m, hlmi_str *line)
{
    const uint8_t *from = m->data + m->pos;
    const uint8_t *end = memchr(from, '\n', m->size - m->pos);
    if (!end) return false;
    *line = (hlmi_str){(const char *)from, (size_t)(end - from)};
    m->pos += line->len + 1;
    return true;
}

static bool take_operand(machine *m)
{
    const operand o = m->op->operand;
    if (o == LINES) return take_line(m, &m->text) && take_line(m, &m->name);
    if (o != NOTHING && !take_number(m, (size_t)o % TEXT)) return false;
    if (!(o & TEXT)) return true;
    if (m->number > m->size - m->pos) return false;
    m->text = (hlmi_str){(const char *)m->data + m->pos, (size_t)m->number};
    m->pos += m->text.len;
    return true;
}

static hlm_status refuse(const machine *m, uint8_t code)
{
    const unsigned long long at = m->at + m->op_pos;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i].code == code)
            return hlmi_fail(
                HLM_E_UNSUPPORTED,
                "opcode %s at byte %llu, in a pickle, is not among the few that tensors need (nothing of a "
                "pickle is run): convert it to safetensors",
                refused[i].name, at);
    return hlmi_fail(HLM_E_FORMAT, "byte %llu, in a pickle, is 0x%02X, which is no opcode", at, code);
}

static hlm_status step(machine *m)
{
    m->op_pos = m->pos;
    if (m->pos == m->size)
        return hlmi_fail(HLM_E_FORMAT, "ends at byte %llu, inside a pickle (is it whole?)",
                         (unsigned long long)m->at + m->pos);
    const uint8_t code = m->data[m->pos++];
    size_t i = 0;
    while (i < sizeof opcodes / sizeof *opcodes && opcodes[i].code != code) i++;
    if (i == sizeof opcodes / sizeof *opcodes) return refuse(m, code);
    m->op = &opcodes[i];
    return take_operand(m) ? m->op->run(m) : bad(m, "what belongs to it is not all there (is the file whole?)");
}

static hlm_status run_all(machine *m)
{
    hlmi_pickle *p = m->p;
    HLMI_DO(HLMI_GROW(&p->mem, p->values, p->cap_values, 1, "the values of a pickle"));
    HLMI_DO(HLMI_GROW(&p->mem, p->links, p->cap_links, 1, "the items of a pickle"));
    p->values[p->n_values++] = (hlmi_pickle_value){.kind = HLMI_PICKLE_NONE};
    p->links[p->n_links++] = (hlmi_pickle_link){0};
    while (!m->stopped) HLMI_DO(step(m));
    p->root = value(m, m->stack[0]);
    p->end = m->pos;
    return HLM_OK;
}

hlm_status hlmi_pickle_read(hlmi_pickle *p, const hlmi_mem *mem, const uint8_t *data, size_t n, uint64_t at)
{
    machine m = {.p = p, .data = data, .size = hlmi_min_size(n, HLMI_PICKLE_MAX), .at = at};
    *p = (hlmi_pickle){.mem = *mem};
    const hlm_status st = run_all(&m);
    hlmi_free(mem, m.stack);
    hlmi_free(mem, m.memo);
    return st;
}

void hlmi_pickle_free(hlmi_pickle *p)
{
    hlmi_free(&p->mem, p->values);
    hlmi_free(&p->mem, p->links);
    *p = (hlmi_pickle){.mem = p->mem};
}

/* ---- asking ---- */

const hlmi_pickle_value *hlmi_pickle_next(const hlmi_pickle *p, uint32_t *link)
{
    if (*link == 0) return NULL;
    const hlmi_pickle_link *l = &p->links[*link];
    *link = l->next;
    return &p->values[l->value];
}

const hlmi_pickle_value *hlmi_pickle_item(const hlmi_pickle *p, const hlmi_pickle_value *v, size_t i)
{
    uint32_t link = v->first;
    while (i-- > 0 && link) link = p->links[link].next;
    return hlmi_pickle_next(p, &link);
}

const hlmi_pickle_value *hlmi_pickle_get(const hlmi_pickle *p, const hlmi_pickle_value *v, const char *key)
{
    const hlmi_pickle_value *k, *found = NULL;
    for (uint32_t link = v->first; (k = hlmi_pickle_next(p, &link)) != NULL;) {
        const hlmi_pickle_value *item = hlmi_pickle_next(p, &link);
        if (k->kind == HLMI_PICKLE_STRING && is(k->u.string, key)) found = item;
    }
    return found;
}

const char *hlmi_pickle_kind_name(hlmi_pickle_kind kind)
{
    static const char *const names[] = {"None",   "a bool", "an integer", "a float",   "a string", "a tuple",
                                        "a list", "a dict", "a name",     "a storage", "a tensor"};
    return names[kind];
}
