/** From the times of single operations to rates, shares and targets. @module */

import { alignColumns } from '../align.js'
import { median } from '../figures.js'
import { copyName, type Operation, type Sizes } from './operations.js'

/** One operation, as `--json` writes it. */
export type OperationFigures = { name: string; unit: Operation['unit'] } & (
  | {
      /** Microseconds per call of dcml, the median of the rounds. */
      us: number
      rate: number
      /** Those of PyTorch; absent where it is not here or sees no GPU. */
      pytorchUs?: number
      /** Speed of dcml over that of PyTorch. */
      ratio?: number
      /** Bandwidth over that of the copy in the same run, of what memory bounds. */
      ofCopy?: number
      target?: { over: 'pytorch' | 'copy'; atLeast: number; ratio: number; met: boolean }
    }
  | { error: string }
)

/** Times of one operation, round by round; or why there are none. */
export interface OperationTimes {
  us: number[]
  pytorchUs: number[]
  error?: string
}

/** Sums up the rounds of all operations. */
export function operationFigures(
  operations: readonly Operation[],
  timesOf: ReadonlyMap<string, OperationTimes>,
  sizes: Sizes,
): OperationFigures[] {
  const rateOf = (operation: Operation): number | undefined => {
    const times = timesOf.get(operation.name)
    return times && times.error === undefined ? operation.work(sizes) / (median(times.us) / 1e6) : undefined
  }
  const reference = operations.find(({ name }) => name === copyName)
  const copyRate = reference && rateOf(reference)
  return operations.map((operation) => {
    const { name, unit, target } = operation
    const times = timesOf.get(name)!
    if (times.error !== undefined) return { name, unit, error: times.error }
    const us = median(times.us)
    const rate = rateOf(operation)!
    const pytorchUs = times.pytorchUs.length > 0 ? median(times.pytorchUs) : undefined
    const ratio = pytorchUs && pytorchUs / us
    const ofCopy = copyRate !== undefined && unit === 'GB/s' && name !== copyName ? rate / copyRate : undefined
    const reached = target?.over === 'copy' ? ofCopy : ratio
    return {
      name,
      unit,
      us,
      rate,
      ...(pytorchUs !== undefined && { pytorchUs, ratio }),
      ...(ofCopy !== undefined && { ofCopy }),
      ...(target && reached !== undefined && { target: { ...target, ratio: reached, met: reached >= target.atLeast } }),
    } as OperationFigures
  })
}

/** The figures for people. */
export function operationTable(figures: readonly OperationFigures[]): string {
  const rows = figures.map((of) => {
    if ('error' in of) return [of.name, '-', '-', '-', '-', '-', '']
    const share = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2))
    const { target, pytorchUs } = of
    return [
      of.name,
      of.us.toFixed(1),
      `${of.rate.toFixed(of.rate < 100 ? 1 : 0)} ${of.unit.padEnd(7)}`,
      share(of.ofCopy),
      pytorchUs === undefined ? '-' : pytorchUs.toFixed(1),
      share(of.ratio),
      target ? `${target.atLeast} x ${target.over}: ${target.met ? 'met' : 'missed'}` : '',
    ]
  })
  const errors = figures.flatMap((of) => ('error' in of ? [`No figure of ${of.name}: ${of.error}`] : []))
  const head = ['operation', 'us', 'rate', 'of copy', 'PyTorch us', 'x PyTorch', 'target']
  return [...alignColumns([head, ...rows], 1), ...errors].join('\n')
}
