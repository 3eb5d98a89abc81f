/** Work beside scikit-learn, in a Python that stays for all rounds. @module */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Dataset, evaluatePredictions, Preprocessor, Random, robust, type Step, standardize } from '../../../index.js'
import { firstThatRuns, oneThread } from '../run-child.js'
import type { Contest, DataCase, Turn } from './cases.js'
import program from './with_sklearn.py'

const ROWS = 1_000_000
const COLUMNS = 30

/** Fit and transform, beside StandardScaler. */
export const standardizeCase = scalingCase('standardize', () => standardize('x'))

/** Fit and transform, beside RobustScaler: exact quantiles there, a sketch of bounded memory here. */
export const robustCase = scalingCase('robust', () => robust('x'))

function scalingCase(name: string, step: () => Step): DataCase {
  return {
    name,
    work: `fit and transform of ${ROWS} rows of ${COLUMNS} float32`,
    over: 'scikit-learn',
    atLeast: 1,
    prepare: () => {
      const random = new Random(2)
      const data = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => (i % COLUMNS) + 4 * random.uniform())
      const columns = { x: { data, shape: [ROWS, COLUMNS] } }
      const work = async () => {
        const preprocessor = await new Preprocessor([step()]).fit(Dataset.fromArrays(columns))
        preprocessor.transformColumns(columns)
      }
      return beside(name, { x: data }, work, [String(COLUMNS)])
    },
  }
}

/** Of two classes, beside roc_auc_score. */
export const rocAucCase: DataCase = {
  name: 'rocAuc',
  work: `ROC AUC of ${ROWS} scores of two classes`,
  over: 'scikit-learn',
  atLeast: 1,
  prepare: () => {
    const random = new Random(3)
    const truth = Int32Array.from({ length: ROWS }, () => random.integer(2))
    const scores = Float64Array.from(truth, (label) => 1 / (1 + Math.exp(-random.normal() - label)))
    const work = async () => {
      evaluatePredictions({ truth, scores }, ['rocAuc'])
    }
    return beside('rocAuc', { truth, scores }, work)
  },
}

/** The same arrays for both, as files for Python. */
async function beside(
  name: string,
  arrays: Record<string, Float32Array | Float64Array | Int32Array>,
  work: () => Promise<void>,
  args: readonly string[] = [],
): Promise<Contest | { skipped: string }> {
  const python = await firstThatRuns(['python3', '/usr/bin/python3', 'python'], ['-c', 'import sklearn'])
  if (python === undefined) return { skipped: 'no Python with scikit-learn was found' }
  const folder = await mkdtemp(join(tmpdir(), 'dcml-bench-'))
  for (const [file, array] of Object.entries(arrays)) await writeFile(join(folder, file), array)
  const child = spawn(python, ['-c', program, name, folder, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...oneThread },
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ended = once(child, 'close')
  // Its first line says that it has read the data.
  await lines.next()
  return {
    dcml: async () => {
      const start = performance.now()
      await work()
      return (performance.now() - start) / 1000
    },
    other: async (): Promise<Turn> => {
      child.stdin.write('\n')
      const { value, done } = await lines.next()
      return done ? { error: `scikit-learn ended with ${(await ended)[0]}` } : Number(value)
    },
    close: async () => {
      child.stdin.end()
      await ended
      await rm(folder, { recursive: true })
    },
  }
}
