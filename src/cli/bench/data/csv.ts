/** Reading a table of numbers, beside its parser alone. @module */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Papa from 'papaparse'
import { Random } from '../../../index.js'
import { sources } from '../../../node.js'
import type { DataCase } from './cases.js'

const ROWS = 100_000
const COLUMNS = 10

/** Typed columns by `sources.csv`, beside rows of strings by Papa Parse, in memory all at once; dcml reads by it too. */
export const csvCase: DataCase = {
  name: 'csv',
  work: `a file of ${ROWS} rows of ${COLUMNS} numbers, read from disk`,
  over: 'Papa Parse alone',
  atLeast: 0.5,
  async prepare() {
    const folder = await mkdtemp(join(tmpdir(), 'dcml-bench-'))
    const path = join(folder, 'table.csv')
    await writeFile(path, tableText())
    return {
      async dcml() {
        const start = performance.now()
        for await (const _ of sources.csv(path).batches());
        return (performance.now() - start) / 1000
      },
      async other() {
        const start = performance.now()
        Papa.parse(await readFile(path, 'utf8'), { delimiter: ',' })
        return (performance.now() - start) / 1000
      },
      close: () => rm(folder, { recursive: true }),
    }
  },
}

function tableText(): string {
  const random = new Random(1)
  const line = (value: (column: number) => string) => Array.from({ length: COLUMNS }, (_, i) => value(i)).join(',')
  const rows = Array.from({ length: ROWS }, () => line(() => (20 * random.uniform() - 10).toFixed(5)))
  return `${line((column) => `f${column}`)}\n${rows.join('\n')}\n`
}
