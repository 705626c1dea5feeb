/*
 * The scenario: one text file that says how the pretended driver answers.  README.md has the
 * format.  Both fakes (libnvidia-ml and libcuda) read the same file through these few functions.
 */
#ifndef ENVCHECK_FAKE_SCENARIO_H
#define ENVCHECK_FAKE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))
#define FORMAT(string, first) __attribute__((format(printf, string, first)))

/* Room for the key prefix of a device: "gpu.63.mig.7". */
#define DEVICE_KEY 32

/*
 * To be called first by every function of a fake.  Carries out what the scenario asks of this call
 * (delay, hang, SIGSEGV) and returns the error code that it asks for, or 0 where the function
 * should answer.  `library` is "nvml" or "cuda", `device` a key prefix such as "gpu.1" or NULL.
 */
int scenario_enter(const char *library, const char *function, const char *device);

/* For fault.c: does any key end in a fault word, and what does "level.word" say?  Counts its reads. */
bool scenario_has_faults(void);
const char *scenario_fault(const char *level, const char *word, unsigned long *reads);

/* Values.  The key is composed as by printf.  NULL or false: the scenario has no such key. */
const char *scenario_text(const char *format, ...) FORMAT(1, 2);
bool scenario_integer(unsigned long long *value, const char *format, ...) FORMAT(2, 3);
bool scenario_real(double *value, const char *format, ...) FORMAT(2, 3);

/* An integer, or `otherwise` where the scenario has no such key. */
unsigned long long scenario_integer_or(unsigned long long otherwise, const char *format, ...) FORMAT(2, 3);

/* Milliseconds since this process first asked the scenario for anything. */
unsigned long long scenario_elapsed_ms(void);

/* Sixteen bytes out of "GPU-" or "MIG-" and 32 hexadecimal digits with any dashes between them. */
bool scenario_uuid_bytes(unsigned char bytes[16], const char *uuid);

/* Takes "0000:17:00.0" (or an eight-digit domain) apart. */
bool scenario_pci_address(unsigned *domain, unsigned *bus, unsigned *device, const char *text);

#endif
