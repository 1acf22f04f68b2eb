/* SIGINT (see interrupt.h). A signal handler has no argument to carry a pointer, so this file holds the program's only
 * variables of static storage. */
#define _POSIX_C_SOURCE 200809L
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "options.h"
#include "paste.h"

enum { PATIENCE = 3 };

static volatile sig_atomic_t count;
static volatile sig_atomic_t paste;
static _Atomic(hlm_context *) target;

static void on_sigint(int signal)
{
    (void)signal;
    if (++count >= PATIENCE) {
        if (paste) cli_paste_leave();
        _exit(CLI_INTERRUPTED);
    }
    hlm_context *ctx = atomic_load(&target);
    if (ctx) hlm_ctx_cancel(ctx);
}

void cli_interrupt_input(bool waiting)
{
    struct sigaction action = {.sa_handler = on_sigint, .sa_flags = waiting ? 0 : SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

void cli_interrupt_paste(bool marked)
{
    paste = marked;
}

void cli_interrupt_install(void)
{
    cli_interrupt_input(false);
}

void cli_interrupt_target(hlm_context *ctx)
{
    atomic_store(&target, ctx);
}

bool cli_interrupted(void)
{
    return count != 0;
}

void cli_interrupt_clear(void)
{
    count = 0;
}
