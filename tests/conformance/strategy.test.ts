import { describe, it } from 'vitest'
import { DataParallel, LocalSGD, nesterov, ShardedDataParallel } from '../../src/distributed/index.js'
import { adagrad } from '../../src/optimizers/index.js'
import { type StrategySubject, testStrategy } from '../../src/testing/strategy.js'

const subjects: Record<string, StrategySubject> = {
  DataParallel: { create: (workers) => new DataParallel({ workers }) },
  'DataParallel in buckets': {
    create: (workers) => new DataParallel({ workers, bucketBytes: 100 }),
    worldSizes: [2, 3],
  },
  'ShardedDataParallel, stage 1': { create: (workers) => new ShardedDataParallel({ workers, stage: 1 }) },
  'ShardedDataParallel, stage 2': { create: (workers) => new ShardedDataParallel({ workers, stage: 2 }) },
  'ShardedDataParallel with a rule that has no kernel': {
    create: (workers) => new ShardedDataParallel({ workers }),
    worldSizes: [3],
    optimizer: adagrad({ learningRate: 0.05 }),
  },
  LocalSGD: { create: (workers) => new LocalSGD({ workers, everySteps: 3 }), exact: false },
  DiLoCo: { create: (workers) => new LocalSGD({ workers, everySteps: 3, outer: nesterov() }), exact: false },
}

for (const [name, subject] of Object.entries(subjects))
  describe(name, () => {
    for (const { name: holds, run } of testStrategy(subject)) it(holds, run)
  })
