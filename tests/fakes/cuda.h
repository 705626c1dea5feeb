/* What the two files of the pretended libcuda share. */
#ifndef ENVCHECK_FAKE_CUDA_H
#define ENVCHECK_FAKE_CUDA_H

#include "scenario.h"

typedef int CUresult;
typedef int CUdevice;

enum {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    NOT_INITIALIZED = 3,
    STUB_LIBRARY = 34,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
};

CUresult cuda_enter(const char *function, const char *device);

/* What every call begins with. */
#define ENTER() \
    do { \
        CUresult code_ = cuda_enter(__func__, NULL); \
        if (code_) \
            return code_; \
    } while (0)

enum { MAX_DEVICES = 64, MAX_MIG = 8 };

/* What CUDA enumerates: a GPU of the scenario, or one MIG device of it (-1: the GPU itself). */
struct visible {
    int gpu;
    int mig;
};

/* Everything that CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER and MIG leave, in CUDA's own order.  Returns the count. */
int cuda_enumerate(struct visible devices[MAX_DEVICES]);

#endif
