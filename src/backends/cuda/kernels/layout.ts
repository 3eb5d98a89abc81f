/** Padding, one-hot rows, resizing. @module */

import type { TensorKernels } from '../../device-backend.js'
import { callTable } from '../../wasm/program/call-table.js'
import { defineModule, each, type Launch } from './kernel-module.js'

const layoutModule = defineModule(
  'layout',
  `
// info: shape of the input, padding before, padding after, six each.
KERNEL pad(const float *x, float *out, float value, Info<18> info) {
  unsigned n = 1;
  for (int axis = 0; axis < 6; axis++) n *= info.at[axis] + info.at[6 + axis] + info.at[12 + axis];
  EACH(i, n) {
    unsigned rest = i;
    long long at = 0, size = 1;
    bool isInside = true;
    for (int axis = 5; axis >= 0; axis--) {
      int length = info.at[axis], room = length + info.at[6 + axis] + info.at[12 + axis];
      unsigned next = rest / room;
      int index = (int)(rest - next * room) - info.at[6 + axis];
      isInside = isInside && index >= 0 && index < length;
      at += index * size;
      size *= length;
      rest = next;
    }
    out[i] = isInside ? x[at] : value;
  }
}

KERNEL oneHot(const int *indices, float *out, int n, int depth, float onValue, float offValue) {
  EACH(i, n * depth) {
    unsigned row = i / (unsigned)depth;
    out[i] = indices[row] == (int)(i - row * depth) ? onValue : offValue;
  }
}

// For a pixel of the larger grid along one axis, the pixel of the original that it shows.
INLINE int shown(int i, int from, int to, int alignCorners, int halfPixelCenters) {
  double scale = alignCorners && to > 1 ? (double)(from - 1) / (to - 1) : (double)from / to;
  double place = scale * (halfPixelCenters ? i + 0.5 : i);
  int index = (int)(alignCorners ? floor(place + 0.5) : floor(place));
  return index < 0 ? 0 : index > from - 1 ? from - 1 : index;
}
KERNEL resizeNearest(const float *x, float *out, int n, int height, int width, int newHeight, int newWidth,
                     int channels, int alignCorners, int halfPixelCenters) {
  EACH(i, n) {
    unsigned pixel = i / (unsigned)channels, column = pixel % newWidth, rest = pixel / newWidth;
    int row = shown(rest % newHeight, height, newHeight, alignCorners, halfPixelCenters);
    int from = shown(column, width, newWidth, alignCorners, halfPixelCenters);
    out[i] = x[(((long long)(rest / newHeight) * height + row) * width + from) * channels + i % channels];
  }
}
// Every pixel of dx adds up those that show it, which lie next to each other.
KERNEL resizeNearestGrad(const float *dy, float *dx, int n, int height, int width, int newHeight, int newWidth,
                         int channels) {
  EACH(i, n) {
    unsigned pixel = i / (unsigned)channels;
    int column = pixel % width, row = pixel / width % height;
    long long image = pixel / width / height;
    int firstRow = (int)((long long)row * newHeight / height) - 1;
    int firstColumn = (int)((long long)column * newWidth / width) - 1;
    float sum = 0;
    for (int r = firstRow < 0 ? 0 : firstRow; r < newHeight; r++) {
      int from = shown(r, height, newHeight, 0, 0);
      if (from > row) break;
      if (from < row) continue;
      for (int c = firstColumn < 0 ? 0 : firstColumn; c < newWidth; c++) {
        from = shown(c, width, newWidth, 0, 0);
        if (from > column) break;
        if (from == column) sum += dy[((image * newHeight + r) * newWidth + c) * channels + i % channels];
      }
    }
    dx[i] = sum;
  }
}
`,
)

export const layoutModules = [layoutModule]

type LayoutKernels = Pick<TensorKernels, 'pad' | 'oneHot'>

export function layoutKernels(launch: Launch, ints: Int32Array): LayoutKernels {
  return {
    pad: (...v) => {
      const first = v[3] / 4
      let n = 1
      for (let axis = first; axis < first + 6; axis++) n *= ints[axis]! + ints[axis + 6]! + ints[axis + 12]!
      launch(layoutModule, 'pad', callTable.pad, each(n), v)
    },
    oneHot: (...v) => launch(layoutModule, 'oneHot', callTable.oneHot, each(v[2] * v[3]), v),
  }
}

/** What a resizing is given, beside the arrays and their size. */
export interface Resizing {
  readonly original: readonly number[]
  readonly resized: readonly number[]
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** Shows the nearest pixel. `original` and `resized` are `[batch, height, width, channels]`. */
export function resizeNearest(launch: Launch, input: number, out: number, resizing: Resizing): void {
  const { original, resized, alignCorners, halfPixelCenters } = resizing
  const [batch, height, width, channels] = original as [number, number, number, number]
  const [, newHeight, newWidth] = resized as [number, number, number]
  const n = batch * newHeight * newWidth * channels
  const values = [input, out, n, height, width, newHeight, newWidth, channels, +alignCorners, +halfPixelCenters]
  launch(layoutModule, 'resizeNearest', { arguments: 'rwnnnnnnnn' }, each(n), values)
}

/** Its gradient, for corners that are neither aligned nor shifted. */
export function resizeNearestGrad(
  launch: Launch,
  dy: number,
  dx: number,
  { original, resized }: Pick<Resizing, 'original' | 'resized'>,
): void {
  const [batch, height, width, channels] = original as [number, number, number, number]
  const [, newHeight, newWidth] = resized as [number, number, number]
  const n = batch * height * width * channels
  const values = [dy, dx, n, height, width, newHeight, newWidth, channels]
  launch(layoutModule, 'resizeNearestGrad', { arguments: 'rwnnnnnn' }, each(n), values)
}
