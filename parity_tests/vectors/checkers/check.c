/* Compare answers with golden vectors:   cc -std=c99 -O2 -o check check.c -lm && ./check VECTORS ANSWERS

   C99 and its library, nothing else; a little-endian machine.  check.mjs does the same in JavaScript, and prints the same
   lines.  The files: notes/judge/vectors.md.  A header of safetensors: https://github.com/huggingface/safetensors#format

   Exit status: 0 nothing failed; 1 something did, or nothing could be compared; 2 something cannot be read. */

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define MOST_BYTES 2147483647.0     /* of a file */
#define MOST_HEADER 1048576.0       /* bytes of a safetensors header; the largest here has a hundredth of that */
#define MOST_DEPTH 64               /* of JSON within JSON */
#define MOST_WHOLE 9007199254740992.0 /* 2^53: up to here each whole number is a double */

/* ---- what was said wrong, and memory ---- */

static void fail(const char *form, ...) {
    va_list values;
    fflush(stdout);
    fputs("error: ", stderr);
    va_start(values, form);
    vfprintf(stderr, form, values);
    va_end(values);
    fputc('\n', stderr);
    exit(2);
}

typedef struct Block {
    struct Block *next;
    double start[1]; /* aligned for anything */
} Block;

typedef Block *Arena; /* all that is allocated for one purpose, freed at once */

static void *take(Arena *arena, size_t size) {
    Block *block = size > (size_t)-1 - sizeof(Block) ? NULL : malloc(sizeof(Block) + size);
    if (!block) fail("there is not enough memory");
    block->next = *arena;
    *arena = block;
    return block->start;
}

static void drop(Arena *arena) {
    while (*arena) {
        Block *next = (*arena)->next;
        free(*arena);
        *arena = next;
    }
}

static char *joined(Arena *arena, const char *a, const char *b, const char *c, const char *d) {
    char *text = take(arena, strlen(a) + strlen(b) + strlen(c) + strlen(d) + 1);
    return strcat(strcat(strcat(strcpy(text, a), b), c), d);
}

/* ---- files ---- */

typedef struct {
    unsigned char *bytes; /* NULL if it cannot be opened, or is wrong */
    size_t size;
    const char *wrong; /* a sentence, or NULL */
} File;

static File read_file(Arena *arena, const char *path) {
    File file = {NULL, 0, NULL};
    FILE *stream = fopen(path, "rb");
    unsigned char *bytes = NULL;
    size_t room = 0, got;
    if (!stream) return file;
    do {
        if (file.size == room) {
            unsigned char *more = realloc(bytes, room = room ? 2 * room : 65536);
            if (!more) fail("there is not enough memory");
            bytes = more;
        }
        got = fread(bytes + file.size, 1, room - file.size, stream);
        file.size += got;
    } while (got && (double)file.size <= MOST_BYTES);
    if (ferror(stream)) file.wrong = "cannot be read";
    else if ((double)file.size > MOST_BYTES) file.wrong = "is larger than 2 GiB";
    else memcpy(file.bytes = take(arena, file.size), bytes, file.size);
    free(bytes);
    fclose(stream);
    return file;
}

/* ---- JSON ---- */

typedef enum { NOTHING, WRONG, RIGHT, NUMBER, STRING, ARRAY, OBJECT } Kind;

typedef struct Json {
    Kind kind;
    double number;
    char *text; /* of a string */
    char *key;  /* of a member */
    struct Json *first, *next;
} Json;

typedef struct {
    Arena *arena;
    const unsigned char *at, *end;
    int depth;
} Reader;

static const struct { unsigned least, mask, lead; } UTF8[] = {{0x80, 0x1f, 0xc0}, {0x800, 0x0f, 0xe0}, {0x10000, 0x07, 0xf0}};

/* The next character of UTF-8, or -1 if it is none. */
static long character(Reader *r) {
    unsigned long c;
    int more;
    if (r->at == r->end) return -1;
    c = *r->at++;
    if (c < 0x80) return (long)c;
    for (more = 0; more < 3; more++) {
        if ((c & ~(unsigned long)UTF8[more].mask) == UTF8[more].lead) break;
    }
    if (more == 3) return -1;
    c &= UTF8[more].mask;
    for (int k = 0; k <= more; k++) {
        if (r->at == r->end || (*r->at & 0xc0) != 0x80) return -1;
        c = c << 6 | (*r->at++ & 0x3f);
    }
    return c < UTF8[more].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? -1 : (long)c;
}

/* Write a character; one that a terminal would obey, or half a pair, becomes U+FFFD. */
static char *put(char *to, unsigned long c) {
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Four hexadecimal digits, or -1. */
static long unit(Reader *r) {
    long c = 0;
    for (int k = 0; k < 4; k++) {
        static const char hex[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = r->at < r->end && *r->at ? strchr(hex, *r->at) : NULL;
        if (!digit) return -1;
        c = c << 4 | ((digit - hex) & 15);
        r->at++;
    }
    return c;
}

/* What stands after a backslash, or -1. */
static long escaped(Reader *r) {
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    long c, low;
    if (r->at == r->end || !*r->at) return -1;
    c = *r->at++;
    if (c != 'u') return (letter = strchr(letters, (int)c)) ? means[letter - letters] : -1;
    if ((c = unit(r)) < 0xd800 || c >= 0xdc00 || r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') return c;
    Reader ahead = *r;
    ahead.at += 2;
    low = unit(&ahead);
    if (low < 0xdc00 || low >= 0xe000) return c; /* half a pair: the next is read by itself */
    r->at = ahead.at;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* A string, its first quote read; NULL if it is none. */
static char *string(Reader *r) {
    const unsigned char *close = r->at;
    char *text, *to;
    while (close < r->end && *close != '"') close += *close == '\\' && r->end - close > 1 ? 2 : 1;
    to = text = take(r->arena, 3 * (size_t)(close - r->at) + 1); /* a control character of one byte becomes three */
    for (;;) {
        long c = character(r);
        if (c < 0x20) return NULL;
        if (c == '"') break;
        if (c == '\\' && (c = escaped(r)) < 0) return NULL;
        to = put(to, (unsigned long)c);
    }
    *to = 0;
    return text;
}

static int is(Reader *r, int c) {
    return r->at < r->end && *r->at == c;
}

static int skip(Reader *r, int c) {
    while (is(r, ' ') || is(r, '\t') || is(r, '\n') || is(r, '\r')) r->at++;
    if (!c || !is(r, c)) return 0;
    r->at++;
    return 1;
}

static int digits(Reader *r) {
    const unsigned char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}

static int number(Reader *r, double *value) {
    const unsigned char *from = r->at;
    char *text;
    if (is(r, '-')) r->at++;
    if (is(r, '0')) r->at++;
    else if (!digits(r)) return 0;
    if (is(r, '.')) {
        r->at++;
        if (!digits(r)) return 0;
    }
    if (is(r, 'e') || is(r, 'E')) {
        r->at++;
        if (is(r, '+') || is(r, '-')) r->at++;
        if (!digits(r)) return 0;
    }
    text = take(r->arena, (size_t)(r->at - from) + 1);
    memcpy(text, from, (size_t)(r->at - from));
    text[r->at - from] = 0;
    *value = strtod(text, NULL); /* in the C locale, which a program starts in */
    return 1;
}

static Json *value(Reader *r);

/* The rest of an array or an object, its first bracket read; 0 if it is none. */
static int members(Reader *r, Json *of, int close) {
    Json **last = &of->first;
    if (++r->depth > MOST_DEPTH) return 0;
    if (!skip(r, close)) {
        do {
            char *key = NULL;
            if (close == '}' && (!skip(r, '"') || !(key = string(r)) || !skip(r, ':'))) return 0;
            if (!(*last = value(r))) return 0;
            (*last)->key = key;
            last = &(*last)->next;
        } while (skip(r, ','));
        if (!skip(r, close)) return 0;
    }
    r->depth--;
    return 1;
}

static int word(Reader *r, const char *name) {
    size_t n = strlen(name);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, name, n)) return 0;
    r->at += n;
    return 1;
}

static Json *value(Reader *r) {
    Json *v = memset(take(r->arena, sizeof(Json)), 0, sizeof(Json));
    if (skip(r, '"')) {
        v->kind = STRING;
        return (v->text = string(r)) ? v : NULL;
    }
    if (skip(r, '[')) {
        v->kind = ARRAY;
        return members(r, v, ']') ? v : NULL;
    }
    if (skip(r, '{')) {
        v->kind = OBJECT;
        return members(r, v, '}') ? v : NULL;
    }
    if (word(r, "null")) v->kind = NOTHING;
    else if (word(r, "false")) v->kind = WRONG;
    else if (word(r, "true")) v->kind = RIGHT;
    else if (number(r, &v->number)) v->kind = NUMBER;
    else return NULL;
    return v;
}

/* An object, and nothing after it; NULL if it is none. */
static Json *parsed(Arena *arena, const unsigned char *bytes, size_t size) {
    Reader r = {arena, bytes, bytes + size, 0};
    Json *v;
    while (r.at < r.end) {
        if (character(&r) < 0) return NULL;
    }
    r.at = bytes;
    v = value(&r);
    skip(&r, 0);
    return v && v->kind == OBJECT && r.at == r.end ? v : NULL;
}

/* The last member of that name, or NULL. */
static Json *member(const Json *of, const char *key) {
    Json *found = NULL;
    for (Json *v = of && of->kind == OBJECT ? of->first : NULL; v; v = v->next) {
        if (!strcmp(v->key, key)) found = v;
    }
    return found;
}

static int of_kind(const Json *v, Kind kind) {
    return v && v->kind == kind;
}

static int whole(const Json *v) {
    return of_kind(v, NUMBER) && v->number >= 0 && v->number <= MOST_WHOLE && floor(v->number) == v->number;
}

static int all(const Json *list, int (*right)(const Json *)) {
    if (!of_kind(list, ARRAY)) return 0;
    for (Json *v = list->first; v; v = v->next) {
        if (!right(v)) return 0;
    }
    return 1;
}

static int is_string(const Json *v) {
    return of_kind(v, STRING);
}

static size_t count(const Json *list) {
    size_t n = 0;
    for (Json *v = list->first; v; v = v->next) n++;
    return n;
}

static int same_numbers(const Json *a, const Json *b) {
    Json *v = a->first, *w = b->first;
    for (; v && w; v = v->next, w = w->next) {
        if (v->number != w->number) return 0;
    }
    return !v && !w;
}

static int among(const Json *list, const char *text) {
    for (Json *v = list->first; v; v = v->next) {
        if (!strcmp(v->text, text)) return 1;
    }
    return 0;
}

/* ---- safetensors ---- */

typedef struct {
    const char *name, *dtype;
    const Json *shape;
    double begin, end; /* bytes of data */
    const unsigned char *bytes;
} Tensor;

typedef struct {
    Tensor *tensors; /* in the order of their names */
    size_t count;
    const char *wrong; /* a sentence, or NULL */
} Tensors;

static int size_of(const char *dtype) {
    static const struct { const char *name; int size; } sizes[] = {
        {"F64", 8}, {"I64", 8}, {"U64", 8}, {"F32", 4},  {"I32", 4}, {"U32", 4}, {"F16", 2},
        {"BF16", 2}, {"I16", 2}, {"U16", 2}, {"I8", 1}, {"U8", 1},  {"BOOL", 1},
    };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        if (!strcmp(sizes[k].name, dtype)) return sizes[k].size;
    }
    return 0; /* not known */
}

static double product(const Json *shape) {
    double n = 1;
    for (Json *v = shape->first; v; v = v->next) n *= v->number;
    return n;
}

static int by_place(const void *a, const void *b) {
    const Tensor *s = a, *t = b;
    if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
    return s->end < t->end ? -1 : s->end > t->end;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const Tensor *)a)->name, ((const Tensor *)b)->name);
}

static int by_name_and_place(const void *a, const void *b) {
    int order = by_name(a, b);
    return order ? order : by_place(a, b);
}

/* The members of a header as tensors without anything but a name and, as begin, a number; of one name only the last. */
static Tensors named(Arena *arena, const Json *header) {
    Tensors found = {NULL, 0, NULL};
    size_t n = 0;
    found.tensors = take(arena, (count(header) + 1) * sizeof(Tensor));
    for (Json *v = header->first; v; v = v->next) {
        Tensor tensor = {v->key, NULL, v, (double)n, 0, NULL};
        found.tensors[n++] = tensor;
    }
    qsort(found.tensors, n, sizeof(Tensor), by_name_and_place);
    for (size_t k = 0; k < n; k++) {
        const char *name = found.tensors[k].name;
        if (k + 1 < n && !strcmp(name, found.tensors[k + 1].name)) continue;
        if (strcmp(name, "__metadata__")) found.tensors[found.count++] = found.tensors[k];
    }
    return found;
}

static Tensors tensors_of(Arena *arena, File file) {
    Tensors found = {NULL, 0, file.wrong};
    double length = 0, at = 0, data;
    Json *header;
    if (found.wrong) return found;
    found.wrong = "is no safetensors file: it has no eight bytes";
    if (file.size < 8) return found;
    for (int k = 7; k >= 0; k--) length = 256 * length + file.bytes[k];
    found.wrong = "is no safetensors file: its header is longer than 1 MiB";
    if (length > MOST_HEADER) return found;
    found.wrong = "is no safetensors file: its header is longer than the file";
    if (length > (double)(file.size - 8)) return found;
    found.wrong = "is no safetensors file: its header is no JSON object";
    if (!(header = parsed(arena, file.bytes + 8, (size_t)length))) return found;
    found = named(arena, header);
    found.wrong = "is no safetensors file: its header does not give each tensor a dtype, a shape and data_offsets";
    for (size_t k = 0; k < found.count; k++) {
        Tensor *t = found.tensors + k;
        const Json *v = t->shape, *dtype = member(v, "dtype"), *shape = member(v, "shape"), *offsets = member(v, "data_offsets");
        if (!of_kind(dtype, STRING) || !all(shape, whole) || !all(offsets, whole) || count(offsets) != 2) return found;
        t->dtype = dtype->text;
        t->shape = shape;
        t->begin = offsets->first->number;
        t->end = offsets->first->next->number;
    }
    qsort(found.tensors, found.count, sizeof(Tensor), by_place);
    data = (double)file.size - 8 - length;
    found.wrong = "is no safetensors file: its tensors do not fill it without a gap or an overlap";
    for (size_t k = 0; k < found.count; k++) {
        Tensor *t = found.tensors + k;
        if (t->begin != at || t->end < at || t->end > data) return found;
        t->bytes = file.bytes + 8 + (size_t)length + (size_t)t->begin;
        at = t->end;
    }
    if (at != data) return found;
    found.wrong = "is no safetensors file: a tensor has more or fewer bytes than its shape and dtype say";
    for (size_t k = 0; k < found.count; k++) {
        Tensor *t = found.tensors + k;
        if (size_of(t->dtype) && product(t->shape) * size_of(t->dtype) != t->end - t->begin) return found;
    }
    qsort(found.tensors, found.count, sizeof(Tensor), by_name);
    found.wrong = NULL;
    return found;
}

static const Tensor *tensor_of(const Tensors *of, const char *name) {
    Tensor wanted = {name, NULL, NULL, 0, 0, NULL};
    return of->count ? bsearch(&wanted, of->tensors, of->count, sizeof(Tensor), by_name) : NULL;
}

/* The k-th number of a tensor of F64, F32, F16 or BF16. */
static double number_of(const Tensor *t, size_t k) {
    unsigned long bits;
    double d, sign;
    float f;
    unsigned u;
    int e;
    if (!strcmp(t->dtype, "F64")) return memcpy(&d, t->bytes + 8 * k, 8), d;
    if (!strcmp(t->dtype, "F32")) return memcpy(&f, t->bytes + 4 * k, 4), f;
    bits = t->bytes[2 * k] | (unsigned long)t->bytes[2 * k + 1] << 8;
    if (!strcmp(t->dtype, "BF16")) return u = (unsigned)(bits << 16), memcpy(&f, &u, 4), f;
    sign = bits >> 15 ? -1 : 1;
    e = (int)(bits >> 10 & 31);
    d = (double)(bits & 1023);
    if (e == 31) return d ? sign * NAN : sign * INFINITY;
    return e ? sign * ldexp(1024 + d, e - 25) : sign * ldexp(d, -24);
}

/* ---- comparing ---- */

typedef struct {
    const Json *json;
    const char *name;
    const Json *shape, *axes, *ends; /* the last two NULL if there are none */
    double allowed, allowed_factor;  /* the second negative if there is none */
    int gradient, optional, last_first, any; /* any: where the expected value is not finite, everything will do */
    size_t order, sequence;          /* which axis is time, or row, and which sequences */
    const Tensor *expected, *rest;   /* the second NULL if there is none */
} Output;

typedef struct {
    double passed, wrong, errors, declined, forward_only, worst;
    char worst_name[512], worst_tensor[128];
} Totals;

typedef struct {
    const char *name; /* of the case */
    int wrong, error;
} Case;

static void found(Case *of, int error, const char *tensor, const char *form, ...) {
    va_list values;
    *(error ? &of->error : &of->wrong) = 1;
    printf("%s %s: %s%s", error ? "ERROR" : "WRONG", of->name, tensor, *tensor ? " " : "");
    va_start(values, form);
    vprintf(form, values);
    va_end(values);
    putchar('\n');
}

static size_t dimension(const Json *shape, size_t axis) {
    Json *v = shape->first;
    while (axis--) v = v->next;
    return (size_t)v->number;
}

/* Where the k-th element stands along an axis of three. */
static size_t along(const Output *o, size_t k, size_t axis) {
    for (size_t last = 2; last > axis; last--) k /= dimension(o->shape, last);
    return k % dimension(o->shape, axis);
}

/* Whether element k was computed before element best. */
static int earlier(const Output *o, size_t k, size_t best) {
    size_t a, b;
    if (!o->axes) return 0;
    a = along(o, k, o->order);
    b = along(o, best, o->order);
    return o->last_first ? a > b : a < b;
}

static const char *place(const Output *o, size_t k, char *text) {
    const Json *name = o->axes ? o->axes->first : NULL;
    if (!name) return "";
    for (size_t axis = 0; axis < o->order; axis++) name = name->next;
    sprintf(text, ", first at %s %.0f, sequence %.0f", strcmp(name->text, "row") ? "time" : "row",
            (double)along(o, k, o->order), (double)along(o, k, o->sequence));
    return text;
}

static double end_of(const Output *o, size_t sequence) {
    Json *v = o->ends->first;
    while (sequence--) v = v->next;
    return v->number;
}

/* Elements from here on are past the end of their sequence, and must be zero: whether one is not. */
static int past_the_end(Case *of, const Output *o, const Tensor *t, size_t n) {
    size_t best = n;
    for (size_t k = 0; o->ends && k < n; k++) {
        size_t b = along(o, k, o->sequence), time = along(o, k, o->order), c;
        if ((double)time < end_of(o, b) || number_of(t, k) == 0) continue;
        if (o->any && !isfinite(number_of(o->expected, k))) continue;
        c = best == n ? 0 : along(o, best, o->sequence);
        if (best == n || b < c || (b == c && time < along(o, best, o->order))) best = k;
    }
    if (best == n) return 0;
    found(of, 0, o->name, "is not zero past the end of sequence %.0f, at time %.0f", (double)along(o, best, o->sequence),
          (double)along(o, best, o->order));
    return 1;
}

static void compare(Case *of, Totals *totals, const Output *o, const Tensor *t) {
    size_t n = (size_t)product(o->shape), astray = 0, strange = 0, off = n;
    double largest = 0, dot = 0, square = 0, factor, ratio;
    char text[128];
    for (size_t k = 0; k < n; k++) {
        double v = number_of(t, k), e = number_of(o->expected, k), error, distance;
        if (!isfinite(e)) {
            if (o->any || v == e || (isnan(v) && isnan(e))) continue;
            error = NAN;
        } else {
            error = v - e - (o->rest ? number_of(o->rest, k) : 0);
        }
        distance = fabs(error);
        if (!isfinite(error)) {
            if (!astray++ || earlier(o, k, strange)) strange = k;
            continue;
        }
        if (distance > largest) largest = distance;
        if (distance > o->allowed && (off == n || earlier(o, k, off))) off = k;
        dot += error * e;
        square += e * e;
    }
    factor = square > 0 ? fabs(dot) / square : 0;
    if (astray) {
        found(of, 0, o->name, "has NaN or infinity where it must not, or has none where it must, in %.0f of %.0f elements%s",
              (double)astray, (double)n, place(o, strange, text));
    } else if (off < n) {
        found(of, 0, o->name, "is off by %.3e, allowed %.3e%s", largest, o->allowed, place(o, off, text));
    } else if (o->allowed_factor >= 0 && factor > o->allowed_factor) {
        found(of, 0, o->name, "is wrong by a factor of 1 +- %.3e, allowed %.3e", factor, o->allowed_factor);
    } else if (!past_the_end(of, o, t, n)) {
        ratio = o->allowed > 0 ? largest / o->allowed : 0;
        if (o->allowed_factor > 0 && factor / o->allowed_factor > ratio) ratio = factor / o->allowed_factor;
        if (ratio > totals->worst) {
            totals->worst = ratio;
            snprintf(totals->worst_name, sizeof totals->worst_name, "%s", of->name);
            snprintf(totals->worst_tensor, sizeof totals->worst_tensor, "%s", o->name);
        }
    }
}

/* ---- a case ---- */

static void print_shape(const Json *shape) {
    putchar('[');
    for (Json *v = shape->first; v; v = v->next) printf("%.0f%s", v->number, v->next ? ", " : "");
    putchar(']');
}

static int in(const char *text, const char *a, const char *b) {
    return !strcmp(text, a) || !strcmp(text, b);
}

/* What the description says of an output; 0 if it does not say it as it should. */
static int read_output(Output *o, const Json *json, const Tensors *expected, Arena *arena) {
    const Json *name = member(json, "name"), *role = member(json, "role"), *allowed = member(json, "allowed");
    const Json *factor = member(json, "allowed_factor"), *axes = member(json, "axes"), *ends = member(json, "ends");
    const Json *optional = member(json, "optional"), *last_first = member(json, "last_first");
    const Json *non_finite = member(json, "non_finite"), *dtypes = member(json, "dtypes");
    Json *v;
    memset(o, 0, sizeof *o);
    o->json = json;
    o->shape = member(json, "shape");
    if (!of_kind(name, STRING) || !of_kind(role, STRING) || !all(o->shape, whole) || !all(dtypes, is_string)) return 0;
    if (!of_kind(allowed, NUMBER) || !(allowed->number >= 0) || !in(role->text, "output", "gradient")) return 0;
    if (!of_kind(factor, NOTHING) && !(of_kind(factor, NUMBER) && factor->number >= 0)) return 0;
    if (!of_kind(optional, RIGHT) && !of_kind(optional, WRONG)) return 0;
    if (!of_kind(last_first, RIGHT) && !of_kind(last_first, WRONG)) return 0;
    if (!of_kind(non_finite, NOTHING) && !(of_kind(non_finite, STRING) && in(non_finite->text, "same", "any"))) return 0;
    o->name = name->text;
    o->gradient = !strcmp(role->text, "gradient");
    o->allowed = allowed->number;
    o->allowed_factor = factor->kind == NUMBER ? factor->number : -1;
    o->optional = optional->kind == RIGHT;
    o->last_first = last_first->kind == RIGHT;
    o->any = non_finite->kind == STRING && !strcmp(non_finite->text, "any");
    if (!of_kind(axes, NOTHING)) {
        o->order = o->sequence = 3;
        if (!all(axes, is_string) || count(axes) != 3 || count(o->shape) != 3) return 0;
        o->axes = axes;
        v = axes->first;
        for (size_t k = 0; k < 3; k++, v = v->next) {
            if (in(v->text, "time", "row")) o->order = k;
            if (!strcmp(v->text, "sequence")) o->sequence = k;
        }
        if (o->order == 3 || o->sequence == 3) return 0;
    }
    if (!of_kind(ends, NOTHING)) {
        if (!o->axes || !all(ends, whole) || count(ends) != dimension(o->shape, o->sequence)) return 0;
        o->ends = ends;
    }
    o->expected = tensor_of(expected, o->name);
    o->rest = tensor_of(expected, joined(arena, o->name, ".rest", "", ""));
    if (!o->expected || strcmp(o->expected->dtype, "F64") || !same_numbers(o->expected->shape, o->shape)) return 0;
    return !o->rest || (!strcmp(o->rest->dtype, "F64") && same_numbers(o->rest->shape, o->shape));
}

static int comparable(const char *dtype) {
    return in(dtype, "F64", "F32") || in(dtype, "F16", "BF16");
}

static void judge_tensor(Case *of, Totals *totals, const Output *o, const Tensors *answer, int forward_only) {
    const Json *dtypes = member(o->json, "dtypes");
    const Tensor *t = tensor_of(answer, o->name);
    if (!t) {
        if (!o->optional && !(forward_only && o->gradient)) found(of, 1, o->name, "is missing");
    } else if (!among(dtypes, t->dtype) || !comparable(t->dtype)) {
        of->error = 1;
        printf("ERROR %s: %s is %s, and must be", of->name, o->name, t->dtype);
        for (Json *v = dtypes->first; v; v = v->next) printf("%s %s", v == dtypes->first ? "" : " or", v->text);
        putchar('\n');
    } else if (!same_numbers(t->shape, o->shape)) {
        of->error = 1;
        printf("ERROR %s: %s has the shape ", of->name, o->name);
        print_shape(t->shape);
        fputs(", and must have ", stdout);
        print_shape(o->shape);
        putchar('\n');
    } else {
        compare(of, totals, o, t);
    }
}

static Tensors expected_of(Arena *arena, const char *path) {
    File file = read_file(arena, path);
    Tensors expected;
    if (!file.bytes && !file.wrong) fail("%s cannot be opened", path);
    expected = tensors_of(arena, file);
    if (expected.wrong) fail("%s %s", path, expected.wrong);
    return expected;
}

static Json *json_of(Arena *arena, const char *path, int must) {
    File file = read_file(arena, path);
    Json *json;
    if (!file.bytes && !file.wrong) {
        if (must) fail("%s cannot be opened", path);
        return NULL;
    }
    if (file.wrong) fail("%s %s", path, file.wrong);
    if (!(json = parsed(arena, file.bytes, file.size))) fail("%s holds no JSON object", path);
    return json;
}

static void judge_tensors(Case *of, Totals *totals, Arena *arena, const char *vectors, Tensors answer) {
    char *path = joined(arena, vectors, "/", of->name, ".json");
    const Json *described = json_of(arena, path, 1), *list = member(described, "outputs");
    Tensors expected = expected_of(arena, joined(arena, vectors, "/", of->name, ".expected.safetensors"));
    size_t n = of_kind(list, ARRAY) ? count(list) : 0, k = 0;
    Output *outputs = take(arena, (n + 1) * sizeof(Output));
    const Json *format = member(described, "format");
    int forward_only = 1, any = 0;
    if (!of_kind(format, NUMBER) || format->number != FORMAT || !n) fail("%s describes no case of format %d", path, FORMAT);
    for (Json *v = list->first; v; v = v->next, k++) {
        if (!read_output(outputs + k, v, &expected, arena)) fail("%s does not describe its output %.0f", path, (double)k);
        any |= outputs[k].gradient;
        if (outputs[k].gradient && tensor_of(&answer, outputs[k].name)) forward_only = 0;
    }
    for (k = 0; k < n; k++) judge_tensor(of, totals, outputs + k, &answer, forward_only);
    for (size_t a = 0; a < answer.count; a++) {
        for (k = 0; k < n && strcmp(outputs[k].name, answer.tensors[a].name); k++) continue;
        if (k == n) found(of, 1, answer.tensors[a].name, "is neither an output nor a gradient that this case has");
    }
    totals->forward_only += any && forward_only && !of->error && !of->wrong;
}

static void judge_case(Totals *totals, const char *vectors, const char *answers, const char *name, Json *declined) {
    static Arena arena = NULL;
    Case of = {name, 0, 0};
    File file = read_file(&arena, joined(&arena, answers, "/", name, ".safetensors"));
    Json *reason = member(declined, name);
    int there = file.bytes || file.wrong;
    if (there && reason) {
        found(&of, 1, "", "is declined, and answered");
    } else if (there) {
        Tensors answer = tensors_of(&arena, file);
        if (answer.wrong) found(&of, 1, "", "the answer %s", answer.wrong);
        else judge_tensors(&of, totals, &arena, vectors, answer);
    } else if (!reason) {
        found(&of, 1, "", "has no answer, and is not declined");
    }
    if (of.error) totals->errors++;
    else if (of.wrong) totals->wrong++;
    else if (reason) totals->declined++;
    else totals->passed++;
    drop(&arena);
}

/* ---- all ---- */

/* For each reason, in the order of the cases, how many were declined for it. */
static void print_declined(Arena *arena, const Json *cases, const Json *declined) {
    const Json **reasons = take(arena, (count(cases) + 1) * sizeof(Json *));
    size_t n = 0;
    for (Json *c = cases->first; c; c = c->next) {
        if ((reasons[n] = member(declined, c->text))) n++;
    }
    for (size_t k = 0; k < n; k++) {
        size_t before = 0, times = 0;
        for (size_t other = 0; other < n; other++) {
            if (strcmp(reasons[other]->text, reasons[k]->text)) continue;
            before += other < k;
            times++;
        }
        if (!before) printf("declined %.0f: %s\n", (double)times, reasons[k]->text);
    }
}

static int little_endian(void) {
    const unsigned one = 1;
    return *(const unsigned char *)&one == 1 && sizeof(unsigned) == 4 && sizeof(float) == 4 && sizeof(double) == 8;
}

int main(int argc, char **argv) {
    static Arena arena = NULL;
    static Totals totals;
    Json *index, *cases, *format, *declined;
    if (argc != 3) fail("two folders are wanted: check VECTORS ANSWERS");
    if (!little_endian()) fail("this checker is for little-endian machines with IEEE numbers");
    char *path = joined(&arena, argv[1], "/index.json", "", "");
    index = json_of(&arena, path, 1);
    format = member(index, "format");
    cases = member(index, "cases");
    if (!of_kind(format, NUMBER) || format->number != FORMAT || !all(cases, is_string)) {
        fail("%s is no index of format %d", path, FORMAT);
    }
    path = joined(&arena, argv[2], "/declined.json", "", "");
    declined = json_of(&arena, path, 0);
    for (Json *v = declined ? declined->first : NULL; v; v = v->next) {
        if (!of_kind(v, STRING)) fail("%s has no reason, a string, for %s", path, v->key);
        if (!among(cases, v->key)) fail("%s: %s is no case of these vectors", path, v->key);
    }
    for (Json *v = cases->first; v; v = v->next) judge_case(&totals, argv[1], argv[2], v->text, declined);
    print_declined(&arena, cases, declined);
    printf("%.0f cases: %.0f passed, %.0f wrong, %.0f errors, %.0f declined\n", (double)count(cases), totals.passed, totals.wrong,
           totals.errors, totals.declined);
    if (totals.forward_only) printf("%.0f of those that passed are of the forward alone\n", totals.forward_only);
    if (totals.worst_name[0]) {
        printf("the largest error that passed is %.3e of what is allowed: %s, %s\n", totals.worst, totals.worst_name,
               totals.worst_tensor);
    }
    drop(&arena);
    return totals.wrong || totals.errors || !totals.passed;
}
