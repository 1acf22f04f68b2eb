/* Walking a plan into a program (exec/program.h). With b->program NULL only b->peak and b->worker_bytes are found. */
#ifndef HLMI_BLOCK_RECORD_H
#define HLMI_BLOCK_RECORD_H

#include "exec/program.h"

/** What of the blocks is recorded. */
typedef enum hlmi_recording {
    HLMI_RECORD_ALL,
    HLMI_RECORD_REPLAY, /* recurrences alone, fed from the undo log */
    HLMI_RECORD_HEAD /* the head alone, from the final rows that states keep */
} hlmi_recording;

hlm_status hlmi_record(hlmi_builder *b, hlmi_recording what);

#endif
