/** Pooling and depthwise convolutions, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { reduceCodes } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { DeviceMemory } from '../device-memory.js'
import { biasActivate } from './elementwise.js'
import { defineModule, each, type Launch } from './kernel-module.js'
import { columnSource, inChunks, tiles } from './reductions.js'
import { geometryAt, geometrySource } from './window-geometry.js'

const windowModule = defineModule(
  'windows',
  `${columnSource}${geometrySource}
// The part of a window that lies inside the image, and where it begins.
struct Window {
  int image, firstRow, firstColumn, tapRow0, tapRow1, tapColumn0, tapColumn1;
  INLINE Window(unsigned pixel, const Geometry &g) {
    firstColumn = (int)(pixel % g.outWidth) * g.strideWidth - g.padLeft;
    firstRow = (int)(pixel / g.outWidth % g.outHeight) * g.strideHeight - g.padTop;
    image = pixel / g.outWidth / g.outHeight;
    tapRow0 = start(firstRow, g.dilationHeight);
    tapRow1 = end(firstRow, g.dilationHeight, g.height, g.inHeight);
    tapColumn0 = start(firstColumn, g.dilationWidth);
    tapColumn1 = end(firstColumn, g.dilationWidth, g.width, g.inWidth);
  }
  static INLINE int start(int first, int dilation) { return first < 0 ? (-first + dilation - 1) / dilation : 0; }
  static INLINE int end(int first, int dilation, int taps, int size) {
    int last = first >= size ? 0 : (size - first + dilation - 1) / dilation;
    return last < taps ? last : taps;
  }
  INLINE int count() const {
    int rows = tapRow1 - tapRow0, columns = tapColumn1 - tapColumn0;
    return rows > 0 && columns > 0 ? rows * columns : 0;
  }
  INLINE long long at(int tapRow, int tapColumn, const Geometry &g) const {
    return ((long long)image * g.inHeight + firstRow + tapRow * g.dilationHeight) * g.inWidth + firstColumn +
           tapColumn * g.dilationWidth;
  }
};
#define EACH_TAP(w) \\
  for (int tapRow = w.tapRow0; tapRow < w.tapRow1; tapRow++) \\
    for (int tapColumn = w.tapColumn0; tapColumn < w.tapColumn1; tapColumn++)

INLINE unsigned outputs(const Geometry &g) {
  return (unsigned)g.batch * g.outHeight * g.outWidth * g.outChannels;
}
INLINE unsigned inputs(const Geometry &g) { return (unsigned)g.batch * g.inHeight * g.inWidth * g.inChannels; }

KERNEL maxPool(const float *x, float *out, Geometry g) {
  EACH(i, outputs(g)) {
    Window w(i / g.outChannels, g);
    float best = -infinity();
    EACH_TAP(w) best = Larger::join(best, x[w.at(tapRow, tapColumn, g) * g.inChannels + i % g.outChannels]);
    out[i] = best;
  }
}
KERNEL avgPool(const float *x, float *out, Geometry g) {
  EACH(i, outputs(g)) {
    Window w(i / g.outChannels, g);
    float sum = 0;
    EACH_TAP(w) sum += x[w.at(tapRow, tapColumn, g) * g.inChannels + i % g.outChannels];
    int count = w.count();
    out[i] = count > 0 ? sum / count : 0;
  }
}
// Each element of dx asks the windows over it; the first maximum of a window takes its gradient.
#define EACH_WINDOW(i, g, BODY) \\
  unsigned channel = i % g.inChannels, rest = i / g.inChannels; \\
  int column = rest % g.inWidth, row = rest / g.inWidth % g.inHeight; \\
  unsigned image = rest / g.inWidth / g.inHeight; \\
  for (int tapRowHere = 0; tapRowHere < g.height; tapRowHere++) { \\
    int outRow = windowAt(row, tapRowHere, g.padTop, g.strideHeight, g.dilationHeight, g.outHeight); \\
    if (outRow < 0) continue; \\
    for (int tapColumnHere = 0; tapColumnHere < g.width; tapColumnHere++) { \\
      int outColumn = windowAt(column, tapColumnHere, g.padLeft, g.strideWidth, g.dilationWidth, g.outWidth); \\
      if (outColumn < 0) continue; \\
      unsigned pixel = (image * g.outHeight + outRow) * g.outWidth + outColumn; \\
      BODY \\
    } \\
  }
KERNEL maxPoolGrad(const float *x, const float *dy, float *dx, Geometry g) {
  EACH(i, inputs(g)) {
    float sum = 0;
    EACH_WINDOW(i, g, {
      Window w(pixel, g);
      float best = 0;
      long long place = -1;
      EACH_TAP(w) {
        long long at = w.at(tapRow, tapColumn, g) * g.inChannels + channel;
        if (place < 0 || x[at] > best) {
          best = x[at];
          place = at;
        }
      }
      if (place == (long long)i) sum += dy[(long long)pixel * g.inChannels + channel];
    })
    dx[i] = sum;
  }
}
KERNEL avgPoolGrad(const float *dy, float *dx, Geometry g) {
  EACH(i, inputs(g)) {
    float sum = 0;
    EACH_WINDOW(i, g, {
      Window w(pixel, g);
      sum += dy[(long long)pixel * g.inChannels + channel] / w.count();
    })
    dx[i] = sum;
  }
}

// Output channel c * multiplier + q is that of input channel c.
KERNEL depthwise(const float *x, const float *filter, float *out, Geometry g) {
  unsigned multiplier = g.outChannels / g.inChannels;
  EACH(i, outputs(g)) {
    Window w(i / g.outChannels, g);
    unsigned channel = i % g.outChannels;
    float sum = 0;
    EACH_TAP(w)
      sum += x[w.at(tapRow, tapColumn, g) * g.inChannels + channel / multiplier] *
             filter[(tapRow * g.width + tapColumn) * g.outChannels + channel];
    out[i] = sum;
  }
}
KERNEL depthwiseConv2dInputGrad(const float *dy, const float *filter, float *dx, Geometry g) {
  unsigned multiplier = g.outChannels / g.inChannels;
  EACH(i, inputs(g)) {
    float sum = 0;
    EACH_WINDOW(i, g, {
      for (unsigned q = channel * multiplier; q < (channel + 1) * multiplier; q++)
        sum += dy[(long long)pixel * g.outChannels + q] *
               filter[(tapRowHere * g.width + tapColumnHere) * g.outChannels + q];
    })
    dx[i] = sum;
  }
}
// Sums over a chunk of the output pixels, for each tap and channel: [taps, chunks, outChannels].
KERNEL depthwiseFilterSums(const float *x, const float *dy, float *out, int chunk, Geometry g) {
  Tile tile(g.batch * g.outHeight * g.outWidth, g.outChannels, chunk);
  int tapRow = tile.outerIndex / g.width, tapColumn = tile.outerIndex % g.width;
  int channel = tile.column / (g.outChannels / g.inChannels);
  float sum = 0;
  if (tile.column < g.outChannels)
    for (int pixel = tile.from + tile.row; pixel < tile.to; pixel += 8) {
      int column = pixel % g.outWidth * g.strideWidth + tapColumn * g.dilationWidth - g.padLeft;
      int row = pixel / g.outWidth % g.outHeight * g.strideHeight + tapRow * g.dilationHeight - g.padTop;
      if (row < 0 || row >= g.inHeight || column < 0 || column >= g.inWidth) continue;
      long long image = pixel / g.outWidth / g.outHeight;
      sum += x[((image * g.inHeight + row) * g.inWidth + column) * g.inChannels + channel] *
             dy[(long long)pixel * g.outChannels + tile.column];
    }
  sum = joinTile<Add>(sum);
  if (tile.row == 0 && tile.column < g.outChannels) out[tile.chunkIndex * g.outChannels + tile.column] = sum;
}
`,
)

export const windowModules = [windowModule]

type WindowKernels = Pick<
  TensorKernels,
  | 'depthwiseConv2d'
  | 'depthwiseConv2dInputGrad'
  | 'depthwiseConv2dFilterGrad'
  | 'maxPool'
  | 'maxPoolGrad'
  | 'avgPool'
  | 'avgPoolGrad'
>

export function windowKernels(launch: Launch, memory: DeviceMemory): WindowKernels {
  const { ints } = memory
  const outputs = (info: number) => geometryAt(ints, info).outputs
  const inputs = (info: number) => geometryAt(ints, info).inputs
  return {
    depthwiseConv2d(x, filter, bias, activation, out, info) {
      const total = outputs(info)
      launch(windowModule, 'depthwise', { arguments: 'rrwi', infoLength: 15 }, each(total), [x, filter, out, info])
      biasActivate(launch, [out, bias, activation, total, geometryAt(ints, info).outChannels])
    },
    depthwiseConv2dInputGrad: (...v) =>
      launch(windowModule, 'depthwiseConv2dInputGrad', callTable.depthwiseConv2dInputGrad, each(inputs(v[3])), v),
    depthwiseConv2dFilterGrad(x, dy, dFilter, info) {
      const { batch, imagePixels, height, width, outChannels } = geometryAt(ints, info)
      const pixels = batch * imagePixels
      const target = { out: dFilter, outer: height * width, size: pixels, inner: outChannels, share: 1 }
      inChunks(launch, memory, `float_${reduceCodes.sum}`, target, (to, chunk) => {
        const grid = tiles(height * width * Math.max(1, Math.ceil(pixels / chunk)), outChannels)
        const form = { arguments: 'rrwni', infoLength: 15 }
        launch(windowModule, 'depthwiseFilterSums', form, grid, [x, dy, to, chunk, info])
      })
    },
    maxPool: (...v) => launch(windowModule, 'maxPool', callTable.maxPool, each(outputs(v[2])), v),
    maxPoolGrad: (...v) => launch(windowModule, 'maxPoolGrad', callTable.maxPoolGrad, each(inputs(v[3])), v),
    avgPool: (...v) => launch(windowModule, 'avgPool', callTable.avgPool, each(outputs(v[2])), v),
    avgPoolGrad: (...v) => launch(windowModule, 'avgPoolGrad', callTable.avgPoolGrad, each(inputs(v[2])), v),
  }
}
