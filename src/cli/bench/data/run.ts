/**
 * `dcml bench data`: measures work on data, beside what else does it.
 *
 * Owns: the order of turns, medians, ratios, targets, the table.
 * Leaves: the work to the cases.
 * @module
 */

import { alignColumns } from '../align.js'
import { median } from '../figures.js'
import { showProgress, writeFigures } from '../report.js'
import { type DataCase, dataCases, type Turn } from './cases.js'

/** Options of the command. */
export interface BenchDataOptions {
  case?: string[]
  rounds: number
  json?: string
}

/** One case, as `--json` writes it. */
type DataFigures = { name: string; work: string; over: string } & (
  | {
      /** Medians, in seconds, and every round. */
      dcml: { median: number; rounds: number[] }
      other: { median: number; rounds: number[] }
      /** Speed of dcml over that of the other. */
      ratio: number
      target: { atLeast: number; met: boolean }
    }
  | { skipped: string }
  | { error: string }
)

/** Measures and reports. */
export async function runBenchData({ case: names, rounds, json }: BenchDataOptions): Promise<void> {
  // Before the measurements, so that a path that cannot be written shows at once.
  if (json !== undefined) await writeFigures(json, {})
  const cases: DataFigures[] = []
  for (const dataCase of dataCases.filter(({ name }) => !names || names.includes(name)))
    cases.push(await measure(dataCase, rounds))
  showProgress('')
  console.log(formatData(cases))
  if (json !== undefined) await writeFigures(json, { rounds, cases })
  if (cases.some((figures) => 'error' in figures)) process.exitCode = 1
}

/** The contenders take turns, so that what disturbs the machine meets both. */
async function measure({ name, work, over, atLeast, prepare }: DataCase, rounds: number): Promise<DataFigures> {
  showProgress(`${name}: making data`)
  const about = { name, work, over }
  const contest = await prepare()
  if ('skipped' in contest) return { ...about, ...contest }
  try {
    const times = { dcml: [] as number[], other: [] as number[] }
    for (let round = 0; round <= rounds; round++)
      for (const contender of ['dcml', 'other'] as const) {
        showProgress(`${name}: round ${round} of ${rounds}, ${contender === 'dcml' ? contender : over}`)
        const turn: Turn = await contest[contender]()
        if (typeof turn !== 'number') return { ...about, ...turn }
        // The first is the warm-up.
        if (round > 0) times[contender].push(turn)
      }
    const [dcml, other] = [times.dcml, times.other].map((own) => ({ median: median(own), rounds: own }))
    const ratio = other!.median / dcml!.median
    return { ...about, dcml: dcml!, other: other!, ratio, target: { atLeast, met: ratio >= atLeast } }
  } finally {
    await contest.close?.()
  }
}

function formatData(cases: readonly DataFigures[]): string {
  const milliseconds = ({ median: seconds }: { median: number }) => `${(seconds * 1000).toPrecision(3)} ms`
  const rows = [
    ['case', 'dcml', 'other', 'ratio', 'target', 'beside'],
    ...cases.map((figures) => {
      if (!('ratio' in figures)) return [figures.name, '-', '-', '-', '-', figures.over]
      const { name, over, dcml, other, ratio, target } = figures
      return [
        name,
        milliseconds(dcml),
        milliseconds(other),
        ratio.toFixed(2),
        `${target.atLeast}, ${target.met ? 'met' : 'missed'}`,
        over,
      ]
    }),
  ]
  const lines = alignColumns(rows, Number.POSITIVE_INFINITY)
  const reasons = cases.flatMap((figures) =>
    'ratio' in figures
      ? []
      : [`No figure of ${figures.name}: ${'skipped' in figures ? figures.skipped : figures.error}`],
  )
  const works = cases.map(({ name, work }) => `${name}: ${work}.`)
  return [...lines, '', 'Medians; the ratio is the speed of dcml over that of the other.', ...works, ...reasons].join(
    '\n',
  )
}
