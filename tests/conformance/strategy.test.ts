import { describe, it } from 'vitest'
import { createCollectives, mesh } from '../../src/collectives/index.js'
import {
  bfloat16,
  CustomStrategy,
  DataParallel,
  float16,
  GroupMember,
  int8,
  LocalSGD,
  nesterov,
  ParameterServer,
  powerSgd,
  ShardedDataParallel,
  topK,
} from '../../src/distributed/index.js'
import type { FlatParameters } from '../../src/engine/index.js'
import { adagrad } from '../../src/optimizers/index.js'
import { type StrategySubject, testStrategy } from '../../src/testing/strategy.js'
import type { Transport } from '../../src/transport/index.js'

/** Adds up along the rows of a mesh of workers, then down its columns. */
class MeshMember extends GroupMember {
  readonly #sides = mesh(this.transport, [2, this.group.size / 2]).map((side) => createCollectives(side))

  async synchronize({ gradients, totals }: FlatParameters): Promise<Float32Array> {
    for (const side of this.#sides) await side.allReduce(gradients)
    return totals
  }
}

const subjects: Record<string, StrategySubject> = {
  DataParallel: { create: (workers) => new DataParallel({ workers }) },
  'DataParallel in buckets': {
    create: (workers) => new DataParallel({ workers, bucketBytes: 100 }),
    worldSizes: [2, 3],
  },
  'ShardedDataParallel, stage 1': { create: (workers) => new ShardedDataParallel({ workers, stage: 1 }) },
  'ShardedDataParallel, stage 2': { create: (workers) => new ShardedDataParallel({ workers, stage: 2 }) },
  'ShardedDataParallel, stage 2 in buckets': {
    create: (workers) => new ShardedDataParallel({ workers, stage: 2, bucketBytes: 100 }),
  },
  'ShardedDataParallel with a rule that has no kernel': {
    create: (workers) => new ShardedDataParallel({ workers }),
    worldSizes: [3],
    optimizer: adagrad({ learningRate: 0.05 }),
  },
  "a strategy of one's own, on a mesh": {
    create: (workers) => new CustomStrategy({ workers, member: 'meshMember' }),
    worldSizes: [4],
    setup: { meshMember: (transport: Transport) => new MeshMember(transport) },
  },
  LocalSGD: { create: (workers) => new LocalSGD({ workers, everySteps: 3 }), exact: false },
  'DataParallel with float16': {
    create: (workers) => new DataParallel({ workers, compression: float16() }),
    worldSizes: [2, 3],
    exact: false,
  },
  'DataParallel with bfloat16': {
    create: (workers) => new DataParallel({ workers, compression: bfloat16() }),
    worldSizes: [2, 3],
    exact: false,
  },
  'DataParallel with int8': {
    create: (workers) => new DataParallel({ workers, compression: int8({ bucket: 16 }) }),
    exact: false,
  },
  'DataParallel with top-k': {
    create: (workers) => new DataParallel({ workers, compression: topK({ ratio: 0.1 }) }),
    exact: false,
  },
  'DataParallel with PowerSGD': {
    create: (workers) => new DataParallel({ workers, compression: powerSgd({ rank: 1 }) }),
    exact: false,
  },
  ParameterServer: {
    create: (workers) => new ParameterServer({ workers, staleness: 1 }),
    exact: false,
    repeatable: false,
  },
  DiLoCo: { create: (workers) => new LocalSGD({ workers, everySteps: 3, outer: nesterov() }), exact: false },
}

for (const [name, subject] of Object.entries(subjects))
  describe(name, () => {
    for (const { name: holds, run } of testStrategy(subject)) it(holds, run)
  })
