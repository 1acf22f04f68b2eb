/* Runner for hostile files: what its parts share. A case is one model (a GGUF file, or a folder) taken through the
 * stages in a process of its own, or an adapter for the good model. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>

/* In the order in which a case runs through them. */
typedef enum hostile_stage {
    STAGE_LOAD,
    STAGE_TOKENIZE,
    STAGE_RENDER,
    STAGE_DECODE,
    STAGE_ATTACH,
    STAGES
} hostile_stage;

extern const char *const hostile_stage_names[STAGES];

/* What a child does. */
typedef struct hostile_job {
    const char *path; /* the model, or the adapter */
    const char *base; /* a good model, loaded afterwards, and before it for an adapter */
    bool attach; /* an adapter */
    bool check_weights; /* HLM_LOAD_CHECK_WEIGHTS */
} hostile_job;

enum { HOSTILE_TEXT_MAX = 1024 };

/* What a child tells; written whole, or not at all. */
typedef struct hostile_report {
    int stage; /* the last that ran */
    int status; /* its hlm_status */
    char message[HOSTILE_TEXT_MAX]; /* hlm_last_error() when status is not 0 */
    char broken[HOSTILE_TEXT_MAX]; /* a promise that was not kept, "" for none */
} hostile_report;

/* The child's whole work. */
void hostile_run(const hostile_job *job, hostile_report *report);

enum { HOSTILE_WALL_MS = 5000, HOSTILE_RESIDENT_MB = 512 };

/* Runs the job in a process of its own, under the limits. false: it crashed, hung, or took too much, as
 * `report->broken` says; then nothing else in the report counts. */
bool hostile_spawn(const hostile_job *job, hostile_report *report);

#endif
