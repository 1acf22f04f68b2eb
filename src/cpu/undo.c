/* The undo log's ops: rows of recurrent inputs into it while steps run, and out of it when they are replayed. */
#include <string.h>

#include "cpu/cpu.h"

typedef struct log_arg {
    hlmi_field in_log; /* in a row of the log */
    hlmi_rows rows;
} log_arg;

static void write_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const log_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    for (size_t i = r.begin; i < r.end; i++) {
        void *const *row = t->log[i];
        if (row) memcpy(hlmi_field_of(row, &a->in_log), hlmi_rows_at(a->rows, i), a->in_log.bytes);
    }
}

static void read_run(const void *arg, const void *step, size_t worker, size_t workers)
{
    const log_arg *a = arg;
    const hlmi_tile *t = step;
    const hlmi_range r = hlmi_share(t->n_rows, worker, workers);
    for (size_t i = r.begin; i < r.end; i++)
        memcpy(hlmi_rows_at(a->rows, i), hlmi_field_of(t->log[i], &a->in_log), a->in_log.bytes);
}

void hlmi_cpu_log_write(hlmi_builder *b, size_t rec, hlmi_rows rows)
{
    const log_arg a = {.in_log = b->states->log[rec], .rows = rows};
    if (b->undo) hlmi_emit(b, write_run, &a, sizeof a, 0, 0);
}

void hlmi_cpu_log_read(hlmi_builder *b, size_t rec, hlmi_rows rows)
{
    const log_arg a = {.in_log = b->states->log[rec], .rows = rows};
    hlmi_emit(b, read_run, &a, sizeof a, 0, 0);
}
