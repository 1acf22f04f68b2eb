/* What is in files that may be refused (see survey.h). */
#include "weights/survey.h"

#include <stdio.h>

#include "weights/store_impl.h"

/* A part whose first part is not there is shown alone. */
static hlm_status survey_gguf(hlmi_survey *v, hlmi_source *file, const hlmi_notes *notes)
{
    hlmi_store *s = v->store;
    uint8_t buf[8];
    const uint8_t *p = buf;
    v->container = "GGUF";
    s->dialect = HLMI_GGUF;
    if (file->size >= sizeof buf) {
        HLMI_DO(hlmi_source_read(file, 0, sizeof buf, buf, &p));
        v->version = (uint32_t)hlmi_load_le(p + 4, 4);
    }
    HLMI_DO(hlmi_noted(notes, hlmi_gguf_open(s, file, HLMI_STORE_MODEL)));
    if (s->n_sources == 0) {
        HLMI_DO(hlmi_source_open(file, &s->mem, &s->vfs, s->path, NULL));
        HLMI_DO(hlmi_noted(notes, hlmi_gguf_read(s, file, &s->kvs)));
    }
    hlmi_kvs *kvs = &s->kvs;
    if (kvs->by_key.n == kvs->n) return HLM_OK;
    return hlmi_noted(notes, hlmi_index_build(&kvs->by_key, &s->mem, kvs->v, sizeof *kvs->v, kvs->n, "setting"));
}

/* Weights without settings, of which no model can be made: why is told first. */
static hlm_status survey_weights(hlmi_survey *v, hlmi_source *file, const hlmi_notes *notes)
{
    const hlm_status st = hlmi_gguf_refuse(file, "");
    if (st != HLM_E_FORMAT) return st;
    HLMI_DO(hlmi_noted(notes, hlmi_fail_prefix(st, "%s: ", file->path)));
    v->container = "safetensors";
    return hlmi_noted(notes, hlmi_safetensors_read(v->store, file));
}

/* A file of PyTorch's looks like any zip archive or pickle; what is not one stays refused as before. */
static hlm_status survey_other(hlmi_survey *v, hlmi_source *file, const hlmi_notes *notes)
{
    char why[HLMI_ERROR_MAX];
    hlm_status st = hlmi_gguf_refuse(file, " (for safetensors, give the folder)");
    if (st != HLM_E_FORMAT) return st;
    hlmi_fail_prefix(st, "%s: ", file->path);
    snprintf(why, sizeof why, "%s", hlmi_error());
    const hlm_status torch = hlmi_torch_read(v->store, file);
    if (torch == HLM_E_NOMEM) return torch;
    v->container = "PyTorch";
    hlmi_error_give(why);
    return torch == HLM_OK ? hlmi_noted(notes, st) : st;
}

static hlm_status survey_file(hlmi_survey *v, hlmi_source *file, const hlmi_notes *notes)
{
    hlmi_looks l;
    HLMI_DO(hlmi_source_looks(file, &l));
    if (l.kind == HLMI_LOOK_GGUF) return survey_gguf(v, file, notes);
    v->store->dialect = HLMI_HF;
    if (l.kind == HLMI_LOOK_SAFETENSORS) return survey_weights(v, file, notes);
    return survey_other(v, file, notes);
}

hlm_status hlmi_survey_open(hlmi_survey *out, const hlmi_mem *mem, const hlmi_vfs *vfs, const char *path,
                            const hlmi_notes *notes)
{
    hlm_status st;
    hlmi_source file = {0};
    bool folder;
    *out = (hlmi_survey){.container = "folder"};
    HLMI_TRY(hlmi_store_new(&out->store, mem, vfs, path));
    HLMI_TRY(hlmi_store_reach(out->store, &file, HLMI_STORE_MODEL, &folder));
    HLMI_TRY(folder ? hlmi_hf_survey(out->store, notes, &out->scheme, &out->adapter) : survey_file(out, &file, notes));
    HLMI_TRY(hlmi_noted(notes, hlmi_store_index_tensors(out->store)));
    out->n_files = out->store->n_sources;
done:
    hlmi_source_close(&file);
    if (st != HLM_OK) hlmi_survey_close(out);
    return st;
}

void hlmi_survey_close(hlmi_survey *v)
{
    hlmi_store_close(v->store);
    v->store = NULL;
}

const char *hlmi_survey_file(const hlmi_survey *v, size_t i, uint64_t *bytes)
{
    *bytes = v->store->sources[i].size;
    return v->store->sources[i].path;
}

const char *hlmi_survey_file_of(const hlmi_survey *v, const hlmi_tensor *t)
{
    return v->store->sources[t->source].path;
}
