/** Element by element: functions of one and two tensors, relations, choices, conversions. @module */

import type { TensorKernels } from '../../device-backend.js'
import { activationCodes, binaryCodes as b, dtypeCodes, unaryCodes as u } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import { elementwiseFunctions, elementwiseOptions, types } from './elementwise-functions.js'
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
  `${elementwiseFunctions}
#define UNARY(CODE) \\
  KERNEL unary_##CODE(int, const float *x, float *out, int n, float alpha, float beta) { \\
    EACH(i, n) out[i] = unaryOf(CODE, x[i], alpha, beta); \\
  }
${Object.values(u)
  .map((code) => `UNARY(${code})`)
  .join('\n')}

KERNEL classify(int code, const float *x, u8 *out, int n) { EACH(i, n) out[i] = classOf(code, x[i]); }
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
  elementwiseOptions,
)

const binaryModule = defineModule(
  'binary',
  `${elementwiseFunctions}
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
