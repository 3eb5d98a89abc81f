/** Copies in another order or at other places: transposes, slices, joins, rows by index. @module */

import { sizeOf } from '../../../core/index.js'
import type { TensorKernels } from '../../device-backend.js'
import { callTable } from '../../wasm/program/call-table.js'
import { foursSource } from './fours.js'
import { defineModule, each, type Launch } from './kernel-module.js'

/** Elements of a tile of a transpose, each way, and the rows that its threads move at once. */
const TILE = { size: 32, rows: 8 } as const
/** Shorter axes leave most of a tile empty. */
const LEAST_TILED = 16

const copyModule = defineModule(
  'copies',
  `${foursSource}
// Sixteen bytes, moved as one.
typedef Four<int> Wide;
INLINE u8 zero(u8) { return 0; }
INLINE int zero(int) { return 0; }
INLINE Wide zero(Wide) { return Wide{{0, 0, 0, 0}}; }

// info: out's shape, strides of the input, six each.
#define STRIDED_COPY(BYTES, T) \\
  KERNEL stridedCopy_##BYTES(const T *x, T *out, Info<12> info) { \\
    unsigned n = 1; \\
    for (int axis = 0; axis < 6; axis++) n *= info.at[axis]; \\
    EACH(i, n) { \\
      long long at = 0; \\
      unsigned rest = i; \\
      for (int axis = 5; rest > 0; axis--) { \\
        unsigned next = rest / info.at[axis]; \\
        at += (long long)(int)(rest - next * info.at[axis]) * info.at[6 + axis]; \\
        rest = next; \\
      } \\
      out[i] = x[at]; \\
    } \\
  }
STRIDED_COPY(1, u8)
STRIDED_COPY(4, int)
STRIDED_COPY(16, Wide)

// The same where the input's elements lie next to each other along another axis than out's: a tile of these two axes for
// each block, so that both are read and written in rows. The column more keeps a tile's columns in different banks.
template <class T> INLINE void transposeTile(const T *x, T *out, int along, const Info<12> &info) {
  __shared__ T tile[${TILE.size}][${TILE.size} + 1];
  int rows = info.at[along], columns = info.at[5];
  int rowTiles = (rows + ${TILE.size - 1}) / ${TILE.size}, columnTiles = (columns + ${TILE.size - 1}) / ${TILE.size};
  int firstColumn = blockIdx.x % columnTiles * ${TILE.size};
  int firstRow = blockIdx.x / columnTiles % rowTiles * ${TILE.size};
  unsigned rest = blockIdx.x / columnTiles / rowTiles;
  long long from = 0, to = 0, pitch = 1, size = columns;
  for (int axis = 4; axis >= 0; axis--) {
    if (axis == along) pitch = size;
    else {
      unsigned next = rest / info.at[axis];
      long long index = rest - next * info.at[axis];
      from += index * info.at[6 + axis];
      to += index * size;
      rest = next;
    }
    size *= info.at[axis];
  }
  int lane = threadIdx.x % ${TILE.size}, first = threadIdx.x / ${TILE.size};
  // All loads are on their way before the first is waited for.
  T values[${TILE.size / TILE.rows}] = {};
  for (int k = 0; k < ${TILE.size / TILE.rows}; k++) {
    int row = firstRow + lane, column = firstColumn + first + k * ${TILE.rows};
    if (row < rows && column < columns) values[k] = x[from + row + (long long)column * info.at[11]];
  }
  for (int k = 0; k < ${TILE.size / TILE.rows}; k++) tile[first + k * ${TILE.rows}][lane] = values[k];
  __syncthreads();
  for (int k = 0; k < ${TILE.size / TILE.rows}; k++) {
    int row = firstRow + first + k * ${TILE.rows}, column = firstColumn + lane;
    if (row < rows && column < columns) out[to + row * pitch + column] = tile[lane][first + k * ${TILE.rows}];
  }
}
KERNEL transpose_1(const u8 *x, u8 *out, int along, Info<12> info) { transposeTile(x, out, along, info); }
KERNEL transpose_4(const int *x, int *out, int along, Info<12> info) { transposeTile(x, out, along, info); }

#define COPY(BYTES, T) \\
  KERNEL copy_##BYTES(const T *x, T *out, int n) { makeRows(out, 1, n, [](T value) { return value; }, inARow(x)); }
COPY(1, u8)
COPY(4, int)
// Sizes and pitches in elements.
#define COPY_ROWS(BYTES, T) \\
  KERNEL copyRows_##BYTES(const T *x, T *out, int rows, int length, int pitch, int outPitch) { \\
    EACH(i, rows * length) { \\
      unsigned row = i / (unsigned)length, column = i - row * length; \\
      out[(long long)row * outPitch + column] = x[(long long)row * pitch + column]; \\
    } \\
  }
COPY_ROWS(1, u8)
COPY_ROWS(4, int)
COPY_ROWS(16, Wide)

// Rows of [outer, size, length] by index; rows whose index is outside are 0.
template <class T>
INLINE void gatherRows(const T *x, const int *indices, T *out, int outer, int size, int count, int length) {
  EACH(i, outer * count * length) {
    unsigned row = i / (unsigned)length, column = i - row * length;
    unsigned o = row / (unsigned)count;
    int index = indices[row - o * count];
    bool isInside = index >= 0 && index < size;
    out[i] = isInside ? x[((long long)o * size + index) * length + column] : zero(T());
  }
}
#define GATHER(BYTES, T) \\
  KERNEL gather_##BYTES(const T *x, const int *indices, T *out, int outer, int size, int count, int length) { \\
    gatherRows(x, indices, out, outer, size, count, length); \\
  }
GATHER(1, u8)
GATHER(4, int)
GATHER(16, Wide)
#define GATHER_IN_CELLS(BYTES, T) \\
  KERNEL gatherInCells_##BYTES(const T *const *x, const int *const *indices, T *out, int outer, int size, int count, \\
                               int length) { \\
    gatherRows(*x, *indices, out, outer, size, count, length); \\
  }
GATHER_IN_CELLS(1, u8)
GATHER_IN_CELLS(4, int)
`,
)

export const copyModules = [copyModule]

/** The most bytes that may be moved at once: all of these are multiples of them. */
const widthFor = (...bytes: number[]) => [16, 4].find((width) => bytes.every((value) => value % width === 0)) ?? 1

/** Wide elements are a quarter as many: as each takes four times the bytes, one for each thread is enough. */
const eachOf = (n: number, width: number) => each(n, width === 16 ? 1 : undefined)

/** @param ints - Where kernels find shapes and strides. */
export function copyKernels(
  launch: Launch,
  ints: Int32Array,
): Pick<TensorKernels, 'stridedCopy' | 'copyRows' | 'gather'> {
  return {
    stridedCopy(input, out, bytes, info) {
      const [...shape] = ints.subarray(info / 4, info / 4 + 6)
      const [...strides] = ints.subarray(info / 4 + 6, info / 4 + 12)
      if (sizeOf(shape) === 0) return
      const [length, step] = [shape[5]!, strides[5]!]
      const along = strides.findIndex((stride, axis) => stride === 1 && shape[axis]! >= LEAST_TILED)
      if (length >= LEAST_TILED && along >= 0 && step !== 1) {
        const tiles = (axis: number) => Math.ceil(shape[axis]! / TILE.size)
        const blocks = tiles(along) * tiles(5) * (sizeOf(shape) / (shape[along]! * length))
        const grid = { blocks, threads: TILE.size * TILE.rows }
        const form = { arguments: 'rwni', infoLength: 12 }
        launch(copyModule, `transpose_${bytes}`, form, grid, [input, out, along, info])
        return
      }
      // Rows of out that lie together in the input move as wide elements.
      const places = [...strides.slice(0, 5), length].map((value) => value * bytes)
      const width = Math.max(bytes, step === 1 ? widthFor(input, out, ...places) : 1)
      const part = width / bytes
      const partStrides = strides.slice(0, 5).map((stride) => stride / part)
      ints.set([...shape.slice(0, 5), length / part, ...partStrides, step], info / 4)
      const form = { arguments: 'rwi', infoLength: 12 }
      launch(copyModule, `stridedCopy_${width}`, form, eachOf(sizeOf(shape) / part, width), [input, out, info])
    },
    copyRows(input, out, rows, rowBytes, inputPitch, outPitch) {
      if (rows === 1) {
        const width = Math.min(4, widthFor(input, out, rowBytes))
        const n = rowBytes / width
        launch(copyModule, `copy_${width}`, { arguments: 'rwn' }, each(n), [input, out, n])
        return
      }
      const width = widthFor(input, out, rowBytes, inputPitch, outPitch)
      const n = (rows * rowBytes) / width
      const values = [input, out, rows, rowBytes / width, inputPitch / width, outPitch / width]
      launch(copyModule, `copyRows_${width}`, callTable.copyRows, eachOf(n, width), values)
    },
    gather: (...v) => {
      gatherBy(launch, 'gather', v, widthFor(v[0], v[2], v[6]))
      // Asking the GPU would mean to wait for it. An index outside gives zeros, as in tfjs' backends for GPUs.
      return 0
    },
  }
}

/** `gather` that finds the addresses of x, which is a multiple of 4, and of the indices in cells. */
export const gatherInCells =
  (launch: Launch) =>
  (values: readonly number[]): void =>
    gatherBy(launch, 'gatherInCells', values, Math.min(4, widthFor(values[2]!, values[6]!)))

function gatherBy(launch: Launch, name: string, values: readonly number[], width: number): void {
  const [, , , outer, , count, rowBytes] = values as [number, number, number, number, number, number, number]
  const length = rowBytes / width
  launch(
    copyModule,
    `${name}_${width}`,
    callTable.gather,
    eachOf(outer * count * length, width),
    values.with(6, length),
  )
}
