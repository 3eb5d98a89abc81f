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

// taps: three int32 for each new row, then for each new column (wasm/exports.ts), and the weights, as bits.
KERNEL resize(const float *x, const int *taps, float *out, int batch, int height, int width, int channels,
              int newHeight, int newWidth) {
  EACH(i, batch * newHeight * newWidth * channels) {
    unsigned pixel = i / (unsigned)channels, rest = pixel / newWidth;
    const int *row = taps + 3 * (rest % newHeight), *column = taps + 3 * (newHeight + pixel % newWidth);
    long long first = ((long long)(rest / newHeight) * height + row[0]) * width + column[0];
    const float *line = x + first * channels + i % channels;
    int rows = row[1], columns = column[1];
    const int *rowWeights = taps + row[2], *columnWeights = taps + column[2];
    float sum = 0;
    for (int r = 0; r < rows; r++, line += (long long)width * channels) {
      float weight = __int_as_float(rowWeights[r]);
      for (int c = 0; c < columns; c++)
        sum += weight * __int_as_float(columnWeights[c]) * line[(long long)c * channels];
    }
    out[i] = sum;
  }
}
`,
)

export const layoutModules = [layoutModule]

type LayoutKernels = Pick<TensorKernels, 'pad' | 'oneHot' | 'resize'>

export function layoutKernels(launch: Launch, ints: Int32Array): LayoutKernels {
  return {
    pad: (...v) => {
      const first = v[3] / 4
      let n = 1
      for (let axis = first; axis < first + 6; axis++) n *= ints[axis]! + ints[axis + 6]! + ints[axis + 12]!
      launch(layoutModule, 'pad', callTable.pad, each(n), v)
    },
    oneHot: (...v) => launch(layoutModule, 'oneHot', callTable.oneHot, each(v[2] * v[3]), v),
    resize(...v) {
      const [batch, , , channels, newHeight, newWidth] = v.slice(3) as [number, number, number, number, number, number]
      launch(layoutModule, 'resize', callTable.resize, each(batch * newHeight * newWidth * channels), v)
    },
  }
}
