/* Reading the scenario file and finding keys in it. */
#define _GNU_SOURCE
#include "scenario.h"

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_ROOM = 256, SEGMENTS = 12 };

struct line {
    char *key;
    char *value;
    size_t number;
    unsigned long calls; /* how often this line was read: drives "+N/call", "a | b" and after_calls */
};

static struct line *lines;
static size_t line_count;
static bool has_wildcards;
static bool has_faults;
static struct timespec started;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void die(const char *what, const char *which)
{
    /* Loud on purpose: a broken scenario must never pass for an answer of the driver. */
    fprintf(stderr, "envcheck fake driver: %s: %s\n", what, which);
    abort();
}

/* ---- loading ---------------------------------------------------------------------------- */

static void *must(void *memory)
{
    if (!memory)
        die("out of memory", "reading the scenario");
    return memory;
}

static char *read_whole_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        die("cannot open the scenario", path);
    size_t room = 1 << 16, length = 0;
    char *text = must(malloc(room));
    for (size_t got; (got = fread(text + length, 1, room - length - 1, file)) > 0;) {
        length += got;
        if (length + 1 == room)
            text = must(realloc(text, room *= 2));
    }
    fclose(file);
    text[length] = '\0';
    return text;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

static int by_key_then_position(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool is_fault_word(const char *key)
{
    static const char *const words[] = {"return", "hang", "segv", "delay_ms", "after_calls", "after_ms"};
    const char *last = strrchr(key, '.');
    for (size_t i = 0; last && i < sizeof words / sizeof *words; i++)
        if (!strcmp(last + 1, words[i]))
            return true;
    return false;
}

static void load(void)
{
    clock_gettime(CLOCK_MONOTONIC, &started);
    const char *path = getenv("ENVCHECK_FAKE");
    char beside[4096];
    if (!path || !*path) {
        /* A cleaned environment may have lost the variable: look beside the library itself. */
        Dl_info self;
        if (!dladdr((void *)scenario_enter, &self) || !self.dli_fname)
            die("ENVCHECK_FAKE is not set", "and the library does not know its own path");
        const char *slash = strrchr(self.dli_fname, '/');
        int folder = slash ? (int)(slash - self.dli_fname) : 1;
        snprintf(beside, sizeof beside, "%.*s/scenario.txt", folder, slash ? self.dli_fname : ".");
        path = beside;
    }
    char *text = read_whole_file(path), *rest = text;
    size_t room = 0, number = 0;
    for (char *raw; (raw = strsep(&rest, "\n"));) {
        char *line = trim(raw);
        number++;
        if (!*line || *line == '#')
            continue;
        char *equals = strchr(line, '=');
        if (!equals)
            die("not 'key = value'", line);
        *equals = '\0';
        if (line_count == room)
            lines = must(realloc(lines, (room = room ? room * 2 : 256) * sizeof *lines));
        struct line *new = &lines[line_count++];
        *new = (struct line){trim(line), trim(equals + 1), number, 0};
        has_wildcards |= strchr(new->key, '*') != NULL;
        has_faults |= is_fault_word(new->key);
    }
    if (!line_count)
        return;
    qsort(lines, line_count, sizeof *lines, by_key_then_position);
    size_t kept = 0;
    for (size_t i = 0; i < line_count; i++)
        if (i + 1 == line_count || strcmp(lines[i].key, lines[i + 1].key)) /* the last of equals wins */
            lines[kept++] = lines[i];
    line_count = kept;
}

/* ---- finding ---------------------------------------------------------------------------- */

static int compare_key(const void *key, const void *line)
{
    return strcmp(key, ((const struct line *)line)->key);
}

static struct line *find_exact(const char *key)
{
    return line_count ? bsearch(key, lines, line_count, sizeof *lines, compare_key) : NULL;
}

/* The key itself, else with "*" for some of its numbers: the rightmost gives way first. */
static struct line *find(const char *key)
{
    struct line *line = find_exact(key);
    if (line || !has_wildcards)
        return line;
    char copy[KEY_ROOM];
    const char *segment[SEGMENTS];
    unsigned numeric[SEGMENTS], segments = 0, numbers = 0;
    snprintf(copy, sizeof copy, "%s", key);
    for (char *rest = copy, *part; segments < SEGMENTS && (part = strsep(&rest, ".")); segments++) {
        segment[segments] = part;
        if (isdigit((unsigned char)*part))
            numeric[numbers++] = segments;
    }
    for (unsigned mask = 1; mask < 1u << numbers; mask++) {
        const char *chosen[SEGMENTS];
        memcpy(chosen, segment, sizeof chosen);
        for (unsigned bit = 0; bit < numbers; bit++)
            if (mask & 1u << bit)
                chosen[numeric[numbers - 1 - bit]] = "*";
        char pattern[KEY_ROOM] = "";
        size_t length = 0;
        for (unsigned i = 0; i < segments && length < sizeof pattern; i++)
            length += (size_t)snprintf(pattern + length, sizeof pattern - length, "%s%s", i ? "." : "", chosen[i]);
        if ((line = find_exact(pattern)))
            return line;
    }
    return NULL;
}

bool scenario_has_faults(void)
{
    pthread_once(&once, load);
    return has_faults;
}

const char *scenario_fault(const char *level, const char *word, unsigned long *reads)
{
    char key[KEY_ROOM];
    snprintf(key, sizeof key, "%s.%s", level, word);
    struct line *line = find_exact(key);
    if (line && reads)
        *reads = __atomic_fetch_add(&line->calls, 1, __ATOMIC_RELAXED);
    return line ? line->value : NULL;
}

static struct line *find_formatted(const char *format, va_list arguments)
{
    pthread_once(&once, load);
    char key[KEY_ROOM];
    if (vsnprintf(key, sizeof key, format, arguments) >= (int)sizeof key)
        die("key too long", key);
    return find(key);
}

/* ---- values ----------------------------------------------------------------------------- */

unsigned long long scenario_elapsed_ms(void)
{
    pthread_once(&once, load);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)((now.tv_sec - started.tv_sec) * 1000 + (now.tv_nsec - started.tv_nsec) / 1000000);
}

/* Chooses the n-th of "a | b | c"; the last one stays. */
static const char *pick_from_series(const char *text, unsigned long n)
{
    for (const char *bar; n && (bar = strchr(text, '|')); n--)
        text = bar + 1;
    return text;
}

static double read_growth(const struct line *line, const char *rest, unsigned long call)
{
    while (isspace((unsigned char)*rest))
        rest++;
    if (!*rest || *rest == '|')
        return 0;
    char *end;
    double step = strtod(rest + 1, &end);
    if (*rest != '+' || end == rest + 1)
        die("not a number", line->value);
    if (!strncmp(end, "/call", 5))
        return step * (double)call;
    if (!strncmp(end, "/s", 2))
        return step * (double)scenario_elapsed_ms() / 1000.0;
    die("growth is '+N/call' or '+N/s'", line->value);
    return 0;
}

static unsigned long long integer_of(struct line *line)
{
    unsigned long call = __atomic_fetch_add(&line->calls, 1, __ATOMIC_RELAXED);
    const char *text = pick_from_series(line->value, call);
    char *end;
    while (isspace((unsigned char)*text))
        text++;
    unsigned long long value = *text == '-' ? (unsigned long long)strtoll(text, &end, 0) : strtoull(text, &end, 0);
    if (end == text)
        die("not an integer", line->value);
    return value + (unsigned long long)read_growth(line, end, call);
}

bool scenario_integer(unsigned long long *value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct line *line = find_formatted(format, arguments);
    va_end(arguments);
    if (line)
        *value = integer_of(line);
    return line != NULL;
}

unsigned long long scenario_integer_or(unsigned long long otherwise, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct line *line = find_formatted(format, arguments);
    va_end(arguments);
    return line ? integer_of(line) : otherwise;
}

bool scenario_real(double *value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct line *line = find_formatted(format, arguments);
    va_end(arguments);
    if (!line)
        return false;
    unsigned long call = __atomic_fetch_add(&line->calls, 1, __ATOMIC_RELAXED);
    const char *text = pick_from_series(line->value, call);
    char *end;
    *value = strtod(text, &end);
    if (end == text)
        die("not a number", line->value);
    *value += read_growth(line, end, call);
    return true;
}

const char *scenario_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct line *line = find_formatted(format, arguments);
    va_end(arguments);
    return line ? line->value : NULL;
}

bool scenario_uuid_bytes(unsigned char bytes[16], const char *uuid)
{
    size_t digits = 0;
    for (const char *c = uuid + 4; *c; c++) {
        if (*c == '-')
            continue;
        if (!isxdigit((unsigned char)*c) || digits == 32)
            return false;
        unsigned digit = isdigit((unsigned char)*c) ? *c - '0' : tolower((unsigned char)*c) - 'a' + 10;
        bytes[digits / 2] = (unsigned char)(digits % 2 ? bytes[digits / 2] << 4 | digit : digit);
        digits++;
    }
    return digits == 32;
}

bool scenario_pci_address(unsigned *domain, unsigned *bus, unsigned *device, const char *text)
{
    return text && sscanf(text, "%x:%x:%x", domain, bus, device) == 3;
}
