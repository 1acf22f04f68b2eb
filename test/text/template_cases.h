/* What the two kinds of template cases share. */
#ifndef HLMI_TEST_TEXT_TEMPLATE_CASES_H
#define HLMI_TEST_TEXT_TEMPLATE_CASES_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "chat/chat.h"

typedef struct tc_tally {
    int passed, failed;
} tc_tally;

typedef struct span {
    const char *p;
    size_t n;
} span;

/* A file ended by 0, to be freed; NULL when it can not be read. */
char *tc_slurp(const char *path, size_t *n);
/* Member `name` of the object in the line, an empty span when it is absent or null. */
span tc_member(span line, const char *name);
/* A string member, to be freed; NULL when it is absent. */
char *tc_text_member(span line, const char *name);
/* NAME.jinja of NAME.cases.jsonl, beside it or in `folder` (NULL: beside); NULL after saying why. */
hlmi_template *tc_load_template(const char *cases_path, const char *folder);

/* The messages and variables of a case. */
typedef struct tc_input {
    hlmi_chat_input chat;
    char *bos, *eos;
} tc_input;
void tc_input_read(tc_input *in, span line);
void tc_input_free(tc_input *in);

void tc_run_e2e(const char *path, tc_tally *all);

#endif
