/** Reading a table of numbers, beside csv-parse, a parser for Node. @module */

import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../index.js'
import { sources } from '../../../node.js'
import type { DataCase, Turn } from './cases.js'

const ROWS = 100_000
const COLUMNS = 10
// A name in a variable keeps the package out of the build: no user of dcml needs it.
const PARSER = 'csv-parse'

/** Typed columns by `sources.csv`, beside rows of strings by csv-parse, which leaves the numbers to its user. */
export const csvCase: DataCase = {
  name: 'csv',
  work: `a file of ${ROWS} rows of ${COLUMNS} numbers, read from disk`,
  over: 'csv-parse',
  atLeast: 0.5,
  async prepare() {
    const parser = (await import(PARSER).catch(() => undefined)) as typeof import('csv-parse') | undefined
    if (!parser) return { skipped: 'csv-parse is not installed' }
    const folder = await mkdtemp(join(tmpdir(), 'dcml-bench-'))
    const path = join(folder, 'table.csv')
    await writeFile(path, tableText())
    return {
      dcml: () => timed(sources.csv(path).batches()),
      other: () => timed(createReadStream(path).pipe(parser.parse())),
      close: () => rm(folder, { recursive: true }),
    }
  },
}

/** Seconds to read all. */
async function timed(stream: AsyncIterable<unknown>): Promise<Turn> {
  const start = performance.now()
  for await (const _ of stream);
  return (performance.now() - start) / 1000
}

function tableText(): string {
  const random = new Random(1)
  const line = (value: (column: number) => string) => Array.from({ length: COLUMNS }, (_, i) => value(i)).join(',')
  const rows = Array.from({ length: ROWS }, () => line(() => (20 * random.uniform() - 10).toFixed(5)))
  return `${line((column) => `f${column}`)}\n${rows.join('\n')}\n`
}
