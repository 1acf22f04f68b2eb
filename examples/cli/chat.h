/* What `hybridlm chat` consists of: the conversation's state, its turns (chat_turn.c) and the commands that are typed
 * (chat_commands.c, chat_set.c). */
#ifndef CLI_CHAT_H
#define CLI_CHAT_H

#include "conversation.h"
#include "generate.h"
#include "session.h"

/** Texts that /set can keep. */
enum { CLI_CHAT_TEXTS = 64 };

typedef struct cli_chat {
    /** A copy, which /set changes. */
    cli_options o;
    cli_session s;
    cli_conversation conversation;
    /** What /regen draws with in a greedy chat, once it did. */
    hlm_sampler *warm;
    /** A token was drawn with the session's seed. */
    bool drawn;
    /** Turns that the latest one dropped. */
    size_t n_dropped;
    bool terminal;
    bool end;
    char *texts[CLI_CHAT_TEXTS];
    size_t n_texts;
} cli_chat;

/** Answer the last message with `sampler` and show it; the answer, also a partial one, joins the conversation.
 *  *interrupted (may be NULL) tells of Ctrl-C. */
int cli_chat_answer(cli_chat *c, hlm_sampler *sampler, bool *interrupted);
/** A message and its answer. One that could not be answered is taken back, so that the chat can go on. */
int cli_chat_say(cli_chat *c, const char *text, size_t len, bool *interrupted);

/** Forget the conversation; without --seed the next one has another. */
int cli_chat_reset(cli_chat *c);
/** New samplers, as the options are now. On failure the old ones stay. */
int cli_chat_resample(cli_chat *c);

/** A line that begins with '/'. */
int cli_chat_command(cli_chat *c, const char *line);
/** Whether its first word is a command. */
bool cli_chat_knows(const char *line);

/** "/set ...", and what can be set, as the option tables have it. */
int cli_chat_set(cli_chat *c, const char *words);
extern const cli_group cli_group_answers;

#endif
