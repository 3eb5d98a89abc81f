/** Convolutions, plain as products of patches and depthwise, and pooling, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes, reduceCodes } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { CudaDevice } from '../cuda-device.js'
import { bfloat16Source } from './bfloat16.js'
import { biasActivate } from './elementwise.js'
import { foursSource } from './fours.js'
import { defineModule, each, type Launch } from './kernel-module.js'
import { multiply, precisionOf } from './products.js'
import { columnSource, inChunks, tiles } from './reductions.js'

/** Patches of so many bytes are laid out at once. */
const PATCH_BYTES = 2 ** 28
/** Elements that a thread moves to or from patches: each takes some time to find. */
const PATCHES_PER_THREAD = 1

const windowModule = defineModule(
  'windows',
  `${bfloat16Source}${columnSource}${foursSource}
// The 15 int32 of wasm/exports.ts.
struct Geometry {
  int batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, height, width;
  int strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft;
};
// The window that covers place "at" of the input with tap "tap", or -1.
INLINE int windowAt(int at, int tap, int pad, int stride, int dilation, int count) {
  int place = at + pad - tap * dilation;
  if (place < 0 || place % stride != 0) return -1;
  return place / stride < count ? place / stride : -1;
}

// Channels lie next to each other, so where their count allows it four of them are moved at once.
template <class T> INLINE T valuesAt(const float *x) { return *(const T *)x; }
INLINE void storeAll(float value, float *out) { store(value, out); }
INLINE void storeAll(float value, bfloat16 *out) { store(value, out); }
template <class T> INLINE void storeAll(const Four<float> &values, T *out) {
  Four<T> stored;
  for (int lane = 0; lane < 4; lane++) store(values.at[lane], stored.at + lane);
  *(Four<T> *)out = stored;
}
INLINE void addTo(float &sum, float value) { sum += value; }
INLINE void addTo(Four<float> &sum, const Four<float> &values) {
  for (int lane = 0; lane < 4; lane++) sum.at[lane] += values.at[lane];
}

// Patches [pixels, height, width, inChannels] of output pixels from "first" on.
template <class In, class T> INLINE void layPatches(const float *x, T *out, int n, int first, const Geometry &g) {
  constexpr int wide = sizeof(In) / sizeof(float);
  unsigned groups = g.inChannels / wide;
  EACH(i, n / wide) {
    unsigned channel = i % groups * wide, rest = i / groups;
    int tapColumn = rest % g.width;
    rest /= g.width;
    int tapRow = rest % g.height;
    unsigned pixel = first + rest / g.height;
    int column = (int)(pixel % g.outWidth) * g.strideWidth + tapColumn * g.dilationWidth - g.padLeft;
    int row = (int)(pixel / g.outWidth % g.outHeight) * g.strideHeight + tapRow * g.dilationHeight - g.padTop;
    long long image = pixel / g.outWidth / g.outHeight;
    bool isInside = row >= 0 && row < g.inHeight && column >= 0 && column < g.inWidth;
    long long pixelIn = (image * g.inHeight + row) * g.inWidth + column;
    storeAll(isInside ? valuesAt<In>(x + pixelIn * g.inChannels + channel) : In{}, out + (long long)i * wide);
  }
}
#define PATCHES(WIDE, IN) \\
  KERNEL patches_##WIDE(const float *x, float *out, int n, int first, Geometry g) { \\
    layPatches<IN>(x, out, n, first, g); \\
  } \\
  KERNEL patchesBfloat16_##WIDE(const float *x, bfloat16 *out, int n, int first, Geometry g) { \\
    layPatches<IN>(x, out, n, first, g); \\
  } \\
  KERNEL foldPatches_##WIDE(const float *patches, float *dx, int n, Geometry g) { foldPatches<IN>(patches, dx, n, g); }
// Adds up the patches that cover each element of images from "firstImage" on.
template <class In> INLINE void foldPatches(const float *patches, float *dx, int n, const Geometry &g) {
  constexpr int wide = sizeof(In) / sizeof(float);
  unsigned groups = g.inChannels / wide;
  EACH(i, n / wide) {
    unsigned channel = i % groups * wide, rest = i / groups;
    int column = rest % g.inWidth;
    rest /= g.inWidth;
    int row = rest % g.inHeight;
    long long image = rest / g.inHeight;
    In sum{};
    for (int tapRow = 0; tapRow < g.height; tapRow++) {
      int outRow = windowAt(row, tapRow, g.padTop, g.strideHeight, g.dilationHeight, g.outHeight);
      if (outRow < 0) continue;
      for (int tapColumn = 0; tapColumn < g.width; tapColumn++) {
        int outColumn = windowAt(column, tapColumn, g.padLeft, g.strideWidth, g.dilationWidth, g.outWidth);
        if (outColumn < 0) continue;
        long long pixel = (image * g.outHeight + outRow) * g.outWidth + outColumn;
        addTo(sum, valuesAt<In>(patches + ((pixel * g.height + tapRow) * g.width + tapColumn) * g.inChannels + channel));
      }
    }
    storeAll(sum, dx + (long long)i * wide);
  }
}
PATCHES(1, float)
PATCHES(4, Four<float>)

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
  | 'conv2d'
  | 'conv2dInputGrad'
  | 'conv2dFilterGrad'
  | 'depthwiseConv2d'
  | 'depthwiseConv2dInputGrad'
  | 'depthwiseConv2dFilterGrad'
  | 'maxPool'
  | 'maxPoolGrad'
  | 'avgPool'
  | 'avgPoolGrad'
>

/** What a convolution looks like, read from where a kernel finds it. */
function geometryAt(ints: Int32Array, info: number) {
  const [batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, height, width, ...steps] =
    ints.subarray(info / 4) as unknown as number[] & { 0: number; 1: number; 2: number; 3: number; 4: number }
  const geometry = { batch, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, height, width }
  const patch = height! * width! * inChannels
  const isProduct = patch === inChannels && steps[0] === 1 && steps[1] === 1 && steps[4] === 0 && steps[5] === 0
  return {
    ...(geometry as Record<keyof typeof geometry, number>),
    /** Elements of a patch. */
    patch,
    imageIn: inHeight * inWidth * inChannels,
    imagePixels: outHeight! * outWidth!,
    /** One tap, no step and no padding: the image is its own patches. */
    isProduct: isProduct && inHeight === outHeight && inWidth === outWidth,
  }
}

type ConvolutionGeometry = ReturnType<typeof geometryAt>

/** @param fill - Sets floats to a value. */
export function windowKernels(device: CudaDevice, launch: Launch, fill: TensorKernels['fill']): WindowKernels {
  const { memory } = device
  const { ints } = memory
  const outputs = (info: number) => {
    const { batch, imagePixels, outChannels } = geometryAt(ints, info)
    return batch * imagePixels * outChannels
  }
  const inputs = (info: number) => {
    const { batch, imageIn } = geometryAt(ints, info)
    return batch * imageIn
  }

  /** Calls `each` for runs of whole images whose patches fit into one range, which it gets. */
  const forPatches = (
    g: ConvolutionGeometry,
    each: (run: { firstImage: number; pixels: number; patches: number }) => void,
  ): void => {
    const imageBytes = g.imagePixels * g.patch * 4
    const images = Math.max(1, Math.min(g.batch, Math.floor(PATCH_BYTES / Math.max(1, imageBytes))))
    const patches = memory.scratch(images * imageBytes, 'range for patches', [images, g.imagePixels, g.patch])
    for (let firstImage = 0; firstImage < g.batch; firstImage += images)
      each({ firstImage, pixels: Math.min(images, g.batch - firstImage) * g.imagePixels, patches })
    memory.release(patches)
  }
  /** Channels that are moved at once. */
  const wideFor = (info: number, pointer: number) =>
    geometryAt(ints, info).inChannels % 4 === 0 && pointer % 16 === 0 ? 4 : 1
  /** As the operand of a product, rounded if the product asks for it. */
  const layPatches = (x: number, patches: number, n: number, firstPixel: number, info: number) => {
    const wide = wideFor(info, x)
    const kernel = `${precisionOf(device) === 'bfloat16' ? 'patchesBfloat16' : 'patches'}_${wide}`
    const grid = each(n / wide, PATCHES_PER_THREAD)
    launch(windowModule, kernel, { arguments: 'rwnni', infoLength: 15 }, grid, [x, patches, n, firstPixel, info])
  }
  const foldPatches = (patches: number, dx: number, n: number, info: number) => {
    const wide = wideFor(info, dx)
    const form = { arguments: 'rwni', infoLength: 15 }
    launch(windowModule, `foldPatches_${wide}`, form, each(n / wide, PATCHES_PER_THREAD), [patches, dx, n, info])
  }

  return {
    conv2d(x, filter, bias, activation, out, info) {
      const g = geometryAt(ints, info)
      const n = g.outChannels
      const total = outputs(info)
      if (total === 0) return
      if (g.isProduct) multiply(device, { a: x, b: filter, out, m: total / n, n, k: g.patch })
      else
        forPatches(g, ({ firstImage, pixels, patches }) => {
          const firstPixel = firstImage * g.imagePixels
          layPatches(x, patches, pixels * g.patch, firstPixel, info)
          multiply(device, { a: patches, b: filter, out: out + firstPixel * n * 4, m: pixels, n, k: g.patch }, true)
        })
      biasActivate(launch, [out, bias, activation, total, n])
    },
    conv2dInputGrad(dy, filter, dx, info) {
      const g = geometryAt(ints, info)
      const total = inputs(info)
      if (total === 0) return
      if (outputs(info) === 0) {
        fill(dtypeCodes.float32, dx, total, 0)
        return
      }
      const product = { b: filter, n: g.patch, k: g.outChannels, transposeB: true }
      if (g.isProduct) {
        multiply(device, { ...product, a: dy, out: dx, m: total / g.patch })
        return
      }
      forPatches(g, ({ firstImage, pixels, patches }) => {
        const a = dy + firstImage * g.imagePixels * g.outChannels * 4
        multiply(device, { ...product, a, out: patches, m: pixels })
        const images = pixels / g.imagePixels
        foldPatches(patches, dx + firstImage * g.imageIn * 4, images * g.imageIn, info)
      })
    },
    conv2dFilterGrad(x, dy, dFilter, info) {
      const g = geometryAt(ints, info)
      const n = g.outChannels
      if (outputs(info) === 0) {
        fill(dtypeCodes.float32, dFilter, g.patch * n, 0)
        return
      }
      const product = { out: dFilter, m: g.patch, n, transposeA: true }
      if (g.isProduct) {
        multiply(device, { ...product, a: x, b: dy, k: outputs(info) / n })
        return
      }
      forPatches(g, ({ firstImage, pixels, patches }) => {
        const firstPixel = firstImage * g.imagePixels
        layPatches(x, patches, pixels * g.patch, firstPixel, info)
        const b = dy + firstPixel * n * 4
        multiply(device, { ...product, a: patches, b, k: pixels, accumulate: firstImage > 0 }, true)
      })
    },
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
