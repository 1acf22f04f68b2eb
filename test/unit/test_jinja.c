/* Chat templates: expressions whose values Jinja2 gave (expressions.jsonl), budgets, statuses, and every allocation
 * failing in turn. */
#include <jansson.h>
#include <string.h>

#include "unit/chat_help.h"
#include "unit/suite.h"

static const char *folder;

static const char messages[] = "[{\"role\":\"user\",\"content\":\"H\xC3\xA9llo <b>\"},"
                               "{\"role\":\"assistant\",\"content\":null,\"n\":3,\"l\":[1,2.5,\"x\"]}]";

static hlm_status render(const hlmi_mem *mem, const char *text, hlmi_buf *out)
{
    const hlmi_chat_input in = {.messages = {messages, sizeof messages - 1},
                                .bos = {"<s>", 3},
                                .eos = {"</s>", 4},
                                .add_generation_prompt = true,
                                .now = 1721984703};
    return render_once(mem, text, strlen(text), &in, out);
}

static hlm_status status_of(const char *text)
{
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf out;
    hlmi_buf_init(&out, &mem);
    const hlm_status st = render(&mem, text, &out);
    hlmi_buf_free(&out);
    return st;
}

START_TEST(equals_jinja2)
{
    char path[1024], line[1 << 16];
    snprintf(path, sizeof path, "%s/expressions.jsonl", folder);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    const hlmi_mem mem = hlmi_mem_default();
    int n = 0;
    for (; fgets(line, sizeof line, f); n++) {
        json_t *c = json_loads(line, JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_nonnull(c);
        const char *text = json_string_value(json_object_get(c, "t"));
        const json_t *want = json_object_get(c, "want");
        hlmi_buf out;
        hlmi_buf_init(&out, &mem);
        const hlm_status st = render(&mem, text, &out);
        ck_assert_msg((st == HLM_OK) == json_is_string(want), "%s: %s", text, st ? hlmi_error() : "no error");
        if (st == HLM_OK) {
            const size_t len = json_string_length(want);
            ck_assert_msg(out.len == len && (len == 0 || memcmp(out.data, json_string_value(want), len) == 0), "%s: %s",
                          text, out.data);
        }
        hlmi_buf_free(&out);
        json_decref(c);
    }
    fclose(f);
    ck_assert_int_gt(n, 2000);
}
END_TEST

START_TEST(budgets_hold)
{
    static const char *const texts[] = {
        "{{ 'a' * 2 ** 40 }}",
        "{{ range(10 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 'x'|center(10 ** 9) }}",
        "{{ 'a\nb'|indent(10 ** 9) }}",
        "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='ab') %}{% for i in range(99999) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s=[]) %}{% for i in range(99999) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s }}",
        "{{ [1]|tojson(indent=10 ** 9) }}",
        "{{ ('<!--' * 300000)|striptags }}",
        "{{ ('a-b ' * 3000000)|wordwrap(1) }}",
        "{{ 'a'|wordwrap(1, wrapstring='x' * 10 ** 9) }}",
        "{% macro x(n) %}{{ x(n + 1) }}{% endmacro %}{% for i in range(9) %}{{ x(0) }}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for i in range(99999) %}{% set n.s = n.s + 'y' * 99999 %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
        "{% set n = namespace() %}{% set n.a = n %}{{ n }}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(status_of(texts[i]) == HLM_E_LIMIT, "%s", texts[i]);
}
END_TEST

START_TEST(depth_is_bounded)
{
    static const char *const nested[] = {"(", "[", "{1:", "-", "not ", "1 if 1 else ", "f(", "x["};
    static char text[300000];
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++) {
        strcpy(text, "{{ ");
        size_t at = 3;
        const size_t n = strlen(nested[i]);
        for (int k = 0; k < 20000; k++, at += n) memcpy(text + at, nested[i], n);
        strcpy(text + at, "1 }}");
        ck_assert_msg(status_of(text) == HLM_E_LIMIT, "%s", nested[i]);
    }
}
END_TEST

START_TEST(statuses_and_sentences)
{
    ck_assert_int_eq(status_of("{{ raise_exception('no: 100%s') }}"), HLM_E_TEMPLATE);
    ck_assert_str_eq(hlmi_error(), "chat template, line 1: no: 100%s");
    ck_assert_int_eq(status_of("a\nb\n{% if x %}"), HLM_E_TEMPLATE);
    ck_assert_ptr_nonnull(strstr(hlmi_error(), "line 3"));
    ck_assert_int_eq(status_of("{{ ''.__class__.__mro__ }}"), HLM_E_TEMPLATE);
    ck_assert_int_eq(status_of("{{ messages.append(1) }}"), HLM_E_TEMPLATE);
    ck_assert_int_eq(status_of("{{ ('{0.__class__.__init__}'|attr('format'))(self) }}"), HLM_E_TEMPLATE);
    ck_assert_int_eq(status_of("{% include '/etc/passwd' %}"), HLM_E_TEMPLATE);
    ck_assert_int_eq(status_of("\xff"), HLM_E_TEMPLATE);
    const hlmi_mem mem = hlmi_mem_default();
    hlmi_buf out;
    hlmi_buf_init(&out, &mem);
    static const char *const bad[] = {"",     "{}",  "[",     "[1,]",      "[\"\x01\"]",
                                      "[01]", "nul", "[] []", "[\"\\q\"]", "[\"\xff\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const hlmi_chat_input in = {.messages = {bad[i], strlen(bad[i])}};
        ck_assert_msg(render_once(&mem, "x", 1, &in, &out) == HLM_E_FORMAT, "%s", bad[i]);
    }
    ck_assert_uint_eq(out.len, 0);
    hlmi_buf_free(&out);
}
END_TEST

typedef struct failing {
    hlmi_mem real;
    size_t left;
    int live;
} failing;

static void *failing_alloc(void *user, size_t size, size_t align)
{
    failing *f = user;
    if (f->left == 0) return NULL;
    f->left--;
    void *p = f->real.alloc(f->real.user, size, align);
    f->live += p != NULL;
    return p;
}

static void failing_free(void *user, void *p)
{
    failing *f = user;
    f->live--;
    f->real.free(f->real.user, p);
}

/* The text with its foreign parts between < and >. */
static void show(const hlmi_buf *text, const hlmi_buf *trusted, hlmi_buf *out)
{
    bool own = true;
    for (size_t i = 0; i <= text->len; i++) {
        const bool is = i == text->len || trusted->data[i];
        if (is != own) hlmi_buf_str(out, is ? ">" : "<");
        own = is;
        if (i < text->len) hlmi_buf_add(out, text->data + i, 1);
    }
}

START_TEST(origins_are_kept)
{
    static const char chat[] =
        "[{\"role\":\"user\",\"content\":\" a|b\\u007cc \",\"n\":7},{\"role\":\"a|b\",\"content\":\"Xy\"}]";
    static const char extra[] = "{\"pad_token\":\"PAD\",\"other\":\"oth\"}";
    static const char *const cases[][2] = {
        {"|x|{{ c }}|y|", "|x|< a|b|c >|y|"},
        {"{{ '|' + m.role + '|' + m.content|trim }}", "|user|<a|b|c>"},
        {"{{ '|' ~ messages[1].role ~ '|' }}", "|<a|b>|"},
        {"{{ c.split('|')|join('#') }}", "< a>#<b>#<c >"},
        {"{{ c|replace('|', '##') }}", "< a>##<b>##<c >"},
        {"{{ c|upper }}{{ m.role|upper }}{{ 'x'|upper }}", "< A|B|C >USERX"},
        {"{{ c[::-1] }}{{ c[1] }}{{ '|' * 3 }}{{ c[1:3] * 2 }}", "< c|b|a a>|||<a|a|>"},
        {"{{ '|%s|' % c[1] }}{{ '|{}|'.format(c[1]) }}{{ '%c' % 65 }}", "|<a>||<a>|A"},
        {"{{ m }}", "<{'role': '>user<', 'content': ' a|b|c ', 'n': 7}>"},
        {"{{ c|tojson }}{{ [c[1]]|string }}", "<\" a|b|c \"['a']>"},
        {"{% set s %}|{{ c[1] }}|{% endset %}{{ s }}{{ s|trim }}", "|<a>||<a>|"},
        {"{% macro f(a) %}|{{ a }}|{% endmacro %}{{ f(c[1]) }}{{ [bos_token, c[1], pad_token, other]|join }}",
         "|<a>|<s><a>PAD<oth>"},
        {"{% for l in c %}{{ l }}{% endfor %}{{ {'a|b': 'own'}[messages[1].role] }}", "< a|b|c >own"},
        {"{% for u in messages|map(attribute='content')|map('lower') %}|{{ u }}{% endfor %}", "|< a|b|c >|<xy>"},
        {"{{ ('|' ~ c[1])|center(6) }}{{ m.n }}{{ '%d' % m.n }}", "<  >|<a  >77"},
    };
    const hlmi_mem mem = hlmi_mem_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const hlmi_chat_input in = {
            .messages = {chat, sizeof chat - 1}, .bos = {"<s>", 3}, .extra = {extra, sizeof extra - 1}};
        char source[512];
        hlmi_template *t;
        hlmi_buf text, trusted, shown;
        hlmi_buf *const bufs[] = {&text, &trusted, &shown};
        for (size_t k = 0; k < 3; k++) hlmi_buf_init(bufs[k], &mem);
        snprintf(source, sizeof source, "{%% set m = messages[0] %%}{%% set c = m.content %%}%s", cases[i][0]);
        ck_assert_int_eq(hlmi_template_new(&mem, source, strlen(source), &t), HLM_OK);
        ck_assert_msg(hlmi_template_render(t, &mem, &in, &text, &trusted) == HLM_OK, "%s: %s", cases[i][0],
                      hlmi_error());
        ck_assert_uint_eq(text.len, trusted.len);
        show(&text, &trusted, &shown);
        ck_assert_msg(strcmp(shown.data, cases[i][1]) == 0, "%s: %s, not %s", cases[i][0], shown.data, cases[i][1]);
        for (size_t k = 0; k < 3; k++) hlmi_buf_free(bufs[k]);
        hlmi_template_free(t);
    }
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    static const char text[] =
        "{% macro f(a) %}{{ a|tojson(indent=2) }}{% endmacro %}{% for m in messages %}{{ f(m) }}"
        "{{ (m|string * 900)|upper|length }}{% endfor %}{{ range(9000)|list|sort|join(',')|length }}";
    hlm_status st = HLM_E_NOMEM;
    size_t k = 0;
    for (; st != HLM_OK && k < 500; k++) {
        failing f = {.real = hlmi_mem_default(), .left = k};
        const hlmi_mem mem = {.user = &f, .alloc = failing_alloc, .free = failing_free};
        hlmi_buf out;
        hlmi_buf_init(&out, &mem);
        st = render(&mem, text, &out);
        hlmi_buf_free(&out);
        ck_assert_int_eq(f.live, 0);
        ck_assert_msg(st == HLM_OK || st == HLM_E_NOMEM, "%d: %s", (int)st, hlmi_error());
    }
    ck_assert_int_eq(st, HLM_OK);
    ck_assert_uint_gt(k, 5);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {equals_jinja2,          budgets_hold,     depth_is_bounded,
                                  statuses_and_sentences, origins_are_kept, every_allocation_fails_once};
    folder = argc > 1 ? argv[1] : "test/data/templates";
    return suite_run("jinja", tests, sizeof tests / sizeof *tests);
}
