/** Element by element: functions of one and two tensors, relations, choices, conversions. @module */

import type { TensorKernels } from '../../device-backend.js'
import { activationCodes, binaryCodes as b, dtypeCodes, unaryCodes as u } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import { elementwiseFunctions, elementwiseOptions, types } from './elementwise-functions.js'
import { foursSource } from './fours.js'
import { defineModule, each, type Launch } from './kernel-module.js'

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
  `${elementwiseFunctions}${foursSource}
#define UNARY(CODE) \\
  KERNEL unary_##CODE(int, const float *x, float *out, int n, float alpha, float beta) { \\
    makeRows(out, 1, n, [=](float value) { return unaryOf(CODE, value, alpha, beta); }, inARow(x)); \\
  }
${Object.values(u)
  .map((code) => `UNARY(${code})`)
  .join('\n')}

KERNEL classify(int code, const float *x, u8 *out, int n) {
  makeRows(out, 1, n, [=](float value) { return classOf(code, value); }, inARow(x));
}
KERNEL logicalNot(const u8 *x, u8 *out, int n) {
  makeRows(out, 1, n, [](u8 value) -> u8 { return !value; }, inARow(x));
}
KERNEL addInto(const float *x, float *out, int n, float scale) {
  makeRows(out, 1, n, [=](float sum, float value) { return sum + scale * value; }, inARow((const float *)out), inARow(x));
}

INLINE float activated(float value, int activation) {
  switch (activation) {
    case ${activationCodes.relu}: return value < 0 ? 0 : value;
    case ${activationCodes.relu6}: return value < 0 ? 0 : value > 6 ? 6 : value;
    case ${activationCodes.sigmoid}: return sigmoid(value);
    case ${activationCodes.tanh}: return tanhf(value);
  }
  return value;
}
// After a product: x [n / columns, columns] with a pitch between rows, bias [columns] or none.
KERNEL biasActivate(float *x, const float *bias, int activation, int n, int columns, int pitch) {
  if (pitch != columns) {
    EACH(i, n) {
      unsigned row = i / (unsigned)columns, column = i - row * columns;
      long long at = (long long)row * pitch + column;
      x[at] = activated(x[at] + (bias ? bias[column] : 0), activation);
    }
  } else if (bias) {
    Operand<float> values{x, columns, 1}, biases{bias, 0, 1};
    makeRows(x, n / columns, columns, [=](float a, float b) { return activated(a + b, activation); }, values, biases);
  } else makeRows(x, 1, n, [=](float a) { return activated(a, activation); }, inARow((const float *)x));
}

#define FILL(NAME, T) \\
  KERNEL fill_##NAME(int, T *out, int n, double value) { makeRows(out, 1, n, [=] { return (T)value; }); }
${typeCodes.map((code) => `FILL(${code}, ${types[code]})`).join('\n')}

// With the plus a byte becomes an int.
#define CAST(FROM, TO, S, T) \\
  KERNEL cast_##FROM##_##TO(int, int, const S *x, T *out, int n) { \\
    makeRows(out, 1, n, [](S value) { return converted(+value, (T)0); }, inARow(x)); \\
  }
${typeCodes.flatMap((from) => typeCodes.map((to) => `CAST(${from}, ${to}, ${types[from]}, ${types[to]})`)).join('\n')}

#define SELECT(BYTES, T) \\
  KERNEL select_##BYTES(const u8 *condition, const T *a, const T *b, T *out, int n, int inner, int) { \\
    bool isPlain = inner == 1; \\
    Operand<u8> conditions{condition, 1, isPlain}; \\
    Operand<T> as{a, inner, 1}, bs{b, inner, 1}; \\
    auto choose = [](u8 isFirst, T x, T y) { return isFirst ? x : y; }; \\
    makeRows(out, isPlain ? 1 : n, isPlain ? n : inner, choose, conditions, as, bs); \\
  }
SELECT(1, u8)
SELECT(4, int)
`,
  elementwiseOptions,
)

const binaryModule = defineModule(
  'binary',
  `${elementwiseFunctions}${foursSource}
#define ROW_ARGUMENTS int rows, int inner, int rowStrideA, int stepA, int rowStrideB, int stepB
#define ROWS(T, FUNCTION) \\
  auto of = [=](T x, T y) { return FUNCTION(code, x, y); }; \\
  makeRows(out, rows, inner, of, Operand<T>{a, rowStrideA, stepA}, Operand<T>{b, rowStrideB, stepB});
#define BINARY(CODE, DTYPE, T) \\
  KERNEL binary_##DTYPE##_##CODE(int, int, const T *a, const T *b, T *out, ROW_ARGUMENTS) { \\
    constexpr int code = CODE; \\
    ROWS(T, binaryOf) \\
  }
#define COMPARE(DTYPE, T) \\
  KERNEL compare_##DTYPE(int code, int, const T *a, const T *b, u8 *out, ROW_ARGUMENTS) { ROWS(T, compareOf) }

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
  elementwiseOptions,
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
