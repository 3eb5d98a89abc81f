/** Convolutions as products of patches, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { dtypeCodes } from '../../wasm/exports.js'
import type { CudaDevice } from '../cuda-device.js'
import { bfloat16Source } from './bfloat16.js'
import { biasActivate } from './elementwise.js'
import { foursSource } from './fours.js'
import { defineModule, each, type Launch } from './kernel-module.js'
import { multiply, precisionOf } from './products.js'
import { geometryAt, geometrySource, type WindowGeometry } from './window-geometry.js'

/** Patches of so many bytes are laid out at once. */
const PATCH_BYTES = 2 ** 28
/** Elements that a thread moves to or from patches: each takes some time to find. */
const PATCHES_PER_THREAD = 1

const convolutionModule = defineModule(
  'convolutions',
  `${bfloat16Source}${foursSource}${geometrySource}
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
`,
)

export const convolutionModules = [convolutionModule]

/** @param fill - Sets floats to a value. */
export function convolutionKernels(
  device: CudaDevice,
  launch: Launch,
  fill: TensorKernels['fill'],
): Pick<TensorKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'> {
  const { memory } = device
  const { ints } = memory

  /** Calls `each` for runs of whole images whose patches fit into one range, which it gets. */
  const forPatches = (
    g: WindowGeometry,
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
    launch(convolutionModule, kernel, { arguments: 'rwnni', infoLength: 15 }, grid, [x, patches, n, firstPixel, info])
  }
  const foldPatches = (patches: number, dx: number, n: number, info: number) => {
    const wide = wideFor(info, dx)
    const form = { arguments: 'rwni', infoLength: 15 }
    launch(convolutionModule, `foldPatches_${wide}`, form, each(n / wide, PATCHES_PER_THREAD), [patches, dx, n, info])
  }

  return {
    conv2d(x, filter, bias, activation, out, info) {
      const g = geometryAt(ints, info)
      const n = g.outChannels
      const { outputs: total } = g
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
      const { inputs: total } = g
      if (total === 0) return
      if (g.outputs === 0) {
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
      if (g.outputs === 0) {
        fill(dtypeCodes.float32, dFilter, g.patch * n, 0)
        return
      }
      const product = { out: dFilter, m: g.patch, n, transposeA: true }
      if (g.isProduct) {
        multiply(device, { ...product, a: x, b: dy, k: g.outputs / n })
        return
      }
      forPatches(g, ({ firstImage, pixels, patches }) => {
        const firstPixel = firstImage * g.imagePixels
        layPatches(x, patches, pixels * g.patch, firstPixel, info)
        const b = dy + firstPixel * n * 4
        multiply(device, { ...product, a: patches, b, k: pixels, accumulate: firstImage > 0 }, true)
      })
    },
  }
}
