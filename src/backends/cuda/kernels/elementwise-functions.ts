/**
 * What elementwise kernels do to one element, in CUDA C: for the single kernels and for chains of them.
 * @module
 */

import { binaryCodes as b, compareCodes as c, classifyCodes, dtypeCodes, unaryCodes as u } from '../../wasm/exports.js'

/** C types by code. */
export const types = { [dtypeCodes.float32]: 'float', [dtypeCodes.int32]: 'int', [dtypeCodes.bool]: 'u8' } as const

/**
 * Every operation is rounded by itself. By default the compiler makes one operation of a product and the sum that follows,
 * also where they were two kernels: a chain would then have other bits than its kernels one by one. They are bound by
 * memory, so it costs no time.
 */
export const elementwiseOptions = ['--fmad=false'] as const

/** Functions of one element; their first argument, a code, is a constant wherever they are called in a loop. */
export const elementwiseFunctions = `
// x times the share of a standard normal distribution below x, and its slope.
INLINE float normalShare(float x) { return 0.5f * erfcf(x * -0.70710678f); }
INLINE float geluTanhSigmoid(float x) { return sigmoid(x * (1.5957691f + 0.07135481f * x * x)); }

INLINE float unaryOf(int code, float x, float alpha, float beta) {
  switch (code) {
    case ${u.neg}: return -x;
    case ${u.abs}: return fabsf(x);
    case ${u.square}: return x * x;
    case ${u.sqrt}: return sqrtf(x);
    case ${u.rsqrt}: return 1.0f / sqrtf(x);
    case ${u.reciprocal}: return 1.0f / x;
    case ${u.exp}: return expf(x);
    case ${u.expm1}: return expm1f(x);
    case ${u.log}: return logf(x);
    case ${u.log1p}: return log1pf(x);
    case ${u.sigmoid}: return sigmoid(x);
    case ${u.tanh}: return tanhf(x);
    case ${u.relu}: return x < 0 ? 0 : x;
    case ${u.relu6}: return x < 0 ? 0 : x > 6 ? 6 : x;
    case ${u.leakyRelu}: return x < 0 ? x * alpha : x;
    case ${u.elu}: return x >= 0 ? x : expm1f(x);
    case ${u.selu}: return x >= 0 ? 1.0507009873554805f * x : 1.7580993408473768f * expm1f(x);
    case ${u.softplus}: return (x > 0 ? x : 0) + log1pf(expf(-fabsf(x))) + (x != x ? x : 0);
    case ${u.sin}: return sinf(x);
    case ${u.cos}: return cosf(x);
    case ${u.tan}: return (float)tan((double)x);
    case ${u.floor}: return floorf(x);
    case ${u.ceil}: return ceilf(x);
    case ${u.round}: return rintf(x);
    case ${u.sign}: return (float)((x > 0) - (x < 0));
    case ${u.step}: return x != x ? x : x > 0 ? 1 : alpha;
    case ${u.erf}: return erff(x);
    case ${u.clip}: return x < alpha ? alpha : x > beta ? beta : x;
    case ${u.sinh}: return sinhf(x);
    case ${u.cosh}: return coshf(x);
    case ${u.asin}: return asinf(x);
    case ${u.acos}: return acosf(x);
    case ${u.atan}: return atanf(x);
    case ${u.asinh}: return asinhf(x);
    case ${u.acosh}: return acoshf(x);
    case ${u.atanh}: return atanhf(x);
    case ${u.affine}: return alpha * x + beta;
    case ${u.gelu}: return x * normalShare(x);
    case ${u.geluTanh}: return x * geluTanhSigmoid(x);
  }
  return x;
}

INLINE u8 classOf(int code, float x) {
  bool isInfinite = fabsf(x) == infinity();
  return code == ${classifyCodes.isNaN} ? x != x : code == ${classifyCodes.isInf} ? isInfinite : x == x && !isInfinite;
}
INLINE float converted(float x, float) { return x; }
INLINE int converted(float x, int) { return x != x ? 0 : (int)x; }
INLINE float converted(int x, float) { return (float)x; }
template <class From> INLINE u8 converted(From x, u8) { return x != 0; }
INLINE int converted(int x, int) { return x; }
INLINE float geluSlope(float x) {
  float square = fminf(x * x, 1e4f);
  return 0.5f * erfcf(x * -0.70710678f) + x * 0.39894228f * expf(-0.5f * square);
}
INLINE float geluTanhSlope(float x) {
  float square = fminf(x * x, 1e4f);
  float share = sigmoid(x * (1.5957691f + 0.07135481f * square));
  // The other share by itself, without cancellation.
  float other = sigmoid(-x * (1.5957691f + 0.07135481f * square));
  return share + x * share * other * (1.5957691f + 0.21406444f * square);
}
INLINE float binaryOf(int code, float a, float b) {
  switch (code) {
    case ${b.add}: return a + b;
    case ${b.sub}: return a - b;
    case ${b.mul}: return a * b;
    case ${b.div}: return a / b;
    case ${b.maximum}: return Larger::join(a, b);
    case ${b.minimum}: return Smaller::join(a, b);
    case ${b.squaredDifference}: return (a - b) * (a - b);
    case ${b.floorDiv}: return floorf(a / b);
    case ${b.mod}: {
      float rest = fmodf(a, b);
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case ${b.pow}: return b == 2 ? a * a : powf(a, b);
    case ${b.atan2}: return atan2f(a, b);
    case ${b.divNoNan}: return b == 0 ? 0 : a / b;
    case ${b.prelu}: return a < 0 ? a * b : a;
    case ${b.eluGrad}: return b >= 0 ? a : a * (b + 1);
    case ${b.reluGrad}: return b > 0 ? a : 0;
    case ${b.geluGrad}: return a * geluSlope(b);
    case ${b.geluTanhGrad}: return a * geluTanhSlope(b);
  }
  return 0;
}
// Quotients and powers through float64, which holds every int32; division by 0 gives 0. Sums and products wrap.
INLINE int binaryOf(int code, int a, int b) {
  switch (code) {
    case ${b.add}: return (int)((unsigned)a + (unsigned)b);
    case ${b.sub}: return (int)((unsigned)a - (unsigned)b);
    case ${b.mul}: return (int)((unsigned)a * (unsigned)b);
    case ${b.maximum}: return a > b ? a : b;
    case ${b.minimum}: return a < b ? a : b;
    case ${b.squaredDifference}: return (int)(((unsigned)a - (unsigned)b) * ((unsigned)a - (unsigned)b));
    case ${b.pow}: return (int)(long long)pow((double)a, (double)b);
  }
  if (b == 0) return 0;
  if (code == ${b.div}) return (int)(long long)((double)a / b);
  if (code == ${b.floorDiv}) return (int)(long long)floor((double)a / b);
  int rest = b == -1 ? 0 : a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
INLINE u8 related(int code, bool less, bool equal, bool greater, bool a, bool b) {
  switch (code) {
    case ${c.equal}: return equal;
    case ${c.notEqual}: return !equal;
    case ${c.less}: return less;
    case ${c.lessEqual}: return less || equal;
    case ${c.greater}: return greater;
    case ${c.greaterEqual}: return greater || equal;
    case ${c.logicalAnd}: return a && b;
    case ${c.logicalOr}: return a || b;
  }
  return a != b;
}
template <class T> INLINE u8 compareOf(int code, T a, T b) {
  return related(code, a < b, a == b, a > b, a != 0, b != 0);
}
`
