/**
 * Wrong input at every public entry, mostly as JavaScript lets it in where TypeScript would not: each one clear error
 * that says what is wrong, and what was expected, what came or how to mend it. Single layers have more of their own.
 */
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import * as dcml from '../../src/index.js'

const { Dataset, Evaluator, Preprocessor, Trainer, Tuner, selectBackend } = dcml

/** A function called as from JavaScript. */
type Untyped = (...given: unknown[]) => unknown

beforeAll(async () => {
  await selectBackend()
})

const x = { data: Float32Array.of(1, 2, 3, 4), shape: [4, 1] }
const y = { data: Int32Array.of(0, 1, 0, 1), shape: [4] }
const data = () => Dataset.fromArrays({ x, y })
const model = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [1], activation: 'softmax' })] })
const trainer = (options = {}) =>
  new Trainer({ model: model(), loss: 'sparseCategoricalCrossentropy', ...options } as never)

type Case = [name: string, use: () => unknown, message: string]

const cases: Record<string, Case[]> = {
  data: [
    ['fromArrays none', () => Dataset.fromArrays({}), 'A dataset needs at least one column.'],
    ['fromArrays null', () => Dataset.fromArrays(null as never), 'A dataset needs at least one column.'],
    [
      'fromArrays no shape',
      () => Dataset.fromArrays({ x: { data: Float32Array.of(1) } as never }),
      'Column "x" has no valid shape.',
    ],
    ['fromArrays number', () => Dataset.fromArrays({ x: 5 as never }), 'Column "x" holds no array.'],
    ['fromRows number', () => Dataset.fromRows(5 as never).columns(), 'Dataset.fromRows needs rows.'],
    ['fromRows empty', () => Dataset.fromRows([]).columns(), 'A dataset needs at least one row.'],
    ['fromTensors none', () => Dataset.fromTensors({}), 'A dataset needs at least one column.'],
    ['batch 0', () => data().batch(0), 'The size of a batch is out of range.'],
    [
      'batches -1',
      async () => {
        for await (const _ of data().batches(-1));
      },
      'The size of a batch is out of range.',
    ],
    ['take -1', () => data().take(-1), 'The number of rows to take is out of range.'],
    ['skip 1.5', () => data().skip(1.5), 'The number of rows to skip is out of range.'],
    ['shard rank', () => data().shard(3, 2), 'The rank of a shard is out of range.'],
    ['shard world 0', () => data().shard(0, 0), 'The world size of a shard is out of range.'],
    ['split negative', () => data().split({ a: -1 }), 'The fractions of a split must be positive and add up to 1.'],
    [
      'split over 1',
      () => data().split({ a: 0.8, b: 0.5 }),
      'The fractions of a split must be positive and add up to 1.',
    ],
    ['split stratify none', () => data().split({ a: 0.5 }, { stratifyBy: 'z' }), 'split needs the column "z".'],
    [
      'split stream',
      () =>
        Dataset.fromRows(
          (async function* () {
            yield { a: 1 }
          })(),
        ).split({ a: 0.5 }),
      'split needs a dataset in memory; this one is a stream.',
    ],
    [
      'shuffle seed',
      () => data().shuffle({ seed: -1 }),
      'The seed of a random generator is not a whole number in range.',
    ],
    ['shuffle buffer', () => data().shuffle({ bufferSize: 0 }), 'The bufferSize of shuffle is out of range.'],
    ['prefetch -1', () => data().prefetch(-1), 'The number of chunks to prefetch is out of range.'],
    [
      'map no function',
      () =>
        data()
          .map(5 as never)
          .columns(),
      'Dataset.map needs a function.',
    ],
    [
      'map returns nothing',
      () =>
        data()
          .map((() => undefined) as never)
          .columns(),
      'Row 0: this is no object.',
    ],
    [
      'filter no function',
      () =>
        data()
          .filter('x' as never)
          .columns(),
      'Dataset.filter needs a function.',
    ],
    [
      'filter all',
      () =>
        data()
          .filter(() => false)
          .columns(),
      'The dataset has no rows.',
    ],
    [
      'mapBatches bad',
      () =>
        data()
          .mapBatches((() => ({})) as never)
          .columns(),
      'A dataset needs at least one column.',
    ],
    [
      'fromBatches no function',
      () => Dataset.fromBatches(5 as never).columns(),
      'Dataset.fromBatches needs a function.',
    ],
    [
      'fromBatches yields null',
      () =>
        Dataset.fromBatches(async function* () {
          yield null as never
        }).columns(),
      'A dataset needs at least one column.',
    ],
    ['kfold 1', () => data().kFold(1), 'The number of folds is out of range.'],
    [
      'syntheticDigits -1',
      () => dcml.datasets.syntheticDigits({ count: -1, seed: 1 }),
      'The number of digits is out of range.',
    ],
    [
      'fromJSON text',
      () => Preprocessor.fromJSON('hello'),
      'The saved preprocessor is no JSON: it is damaged, or cut off.',
    ],
    ['fromJSON null', () => Preprocessor.fromJSON(null as never), 'This is no saved preprocessor.'],
    ['fromJSON number', () => Preprocessor.fromJSON('5'), 'This is no saved preprocessor.'],
  ],
  preprocess: [
    ['preprocessor undefined', () => new Preprocessor(undefined as never), 'A preprocessor needs a list of steps.'],
    [
      'preprocessor not array',
      () => new Preprocessor(dcml.standardize('x') as never),
      'A preprocessor needs a list of steps.',
    ],
    [
      'preprocessor string step',
      () => new Preprocessor(['standardize'] as never),
      'Step 0 of the preprocessor is no step.',
    ],
    [
      'fit undefined',
      () => new Preprocessor([dcml.standardize('x')]).fit(undefined as never),
      'What the preprocessor is to learn from is no dataset.',
    ],
    [
      'fit empty list',
      () => new Preprocessor([dcml.standardize('x')]).fit([]),
      'A preprocessor needs data to learn from.',
    ],
    [
      'fit rows',
      () => new Preprocessor([dcml.standardize('x')]).fit([{ x: 1 }] as never),
      'What the preprocessor is to learn from is no dataset.',
    ],
    [
      'transform before fit',
      () => new Preprocessor([dcml.standardize('x')]).transform(data()),
      'Preprocessor.transform was called before fit.',
    ],
    [
      'fit missing col',
      () => new Preprocessor([dcml.standardize('z')]).fit(data()),
      'Step 0 (standardize) of the preprocessor needs the column "z".',
    ],
    ['standardize no name', () => dcml.standardize(undefined as never), 'A step needs the names of its columns.'],
    ['standardize per', () => dcml.standardize('x', { per: 'row' as never }), 'Unknown value of per.'],
    [
      'oneHot unseen',
      async () => (await new Preprocessor([dcml.oneHot('y')]).fit(data())).transformRow({ x: 1, y: 7 }),
      'Step 0 (oneHot) of the preprocessor failed: oneHot met an unseen category in the column "y".',
    ],
    ['impute with', () => dcml.impute('x', { with: 'mode?' } as never), 'impute does not know this method.'],
    [
      'quantiles 0',
      () => (dcml.quantileTransform as Untyped)('x', { quantiles: 0 }),
      'quantiles of quantileTransform is out of range.',
    ],
    ['pca 0', () => dcml.pca('x', { components: 0 }), 'components of pca is out of range.'],
    [
      'pca too many',
      () => new Preprocessor([dcml.pca('x', { components: 5 })]).fit(data()),
      'Step 0 (pca) of the preprocessor failed: pca needs several features in the column "x".',
    ],
    [
      'transformRow null',
      async () => (await new Preprocessor([dcml.standardize('x')]).fit(data())).transformRow(null as never),
      'Row 0: this is no object.',
    ],
    ['concat empty', () => dcml.concat([]), 'A step needs at least one column.'],
  ],
  trainer: [
    [
      'fit strings',
      () => new Preprocessor([dcml.standardize('s')]).fit(Dataset.fromRows([{ s: 'a' }])),
      'needs numbers in the column "s"',
    ],
    ['trainer no options', () => new Trainer(undefined as never), 'A trainer needs options.'],
    ['trainer no loss', () => new Trainer({ model: model() } as never), 'A trainer needs a loss or a step.'],
    ['trainer optimizer a function', () => trainer({ optimizer: () => dcml.adam() }), 'What was given as optimizer'],
    ['trainer callback null', () => trainer({ callbacks: [null] }), 'What was given as a callback'],
    ['trainer callback undefined', () => trainer({ callbacks: [undefined] }), 'What was given as a callback'],
    ['trainer optimizer no', () => trainer({ optimizer: {} }), 'What was given as optimizer is of the wrong kind.'],
    [
      'trainer metrics string',
      () => trainer({ metrics: 'accuracy' }),
      'What was given as metrics is of the wrong kind.',
    ],
    [
      'trainer callbacks',
      () => trainer({ callbacks: dcml.progressBar() }),
      'What was given as callbacks is of the wrong kind.',
    ],
    [
      'trainer strategy',
      () => trainer({ strategy: 'DataParallel' }),
      'What was given as strategy is of the wrong kind.',
    ],
    ['trainer misspelt', () => trainer({ optimiser: 'adam' }), "A trainer has no option 'optimiser'."],
    ['fit misspelt', () => trainer().fit(data(), { epoch: 3 } as never), "fit has no option 'epoch'."],
    [
      'trainer signal as callback',
      () => trainer({ callbacks: [new AbortController().signal] }),
      'What was given as a callback is of the wrong kind.',
    ],
    ['trainer clip', () => trainer({ clipNorm: -1 }), 'clipNorm is out of range.'],
    ['trainer accumulate', () => trainer({ accumulateSteps: 0 }), 'accumulateSteps is out of range.'],
    [
      'trainer preprocessor',
      () => trainer({ preprocessor: {} }),
      'What was given as preprocessor is of the wrong kind.',
    ],
    [
      'fit no data',
      () => trainer().fit(undefined as never, { epochs: 1, batchSize: 2 }),
      'What the trainer is to train on is no dataset.',
    ],
    [
      'fit array',
      () => trainer().fit([{ x: 1 }] as never, { epochs: 1, batchSize: 2 }),
      'What the trainer is to train on is no dataset.',
    ],
    ['fit epochs', () => trainer().fit(data(), { epochs: 0, batchSize: 2 }), 'epochs is out of range.'],
    ['fit epochs str', () => trainer().fit(data(), { epochs: '3' as never, batchSize: 2 }), 'epochs is out of range.'],
    ['fit batch', () => trainer().fit(data(), { epochs: 1, batchSize: 0 }), 'batchSize is out of range.'],
    [
      'fit target',
      () => trainer().fit(Dataset.fromArrays({ x }), { epochs: 1, batchSize: 2 }),
      "The training data has no column 'y'.",
    ],
    [
      'fit label',
      () =>
        trainer().fit(Dataset.fromArrays({ x, y: { data: Int32Array.of(0, 1, 5, 1), shape: [4] } }), {
          epochs: 1,
          batchSize: 2,
        }),
      'The label of row 2 is not a class of the model.',
    ],
    [
      'fit shape',
      () =>
        trainer().fit(Dataset.fromArrays({ x: { data: new Float32Array(8), shape: [4, 2] }, y }), {
          epochs: 1,
          batchSize: 2,
        }),
      "The column 'x' does not match the input of the model.",
    ],
    [
      'fit NaN',
      () =>
        trainer().fit(Dataset.fromArrays({ x: { data: Float32Array.of(1, NaN, 3, 4), shape: [4, 1] }, y }), {
          epochs: 1,
          batchSize: 2,
        }),
      'The loss of step 2 is not a finite number.',
    ],
    ['fit empty', () => trainer().fit(data().take(0), { epochs: 1, batchSize: 2 }), 'The training data is empty.'],
    [
      'fit weight',
      () => trainer().fit(data(), { epochs: 1, batchSize: 2, sampleWeight: 'w' }),
      "The training data has no column 'w'.",
    ],
    [
      'fit validation',
      () => trainer().fit(data(), { epochs: 1, batchSize: 2, validation: 5 as never }),
      'The validation data is no dataset.',
    ],
    [
      'fit resume',
      () => trainer().fit(data(), { epochs: 1, batchSize: 2, resumeFrom: dcml.memory() }),
      'There is no checkpoint to resume from.',
    ],
    [
      'fit resume str',
      () => trainer().fit(data(), { epochs: 1, batchSize: 2, resumeFrom: 'run' as never }),
      'resumeFrom is no store.',
    ],
    ['evaluate none', () => trainer().evaluate(undefined as never), 'What the trainer is to evaluate is no dataset.'],
    ['save str', () => trainer().save('run' as never), 'What the trainer is to save to is no store.'],
    [
      'earlyStopping patience',
      () => dcml.earlyStopping({ monitor: 'loss', patience: -1 }),
      'patience of earlyStopping is out of range',
    ],
    [
      'earlyStopping monitor',
      () =>
        trainer({ callbacks: [dcml.earlyStopping({ monitor: 'val_los' })] }).fit(data(), { epochs: 1, batchSize: 2 }),
      "There is no value named 'val_los' to monitor.",
    ],
    ['checkpoint none', () => dcml.checkpoint(undefined as never), 'The store of checkpoint() is no store.'],
    ['checkpoint store', () => dcml.checkpoint({ store: 'run' as never }), 'The store of checkpoint() is no store.'],
    ['adam rate', () => dcml.adam({ learningRate: -1 }), 'The learning rate of adam is out of range.'],
    ['adam beta', () => (dcml.adam as Untyped)({ beta1: 2 }), 'The option beta1 of adam is out of range.'],
    ['cosine rate', () => (dcml.cosine as Untyped)({}, { steps: 10 }), "The schedule's rate is out of range."],
    ['cosine options', () => (dcml.cosine as Untyped)(0.1), 'What was given as options of cosine is none.'],
    ['dataParallel 0', () => new dcml.DataParallel({ workers: 0 }), 'The number of workers is out of range.'],
    [
      'dataParallel str',
      () => new dcml.DataParallel({ workers: 'two' as never }),
      'The number of workers is out of range.',
    ],
  ],
  evaluator: [
    ['evaluator metric', () => new Evaluator({ metrics: ['acc' as never] }), "There is no metric named 'acc'."],
    ['evaluator metrics str', () => new Evaluator({ metrics: 'accuracy' as never }), 'The metrics are no list.'],
    [
      'evaluator metric undefined',
      () => new Evaluator({ metrics: [undefined as never] }),
      'A metric is of no kind that can be computed.',
    ],
    [
      'evaluator function',
      () => new Evaluator({ metrics: [dcml.accuracy as never] }),
      'A metric is of no kind that can be computed.',
    ],
    ['evaluator twice', () => new Evaluator({ metrics: ['f1', 'f1'] }), "Two metrics have the name 'f1'."],
    ['evaluator batch', () => new Evaluator({ batchSize: 0 }), 'The batch size of an evaluator is out of range.'],
    [
      'evaluator model',
      () => new Evaluator().evaluate(undefined as never, data()),
      'What the evaluator is to measure is no model.',
    ],
    [
      'evaluator data',
      () => new Evaluator().evaluate(model(), undefined as never),
      'What the evaluator is to read is no dataset.',
    ],
    [
      'evaluator rows',
      () => new Evaluator().evaluate(model(), [{ x: 1 }] as never),
      'What the evaluator is to read is no dataset.',
    ],
    [
      'evaluator target',
      () => new Evaluator({ target: 'z' }).evaluate(model(), data()),
      'Evaluator needs the column "z".',
    ],
    [
      'evaluator slice',
      () => new Evaluator({ slices: ['z'] }).evaluate(model(), data()),
      'Evaluator needs the column "z".',
    ],
    [
      'evaluator level',
      () => new Evaluator({ confidence: { level: 2 } }).evaluate(model(), data()),
      'The level of confidence is out of range.',
    ],
    [
      'evaluator worst',
      () => new Evaluator({ worst: { count: 0 } }).evaluate(model(), data()),
      'The count of worst rows is out of range.',
    ],
    ['evaluator empty', () => new Evaluator().evaluate(model(), data().take(0)), 'There are no rows to evaluate.'],
    [
      'evaluatePredictions none',
      () => dcml.evaluatePredictions(undefined as never, ['accuracy']),
      'There are no predictions to evaluate.',
    ],
    [
      'evaluatePredictions no truth',
      () => dcml.evaluatePredictions({ predicted: [1] } as never, ['accuracy']),
      'There is no truth to evaluate.',
    ],
    [
      'evaluatePredictions empty',
      () => dcml.evaluatePredictions({ truth: [], predicted: [] }, ['accuracy']),
      'There are no rows to evaluate.',
    ],
    [
      'evaluatePredictions none metrics',
      () => dcml.evaluatePredictions({ truth: [1], predicted: [1] }, undefined as never),
      'The metrics are no list.',
    ],
    [
      'evaluatePredictions strings',
      () => dcml.evaluatePredictions({ truth: ['a'] as never, predicted: ['a'] as never }, ['accuracy']),
      'Row 0 holds no class number.',
    ],
    [
      'evaluatePredictions NaN reg',
      () => dcml.evaluatePredictions({ truth: [1, 2], predicted: [1, NaN] }, ['mse']).values,
      'The prediction of row 1 is not a number.',
    ],
    [
      'evaluatePredictions null',
      () => dcml.evaluatePredictions({ truth: [1, null as never], predicted: [1, 2] }, ['mse']).values,
      'The truth of row 1 is not a number.',
    ],
    [
      'negative weight',
      () => dcml.evaluatePredictions({ truth: [1, 2], predicted: [1, 2], weights: [1, -1] }, ['mse']).values,
      'The weight of row 1 is out of range.',
    ],
    [
      'NaN weight',
      () => dcml.evaluatePredictions({ truth: [1, 2], predicted: [1, 2], weights: [1, NaN] }, ['mse']).values,
      'The weight of row 1 is out of range.',
    ],
    [
      'mcnemar lengths',
      () => dcml.mcnemar({ truth: [1], first: [1, 0], second: [1] }),
      'The answers of a model do not match the truth.',
    ],
    [
      'pairedBootstrap',
      () =>
        dcml.pairedBootstrap(
          dcml.accuracy() as never,
          { truth: [1], predicted: [1] } as never,
          { truth: [1, 2], predicted: [1, 2] } as never,
        ),
      'The models were not given the same rows.',
    ],
    [
      'permutation feature',
      () => dcml.permutationImportance(model(), data(), { metric: 'acc' as never }),
      "There is no metric named 'acc'.",
    ],
  ],
  tuner: [
    ['tuner no space', () => new Tuner({} as never), 'The search space is empty.'],
    ['tuner empty space', () => new Tuner({ space: {} }), 'The search space is empty.'],
    ['tuner bad space', () => new Tuner({ space: { lr: 5 } as never }), "'lr' of the search space is not a parameter."],
    ['uniform reversed', () => dcml.uniform(2, 1), 'The bounds of uniform are not a range.'],
    ['logUniform zero', () => dcml.logUniform(0, 1), 'The lower bound of logUniform has no logarithm.'],
    ['intUniform real', () => dcml.intUniform(0.5, 2), 'low of intUniform is not a whole number.'],
    ['choice empty', () => dcml.choice([]), 'A choice needs values to choose from.'],
    [
      'tuner direction',
      () => new Tuner({ space: { a: dcml.uniform(0, 1) }, direction: 'up' as never }),
      'There is no such direction.',
    ],
    [
      'tuner trials 0',
      () => new Tuner({ space: { a: dcml.uniform(0, 1) } }).run(() => 1, { trials: 0 }),
      'trials is out of range.',
    ],
    [
      'tuner no objective',
      () => new Tuner({ space: { a: dcml.uniform(0, 1) } }).run(undefined as never, { trials: 1 }),
      'The objective is neither a function nor the address of a module.',
    ],
    [
      'tuner concurrency',
      () => new Tuner({ space: { a: dcml.uniform(0, 1) } }).run(() => 1, { trials: 1, concurrency: 0 }),
      'concurrency is out of range.',
    ],
    [
      'tuner sampler',
      () => new Tuner({ space: { a: dcml.uniform(0, 1) }, sampler: 'tpe' as never }),
      'The sampler is none.',
    ],
    ['asha', () => (dcml.asha as Untyped)({ reductionFactor: 1 }), 'reductionFactor of asha is out of range.'],
  ],
  predictor: [
    ['predictor no model', () => new dcml.Predictor({} as never), 'A predictor needs a model.'],
    [
      'predictor preprocessor',
      () => new dcml.Predictor({ model: model(), preprocessor: {} as never }),
      'The preprocessor is none.',
    ],
    [
      'predictor unfitted',
      () =>
        new dcml.Predictor({ model: model(), preprocessor: new Preprocessor([dcml.standardize('x')]) }).predict([
          { x: [1] },
        ]),
      'Preprocessor.transformColumns was called before fit.',
    ],
    [
      'predictor classes',
      () => new dcml.Predictor({ model: model(), classes: ['a'] }),
      'The names of the classes do not match the outputs of the model.',
    ],
    [
      'predictor stream number',
      async () => {
        for await (const _ of new dcml.Predictor({ model: model() }).stream(5 as never));
      },
      'A stream needs rows.',
    ],
    [
      'predictor null row',
      () => new dcml.Predictor({ model: model() }).predict([null as never]),
      'Row 0: this is no object.',
    ],
  ],
  backends: [['selectBackend', () => selectBackend({ prefer: ['gpu' as never] }), 'There is no such backend.']],
}

describe.each(Object.entries(cases))('%s', (_, table) => {
  it.each(table)('%s', async (_, use, message) => {
    const error: unknown = await (async () => use())().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(dcml.DcmlError)
    const { code, message: said } = error as dcml.DcmlError
    expect(code).toMatch(/^DCML_[A-Z]+(_[A-Z]+)*$/)
    expect(code).not.toBe('DCML_ERROR')
    expect(said).toContain(message)
    // Besides what is wrong there is what would be right, what came, or what to do.
    expect(said).toMatch(/^.+[.:] \S.+\.$|^.+; .+$/s)
    expect(said).not.toContain('[object')
  })
})
