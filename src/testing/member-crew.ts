/** The workers of a strategy, all in this thread, over transports in memory: what a conformance suite can look into. @module */

import { createMember, type StrategyDescription } from '../distributed/index.js'
import { modelFromTopology } from '../models/index.js'
import {
  Replica,
  type SetupExports,
  type SharedColumns,
  SingleWorker,
  type StepRecord,
  type TrainingJob,
  type TrainingState,
  type TrainRange,
  type WorkerUsage,
} from '../training/index.js'
import { memoryTransports } from '../transport/index.js'

/** Replicas that train together. Every answer is one per rank. */
export class MemberCrew {
  readonly #replicas: readonly Replica[]

  private constructor(replicas: readonly Replica[]) {
    this.#replicas = replicas
  }

  /** Starts so many workers; without a description one that has no peers. */
  static async start(
    job: TrainingJob & { model: { topology: string } },
    weights: Record<string, Float32Array>,
    group?: { description: StrategyDescription; workers: number; setup?: SetupExports },
  ): Promise<MemberCrew> {
    const members = group
      ? memoryTransports(group.workers).map((end) => createMember(group.description, end, { setup: group.setup ?? {} }))
      : [new SingleWorker()]
    const crew = new MemberCrew(
      await Promise.all(
        members.map(async (member) =>
          Replica.create(job, { model: await modelFromTopology(job.model.topology) }, member),
        ),
      ),
    )
    await crew.#all((replica) => replica.writeWeights(weights))
    return crew
  }

  async setData(name: string, columns: SharedColumns): Promise<void> {
    await this.#all((replica) => replica.setData(name, columns, { reused: true }))
  }

  train(range: TrainRange): Promise<StepRecord[][]> {
    return this.#all((replica) => replica.train(range))
  }

  readState(): Promise<TrainingState[]> {
    return this.#all((replica) => replica.readState())
  }

  async writeState(state: TrainingState): Promise<void> {
    await this.#all((replica) => replica.writeState(state))
  }

  async usage(): Promise<WorkerUsage[]> {
    return (await this.#all((replica) => replica.usage())).flat()
  }

  async close(): Promise<void> {
    await this.#all((replica) => replica.close())
  }

  #all<T>(ask: (replica: Replica) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#replicas.map(ask))
  }
}
