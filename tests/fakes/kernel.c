/*
 * A pretended kernel, loaded by LD_PRELOAD: it refuses to open a path, or gives a file system another size.  For what
 * only root could arrange for real: the device filter of a control group (EPERM), a security label (EACCES), a
 * /dev/shm of 64 MiB.  ENVCHECK_KERNEL names a file of lines:
 *
 *     open ERRNO PATH      open() answers this errno (a number)
 *     access ERRNO PATH    access() does
 *     size BYTES PATH      statvfs() shows a file system of so many bytes, all free
 *     link INODE PATH      readlink() shows "pid:[INODE]", as a link in /proc/PID/ns does
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The number that the file gives for `what` and `path`; 0: nothing is said of it. */
static unsigned long long told(const char *what, const char *path)
{
    const char *name = getenv("ENVCHECK_KERNEL");
    FILE *(*real)(const char *, const char *) = (FILE *(*)(const char *, const char *))dlsym(RTLD_NEXT, "fopen");
    FILE *file = name && path ? real(name, "re") : NULL;
    if (!file)
        return 0;
    char line[PATH_MAX + 64], word[16], place[PATH_MAX];
    unsigned long long number, found = 0;
    int before = errno;
    while (!found && fgets(line, sizeof line, file))
        if (sscanf(line, "%15s %llu %4095[^\n]", word, &number, place) == 3 && !strcmp(word, what) &&
            !strcmp(place, path))
            found = number;
    fclose(file);
    errno = before;
    return found;
}

#define REFUSE(what, path) \
    do { \
        int code_ = (int)told(what, path); \
        if (code_) { \
            errno = code_; \
            return -1; \
        } \
    } while (0)

#define OPENING(name) \
    __attribute__((visibility("default"))) int name(const char *path, int flags, ...) \
    { \
        REFUSE("open", path); \
        va_list rest; \
        va_start(rest, flags); \
        unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, unsigned) : 0; \
        va_end(rest); \
        return ((int (*)(const char *, int, unsigned))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }

OPENING(open)
#ifdef __GLIBC__ /* elsewhere the long names are the short ones */
OPENING(open64)
#endif

__attribute__((visibility("default"))) int access(const char *path, int mode)
{
    REFUSE("access", path);
    return ((int (*)(const char *, int))dlsym(RTLD_NEXT, "access"))(path, mode);
}

/* What Python's os.access calls where it may name a folder or follow no link. */
__attribute__((visibility("default"))) int faccessat(int folder, const char *path, int mode, int flags)
{
    REFUSE("access", path);
    return ((int (*)(int, const char *, int, int))dlsym(RTLD_NEXT, "faccessat"))(folder, path, mode, flags);
}

#define SIZING(name, type) \
    __attribute__((visibility("default"))) int name(const char *path, struct type *out) \
    { \
        unsigned long long size = told("size", path); \
        int code = ((int (*)(const char *, struct type *))dlsym(RTLD_NEXT, #name))(path, out); \
        if (!code && size) { \
            out->f_frsize = out->f_bsize = 4096; \
            out->f_blocks = out->f_bfree = out->f_bavail = size / 4096; \
        } \
        return code; \
    }

SIZING(statvfs, statvfs)
#ifdef __GLIBC__
SIZING(statvfs64, statvfs64)
#endif

__attribute__((visibility("default"))) ssize_t readlink(const char *path, char *out, size_t room)
{
    unsigned long long inode = told("link", path);
    if (!inode)
        return ((ssize_t(*)(const char *, char *, size_t))dlsym(RTLD_NEXT, "readlink"))(path, out, room);
    char text[48];
    size_t length = (size_t)snprintf(text, sizeof text, "pid:[%llu]", inode);
    memcpy(out, text, length < room ? length : room);
    return (ssize_t)(length < room ? length : room);
}
