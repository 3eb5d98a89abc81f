/** Rows that cannot be read: refused, or left out, counted and told. @module */

import { ConfigError, DataError } from '../core/index.js'

/**
 * What happens at a row that cannot be read. `'throw'` ends the pass with an error; `'skip'` leaves the row out and keeps
 * the first few as examples; `'collect'` leaves it out and keeps every one. Rows left out are counted, and a warning
 * tells their number at the end of the pass.
 */
export type OnError = 'throw' | 'skip' | 'collect'

/** A row that was left out. */
export interface BadRow {
  file: string
  /** In a text file: the line, from 1. */
  line?: number
  /** In any other: the number of the row, from 0. */
  row?: number
  column?: string
  /** As text; a long one is cut. */
  value?: string
  /** What is wrong with it. */
  problem: string
}

/** What is wrong with a row. */
export interface RowProblem {
  what: string
  column?: string | undefined
  value?: unknown
  expected?: string
  remedy?: string
  /** What is thrown in place of these words. */
  error?: DataError
}

const MEND = "Mend the file, or pass onError: 'skip' to leave such rows out"

/** Examples that are kept, and told. */
const EXAMPLES = 3

/** Rows noted at most before they are settled. */
const MAX_WAITING = 4096

/** The rows that the latest pass over a file left out. */
export interface BadRows {
  /** How many. */
  readonly count: number
  /** All of them, with `onError: 'collect'`; with `'skip'` the first three. */
  readonly rows: readonly BadRow[]
}

/** Judges bad rows, pass by pass. */
export class BadRowLog implements BadRows {
  readonly #onError: OnError
  #latest = { count: 0, rows: [] as BadRow[] }
  #told = 0

  /** @throws {ConfigError} for another word. */
  constructor(onError: OnError = 'throw') {
    if (!['throw', 'skip', 'collect'].includes(onError))
      throw new ConfigError('onError is unknown.', { expected: "'throw', 'skip' or 'collect'", received: onError })
    this.#onError = onError
  }

  get count(): number {
    return this.#latest.count
  }

  get rows(): readonly BadRow[] {
    return this.#latest.rows
  }

  /** Starts to count anew. */
  startPass(file: string): BadRowPass {
    const found = { count: 0, rows: [] as BadRow[] }
    this.#latest = found
    let waiting: { place: Place; problem: RowProblem }[] = []
    const settle = () => {
      const settled = waiting.sort((a, b) => numberOf(a.place) - numberOf(b.place))
      waiting = []
      for (const { place, problem } of settled) {
        if (this.#onError === 'throw')
          throw problem.error ?? rowError(whereIs(file, place), { remedy: MEND, ...problem })
        found.count++
        if (this.#onError === 'collect' || found.rows.length < EXAMPLES) found.rows.push(badRow(file, place, problem))
      }
    }
    return {
      add(place, problem) {
        if (waiting.push({ place, problem }) === MAX_WAITING) settle()
      },
      settle,
      end: () => {
        if (found.count <= this.#told) return
        this.#told = found.count
        console.warn(warningOf(file, found))
      },
      get count() {
        return found.count
      },
    }
  }
}

/** What one pass says of bad rows. */
export interface BadRowPass {
  /** Rows left out so far. */
  readonly count: number
  /** Notes a row. */
  add(place: Place, problem: RowProblem): void
  /** Throws for the first row noted since, or leaves all of them out: once a chunk, for its rows are not noted in order. */
  settle(): void
  /** Tells how many rows were left out, unless an earlier pass told of as many. */
  end(): void
}

/** Where a row is. */
export type Place = { line: number } | { row: number }

/** The error of a row: where it is, what is wrong with it. */
export function rowError(where: string, { what, column, value, expected, remedy }: RowProblem): DataError {
  return new DataError(`${where}${inColumn(column)}: ${what}.`, {
    ...(expected !== undefined && { expected }),
    ...(value !== undefined && { received: textOfValue(value) }),
    ...(remedy !== undefined && { remedy }),
  })
}

const numberOf = (place: Place) => ('line' in place ? place.line : place.row)
const inColumn = (column: string | undefined) => (column === undefined ? '' : `, column "${column}"`)
const whereIs = (file: string, place: Place) =>
  `${file}, ${'line' in place ? `line ${place.line}` : `row ${place.row}`}`

function badRow(file: string, place: Place, { what, column, value, expected }: RowProblem): BadRow {
  return {
    file,
    ...place,
    ...(column !== undefined && { column }),
    ...(value !== undefined && { value: textOfValue(value) }),
    problem: expected === undefined ? what : `${what}: expected ${expected}`,
  }
}

function warningOf(file: string, { count, rows }: { count: number; rows: readonly BadRow[] }): string {
  const examples = rows.slice(0, EXAMPLES).map(({ column, value, problem, ...place }) => {
    return `  ${whereIs(file, place as Place)}${inColumn(column)}: ${problem}${value === undefined ? '' : `; received ${value}`}`
  })
  const more = count > examples.length ? [`  and ${count - examples.length} more`] : []
  const rowsWere = count === 1 ? '1 row was' : `${count} rows were`
  return [`dcml: ${rowsWere} left out of ${file}:`, ...examples, ...more].join('\n')
}

function textOfValue(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item)) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}...` : text
}
