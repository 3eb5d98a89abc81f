/**
 * One run of the model at a time, however many ask for one.
 *
 * Owns: whose turn it is, and which of those that wait go together.
 * Leaves: the run itself to whoever made the queue.
 * @module
 */

import { CallQueue, type Deferred, deferred, sameShape } from '../core/index.js'
import { type Columns, concatColumns, gatherRows, rowsOf } from '../data/index.js'
import type { Outputs } from '../engine/index.js'

/** Columns that wait for their turn. */
interface Job {
  columns: Columns
  outputs: Deferred<Outputs>
}

/**
 * Queues calls. Those that wait at the same time, with rows of the same columns and shapes, are run as one batch: many
 * small calls cost little more than one.
 */
export class RunQueue {
  readonly #calls = new CallQueue()
  readonly #run: (columns: Columns) => Promise<Outputs>
  readonly #mostRows: number
  #waiting: Job[] = []

  /** @param mostRows - Calls are joined up to so many rows. */
  constructor(run: (columns: Columns) => Promise<Outputs>, mostRows: number) {
    this.#run = run
    this.#mostRows = mostRows
  }

  /** @param columns - What the model reads, and nothing else: at least one row. */
  run(columns: Columns): Promise<Outputs> {
    const outputs = deferred<Outputs>()
    this.#waiting.push({ columns, outputs })
    void this.#calls.run(() => this.#turn())
    return outputs.promise
  }

  /** Runs something else that must have the model for itself. */
  exclusively<T>(operation: () => Promise<T>): Promise<T> {
    return this.#calls.run(operation)
  }

  /** Rejects all that wait. */
  clear(reason: unknown): void {
    for (const { outputs } of this.#waiting.splice(0)) outputs.reject(reason)
  }

  /** Serves the call that has waited longest and those that can go with it; an earlier turn may have served all. */
  async #turn(): Promise<void> {
    const jobs = this.#takeAlike()
    if (jobs.length === 0) return
    try {
      const outputs = await this.#run(jobs.length === 1 ? jobs[0]!.columns : joined(jobs, this.#mostRows))
      let from = 0
      for (const { columns, outputs: own } of jobs) {
        const to = from + rowsOf(columns)
        own.resolve(jobs.length === 1 ? outputs : rowsOfOutputs(outputs, from, to))
        from = to
      }
    } catch (error) {
      for (const { outputs } of jobs) outputs.reject(error)
    }
  }

  #takeAlike(): Job[] {
    const [first] = this.#waiting
    if (!first) return []
    const taken: Job[] = []
    let rows = 0
    this.#waiting = this.#waiting.filter((job) => {
      const more = rowsOf(job.columns)
      const fits = job === first || (rows + more <= this.#mostRows && alike(job.columns, first.columns))
      if (!fits) return true
      taken.push(job)
      rows += more
      return false
    })
    return taken
  }
}

/** Whether rows of both can be rows of one batch. */
function alike(a: Columns, b: Columns): boolean {
  return Object.entries(a).every(([name, { data, shape }]) => {
    const other = b[name]
    return other && data.constructor === other.data.constructor && sameShape(shape.slice(1), other.shape.slice(1))
  })
}

/**
 * All rows as one batch, the last one repeated up to a power of two: an engine that keeps a program for each number of
 * rows then has few of them, whatever comes together.
 */
function joined(jobs: readonly Job[], mostRows: number): Columns {
  const columns = concatColumns(jobs.map((job) => job.columns))
  const rows = rowsOf(columns)
  const padded = Math.min(2 ** Math.ceil(Math.log2(rows)), mostRows)
  return gatherRows(
    columns,
    Uint32Array.from({ length: padded }, (_, row) => Math.min(row, rows - 1)),
  )
}

function rowsOfOutputs({ data, shape }: Outputs, from: number, to: number): Outputs {
  const width = data.length / shape[0]!
  return { data: data.slice(from * width, to * width), shape: [to - from, ...shape.slice(1)] }
}
