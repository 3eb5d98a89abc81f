/** The figures of kernels for people. @module */

import { alignColumns } from './align.js'
import type { KernelFigures, Peaks } from './kernels.js'

// Rounds on a machine that does nothing else differ by less.
const QUIET = 1.25

/** A line per kernel and shape, what the shares refer to, and whether the machine was quiet. */
export function formatKernels({
  backend,
  peaks,
  kernels,
}: {
  backend: string
  peaks: Peaks
  kernels: readonly KernelFigures[]
}): string {
  const rows = [
    ['kernel', 'shape', 'us', 'median', 'speed', 'of peak'],
    ...kernels.map(({ kernel, shape, minUs, medianUs, rate, unit, share }) => [
      kernel,
      shape,
      minUs.toFixed(1),
      medianUs.toFixed(1),
      `${rate.toFixed(1)} ${unit.padEnd('GFLOP/s'.length)}`,
      `${(share * 100).toFixed(0)}%`,
    ]),
  ]
  const lines = alignColumns(rows, 2)
  const { gflops, copyGBps } = peaks
  return [
    `Backend: ${backend}`,
    '',
    ...lines,
    '',
    `Peaks: ${gflops.toFixed(1)} GFLOP/s, the fastest product; ${copyGBps.toFixed(1)} GB/s, a copy of 256 KiB in JavaScript.`,
    'Times are those of the shortest round and the median of all; speeds are those of the shortest.',
    ...noise(kernels),
  ].join('\n')
}

/** Tells when the rounds of one kernel differ so much that the medians mean little. */
function noise(kernels: readonly KernelFigures[]): string[] {
  const times = ({ medianUs, minUs }: KernelFigures) => medianUs / minUs
  const worst = kernels.reduce((a, b) => (times(b) > times(a) ? b : a))
  if (times(worst) < QUIET) return []
  return [
    `Not a quiet machine: the median is up to ${times(worst).toFixed(1)} times the shortest (${worst.kernel} ${worst.shape}).`,
  ]
}
