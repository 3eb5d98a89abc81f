/**
 * Options that do not exist, as JavaScript and JSON let them in: each one error that names the closest there is. An option
 * that is passed over in silence is a default where the user believes to have set something else.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/core/index.js'
import { sources as nodeSources, writeTable } from '../../src/data/node.js'
import * as dcml from '../../src/index.js'
import * as node from '../../src/node.js'
import { stepKinds } from '../../src/preprocess/steps/index.js'

/** A function called as from JavaScript. */
type Untyped = (...given: unknown[]) => unknown

type Call = readonly [call: Untyped, wrong: Record<string, unknown>, meant: string, ...before: unknown[]]

/** Makes an object of a class as a function would. */
const made = (Class: unknown): Untyped => {
  const Made = Class as new (...given: unknown[]) => unknown
  return (...given) => new Made(...given)
}
const data = () => dcml.Dataset.fromRows([{ x: 1, y: 0 }])
const method = (name: string): Untyped => {
  const dataset = data() as unknown as Record<string, Untyped>
  return (...given) => dataset[name]!(...given)
}
const tuner = new dcml.Tuner({ space: { a: dcml.uniform(0, 1) } })
const blob = new Blob(['x\n1\n'])

const families: Record<string, Record<string, Call>> = {
  optimizers: {
    sgd: [dcml.sgd as Untyped, { momentun: 0.9 }, 'momentum'],
    adam: [dcml.adam as Untyped, { learningrate: 0.1 }, 'learningRate'],
    adamw: [dcml.adamw as Untyped, { weight_decay: 0.1 }, 'weightDecay'],
    rmsprop: [dcml.rmsprop as Untyped, { alhpa: 0.1 }, 'alpha'],
    adagrad: [dcml.adagrad as Untyped, { epsylon: 0.1 }, 'epsilon'],
    lamb: [dcml.lamb as Untyped, { beta_1: 0.1 }, 'beta1'],
    nesterov: [dcml.nesterov as Untyped, { momemtum: 0.1 }, 'momentum'],
    cosine: [dcml.cosine as Untyped, { steps: 10, finals: 0 }, 'final', 1],
    warmupCosine: [dcml.warmupCosine as Untyped, { steps: 10, warmUpStep: 2 }, 'warmupSteps', 1],
    stepDecay: [dcml.stepDecay as Untyped, { everySteps: 10, factors: 0 }, 'factor', 1],
    oneCycle: [dcml.oneCycle as Untyped, { steps: 10, startDivider: 5 }, 'startDivisor', 1],
  },
  strategies: {
    DataParallel: [made(dcml.DataParallel), { worker: 2 }, 'workers'],
    ShardedDataParallel: [made(dcml.ShardedDataParallel), { stages: 2 }, 'stage'],
    LocalSGD: [made(dcml.LocalSGD), { everySteps: 2, outter: null }, 'outer'],
    ParameterServer: [made(dcml.ParameterServer), { stalenes: 2 }, 'staleness'],
    CustomStrategy: [made(dcml.CustomStrategy), { member: 'm', option: 1 }, 'options'],
    int8: [dcml.int8 as Untyped, { buckets: 2 }, 'bucket'],
    topK: [dcml.topK as Untyped, { ration: 2 }, 'ratio'],
    powerSgd: [dcml.powerSgd as Untyped, { ranks: 2 }, 'rank'],
    sharedMemory: [dcml.sharedMemory as Untyped, { timeoutms: 2 }, 'timeoutMs'],
    tcp: [node.tcp as Untyped, { rendevous: 'a:1' }, 'rendezvous'],
    'tls of tcp': [node.tcp as Untyped, { tls: { certs: '' } }, 'cert'],
    mpi: [node.mpi as Untyped, { libary: 'a' }, 'library'],
    launch: [node.launch as Untyped, { process: 2 }, 'processes', 'a.mjs', []],
  },
  readers: {
    csv: [dcml.sources.csv as Untyped, { delimeter: ';' }, 'delimiter', blob],
    jsonl: [dcml.sources.jsonl as Untyped, { onerror: 'skip' }, 'onError', blob],
    parquet: [dcml.sources.parquet as Untyped, { column: ['x'] }, 'columns', blob],
    arrow: [nodeSources.arrow as Untyped, { targets: 'y' }, 'target', blob],
    sql: [nodeSources.sql as Untyped, { value: [] }, 'values', 'select 1'],
    imageFolder: [nodeSources.imageFolder as Untyped, { size: [1, 1], chanels: 1 }, 'channels', 'a'],
    audioFolder: [nodeSources.audioFolder as Untyped, { samples: 1, samplerate: 1 }, 'sampleRate', 'a'],
    mnist: [nodeSources.mnist as Untyped, { slit: 'train' }, 'split'],
    findMnist: [node.findMnist as Untyped, { mirror: [] }, 'mirrors'],
    syntheticDigits: [dcml.datasets.syntheticDigits as Untyped, { count: 1, sed: 1 }, 'seed'],
    writeTable: [writeTable as Untyped, { fromat: 'csv' }, 'format', data(), 'a.csv'],
    interleave: [dcml.interleave as Untyped, { weight: [1] }, 'weights', [data()]],
    'Dataset.fromBatches': [dcml.Dataset.fromBatches as Untyped, { sizes: 1 }, 'size', () => data().batches()],
    'Dataset.shuffle': [method('shuffle'), { buffersize: 1 }, 'bufferSize'],
    'Dataset.batch': [method('batch'), { droplast: true }, 'dropLast', 1],
    'Dataset.mapBatches': [method('mapBatches'), { keepRows: true }, 'keepsRows', (batch: unknown) => batch],
    'Dataset.cache': [method('cache'), { maxbytes: 1 }, 'maxBytes'],
    'Dataset.shard': [method('shard'), { evenley: 'pad' }, 'evenly', 0, 1],
    'Dataset.split': [method('split'), { stratifyby: 'y' }, 'stratifyBy', { a: 1 }],
    'Dataset.kFold': [method('kFold'), { groupby: 'y' }, 'groupBy', 2],
  },
  metrics: {
    accuracy: [dcml.accuracy as Untyped, { multiLabel: true }, 'multilabel'],
    precision: [dcml.precision as Untyped, { averge: 'macro' }, 'average'],
    recall: [dcml.recall as Untyped, { treshold: 0.3 }, 'threshold'],
    f1: [dcml.f1 as Untyped, { averages: 'micro' }, 'average'],
    fBeta: [dcml.fBeta as Untyped, { beta: 2, averages: 'micro' }, 'average'],
    jaccard: [dcml.jaccard as Untyped, { averages: 'micro' }, 'average'],
    hammingLoss: [dcml.hammingLoss as Untyped, { thresholds: 1 }, 'threshold'],
    cohenKappa: [dcml.cohenKappa as Untyped, { weight: 'linear' }, 'weights'],
    rocAuc: [dcml.rocAuc as Untyped, { multiClass: 'ovo' }, 'multiclass'],
    averagePrecision: [dcml.averagePrecision as Untyped, { averages: 'micro' }, 'average'],
    rocCurve: [dcml.rocCurve as Untyped, { multilable: true }, 'multilabel'],
    precisionRecallCurve: [dcml.precisionRecallCurve as Untyped, { multilable: true }, 'multilabel'],
    calibrationCurve: [dcml.calibrationCurve as Untyped, { bin: 3 }, 'bins'],
    calibrationError: [dcml.calibrationError as Untyped, { bin: 3 }, 'bins'],
    ndcg: [dcml.ndcg as Untyped, { K: 3 }, ''],
    meanAveragePrecision: [dcml.meanAveragePrecision as Untyped, { at: 3 }, ''],
    mrr: [dcml.mrr as Untyped, { at: 3 }, ''],
    hitRate: [dcml.hitRate as Untyped, { at: 3 }, ''],
    recallAtK: [dcml.recallAtK as Untyped, { at: 3 }, ''],
    precisionAtK: [dcml.precisionAtK as Untyped, { at: 3 }, ''],
    topKAccuracy: [dcml.topKAccuracy as Untyped, { at: 3 }, ''],
    pinball: [dcml.pinball as Untyped, { alhpa: 0.1 }, 'alpha'],
    huberLoss: [dcml.huberLoss as Untyped, { dleta: 0.1 }, 'delta'],
    bleu: [dcml.bleu as Untyped, { maxorder: 2 }, 'maxOrder'],
    Evaluator: [made(dcml.Evaluator), { metric: [] }, 'metrics'],
    evaluatePredictions: [dcml.evaluatePredictions as Untyped, { slice: {} }, 'slices', { truth: [1] }, []],
    findThreshold: [dcml.findThreshold as Untyped, { maximise: 'f1' }, 'maximize', { truth: [1], scores: [1] }],
    worst: [
      dcml.evaluatePredictions as Untyped,
      { worst: { counts: 2 } },
      'count',
      { truth: [0, 1], scores: [0.1, 0.9] },
      ['accuracy'],
    ],
  },
  callbacks: {
    earlyStopping: [dcml.earlyStopping as Untyped, { patiense: 2 }, 'patience'],
    checkpoint: [dcml.checkpoint as Untyped, { store: dcml.memory(), keepbest: 2 }, 'keepBest'],
    progressBar: [dcml.progressBar as Untyped, { line: true }, 'lines'],
    tuningProgress: [dcml.tuningProgress as Untyped, { line: true }, 'lines'],
    mlflow: [dcml.mlflow as Untyped, { url: 'http://a', experimnt: 'b' }, 'experiment'],
    openTelemetry: [dcml.openTelemetry as Untyped, { everyStep: 2 }, 'everySteps'],
    tensorBoard: [node.tensorBoard as Untyped, { everyStep: 2 }, 'everySteps', 'a'],
    jsonlLog: [node.jsonlLog as Untyped, { everyStep: 2 }, 'everySteps', 'a'],
    'A callback': [
      made(dcml.Trainer),
      { model: () => {}, loss: 'meanSquaredError', callbacks: [{ onEpochend() {} }] },
      'onEpochEnd',
    ],
  },
  inference: {
    Predictor: [made(dcml.Predictor), { batchsize: 2 }, 'batchSize'],
    'Predictor.load': [dcml.Predictor.load as Untyped, { prefx: 'a' }, 'prefix', dcml.memory()],
    selectBackend: [dcml.selectBackend as Untyped, { preffer: ['cpu'] }, 'prefer'],
  },
  tuning: {
    Tuner: [made(dcml.Tuner), { space: {}, samplers: undefined }, 'sampler'],
    'Tuner.run': [(...given) => tuner.run(...(given as [() => number, object])), { trails: 3 }, 'trials', () => 0],
    random: [dcml.random as Untyped, { sed: 1 }, 'seed'],
    quasiRandom: [dcml.quasiRandom as Untyped, { sed: 1 }, 'seed'],
    grid: [dcml.grid as Untyped, { point: 1 }, 'points'],
    tpe: [dcml.tpe as Untyped, { candidate: 1 }, 'candidates'],
    gaussianProcess: [dcml.gaussianProcess as Untyped, { startuptrials: 1 }, 'startupTrials'],
    cmaEs: [dcml.cmaEs as Untyped, { sgima: 1 }, 'sigma'],
    nsga2: [dcml.nsga2 as Untyped, { populations: 1 }, 'population'],
    population: [dcml.population as Untyped, { sizes: 1 }, 'size'],
    asha: [dcml.asha as Untyped, { minStep: 1 }, 'minSteps'],
    hyperband: [dcml.hyperband as Untyped, { maxStep: 9 }, 'maxSteps'],
    median: [dcml.median as Untyped, { warmupStep: 1 }, 'warmupSteps'],
    sqlite: [node.sqlite as Untyped, { leasems: 1 }, 'leaseMs', 'a.sqlite'],
    uniform: [dcml.uniform as Untyped, { stop: 1 }, 'step', 0, 1],
    intUniform: [dcml.intUniform as Untyped, { logs: true }, 'log', 0, 1],
  },
}

describe.each(Object.entries(families))('%s', (_, calls) => {
  it.each(Object.entries(calls))('%s', async (name, [call, wrong, meant, ...before]) => {
    const error = await Promise.resolve()
      .then(() => call(...before, wrong))
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toContain(`${name} has no option '`)
    if (meant) expect((error as Error).message).toContain(`Did you mean '${meant}'?`)
  })
})

describe('steps, as they come from JSON too', () => {
  /** Steps of columns and nothing else, or of a form of their own. */
  const plain = ['cast', 'concat', 'dropDuplicates', 'dropMissing', 'rename', 'scale', 'select']
  it.each(Object.keys(stepKinds).filter((kind) => !plain.includes(kind)))('%s', (kind) => {
    expect(() => stepKinds[kind]!({ columns: ['x'], nonsense: 1 })).toThrow(`${kind} has no option 'nonsense'.`)
  })
})
