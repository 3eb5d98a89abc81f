/** The data that a command is given, and how it is made to fit a saved model. @module */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Option } from 'commander'
import {
  type Columns,
  concat,
  DataError,
  Dataset,
  type OnError,
  Predictor,
  Preprocessor,
  rename,
  select,
} from '../index.js'
import { directory, findMnist, mnistFolder, sources } from '../node.js'

/** What data may be, for the help of commands. */
export const DATA_HELP =
  'a .csv, .tsv, .jsonl, .parquet, .arrow, .npy or .idx file, text and arrays gzipped or not; a query for DuckDB that ' +
  'begins with "select"; a folder of .npy and .idx files, each a column; a folder with a subfolder of pictures for each ' +
  'class; a folder with the idx files of MNIST; or "mnist"'

/** The option of commands that read rows which may be bad. */
export const ON_ERROR = new Option('--on-error <what>', 'at a row that cannot be read: end, or leave it out and say so')
  .choices(['throw', 'skip'])
  .default('throw')

/** How data is read. */
export interface DataOptions {
  /** Half of MNIST. */
  split: 'train' | 'test'
  /** Column to predict. */
  target: string
  /** What happens at a bad row. */
  onError: 'throw' | 'skip'
}

/** The model that `trainer.save(directory(dir))` saved. @throws {DataError} where none was. */
export async function loadModel(dir: string): Promise<Predictor> {
  const files = await readdir(dir).catch(() => undefined)
  if (files?.includes('dcml.json')) return Predictor.load(directory(dir))
  throw new DataError(`${dir} holds no saved model.`, {
    expected: 'a folder with dcml.json, model.json and model.safetensors',
    received: files ? `one with ${files.slice(0, 5).join(', ') || 'nothing'}` : 'no folder',
    remedy: 'Name the folder that trainer.save(directory(...)) was given',
  })
}

/** Opens a file, a folder, a query, or MNIST by name, for a model. */
export async function openData(data: string, { model }: Predictor, options: DataOptions): Promise<Dataset> {
  const { split, onError } = options
  if (data === 'mnist') {
    const { dir, tried } = await findMnist()
    if (dir !== undefined) return sources.mnist({ dir, split })
    throw new DataError('MNIST was not found.', { remedy: `Name its folder. Tried: ${tried.join('; ')}` })
  }
  if (/^\s*select\s/i.test(data)) return sources.sql(data, { onError })
  const found = await stat(data).catch((cause) => {
    throw new DataError(`The data ${data} cannot be read: ${cause.message}`, { cause, expected: DATA_HELP })
  })
  if (!found.isDirectory()) return openFile(data, { onError })
  if (mnistFolder(data) !== undefined) return sources.mnist({ dir: data, split })
  return openFolder(data, model.inputs[0]!.shape, { onError })
}

/** The reader of each kind of file: the one place where an ending has a meaning. */
const readers: readonly [ending: RegExp, read: (path: string, options: { onError: OnError }) => Dataset][] = [
  [/\.csv$/, sources.csv],
  [/\.tsv$/, (path, options) => sources.csv(path, { ...options, delimiter: '\t' })],
  [/\.(jsonl|ndjson)$/, sources.jsonl],
  [/\.parquet$/, sources.parquet],
  [/\.(arrow|arrows|feather)$/, sources.arrow],
  [/\.npy$/, (path) => sources.npy(path)],
  [/(\.idx|-ubyte)$/, (path) => sources.idx(path)],
]

const readerOf = (path: string) => readers.find(([ending]) => ending.test(path.replace(/\.gz$/, '')))?.[1]

function openFile(path: string, options: { onError: OnError }): Dataset {
  const read = readerOf(path)
  if (read) return read(path, options)
  throw new DataError(`The data ${path} is of no kind that can be read.`, { expected: DATA_HELP })
}

async function openFolder(
  folder: string,
  input: readonly (number | null)[],
  options: { onError: OnError },
): Promise<Dataset> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  for (const [kind, read] of [
    ['.npy', sources.npy],
    ['.idx', sources.idx],
  ] as const) {
    const files = names.filter((name) => readerOf(name) === readerOf(kind))
    if (files.length > 0)
      return read(Object.fromEntries(files.map((name) => [name.replace(/[.-].*/, ''), join(folder, name)])))
  }
  const [, height, width, channels] = input
  const takesPictures = input.length === 4 && height && width && (channels === 1 || channels === 3 || channels === 4)
  if (takesPictures && entries.some((entry) => entry.isDirectory()))
    return sources.imageFolder(folder, { size: [height, width], channels, ...options })
  throw new DataError(`The folder ${folder} holds no data for this model.`, { expected: DATA_HELP })
}

/**
 * The first rows, for a look at columns and values, and the dataset, whose first pass goes on behind them: data is read,
 * and what is wrong with it told, once.
 */
export async function peek(dataset: Dataset): Promise<{ first: Columns; dataset: Dataset }> {
  const begun = dataset.batches()[Symbol.asyncIterator]()
  const { value: first } = await begun.next()
  if (!first) throw new DataError('The data has no rows.')
  let isBegun = true
  async function* rows(): AsyncGenerator<Columns> {
    if (!isBegun) return yield* dataset.batches()
    isBegun = false
    try {
      yield first
      yield* { [Symbol.asyncIterator]: () => begun }
    } finally {
      await begun.return?.()
    }
  }
  return { first, dataset: Dataset.fromBatches(rows, dataset.size === undefined ? {} : { size: dataset.size }) }
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
  const { first, dataset: whole } = await peek(dataset)
  const names = Object.keys(first)
  const features = names.filter((name) => name !== target)
  if (use === 'evaluate' && !Object.hasOwn(first, target))
    throw new DataError(`The data has no column "${target}" to compare with.`, {
      received: `the columns ${names.join(', ')}`,
      remedy: 'Name it with --target',
    })
  const steps = []
  const isJoined = model.inputs.length === 1 && isRead('x', preprocessor) && !fills(first.x, model.inputs[0]!.shape)
  const text = isJoined ? features.find((name) => Array.isArray(first[name]!.data)) : undefined
  if (text !== undefined)
    throw new DataError(`The column "${text}" holds text, and the model reads numbers.`, {
      remedy: 'Leave it out of the data, or train with a preprocessor that encodes it',
    })
  if (isJoined) steps.push(concat(features))
  if (use === 'predict') steps.push(select(isJoined ? 'x' : features))
  else if (target !== 'y' && !isRead(target, preprocessor)) steps.push(rename({ [target]: 'y' }))
  return new Preprocessor(steps).transform(whole)
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
