/* What befalls a call before it answers: a delay, a hang, a death, an error code. */
#define _GNU_SOURCE
#include "scenario.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEVEL_ROOM = 192 };

struct outcome {
    const char *delay, *hang, *segv, *code;
};

/* Takes the faults of one level, as far as no more specific level has decided. */
static void consider(struct outcome *outcome, const char *level)
{
    unsigned long reads;
    const char *limit = scenario_fault(level, "after_calls", &reads);
    if (limit && reads < strtoul(limit, NULL, 0))
        return;
    limit = scenario_fault(level, "after_ms", NULL);
    if (limit && scenario_elapsed_ms() < strtoul(limit, NULL, 0))
        return;
    if (!outcome->delay)
        outcome->delay = scenario_fault(level, "delay_ms", NULL);
    if (!outcome->hang)
        outcome->hang = scenario_fault(level, "hang", NULL);
    if (!outcome->segv)
        outcome->segv = scenario_fault(level, "segv", NULL);
    if (!outcome->code)
        outcome->code = scenario_fault(level, "return", NULL);
}

/* A function's faults under one prefix, by its own name and by the name without version ending. */
static void consider_function(struct outcome *outcome, const char *prefix, const char *function)
{
    char level[LEVEL_ROOM];
    snprintf(level, sizeof level, "%s.%s", prefix, function);
    consider(outcome, level);
    char *version = strstr(level, "_v");
    if (version && isdigit((unsigned char)version[2]))
        *version = '\0';
    else if (strstr(level, "WithFlags"))
        *strstr(level, "WithFlags") = '\0';
    else
        return;
    consider(outcome, level);
}

static void trace(const char *function, const char *device)
{
    const char *path = scenario_text("trace");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld %s %s\n", (long)getpid(), function, device ? device : "-");
    fclose(file);
}

static void hang_for_ever(bool deaf)
{
    if (deaf) {
        /* As near as a user program comes to a process in uninterruptible sleep: only SIGKILL ends it. */
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
    }
    for (;;)
        pause();
}

int scenario_enter(const char *library, const char *function, const char *device)
{
    trace(function, device);
    if (!scenario_has_faults())
        return 0;
    struct outcome outcome = {NULL, NULL, NULL, NULL};
    bool nvml = !strcmp(library, "nvml"); /* codes of a whole GPU are nvmlReturn_t: libcuda leaves them alone */
    if (device) {
        char gpu[DEVICE_KEY];
        snprintf(gpu, sizeof gpu, "%s", device);
        for (;;) {
            consider_function(&outcome, gpu, function);
            if (nvml)
                consider(&outcome, gpu);
            char *mig = strstr(gpu, ".mig."); /* what befalls a GPU befalls its MIG devices */
            if (!mig)
                break;
            *mig = '\0';
        }
        consider_function(&outcome, "gpu.*", function);
    }
    consider_function(&outcome, library, function);
    if (device && nvml)
        consider(&outcome, "gpu.*");
    consider(&outcome, library);

    if (outcome.delay) {
        long ms = strtol(outcome.delay, NULL, 0);
        nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    }
    if (outcome.hang && strcmp(outcome.hang, "0"))
        hang_for_ever(!strcmp(outcome.hang, "deaf"));
    if (outcome.segv && strcmp(outcome.segv, "0"))
        raise(SIGSEGV);
    return outcome.code ? (int)strtol(outcome.code, NULL, 0) : 0;
}
