/* Pictures reduced by area, to the bytes of OpenCV's resize with INTER_AREA, in a third of its time.
 *
 * A cell of the reduced picture is the mean of the pixels that it covers, of which those at its edges
 * count by the part that is covered. OpenCV (modules/imgproc/src/resize.cpp, ResizeArea_Invoker) sums
 * one channel after the other. Here a pixel of four channels is one vector, several rows share each
 * look at the weights, and a row that two cells share is summed once. Every weight, product and sum
 * is the same float in the same order, which is why this is compiled without fused multiplication
 * and addition.
 *
 * OpenCV takes other ways where both scales are whole (sums of whole numbers) and where a side grows
 * (interpolation); these are left to it.
 */

#define Py_LIMITED_API 0x030B0000 /* Python 3.11, the first whose stable ABI has buffers */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = 4, /* red, green, blue, and one that says nothing */
    STORED = 3,
    AT_ONCE = 4,         /* rows; the fastest of 1, 2, 4 and 8 */
    LONGEST_SIDE = 65535 /* of a JPEG; the work takes 13 MiB at most, and no product overflows */
};

/* Parts of a pixel up to this are left out, as by OpenCV. */
static const double NEGLIGIBLE = 1e-3;

typedef float pixel __attribute__((vector_size(CHANNELS * sizeof(float))));
typedef int32_t rounded __attribute__((vector_size(CHANNELS * sizeof(int32_t))));

typedef struct {
    Py_ssize_t first; /* of the source's pixels along this axis */
    Py_ssize_t count;
} span;

typedef struct {
    Py_ssize_t source; /* pixels */
    Py_ssize_t target;
    span *spans;    /* one for each of the target's */
    float *weights; /* of all spans, one after the other */
} axis;

typedef struct {
    pixel *rows;  /* AT_ONCE of the source's, as floats */
    pixel *sums;  /* of these rows, each by the cells that it crosses */
    pixel *cells; /* a row of them */
} scratch;

static double scale_of(const axis *along)
{
    return 1. / ((double)along->target / (double)along->source); /* rounded twice, as OpenCV does */
}

static int is_whole(double scale)
{
    return fabs(scale - rint(scale)) < DBL_EPSILON;
}

static int is_left_to_opencv(const axis *across, const axis *down)
{
    return across->source < across->target || down->source < down->target ||
           across->source > LONGEST_SIDE || down->source > LONGEST_SIDE ||
           (is_whole(scale_of(across)) && is_whole(scale_of(down)));
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* computeResizeAreaTab of OpenCV. */
static void weigh(const axis *along)
{
    const double scale = scale_of(along), source = (double)along->source;
    float *weight = along->weights;
    for (Py_ssize_t i = 0; i < along->target; i++) {
        const double start = (double)i * scale, end = start + scale;
        const double covered = least(scale, source - start);
        const double last = least(floor(end), source - 1), inner = least(ceil(start), last);
        const int has_first = inner - start > NEGLIGIBLE, has_last = end - last > NEGLIGIBLE;
        const Py_ssize_t wholes = (Py_ssize_t)(last - inner);
        if (has_first)
            *weight++ = (float)((inner - start) / covered);
        for (Py_ssize_t j = 0; j < wholes; j++)
            *weight++ = (float)(1. / covered);
        if (has_last)
            *weight++ = (float)(least(least(end - last, 1.), covered) / covered);
        along->spans[i] = (span){(Py_ssize_t)inner - has_first, has_first + wholes + has_last};
    }
}

/* The sums across of AT_ONCE rows from `first`; beyond the end the last row stands again. */
static void sum_rows(const uint8_t *source, Py_ssize_t first, const axis *across, const axis *down,
                     const scratch *work)
{
    const Py_ssize_t values = CHANNELS * across->source;
    for (Py_ssize_t k = 0; k < AT_ONCE; k++) {
        const Py_ssize_t row = first + k < down->source ? first + k : down->source - 1;
        const uint8_t *from = source + row * values;
        float *to = (float *)(work->rows + k * across->source);
        for (Py_ssize_t i = 0; i < values; i++)
            to[i] = from[i];
    }
    const float *weight = across->weights;
    for (Py_ssize_t i = 0; i < across->target; i++) {
        const pixel *at = work->rows + across->spans[i].first;
        pixel sum[AT_ONCE] = {{0}};
        for (Py_ssize_t j = 0; j < across->spans[i].count; j++, weight++)
            for (Py_ssize_t k = 0; k < AT_ONCE; k++)
                sum[k] += at[k * across->source + j] * *weight;
        for (Py_ssize_t k = 0; k < AT_ONCE; k++)
            work->sums[k * across->target + i] = sum[k];
    }
}

/* As blue, green, red: OpenCV's order. The weights of a cell add up to one at most, but for their
 * rounding: of no two sides do whites come to more than 255.4918, and none is rounded to 256. */
static void store(const pixel *cells, Py_ssize_t count, uint8_t *target)
{
    /* From here on a float has no fraction: adding it rounds to the nearest, halves to even. */
    const float no_fraction = 0x1.8p23f;
    for (Py_ssize_t i = 0; i < count; i++, target += STORED) {
        const pixel whole = (cells[i] + no_fraction) - no_fraction;
        const rounded value = __builtin_convertvector(whole, rounded);
        target[0] = (uint8_t)value[2];
        target[1] = (uint8_t)value[1];
        target[2] = (uint8_t)value[0];
    }
}

static void reduce(const uint8_t *source, uint8_t *target, const axis *across, const axis *down,
                   const scratch *work)
{
    const float *weight = down->weights;
    Py_ssize_t summed = -AT_ONCE; /* the first of the rows whose sums are at hand */
    for (Py_ssize_t y = 0; y < down->target; y++) {
        const span rows = down->spans[y];
        for (Py_ssize_t row = rows.first; row < rows.first + rows.count; row++, weight++) {
            if (row >= summed + AT_ONCE) {
                summed = row;
                sum_rows(source, summed, across, down, work);
            }
            const pixel *sums = work->sums + (row - summed) * across->target;
            if (row == rows.first)
                for (Py_ssize_t x = 0; x < across->target; x++)
                    work->cells[x] = sums[x] * *weight;
            else
                for (Py_ssize_t x = 0; x < across->target; x++)
                    work->cells[x] += sums[x] * *weight;
        }
        store(work->cells, across->target, target + y * across->target * STORED);
    }
}

/* Pixels that are whole in a cell are of one span each; every span has up to two beside. */
static int allocate(axis *along)
{
    const size_t source = (size_t)along->source, target = (size_t)along->target;
    along->spans = malloc(target * sizeof(span));
    along->weights = malloc((source + 2 * target) * sizeof(float));
    return along->spans != NULL && along->weights != NULL;
}

/* 0, or -1 where there is no memory. */
static int allocate_and_reduce(const uint8_t *source, uint8_t *target, axis *across, axis *down)
{
    const size_t rows = AT_ONCE * (size_t)across->source, cells = (size_t)across->target;
    pixel *memory = aligned_alloc(sizeof(pixel), (rows + (AT_ONCE + 1) * cells) * sizeof(pixel));
    const int is_allocated = memory != NULL && allocate(across) && allocate(down);
    if (is_allocated) {
        weigh(across);
        weigh(down);
        const scratch work = {memory, memory + rows, memory + rows + AT_ONCE * cells};
        reduce(source, target, across, down, &work);
    }
    free(memory);
    free(across->spans);
    free(across->weights);
    free(down->spans);
    free(down->weights);
    return is_allocated ? 0 : -1;
}

static int is_picture(const Py_buffer *view, Py_ssize_t channels)
{
    return view->ndim == 3 && view->format != NULL && strcmp(view->format, "B") == 0 &&
           view->shape[2] == channels && view->shape[0] > 0 && view->shape[1] > 0;
}

/* 1 where the picture was reduced, 0 where that is left to OpenCV, -1 with the error set. */
static int reduce_views(const Py_buffer *from, const Py_buffer *to)
{
    if (!is_picture(from, CHANNELS) || !is_picture(to, STORED)) {
        PyErr_SetString(PyExc_ValueError,
                        "expected uint8[H, W, 4] and uint8[h, w, 3] of at least one pixel");
        return -1;
    }
    axis down = {.source = from->shape[0], .target = to->shape[0]};
    axis across = {.source = from->shape[1], .target = to->shape[1]};
    if (is_left_to_opencv(&across, &down))
        return 0;
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = allocate_and_reduce(from->buf, to->buf, &across, &down);
    Py_END_ALLOW_THREADS
    if (failed)
        PyErr_NoMemory();
    return failed ? -1 : 1;
}

static PyObject *reduce_to_bgr(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *source, *target;
    Py_buffer from, to;
    if (!PyArg_ParseTuple(args, "OO", &source, &target))
        return NULL;
    if (PyObject_GetBuffer(source, &from, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
        return NULL;
    if (PyObject_GetBuffer(target, &to, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE) < 0) {
        PyBuffer_Release(&from);
        return NULL;
    }
    const int done = reduce_views(&from, &to);
    PyBuffer_Release(&to);
    PyBuffer_Release(&from);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

static PyMethodDef methods[] = {
    {"reduce_to_bgr", reduce_to_bgr, METH_VARARGS, "See area.pyi."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "area",
    .m_doc = "Pictures reduced by area, to the bytes of OpenCV's.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_area(void)
{
    return PyModuleDef_Init(&definition);
}
