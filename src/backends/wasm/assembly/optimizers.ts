// Update rules fused over a range of parameters. Formulas as in src/optimizers.

import { fma, splat, sumOfLanes } from './simd'

/** See ../exports.ts. */
export function sgd(
  parameters: usize,
  gradients: usize,
  velocity: usize,
  n: i32,
  rate: f32,
  momentum: f32,
  nesterov: i32,
  weightDecay: f32,
  gradientScale: f32,
): void {
  for (; n > 0; n -= 4) {
    const w = read(parameters, n)
    const g = fma(splat(weightDecay), w, f32x4.mul(splat(gradientScale), read(gradients, n)))
    let direction = g
    if (velocity) {
      const v = withoutDenormals(fma(splat(momentum), read(velocity, n), g))
      write(velocity, v, n)
      direction = nesterov ? fma(splat(momentum), v, g) : v
      velocity += 16
    }
    write(parameters, f32x4.sub(w, f32x4.mul(splat(rate), direction)), n)
    parameters += 16
    gradients += 16
  }
}

/** See ../exports.ts. */
export function adam(
  parameters: usize,
  gradients: usize,
  mean: usize,
  squaredMean: usize,
  n: i32,
  stepSize: f32,
  rootScale: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  keep: f32,
  penalty: f32,
  gradientScale: f32,
): void {
  // 1 - beta in float64: in float32 it would lose three digits.
  const old1 = splat(<f32>beta1)
  const new1 = splat(<f32>(1 - beta1))
  const old2 = splat(<f32>beta2)
  const new2 = splat(<f32>(1 - beta2))
  for (; n > 0; n -= 4) {
    const w = read(parameters, n)
    const g = fma(splat(penalty), w, f32x4.mul(splat(gradientScale), read(gradients, n)))
    const m = withoutDenormals(fma(g, new1, f32x4.mul(read(mean, n), old1)))
    const v = fma(squareOf(g), new2, f32x4.mul(read(squaredMean, n), old2))
    write(mean, m, n)
    write(squaredMean, v, n)
    const root = fma(f32x4.sqrt(v), splat(rootScale), splat(epsilon))
    const change = f32x4.div(f32x4.mul(splat(stepSize), m), root)
    write(parameters, f32x4.sub(f32x4.mul(w, splat(keep)), change), n)
    parameters += 16
    gradients += 16
    mean += 16
    squaredMean += 16
  }
}

/** See ../exports.ts. */
export function rmsprop(
  parameters: usize,
  gradients: usize,
  squaredMean: usize,
  velocity: usize,
  mean: usize,
  n: i32,
  rate: f32,
  alpha: f64,
  epsilon: f32,
  momentum: f32,
  weightDecay: f32,
  gradientScale: f32,
): void {
  const old = splat(<f32>alpha)
  const fresh = splat(<f32>(1 - alpha))
  for (; n > 0; n -= 4) {
    const w = read(parameters, n)
    const g = fma(splat(weightDecay), w, f32x4.mul(splat(gradientScale), read(gradients, n)))
    const v = fma(squareOf(g), fresh, f32x4.mul(read(squaredMean, n), old))
    write(squaredMean, v, n)
    let spread = v
    if (mean) {
      const m = withoutDenormals(fma(g, fresh, f32x4.mul(read(mean, n), old)))
      write(mean, m, n)
      // Rounding can bring the variance of a constant gradient below zero.
      spread = f32x4.max(splat(0), f32x4.sub(v, f32x4.mul(m, m)))
      mean += 16
    }
    let direction = f32x4.div(g, f32x4.add(f32x4.sqrt(spread), splat(epsilon)))
    if (velocity) {
      direction = withoutDenormals(fma(splat(momentum), read(velocity, n), direction))
      write(velocity, direction, n)
      velocity += 16
    }
    write(parameters, f32x4.sub(w, f32x4.mul(splat(rate), direction)), n)
    parameters += 16
    gradients += 16
    squaredMean += 16
  }
}

/** See ../exports.ts. */
export function adagrad(
  parameters: usize,
  gradients: usize,
  squaredSum: usize,
  n: i32,
  rate: f32,
  epsilon: f32,
  weightDecay: f32,
  gradientScale: f32,
): void {
  for (; n > 0; n -= 4) {
    const w = read(parameters, n)
    const g = fma(splat(weightDecay), w, f32x4.mul(splat(gradientScale), read(gradients, n)))
    const s = fma(g, g, read(squaredSum, n))
    write(squaredSum, s, n)
    const root = f32x4.add(f32x4.sqrt(s), splat(epsilon))
    write(parameters, f32x4.sub(w, f32x4.div(f32x4.mul(splat(rate), g), root)), n)
    parameters += 16
    gradients += 16
    squaredSum += 16
  }
}

/** The direction of `lamb`, from means that hold this step's gradient. */
// @ts-ignore: decorator
@inline
function lambDirection(m: v128, v: v128, w: v128, meanScale: f32, rootScale: f32, epsilon: f32, weightDecay: f32): v128 {
  const root = fma(f32x4.sqrt(v), splat(rootScale), splat(epsilon))
  return fma(splat(weightDecay), w, f32x4.div(f32x4.mul(splat(meanScale), m), root))
}

/** See ../exports.ts. */
export function lamb(
  parameters: usize,
  gradients: usize,
  mean: usize,
  squaredMean: usize,
  n: i32,
  rate: f32,
  meanScale: f32,
  rootScale: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
  gradientScale: f32,
): void {
  const old1 = splat(<f32>beta1)
  const new1 = splat(<f32>(1 - beta1))
  const old2 = splat(<f32>beta2)
  const new2 = splat(<f32>(1 - beta2))
  let weightSquares: f64 = 0
  let directionSquares: f64 = 0
  for (let i = 0; i < n; i += 4) {
    const at: usize = <usize>i << 2
    const left = n - i
    const w = read(parameters + at, left)
    const g = f32x4.mul(splat(gradientScale), read(gradients + at, left))
    const m = withoutDenormals(fma(g, new1, f32x4.mul(read(mean + at, left), old1)))
    const v = fma(squareOf(g), new2, f32x4.mul(read(squaredMean + at, left), old2))
    write(mean + at, m, left)
    write(squaredMean + at, v, left)
    const u = lambDirection(m, v, w, meanScale, rootScale, epsilon, weightDecay)
    weightSquares += <f64>sumOfLanes(f32x4.mul(w, w))
    directionSquares += <f64>sumOfLanes(f32x4.mul(u, u))
  }
  const trust = weightSquares > 0 && directionSquares > 0 ? Math.sqrt(weightSquares / directionSquares) : 1
  const change = splat(<f32>(<f64>rate * trust))
  for (let i = 0; i < n; i += 4) {
    const at: usize = <usize>i << 2
    const left = n - i
    const w = read(parameters + at, left)
    const m = read(mean + at, left)
    const u = lambDirection(m, read(squaredMean + at, left), w, meanScale, rootScale, epsilon, weightDecay)
    write(parameters + at, f32x4.sub(w, f32x4.mul(change, u)), left)
  }
}

/** See ../exports.ts. */
export function sumRanges(pointers: usize, count: i32, out: usize, offset: i32, n: i32): void {
  const start: usize = <usize>offset << 2
  for (let i: usize = start; n > 0; i += 16, n -= 4) {
    let sum = read(<usize>load<u32>(pointers) + i, n)
    for (let k = 1; k < count; k++) sum = f32x4.add(sum, read(<usize>load<u32>(pointers + (<usize>k << 2)) + i, n))
    write(out + i, sum, n)
  }
}

/** See ../exports.ts. */
export function totals(pointers: usize, count: i32, offset: i32, out: usize, n: i32): i32 {
  for (let i = 0; i < n; i++) {
    const element: usize = <usize>(offset + i) << 2
    let sum: f32 = load<f32>(<usize>load<u32>(pointers) + element)
    for (let k = 1; k < count; k++) sum += load<f32>(<usize>load<u32>(pointers + (<usize>k << 2)) + element)
    store<f32>(out + (<usize>i << 2), sum)
  }
  return isFinite(load<f32>(out)) ? 1 : 0
}

/** See ../exports.ts. */
export function sumOfSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  for (; n > 0; n -= 4) {
    const v = read(x, n)
    const a = f64x2.promote_low_f32x4(v)
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1))
    low = f64x2.add(low, f64x2.mul(a, a))
    high = f64x2.add(high, f64x2.mul(b, b))
    x += 16
  }
  const sum = f64x2.add(low, high)
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/**
 * The running mean of a gradient that stays 0, as that of a dead unit does, would end among the denormal numbers, which
 * make an update twice as slow. So squares are at least 2^-100, and other means are multiples of 2^-100.
 */
const TINY: f32 = 7.888609e-31
/** One whose last bit is 2^-100. */
const TINY_ULP: f32 = 6.617445e-24

// @ts-ignore: decorator
@inline
function squareOf(x: v128): v128 {
  return fma(x, x, splat(TINY))
}

// @ts-ignore: decorator
@inline
function withoutDenormals(x: v128): v128 {
  return f32x4.sub(f32x4.add(x, splat(TINY_ULP)), splat(TINY_ULP))
}

/** Up to four floats; the missing ones are 0. */
// @ts-ignore: decorator
@inline
function read(pointer: usize, n: i32): v128 {
  return n >= 4 ? v128.load(pointer) : readTail(pointer, n)
}

// @ts-ignore: decorator
@inline
function write(pointer: usize, x: v128, n: i32): void {
  if (n >= 4) v128.store(pointer, x)
  else writeTail(pointer, x, n)
}

function readTail(pointer: usize, n: i32): v128 {
  let x = f32x4.replace_lane(splat(0), 0, load<f32>(pointer))
  if (n > 1) x = f32x4.replace_lane(x, 1, load<f32>(pointer, 4))
  if (n > 2) x = f32x4.replace_lane(x, 2, load<f32>(pointer, 8))
  return x
}

function writeTail(pointer: usize, x: v128, n: i32): void {
  store<f32>(pointer, f32x4.extract_lane(x, 0))
  if (n > 1) store<f32>(pointer, f32x4.extract_lane(x, 1), 4)
  if (n > 2) store<f32>(pointer, f32x4.extract_lane(x, 2), 8)
}
