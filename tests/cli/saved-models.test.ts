import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import {
  adam,
  concat,
  Dataset,
  dropMissing,
  Evaluator,
  impute,
  oneHot,
  ordinal,
  Predictor,
  Preprocessor,
  Random,
  saveBundle,
  selectBackend,
  standardize,
  Trainer,
} from 'dcml'
import { directory, sources, writeTable } from 'dcml/node'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bash, dcml } from './run-cli.js'

const ROWS = 1500

interface Guest {
  age: number | null
  city: string
  y: string
}

let folder: string
const at = (name: string) => join(folder, name)
let guests: Guest[]

beforeAll(async () => {
  // The best one, as the command does: two backends differ in the last bits, on which the order of equal scores hangs.
  await selectBackend()
  folder = await mkdtemp(join(tmpdir(), 'dcml-cli-'))
  guests = makeGuests()
  await writeFile(at('guests.csv'), csvOf(guests))
  await writeFile(at('guests.jsonl'), guests.map((guest) => `${JSON.stringify(guest)}\n`).join(''))
  await saveClassifier()
  await saveRegressor()
})
afterAll(() => rm(folder, { recursive: true }))

/** Guests from Rome come when they are young, those from Oslo when they are old. Every tenth keeps the age secret. */
function makeGuests(): Guest[] {
  const random = new Random(7)
  return Array.from({ length: ROWS }, (_, i) => {
    const age = 20 + random.integer(60)
    const city = random.integer(2) === 0 ? 'Rome' : 'Oslo'
    return { age: i % 10 === 9 ? null : age, city, y: age < 50 === (city === 'Rome') ? 'comes, "gladly"' : 'stays' }
  })
}

function csvOf(rows: readonly Guest[]): string {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`
  return `age,city,y\n${rows.map(({ age, city, y }) => `${age ?? ''},${city},${cell(y)}\n`).join('')}`
}

async function saveClassifier(): Promise<void> {
  const seeded = (seed: number) => ({ kernelInitializer: tfl.initializers.glorotUniform({ seed }) })
  const steps = [impute('age'), standardize('age'), oneHot(['city', 'y']), concat(['age', 'city'])]
  const trainer = new Trainer({
    model: tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 8, activation: 'tanh', inputShape: [3], ...seeded(1) }),
        tfl.layers.dense({ units: 2, activation: 'softmax', ...seeded(2) }),
      ],
    }),
    loss: 'categoricalCrossentropy',
    optimizer: adam({ learningRate: 0.05 }),
    preprocessor: new Preprocessor(steps),
  })
  await trainer.fit(Dataset.fromRows(guests), { epochs: 5, batchSize: 100 })
  await trainer.save(directory(at('classifier')))
}

/** price = 100 + 30 a - 20 b; the model learns from standardized columns, and no row with a gap. */
async function saveRegressor(): Promise<void> {
  const random = new Random(3)
  const a = Float32Array.from({ length: 200 }, () => 6 * random.uniform() - 3)
  const b = Float32Array.from({ length: 200 }, () => 6 * random.uniform() - 3)
  const price = a.map((value, i) => 100 + 30 * value - 20 * b[i]!)
  const x = Float32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? a : b)[i >> 1]!)
  const train = Dataset.fromArrays({ x: { data: x, shape: [200, 2] }, y: { data: price, shape: [200] } })
  const trainer = new Trainer({
    model: tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] }),
    loss: 'meanSquaredError',
    optimizer: adam({ learningRate: 0.1 }),
    preprocessor: new Preprocessor([dropMissing(), standardize(['x', 'y'])]),
  })
  await trainer.fit(train, { epochs: 60, batchSize: 50 })
  await trainer.save(directory(at('regressor')))
  const lines = Array.from(a, (value, i) => `${value},${b[i]},${price[i]}\n`)
  lines[7] = `,${b[7]},${price[7]}\n`
  await writeFile(at('prices.csv'), `a,b,price\n${lines.join('')}`)
}

/** Of 16 pixels of 0 to 255, weights that answer class 1 where they are light. */
const brightness = () => tf.tensor2d(new Array(16).fill([0, 1 / 255]))

describe('dcml evaluate', () => {
  it('prints what the evaluator finds, and writes it in every form', async () => {
    const files = ['json', 'html', 'markdown'].flatMap((form) => [`--${form}`, at(`report.${form}`)])
    const { exitCode, stdout, stderr } = await dcml('evaluate', at('classifier'), at('guests.csv'), ...files)
    expect([exitCode, stderr]).toEqual([0, ''])
    const predictor = await Predictor.load(directory(at('classifier')))
    const evaluator = new Evaluator({
      metrics: ['accuracy', 'f1', 'rocAuc', 'logLoss', 'confusionMatrix'],
      classes: ['comes, "gladly"', 'stays'],
    })
    const prepared = predictor.preprocessor!.transform(Dataset.fromRows(guests))
    const report = await evaluator.evaluate(predictor.model, prepared)
    expect(report.values.accuracy).toBeGreaterThan(0.8)
    expect(stdout).toContain(`accuracy  ${report.values.accuracy!.toFixed(4)}`)
    expect(stdout).toMatch(/^comes, "gladly" .* \d+$/m)
    const saved = JSON.parse(await readFile(at('report.json'), 'utf8'))
    expect(saved).toMatchObject({ rows: ROWS, classes: report.classes })
    for (const [name, value] of report.numbers) expect([name, saved.values[name]]).toEqual([name, value])
    expect(await readFile(at('report.markdown'), 'utf8')).toContain('| accuracy | ')
    expect(await readFile(at('report.html'), 'utf8')).toMatch(/<svg/)
  })

  it('takes the metrics asked for', async () => {
    const { stdout } = await dcml('evaluate', at('classifier'), at('guests.jsonl'), '--metrics', 'recall,accuracy')
    expect(stdout).toMatch(/^1500 rows\n\nmetric +value\nrecall +0\.\d{4}\naccuracy +0\.\d{4}\n\n$/)
  })

  it('measures numbers by the column named, and says which rows were left out', async () => {
    const { exitCode, stdout } = await dcml('evaluate', at('regressor'), at('prices.csv'), '--target', 'price')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^199 rows\n\nmetric +value\nmse .*\nrmse .*\nmae .*\nr2 +(0\.99\d\d|1\.0000)\n/)
    expect(stdout).toContain('1 of 200 rows were left out by the preprocessor.')
  })

  it('reads every format alike, and the rows of a query', async () => {
    const table = sources.csv(at('prices.csv'))
    for (const ending of ['jsonl', 'parquet', 'csv.gz']) await writeTable(table, at(`prices.${ending}`))
    const columns = Object.entries(await table.columns()).map(([name, { data }]) => [name, data])
    await writeFile(at('prices.arrow'), tableToIPC(tableFromArrays(Object.fromEntries(columns))))
    const query = `select * from '${at('prices.parquet')}'`
    const reports = await Promise.all(
      [at('prices.csv'), at('prices.csv.gz'), at('prices.jsonl'), at('prices.parquet'), at('prices.arrow'), query].map(
        async (data) => (await dcml('evaluate', at('regressor'), data, '--target', 'price')).stdout,
      ),
    )
    expect(reports[0]).toMatch(/^199 rows\n/)
    for (const report of reports) expect(report).toBe(reports[0])
  })

  it('leaves out bad rows when asked, and says so', async () => {
    await writeFile(at('bad.csv'), `${await readFile(at('prices.csv'), 'utf8')}1,2\n`)
    const args = ['evaluate', at('regressor'), at('bad.csv'), '--target', 'price']
    expect((await dcml(...args)).stderr).toMatch(/^dcml: .*bad\.csv, line 202: the row has 2 values/)
    const { exitCode, stdout, stderr } = await dcml(...args, '--on-error', 'skip')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^199 rows\n/)
    expect(stderr).toMatch(/^dcml: 1 row was left out of .*bad\.csv:\n {2}.*line 202: the row has 2 values.*\n$/)
  })

  it('tells of all bad rows once, and leaves no file where it fails', async () => {
    const [header, ...lines] = (await readFile(at('prices.csv'), 'utf8')).trimEnd().split('\n')
    const whole = lines.filter((line) => !line.split(',').includes(''))
    const many = Array.from({ length: 10 }, () => whole).flat()
    await writeFile(at('many.csv'), [header, '1,2', ...many, '3,4', ''].join('\n'))
    for (const command of ['evaluate', 'predict']) {
      const args = [command, at('regressor'), at('many.csv'), '--target', 'price', '--on-error', 'skip']
      const { exitCode, stderr } = await dcml(...args)
      expect(exitCode).toBe(0)
      expect(stderr).toMatch(/^dcml: 2 rows were left out of .*many\.csv:\n.*line 2: .*\n.*line 1993: .*\n$/)
    }
    const args = ['predict', at('regressor'), at('bad.csv'), '--target', 'price', '--out', at('failed.parquet')]
    expect((await dcml(...args)).exitCode).toBe(2)
    expect((await readdir(folder)).filter((name) => /failed|^\.dcml/.test(name))).toEqual([])
  })

  it('reads pictures in the size that the model takes', async () => {
    for (const [name, grey] of [
      ['dark', 0],
      ['light', 255],
    ] as const) {
      await mkdir(at(`pictures/${name}`), { recursive: true })
      const raw = { width: 9, height: 7, channels: 1 } as const
      await sharp(new Uint8Array(63).fill(grey), { raw }).toFile(at(`pictures/${name}/a.png`))
    }
    const model = tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [4, 4, 1] }),
        tfl.layers.dense({ units: 2, activation: 'softmax', weights: [brightness(), tf.tensor1d([1, 0])] }),
      ],
    })
    const preprocessor = new Preprocessor([ordinal('y')])
    await preprocessor.fit(sources.imageFolder(at('pictures'), { size: [4, 4], channels: 1 }))
    await saveBundle(directory(at('brightness')), { model, preprocessor })
    const { stdout } = await dcml('evaluate', at('brightness'), at('pictures'))
    expect(stdout).toMatch(/^2 rows\n\n.*\naccuracy +1\.0000\n/)
  })

  it('reads MNIST from its folder', async () => {
    const idx = (axes: number[], data: number[]) =>
      Uint8Array.from([0, 0, 8, axes.length, ...axes.flatMap((size) => [0, 0, size >> 8, size & 255]), ...data])
    await mkdir(at('digits'))
    for (const half of ['train', 't10k']) {
      const images = half === 'train' ? 3 : 2
      await writeFile(at(`digits/${half}-images-idx3-ubyte`), idx([images, 28, 28], new Array(784 * images).fill(9)))
      await writeFile(at(`digits/${half}-labels-idx1-ubyte`), idx([images], new Array(images).fill(4)))
    }
    const model = tfl.sequential({
      layers: [tfl.layers.flatten({ inputShape: [28, 28, 1] }), tfl.layers.dense({ units: 10, activation: 'softmax' })],
    })
    await saveBundle(directory(at('untrained')), { model })
    expect((await dcml('evaluate', at('untrained'), at('digits'))).stdout).toMatch(
      /^2 rows\n\n.*\naccuracy +[01]\.0000\n/,
    )
    expect((await dcml('evaluate', at('untrained'), at('digits'), '--split', 'train')).stdout).toMatch(/^3 rows/)
  })
})

describe('dcml predict', () => {
  it('writes class and probability, one line a row', async () => {
    const { exitCode, stdout } = await dcml('predict', at('classifier'), at('guests.csv'), '--format', 'jsonl')
    expect(exitCode).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    const predictor = await Predictor.load(directory(at('classifier')))
    const answers = await predictor.explain(guests.map(({ age, city }) => ({ age, city })))
    expect(lines.length).toBe(ROWS)
    lines.forEach((line, row) => {
      const { class: name, probability } = JSON.parse(line)
      expect([name, probability]).toEqual([answers[row]!.class, answers[row]!.probability])
    })
  })

  it('writes a table that sources.csv reads back', async () => {
    const { stdout } = await dcml('predict', at('classifier'), at('guests.jsonl'), '--out', at('predicted.csv'))
    expect(stdout).toBe('')
    const read = await sources.csv(at('predicted.csv')).columns()
    expect(Object.keys(read)).toEqual(['class', 'probability'])
    expect(read.class!.shape).toEqual([ROWS])
    expect(new Set(read.class!.data as string[])).toEqual(new Set(['comes, "gladly"', 'stays']))
  })

  it('writes Parquet and JSON lines by the ending', async () => {
    for (const name of ['p.parquet', 'p.jsonl'])
      expect((await dcml('predict', at('classifier'), at('guests.csv'), '--out', at(name))).stderr).toBe('')
    const [parquet, jsonl] = [sources.parquet(at('p.parquet')), sources.jsonl(at('p.jsonl'))]
    expect((await parquet.columns()).class!.shape).toEqual([ROWS])
    expect(await parquet.columns()).toEqual(await jsonl.columns())
  })

  it('gives values in the unit of the target, from a file of numpy too', async () => {
    const path = fileURLToPath(new URL('../golden/numpy/f4.npy', import.meta.url))
    const { stdout } = await dcml('predict', at('regressor'), path)
    const [header, ...lines] = stdout.trimEnd().split('\n')
    expect(header).toBe('value')
    // Rows (-2.5, -1.5), (-0.5, 0.5), (1.5, 2.5).
    const expected = [55, 75, 95]
    expect(lines.length).toBe(3)
    for (const [i, line] of lines.entries()) expect(Math.abs(Number(line) - expected[i]!)).toBeLessThan(1)
  })

  it('names a column of text that no preprocessor encodes', async () => {
    await writeFile(at('text.csv'), 'a,b\n1,x\n')
    const { exitCode, stderr } = await dcml('predict', at('regressor'), at('text.csv'))
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^dcml: The column "b" holds text, .*\n$/)])
  })

  it('names a row that cannot be answered, counted from the start of the file', async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => (i === 1700 ? ',1' : '1,1'))
    await writeFile(at('gap.csv'), `a,b\n${rows.join('\n')}\n`)
    const { exitCode, stderr } = await dcml('predict', at('regressor'), at('gap.csv'))
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^dcml: .*Row 1700 has no value in the column "x".*\n$/)
  })

  it('ends quietly when its reader has seen enough', async () => {
    const { stdout, stderr } = await bash(`dcml predict ${at('classifier')} ${at('guests.csv')} | head -n 1`)
    expect([stdout, stderr]).toEqual(['class,probability\n', ''])
  })
})

describe('wrong use', () => {
  it.concurrent.each([
    ['no data', ['evaluate', 'classifier'], /missing required argument 'data'/],
    ['no folder', ['predict', 'nowhere', 'guests.csv'], /nowhere holds no saved model.*received no folder/],
    ['a folder without a model', ['evaluate', '.', 'guests.csv'], /holds no saved model.*a folder with dcml\.json/],
    ['no such file', ['predict', 'classifier', 'none.csv'], /The data .*none\.csv cannot be read/],
    ['an unknown kind of file', ['predict', 'classifier', 'classifier/model.json'], /no kind that can be read.*\.csv/],
    ['a folder without data', ['predict', 'classifier', 'classifier'], /holds no data/],
    ['an unknown ending', ['predict', 'classifier', 'guests.csv', '--out', 'p.xlsx'], /p\.xlsx names no format/],
    ['a query with a mistake', ['predict', 'classifier', 'select 1 frm x'], /query cannot be run/],
    [
      'an unknown metric',
      ['evaluate', 'classifier', 'guests.csv', '--metrics', 'acuracy'],
      /Did you mean 'accuracy'\?/,
    ],
    [
      'no such target',
      ['evaluate', 'classifier', 'guests.csv', '--target', 'z'],
      /no column "z".*age, city, y.*--target/,
    ],
    ['an unknown format', ['predict', 'classifier', 'guests.csv', '--format', 'xml'], /Allowed choices are csv, jsonl/],
    ['an unknown option', ['evaluate', 'classifier', 'guests.csv', '--metric', 'f1'], /Did you mean --metrics\?/],
    ['a place that is not there', ['predict', 'classifier', 'guests.csv', '--out', 'none/p.csv'], /ENOENT.*p\.csv/],
    ['columns of another table', ['predict', 'classifier', 'prices.csv'], /needs the column "age"/],
  ])('%s exits 2 with one line', async (_, args, message) => {
    const paths = args.map((arg, i) =>
      ((i === 1 || i === 2) && !arg.includes(' ')) || arg.startsWith('none/') ? at(arg) : arg,
    )
    const { exitCode, stdout, stderr } = await dcml(...paths)
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^dcml: [^\n]*\n$/)
    expect(stderr).toMatch(message)
  })

  it.concurrent.each(['evaluate', 'predict', 'doctor'])('%s has help', async (command) => {
    const { exitCode, stdout } = await dcml(command, '--help')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Usage: dcml ${command} `))
  })
})

describe('dcml doctor', () => {
  it('lists backends and transports, as a table and as JSON', async () => {
    const { stdout } = await dcml('doctor', '--json')
    const found = JSON.parse(stdout)
    expect(found.backends.find(({ name }: { name: string }) => name === 'wasm')).toMatchObject({ available: true })
    expect(found.transports.find(({ name }: { name: string }) => name === 'sharedMemory')).toMatchObject({
      available: true,
    })
    const table = await dcml('doctor', '--json', at('doctor.json'))
    for (const { name, available } of [...found.backends, ...found.transports])
      expect(table.stdout).toMatch(new RegExp(`^${available ? '✓' : '·'} ${name}\\b`, 'm'))
    expect(JSON.parse(await readFile(at('doctor.json'), 'utf8'))).toMatchObject({ node: process.version })
  })
})
