/* Each thread's way in and out of the library. */
#include "base/host.h"

#include <string.h>

#include "base/fpenv.h"

/* Of the innermost public call, unless the thread is in a callback. */
static _Thread_local struct {
    bool inside;
    uint64_t found; /* the host's environment */
} here;

void hlmi_call_enter(hlmi_call *call)
{
    call->outermost = !here.inside;
    if (!call->outermost) return;
    here.inside = true;
    here.found = hlmi_fpenv_enter();
    hlmi_error_clear();
}

hlm_status hlmi_call_leave(const hlmi_call *call, hlm_status st)
{
    if (!call->outermost) return st;
    if (st == HLM_OK) hlmi_error_clear(); /* of what was tried on the way */
    here.inside = false;
    hlmi_fpenv_leave(here.found);
    return st;
}

void hlmi_host_begin(hlmi_host *host)
{
    host->inside = here.inside;
    if (!host->inside) return;
    memcpy(host->sentence, hlmi_error(), sizeof host->sentence);
    hlmi_error_clear();
    here.inside = false;
    hlmi_fpenv_leave(here.found);
}

void hlmi_host_end(const hlmi_host *host)
{
    if (!host->inside) return;
    here.found = hlmi_fpenv_enter();
    here.inside = true;
    hlmi_error_give(host->sentence);
}
