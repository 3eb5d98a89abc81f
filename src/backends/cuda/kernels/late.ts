/**
 * Kernels that find some of their arguments in memory when they run, not in the launch: what changes from run to run of a
 * graph. ../cells.ts says how they lie there.
 * @module
 */

import { callForm, type ProgramCallName } from '../../wasm/program/call-table.js'
import { gatherInCells } from './copies.js'
import { defineModule, type Launch } from './kernel-module.js'
import { philoxInCells } from './random.js'
import { type RuleName, ruleInCells } from './updates.js'

/** Indices of the arguments that are addresses of cells, by kernel. */
export const lateArguments = {
  gather: [0, 1],
  philoxFill: [6, 7],
  totals: [3],
  sgd: floatsOf('sgd'),
  adam: floatsOf('adam'),
  rmsprop: floatsOf('rmsprop'),
  adagrad: floatsOf('adagrad'),
} as const satisfies Partial<Record<ProgramCallName, readonly number[]>>

/** A kernel that has such a form. */
export type LateName = keyof typeof lateArguments

/**
 * Starts one.
 *
 * @param values - The arguments as in its other form, but addresses of cells where it has them.
 * @param stop - Address of an int32 that says whether the runs have stopped.
 */
type LateKernel = (values: readonly number[], stop: number) => void

/** All of them. */
export type LateKernels = Readonly<Record<LateName, LateKernel>> & {
  /** Sets the cells for the next run: see `Cells.row`. */
  takeRow(values: readonly number[]): void
}

const courseModule = defineModule(
  'course',
  `
typedef unsigned long long u64;
KERNEL takeRow(int *run, u64 *cells, const u64 *rows, int width) {
  __shared__ int row;
  if (threadIdx.x == 0) row = (*run)++;
  __syncthreads();
  for (int i = threadIdx.x; i < width; i += blockDim.x) cells[i] = rows[(long long)row * width + i];
}
// out[i] = the sum of the elements offset + i of the ranges. The first is the loss: no finite number stops the runs.
KERNEL totals(const float *const *ranges, int count, int offset, float *const *out, int n, int *stop) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float sum = 0;
    for (int range = 0; range < count; range++) sum += ranges[range][offset + i];
    (*out)[i] = sum;
    if (i == 0 && !(fabsf(sum) < infinity())) *stop = 1;
  }
}
`,
)

export const lateModules = [courseModule]

/** The kernels on a device. */
export function lateKernels(launch: Launch): LateKernels {
  const block = { blocks: 1, threads: 32 }
  const rule = (name: RuleName) => ruleInCells(launch, name)
  return {
    takeRow: (values) => launch(courseModule, 'takeRow', { arguments: 'uwrn' }, block, values),
    totals: (values, stop) => launch(courseModule, 'totals', { arguments: 'rnnrnu' }, block, [...values, stop]),
    gather: gatherInCells(launch),
    philoxFill: philoxInCells(launch),
    sgd: rule('sgd'),
    adam: rule('adam'),
    rmsprop: rule('rmsprop'),
    adagrad: rule('adagrad'),
  }
}

function floatsOf(name: RuleName): number[] {
  return [...callForm(name).arguments].flatMap((kind, i) => (kind === 'f' ? [i] : []))
}
