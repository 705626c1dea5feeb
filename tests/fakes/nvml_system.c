/* What NVML answers about the system and about itself. */
#define _GNU_SOURCE
#include "nvml.h"

#include <dlfcn.h>

EXPORT const char *nvmlErrorString(nvmlReturn_t code)
{
    static const char *const texts[] = {
        "Success", "Uninitialized", "Invalid Argument", "Not Supported", "Insufficient Permissions",
        "Already Initialized", "Not Found", "Insufficient Size", "Insufficient External Power", "Driver Not Loaded",
        "Timeout", "Interrupt Request Issue", "NVML Shared Library Not Found", "Function Not Found",
        "Corrupted infoROM", "GPU is lost", "GPU requires restart", "The operating system has blocked the request.",
        "RM has detected an NVML/RM version mismatch.", "In use by another client", "Insufficient Memory",
        "No data", "Not available while ECC is on in a vGPU",
        "Ran out of critical resources, other than memory", "Frequency Not Supported",
        "The provided version is invalid/unsupported", "Requested functionality has been deprecated",
        "The system is not ready for the request", "No GPUs were found", "Resource not in correct state",
        "Reset not supported for given device/parameters"};
    if (code >= 0 && code < (int)(sizeof texts / sizeof *texts))
        return texts[code];
    return code == UNKNOWN ? "Unknown Error" : "Unknown Error code";
}

EXPORT nvmlReturn_t nvmlSystemGetDriverVersion(char *out, unsigned room)
{
    ENTER();
    return answer_text(out, room, "driver_version");
}

EXPORT nvmlReturn_t nvmlSystemGetNVMLVersion(char *out, unsigned room)
{
    /* Works before nvmlInit in the real library too. */
    nvmlReturn_t code = scenario_enter("nvml", __func__, NULL);
    return code ? code : answer_text(out, room, "nvml_version");
}

EXPORT nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *out)
{
    nvmlReturn_t code = scenario_enter("nvml", __func__, NULL);
    return code ? code : answer_uint((uint32_t *)out, "cuda_version_kernel");
}

/* Asks the libcuda.so.1 that the loader finds, as the real one does: a compatibility copy answers for itself. */
EXPORT nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *out)
{
    nvmlReturn_t code = scenario_enter("nvml", __func__, NULL);
    if (code)
        return code;
    if (!out)
        return INVALID_ARGUMENT;
    void *libcuda = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (!libcuda)
        return LIBRARY_NOT_FOUND;
    int (*get_version)(int *) = NULL;
    *(void **)&get_version = dlsym(libcuda, "cuDriverGetVersion");
    code = !get_version ? FUNCTION_NOT_FOUND : get_version(out) ? UNKNOWN : SUCCESS;
    dlclose(libcuda);
    return code;
}

EXPORT nvmlReturn_t nvmlSystemGetDriverBranch(struct c_nvmlSystemDriverBranchInfo_v1_t *info, unsigned room)
{
    ENTER();
    if (!info)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, info->version, sizeof *info, 1))
        return ARGUMENT_VERSION_MISMATCH;
    return answer_text(info->branch, room < sizeof info->branch ? room : sizeof info->branch, "driver_branch");
}

EXPORT nvmlReturn_t nvmlSystemGetProcessName(unsigned pid, char *out, unsigned room)
{
    ENTER();
    for (int gpu = 0; gpu < gpu_count(); gpu++)
        for (int n = 0; n < MAX_PROCESSES && scenario_text("gpu.%d.process.%d.pid", gpu, n); n++)
            if (scenario_integer_or(0, "gpu.%d.process.%d.pid", gpu, n) == pid)
                return answer_text(out, room, "gpu.%d.process.%d.name", gpu, n);
    return NOT_FOUND;
}

/* Confidential computing: every field reads 0 where the scenario names only some. */
EXPORT nvmlReturn_t nvmlSystemGetConfComputeCapabilities(struct c_nvmlConfComputeSystemCaps_t *caps)
{
    ENTER();
    if (!caps)
        return INVALID_ARGUMENT;
    caps->cpuCaps = (uint32_t)scenario_integer_or(0, "confidential.cpu_caps");
    return answer_uint(&caps->gpusCaps, "confidential.gpus_caps");
}

EXPORT nvmlReturn_t nvmlSystemGetConfComputeState(struct c_nvmlConfComputeSystemState_t *state)
{
    ENTER();
    if (!state)
        return INVALID_ARGUMENT;
    state->environment = (uint32_t)scenario_integer_or(0, "confidential.environment");
    state->devToolsMode = (uint32_t)scenario_integer_or(0, "confidential.dev_tools");
    return answer_uint(&state->ccFeature, "confidential.feature");
}

EXPORT nvmlReturn_t nvmlSystemGetConfComputeSettings(struct c_nvmlSystemConfComputeSettings_v1_t *settings)
{
    ENTER();
    if (!settings)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, settings->version, sizeof *settings, 1))
        return ARGUMENT_VERSION_MISMATCH;
    settings->environment = (uint32_t)scenario_integer_or(0, "confidential.environment");
    settings->devToolsMode = (uint32_t)scenario_integer_or(0, "confidential.dev_tools");
    settings->multiGpuMode = (uint32_t)scenario_integer_or(0, "confidential.multi_gpu");
    return answer_uint(&settings->ccFeature, "confidential.feature");
}

EXPORT nvmlReturn_t nvmlSystemGetConfComputeGpusReadyState(unsigned *ready)
{
    ENTER();
    return answer_uint(ready, "confidential.gpus_ready");
}
