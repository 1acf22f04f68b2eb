/* The messages of a chat and their tokens. What people type never becomes a special token, whatever markers it
 * spells. */
#ifndef CLI_CONVERSATION_H
#define CLI_CONVERSATION_H

#include <stdbool.h>

#include <jansson.h>

#include "session.h"
#include "text.h"

typedef struct cli_conversation {
    /** [{"role": ..., "content": ...}, ...], with the system message first if there is one. */
    json_t *messages;
    /** A template instead of the model's, or NULL. */
    char *chat_template;
} cli_conversation;

/** Begin with the system message of the options, and read --chat-template. */
int cli_conversation_open(cli_conversation *c, const cli_options *o);
void cli_conversation_close(cli_conversation *c);

/** Back to the system message. */
void cli_conversation_reset(cli_conversation *c);
/** Replace the system message; an empty text takes it away. */
void cli_conversation_set_system(cli_conversation *c, const char *text, size_t len);
void cli_conversation_add(cli_conversation *c, const char *role, const char *text, size_t len);
/** Take the last message away when it is of `role`. */
bool cli_conversation_take_last(cli_conversation *c, const char *role);
/** Drop the oldest question with its answer. False when only the last question is left. */
bool cli_conversation_drop_oldest(cli_conversation *c);

/** All messages as a JSON file; false, with errno: it can not be written, and has what it had. */
bool cli_conversation_save(const cli_conversation *c, const char *path);
/** The messages of such a file in place of these. False, and nothing has changed: *why says the reason. */
bool cli_conversation_load(cli_conversation *c, const char *path, char *why, size_t cap);

/** The tokens of all messages and of the opening of the next answer, added to *ids. */
hlm_status cli_conversation_tokens(const cli_conversation *c, const hlm_model *model, cli_ids *ids);

#endif
