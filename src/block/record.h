/* Walking a plan into a program (exec/program.h). With b->program NULL only b->peak and b->worker_bytes are found. */
#ifndef HLMI_BLOCK_RECORD_H
#define HLMI_BLOCK_RECORD_H

#include "exec/program.h"

/** All blocks. */
hlm_status hlmi_record(hlmi_builder *b);
/** What blocks replay: recurrences alone, fed from the undo log. */
hlm_status hlmi_record_replay(hlmi_builder *b);
/** The head alone, from the final rows that states keep. */
hlm_status hlmi_record_head(hlmi_builder *b);

#endif
