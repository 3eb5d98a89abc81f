/** The figures of all-reduce for people. @module */

import { alignColumns } from '../align.js'
import { type Contender, contenders } from './order.js'
import type { AllReduceFigures, SizeFigures } from './run.js'

/** A line per size, with dcml's rates, and what the others need; then why figures are missing. */
export function formatAllReduce({
  transport,
  workers,
  algorithm,
  rounds,
  sizes,
  versions,
  missing,
}: AllReduceFigures): string {
  const columns = contenders.filter((contender) => sizes.some(({ results }) => results[contender]))
  const rows = [
    [
      'size',
      ...columns.flatMap((contender) =>
        contender === 'dcml' ? ['dcml us', 'alg GB/s', 'bus GB/s'] : [`${contender} us`],
      ),
    ],
    ...sizes.map(({ bytes, results }) => [
      sizeText(bytes),
      ...columns.flatMap((contender) => cells(contender, results[contender])),
    ]),
  ]
  const lines = alignColumns(rows, 0)
  const reasons = Object.entries(missing).map(([contender, reason]) => `${contender}: ${reason}.`)
  const about = Object.entries(versions).map(([contender, version]) => `${contender}: ${version}.`)
  return [
    `All-reduce of float32 over ${transport}, ${workers} workers, algorithm '${algorithm}'; results checked.`,
    '',
    ...lines,
    '',
    `Medians of ${rounds} round${rounds > 1 ? 's' : ''}. In brackets: how many times as fast as it dcml is.`,
    ...about,
    ...reasons,
  ].join('\n')
}

function cells(contender: Contender, figures: SizeFigures | undefined): string[] {
  if (!figures) return contender === 'dcml' ? ['-', '-', '-'] : ['-']
  const { medianUs, algorithmGBps, busGBps, ratio } = figures
  if (contender === 'dcml') return [timeText(medianUs), algorithmGBps.toPrecision(3), busGBps.toPrecision(3)]
  return [ratio === undefined ? timeText(medianUs) : `${timeText(medianUs)} (${ratio.toPrecision(3)})`]
}

const timeText = (us: number) => (us < 1000 ? us.toPrecision(3) : us.toFixed(0))

function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1e6 ? `${bytes / 1000} kB` : `${bytes / 1e6} MB`
}
