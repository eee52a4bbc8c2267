/* The grey cells that pictures are measured by, to the values of Pillow's BOX filter.
 *
 * Pillow (src/libImaging/Resample.c) takes the mean of the pixels under a cell first along each row
 * and rounds it, then along the columns, by weights of 22 bits. Here the pixels of a row are summed
 * eight at a time, in whatever order a machine has its bytes, and multiplied once. Colours become
 * luma as in its Convert.c.
 */

#define Py_LIMITED_API 0x030B0000 /* Python 3.11, the first whose stable ABI has buffers */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* LONGEST_SIDE: so many pixels of a cell's row that their sums of pairs stay within 16 bits. */
enum { CELLS = 32, LONGEST_SIDE = CELLS * 1024, CHANNELS = 4, BITS = 22 };
enum { TALL = 100 }; /* times the width; Pillow begins a taller picture with the columns */

typedef struct {
    int first[CELLS];
    int count[CELLS];
    uint32_t weight[CELLS];
} axis;

static axis axis_of(int pixels)
{
    axis along;
    const double scale = (double)pixels / CELLS;
    for (int i = 0; i < CELLS; i++) {
        const double centre = (i + 0.5) * scale;
        const int past = (int)(centre + 0.5 * scale + 0.5);
        along.first[i] = (int)(centre - 0.5 * scale + 0.5);
        along.count[i] = (past < pixels ? past : pixels) - along.first[i];
        along.weight[i] = (uint32_t)(0.5 + 1.0 / along.count[i] * (1 << BITS));
    }
    return along;
}

static uint8_t mean(uint32_t sum, uint32_t weight)
{
    return (uint8_t)((sum * weight + (1u << (BITS - 1))) >> BITS);
}

static uint64_t pairs(uint64_t bytes)
{
    const uint64_t even = 0x00FF00FF00FF00FF;
    return (bytes & even) + (bytes >> 8 & even);
}

static uint32_t sum_of(const uint8_t *values, int count)
{
    static const uint8_t last[16] = {0,   0,   0,   0,   0,   0,   0,   0,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t sums = 0, eight, mask;
    int rest = count;
    for (; rest >= 8; rest -= 8, values += 8) {
        memcpy(&eight, values, 8);
        sums += pairs(eight);
    }
    if (count >= 8) { /* the rest, with bytes before it that are counted already */
        memcpy(&eight, values + rest - 8, 8);
        memcpy(&mask, last + rest, 8);
        sums += pairs(eight & mask);
        rest = 0;
    }
    const uint64_t low = 0x0000FFFF0000FFFF;
    sums = (sums & low) + (sums >> 16 & low);
    uint32_t sum = (uint32_t)sums + (uint32_t)(sums >> 32);
    while (rest > 0)
        sum += values[--rest];
    return sum;
}

static const uint8_t *luma_of(const uint8_t *rgbx, int width, uint8_t *luma)
{
    for (int x = 0; x < width; x++, rgbx += CHANNELS)
        luma[x] = (uint8_t)((rgbx[0] * 19595u + rgbx[1] * 38470u + rgbx[2] * 7471u + 0x8000) >> 16);
    return luma;
}

static void measure(const uint8_t *source, int height, int width, int channels, uint8_t *target)
{
    const axis across = axis_of(width), down = axis_of(height);
    uint8_t luma[LONGEST_SIDE];
    for (int i = 0; i < CELLS; i++) {
        uint32_t sums[CELLS] = {0};
        for (int y = down.first[i]; y < down.first[i] + down.count[i]; y++) {
            const uint8_t *row = source + (Py_ssize_t)y * width * channels;
            if (channels == CHANNELS)
                row = luma_of(row, width, luma);
            for (int j = 0; j < CELLS; j++)
                sums[j] += mean(sum_of(row + across.first[j], across.count[j]), across.weight[j]);
        }
        for (int j = 0; j < CELLS; j++)
            target[i * CELLS + j] = mean(sums[j], down.weight[i]);
    }
}

static PyObject *cells_of(PyObject *module, PyObject *pixels)
{
    (void)module;
    Py_buffer view;
    uint8_t cells[CELLS * CELLS];
    if (PyObject_GetBuffer(pixels, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
        return NULL;
    const int is_picture = view.ndim == 3 && view.format != NULL && strcmp(view.format, "B") == 0 &&
                           (view.shape[2] == 1 || view.shape[2] == CHANNELS);
    const int is_within = is_picture && view.shape[0] >= CELLS && view.shape[0] <= LONGEST_SIDE &&
                          view.shape[1] >= CELLS && view.shape[1] <= LONGEST_SIDE &&
                          view.shape[0] <= TALL * view.shape[1];
    if (is_within) {
        Py_BEGIN_ALLOW_THREADS
        measure(view.buf, (int)view.shape[0], (int)view.shape[1], (int)view.shape[2], cells);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    if (!is_picture) {
        PyErr_SetString(PyExc_ValueError, "expected uint8[H, W, 1] or uint8[H, W, 4]");
        return NULL;
    }
    if (!is_within)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)cells, sizeof cells);
}

static PyMethodDef methods[] = {
    {"cells_of", cells_of, METH_O, "See cells.pyi."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cells",
    .m_doc = "The grey cells that pictures are measured by.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_cells(void)
{
    return PyModuleDef_Init(&definition);
}
