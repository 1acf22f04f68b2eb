/* Version of libhybridlm. The SONAME and the pkg-config file are derived from it. */
#ifndef HYBRIDLM_VERSION_H
#define HYBRIDLM_VERSION_H

enum {
    HLM_VERSION_MAJOR = 0,
    HLM_VERSION_MINOR = 2,
    HLM_VERSION_PATCH = 0,
    /** Number in the SONAME: grows only when a program built before would break. */
    HLM_ABI_VERSION = 1
};

#endif
