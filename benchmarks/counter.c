/* Counts what Python asks of its allocators for memory and for objects, while it is on. Built and loaded by
   `benchmarks.allocations`. Declares what it uses of CPython itself, so that no headers are needed. */

#include <stddef.h>

typedef struct {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t number, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
} Allocator;

extern void PyMem_GetAllocator(int domain, Allocator *allocator);
extern void PyMem_SetAllocator(int domain, Allocator *allocator);

/* PYMEM_DOMAIN_MEM and PYMEM_DOMAIN_OBJ. */
enum { FIRST = 1, LAST = 2 };

static Allocator before[LAST + 1];
unsigned long long blocks, bytes;

static void *counting_malloc(void *context, size_t size) {
    Allocator *original = context;
    blocks += 1, bytes += size;
    return original->malloc(original->context, size);
}

static void *counting_calloc(void *context, size_t number, size_t size) {
    Allocator *original = context;
    blocks += 1, bytes += number * size;
    return original->calloc(original->context, number, size);
}

static void *counting_realloc(void *context, void *block, size_t size) {
    Allocator *original = context;
    blocks += block == NULL, bytes += size;
    return original->realloc(original->context, block, size);
}

static void counting_free(void *context, void *block) {
    Allocator *original = context;
    original->free(original->context, block);
}

void start(void) {
    blocks = bytes = 0;
    for (int domain = FIRST; domain <= LAST; domain++) {
        PyMem_GetAllocator(domain, &before[domain]);
        Allocator counting = {&before[domain], counting_malloc, counting_calloc, counting_realloc, counting_free};
        PyMem_SetAllocator(domain, &counting);
    }
}

void stop(void) {
    for (int domain = FIRST; domain <= LAST; domain++)
        PyMem_SetAllocator(domain, &before[domain]);
}
