/** What windows over images are: of convolutions and of pooling. @module */

/** For kernels that take a geometry, `i` of 15 int32. */
export const geometrySource = `
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
`

/** The same, read from where a kernel finds it, and what follows from it. */
export function geometryAt(ints: Int32Array, info: number) {
  const at = (index: number) => ints[info / 4 + index]!
  const [batch, inHeight, inWidth, inChannels] = [at(0), at(1), at(2), at(3)]
  const [outHeight, outWidth, outChannels, height, width] = [at(4), at(5), at(6), at(7), at(8)]
  const [imageIn, imagePixels] = [inHeight * inWidth * inChannels, outHeight * outWidth]
  const hasOneTap = height === 1 && width === 1
  const isStill = at(9) === 1 && at(10) === 1 && at(13) === 0 && at(14) === 0
  return {
    ...{ batch, inChannels, outChannels, height, width, imageIn, imagePixels },
    /** Elements of a patch. */
    patch: height * width * inChannels,
    inputs: batch * imageIn,
    outputs: batch * imagePixels * outChannels,
    /** One tap, no step and no padding: the image is its own patches. */
    isProduct: hasOneTap && isStill && inHeight === outHeight && inWidth === outWidth,
  }
}

export type WindowGeometry = ReturnType<typeof geometryAt>
