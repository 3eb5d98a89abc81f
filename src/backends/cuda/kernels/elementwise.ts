/** Element by element: functions of one and two tensors, relations, choices, conversions. @module */

import type { TensorKernels } from '../../device-backend.js'
import {
  activationCodes,
  binaryCodes as b,
  compareCodes as c,
  classifyCodes,
  dtypeCodes,
  unaryCodes as u,
} from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import { defineModule, each, type Launch } from './kernel-module.js'

/** C types by code. */
const types = { [dtypeCodes.float32]: 'float', [dtypeCodes.int32]: 'int', [dtypeCodes.bool]: 'u8' } as const
const typeCodes = Object.values(dtypeCodes).filter((code, i, all) => all.indexOf(code) === i)

/** The two types of `binary`. */
const binaryVariants = [
  ...Object.values(b).map((code) => ({ code, dtype: dtypeCodes.float32 })),
  ...Object.values(b)
    .filter((code) => code <= b.pow)
    .map((code) => ({ code, dtype: dtypeCodes.int32 })),
]

const unaryModule = defineModule(
  'unary',
  `
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

#define UNARY(CODE) \\
  KERNEL unary_##CODE(int, const float *x, float *out, int n, float alpha, float beta) { \\
    EACH(i, n) out[i] = unaryOf(CODE, x[i], alpha, beta); \\
  }
${Object.values(u)
  .map((code) => `UNARY(${code})`)
  .join('\n')}

KERNEL classify(int code, const float *x, u8 *out, int n) {
  EACH(i, n) {
    float value = x[i];
    bool isInfinite = fabsf(value) == infinity();
    out[i] = code == ${classifyCodes.isNaN} ? value != value
           : code == ${classifyCodes.isInf} ? isInfinite
           : value == value && !isInfinite;
  }
}
KERNEL logicalNot(const u8 *x, u8 *out, int n) { EACH(i, n) out[i] = !x[i]; }
KERNEL addInto(const float *x, float *out, int n, float scale) { EACH(i, n) out[i] += scale * x[i]; }

// After a product: x [n / columns, columns] with a pitch between rows, bias [columns] or none.
KERNEL biasActivate(float *x, const float *bias, int activation, int n, int columns, int pitch) {
  EACH(i, n) {
    unsigned row = i / (unsigned)columns, column = i - row * columns;
    long long at = (long long)row * pitch + column;
    float value = x[at] + (bias ? bias[column] : 0);
    switch (activation) {
      case ${activationCodes.relu}: value = value < 0 ? 0 : value; break;
      case ${activationCodes.relu6}: value = value < 0 ? 0 : value > 6 ? 6 : value; break;
      case ${activationCodes.sigmoid}: value = sigmoid(value); break;
      case ${activationCodes.tanh}: value = tanhf(value); break;
    }
    x[at] = value;
  }
}

#define FILL(NAME, T) KERNEL fill_##NAME(int, T *out, int n, double value) { EACH(i, n) out[i] = (T)value; }
${typeCodes.map((code) => `FILL(${code}, ${types[code]})`).join('\n')}

INLINE float converted(float x, float) { return x; }
INLINE int converted(float x, int) { return x != x ? 0 : (int)x; }
INLINE float converted(int x, float) { return (float)x; }
template <class From> INLINE u8 converted(From x, u8) { return x != 0; }
INLINE int converted(int x, int) { return x; }
// With the plus a byte becomes an int.
#define CAST(FROM, TO, S, T) \\
  KERNEL cast_##FROM##_##TO(int, int, const S *x, T *out, int n) { EACH(i, n) out[i] = converted(+x[i], (T)0); }
${typeCodes.flatMap((from) => typeCodes.map((to) => `CAST(${from}, ${to}, ${types[from]}, ${types[to]})`)).join('\n')}

#define SELECT(BYTES, T) \\
  KERNEL select_##BYTES(const u8 *condition, const T *a, const T *b, T *out, int n, int inner, int) { \\
    EACH(i, n * inner) out[i] = condition[inner == 1 ? i : i / (unsigned)inner] ? a[i] : b[i]; \\
  }
SELECT(1, u8)
SELECT(4, int)
`,
)

const binaryModule = defineModule(
  'binary',
  `
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

// out[r, i] from a[r * rowStrideA + i * stepA] and b alike; one row needs no division.
#define ROWS(EXPRESSION) \\
  unsigned n = (unsigned)rows * (unsigned)inner; \\
  if (rows == 1) { EACH(i, n) { unsigned ia = i * stepA, ib = i * stepB; out[i] = EXPRESSION; } } \\
  else EACH(i, n) { \\
    unsigned r = i / (unsigned)inner, column = i - r * inner; \\
    unsigned ia = r * rowStrideA + column * stepA, ib = r * rowStrideB + column * stepB; \\
    out[i] = EXPRESSION; \\
  }
#define ROW_ARGUMENTS int rows, int inner, int rowStrideA, int stepA, int rowStrideB, int stepB
#define BINARY(CODE, DTYPE, T) \\
  KERNEL binary_##DTYPE##_##CODE(int, int, const T *a, const T *b, T *out, ROW_ARGUMENTS) { \\
    ROWS(binaryOf(CODE, a[ia], b[ib])) \\
  }
#define COMPARE(DTYPE, T) \\
  KERNEL compare_##DTYPE(int code, int, const T *a, const T *b, u8 *out, ROW_ARGUMENTS) { \\
    ROWS(compareOf(code, a[ia], b[ib])) \\
  }

// info: shape, strides of a, strides of b, six each.
#define STRIDED(EXPRESSION) \\
  unsigned n = 1; \\
  for (int axis = 0; axis < 6; axis++) n *= info.at[axis]; \\
  EACH(i, n) { \\
    unsigned ia = 0, ib = 0, rest = i; \\
    for (int axis = 5; rest > 0; axis--) { \\
      unsigned next = rest / info.at[axis], index = rest - next * info.at[axis]; \\
      ia += index * info.at[6 + axis]; \\
      ib += index * info.at[12 + axis]; \\
      rest = next; \\
    } \\
    out[i] = EXPRESSION; \\
  }
#define BINARY_STRIDED(DTYPE, T) \\
  KERNEL binaryStrided_##DTYPE(int code, int, const T *a, const T *b, T *out, Info<18> info) { \\
    STRIDED(binaryOf(code, a[ia], b[ib])) \\
  }
#define COMPARE_STRIDED(DTYPE, T) \\
  KERNEL compareStrided_##DTYPE(int code, int, const T *a, const T *b, u8 *out, Info<18> info) { \\
    STRIDED(compareOf(code, a[ia], b[ib])) \\
  }
${binaryVariants.map(({ code, dtype }) => `BINARY(${code}, ${dtype}, ${types[dtype]})`).join('\n')}
${typeCodes.map((code) => `COMPARE(${code}, ${types[code]})\nCOMPARE_STRIDED(${code}, ${types[code]})`).join('\n')}
${typeCodes
  .filter((code) => code !== dtypeCodes.bool)
  .map((code) => `BINARY_STRIDED(${code}, ${types[code]})`)
  .join('\n')}
`,
)

export const elementwiseModules = [unaryModule, binaryModule]

type ElementwiseKernels = Pick<
  TensorKernels,
  | 'unary'
  | 'classify'
  | 'logicalNot'
  | 'binary'
  | 'binaryStrided'
  | 'compare'
  | 'compareStrided'
  | 'select'
  | 'fill'
  | 'cast'
  | 'addInto'
>

/** @param ints - Where kernels find shapes and strides. */
export function elementwiseKernels(launch: Launch, ints: Int32Array): ElementwiseKernels {
  const sizeOfInfo = (info: number) => ints.subarray(info / 4, info / 4 + 6).reduce((size, length) => size * length, 1)
  return {
    unary: (...v) => launch(unaryModule, `unary_${v[0]}`, callTable.unary, each(v[3]), v),
    classify: (...v) => launch(unaryModule, 'classify', callTable.classify, each(v[3]), v),
    logicalNot: (...v) => launch(unaryModule, 'logicalNot', callTable.logicalNot, each(v[2]), v),
    addInto: (...v) => launch(unaryModule, 'addInto', callTable.addInto, each(v[2]), v),
    fill: (...v) => launch(unaryModule, `fill_${v[0]}`, callTable.fill, each(v[2]), v),
    cast: (...v) => launch(unaryModule, `cast_${v[0]}_${v[1]}`, callTable.cast, each(v[4]), v),
    select: (...v) => launch(unaryModule, `select_${v[6]}`, callTable.select, each(v[4] * v[5]), v),
    binary: (...v) => launch(binaryModule, `binary_${v[1]}_${v[0]}`, callTable.binary, each(v[5] * v[6]), v),
    binaryStrided: (...v) =>
      launch(binaryModule, `binaryStrided_${v[1]}`, callTable.binaryStrided, each(sizeOfInfo(v[5])), v),
    compare: (...v) => launch(binaryModule, `compare_${v[1]}`, callTable.compare, each(v[5] * v[6]), v),
    compareStrided: (...v) =>
      launch(binaryModule, `compareStrided_${v[1]}`, callTable.compareStrided, each(sizeOfInfo(v[5])), v),
  }
}

/** x = activation(x + bias) in place, x `[n / columns, columns]`, bias `[columns]` or 0 for none. */
export function biasActivate(
  launch: Launch,
  [x, bias, activation, n, columns]: [x: number, bias: number, activation: number, n: number, columns: number],
  pitch = columns,
): void {
  if (bias === 0 && activation === activationCodes.linear) return
  const values = [x, bias, activation, n, columns, pitch]
  launch(unaryModule, 'biasActivate', { arguments: 'urnnnn' }, each(n), values)
}
