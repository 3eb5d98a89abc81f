/** The data that a command is given, and how it is made to fit a saved model. @module */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Columns,
  concat,
  DataError,
  type Dataset,
  type Predictor,
  Preprocessor,
  rename,
  select,
} from '../index.js'
import { findMnist, mnistFolder, sources } from '../node.js'

/** What data may be, for the help of commands. */
export const DATA_HELP =
  'a .csv, .tsv, .jsonl, .npy or .idx file, gzipped or not; a folder of .npy and .idx files, each a column; ' +
  'a folder with the idx files of MNIST; or "mnist"'

/** How data is read. */
export interface DataOptions {
  /** Half of MNIST. */
  split: 'train' | 'test'
  /** Column to predict. */
  target: string
}

/** Opens a file, a folder, or MNIST by name. */
export async function openData(data: string, { split }: DataOptions): Promise<Dataset> {
  if (data === 'mnist') {
    const { dir, tried } = await findMnist()
    if (dir !== undefined) return sources.mnist({ dir, split })
    throw new DataError('MNIST was not found.', { remedy: `Name its folder. Tried: ${tried.join('; ')}` })
  }
  const found = await stat(data).catch((cause) => {
    throw new DataError(`The data ${data} cannot be read: ${cause.message}`, { cause, expected: DATA_HELP })
  })
  if (!found.isDirectory()) return openFile(data)
  if (mnistFolder(data) !== undefined) return sources.mnist({ dir: data, split })
  return openFolder(data)
}

function openFile(path: string): Dataset {
  const name = path.replace(/\.gz$/, '')
  if (name.endsWith('.csv')) return sources.csv(path)
  if (name.endsWith('.tsv')) return sources.csv(path, { delimiter: '\t' })
  if (/\.(jsonl|ndjson)$/.test(name)) return sources.jsonl(path)
  if (name.endsWith('.npy')) return sources.npy(path)
  if (isIdx(name)) return sources.idx(path)
  throw new DataError(`The data ${path} is of no kind that can be read.`, { expected: DATA_HELP })
}

async function openFolder(folder: string): Promise<Dataset> {
  const names = await readdir(folder)
  for (const [isOfFormat, read] of [
    [(name: string) => name.endsWith('.npy'), sources.npy],
    [isIdx, sources.idx],
  ] as const) {
    const files = names.filter((name) => isOfFormat(name.replace(/\.gz$/, '')))
    if (files.length > 0)
      return read(Object.fromEntries(files.map((name) => [name.replace(/[.-].*/, ''), join(folder, name)])))
  }
  throw new DataError(`The folder ${folder} holds no data.`, { expected: DATA_HELP })
}

const isIdx = (name: string) => /(\.idx|-ubyte)$/.test(name)

/** The first rows, for a look at columns and values. */
export async function firstRows(dataset: Dataset): Promise<Columns> {
  for await (const batch of dataset.batches()) return batch
  throw new DataError('The data has no rows.')
}

/**
 * Data as the model was given it. Where the model reads one column `x` and the data has none, all columns but the
 * target become `x`, in their order; the target becomes `y`, unless the preprocessor knows it by its own name.
 *
 * @param options - `use`: whether the target is needed, or left out.
 */
export async function fitToModel(
  dataset: Dataset,
  { model, preprocessor }: Predictor,
  { target, use }: { target: string; use: 'evaluate' | 'predict' },
): Promise<Dataset> {
  const first = await firstRows(dataset)
  const names = Object.keys(first)
  const features = names.filter((name) => name !== target)
  if (use === 'evaluate' && !Object.hasOwn(first, target))
    throw new DataError(`The data has no column "${target}" to compare with.`, {
      received: `the columns ${names.join(', ')}`,
      remedy: 'Name it with --target',
    })
  const steps = []
  const isJoined = model.inputs.length === 1 && isRead('x', preprocessor) && !fills(first.x, model.inputs[0]!.shape)
  if (isJoined) steps.push(concat(features))
  if (use === 'predict') steps.push(select(isJoined ? 'x' : features))
  else if (target !== 'y' && !isRead(target, preprocessor)) steps.push(rename({ [target]: 'y' }))
  return new Preprocessor(steps).transform(dataset)
}

/** Whether a column is needed as the data has it, by the preprocessor or the model. */
function isRead(name: string, preprocessor: Preprocessor | undefined): boolean {
  for (const { reads, makes } of preprocessor?.steps ?? []) {
    const isMade = makes !== 'rows' && makes.includes(name)
    if (reads === 'all' ? isMade : reads.includes(name)) return true
    if (isMade) return false
  }
  return name === 'x'
}

/** Whether a column is there that fills the input `[null, ...]` of a model; text is left to the preprocessor. */
function fills(column: Columns[string] | undefined, input: readonly (number | null)[]): boolean {
  if (!column || Array.isArray(column.data) || input.slice(1).includes(null)) return column !== undefined
  const size = (shape: readonly (number | null)[]) => shape.slice(1).reduce<number>((all, n) => all * n!, 1)
  return size(column.shape) === size(input)
}
