/** Random numbers that depend on seed, step and place alone. @module */

import type { TensorKernels } from '../../device-backend.js'
import { randomCodes } from '../../wasm/exports.js'
import { elementwiseOptions } from './elementwise-functions.js'
import { defineModule, each, type Launch } from './kernel-module.js'

/** How they are drawn: for the kernel by itself, and for chains. */
export const randomFunctions = `
// Philox 4x32-10; counter and key as in random-tensor.ts.
INLINE void philox(unsigned counter[4], unsigned k0, unsigned k1) {
  for (int round = 0; round < 10; round++) {
    unsigned long long p0 = 0xd2511f53ull * counter[0], p1 = 0xcd9e8d57ull * counter[2];
    unsigned c1 = counter[1], c3 = counter[3];
    counter[0] = (unsigned)(p1 >> 32) ^ c1 ^ k0;
    counter[1] = (unsigned)p1;
    counter[2] = (unsigned)(p0 >> 32) ^ c3 ^ k1;
    counter[3] = (unsigned)p0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
}
INLINE double uniformOf(unsigned word) { return (word >> 8) * (1.0 / 16777216); }
// The number of a lane of a block; the kind is a constant.
INLINE float drawOf(int kind, const unsigned words[4], int lane, double rate) {
  double value = uniformOf(words[lane]);
  if (kind == ${randomCodes.dropoutMask}) return (float)(value >= rate ? 1 / (1 - rate) : 0);
  if (kind != ${randomCodes.normal}) return (float)value;
  double radius = sqrt(-2 * log(1 - uniformOf(words[lane & 2])));
  double angle = 6.283185307179586 * uniformOf(words[(lane & 2) + 1]);
  return (float)(radius * (lane % 2 == 0 ? cos(angle) : sin(angle)));
}
`

const randomModule = defineModule(
  'random',
  `${randomFunctions}
// A thread for each four elements of a row.
INLINE void philoxRows(float *out, int rows, int rowSize, int kind, double rate, int seed, int step, int firstRow,
                       int stream) {
  unsigned groups = ((unsigned)rowSize + 3) / 4;
  EACH(i, rows * groups) {
    unsigned row = i / groups, group = i - row * groups;
    unsigned words[4] = {group, firstRow + row, (unsigned)step, (unsigned)stream};
    philox(words, seed, 0xffffffffu);
    for (int lane = 0; lane < 4 && group * 4 + lane < (unsigned)rowSize; lane++)
      out[(long long)row * rowSize + group * 4 + lane] = drawOf(kind, words, lane, rate);
  }
}
KERNEL philoxFill(float *out, int rows, int rowSize, int kind, double rate, int seed, int step, int firstRow,
                  int stream) {
  philoxRows(out, rows, rowSize, kind, rate, seed, step, firstRow, stream);
}
KERNEL philoxFillInCells(float *out, int rows, int rowSize, int kind, double rate, int seed, const int *step,
                         const int *firstRow, int stream) {
  philoxRows(out, rows, rowSize, kind, rate, seed, *step, *firstRow, stream);
}
`,
  elementwiseOptions,
)

export const randomModules = [randomModule]

export const randomKernels = (launch: Launch): Pick<TensorKernels, 'philoxFill'> => ({
  philoxFill: (...v) => philoxBy(launch, 'philoxFill', 'wnnndnnnn', v),
})

/** `philoxFill` that finds step and first row in cells. */
export const philoxInCells =
  (launch: Launch) =>
  (values: readonly number[]): void =>
    philoxBy(launch, 'philoxFillInCells', 'wnnndnrrn', values)

const philoxBy = (launch: Launch, name: string, kinds: string, values: readonly number[]) =>
  launch(randomModule, name, { arguments: kinds }, each(values[1]! * Math.ceil(values[2]! / 4), 1), values)
