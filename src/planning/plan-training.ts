/** Plans a training: what a step takes and needs on so many workers. @module */

import { measureStepCosts, type StepOptions } from './step-costs.js'
import { type PlanOptions, TrainingPlan } from './training-plan.js'

/** What is trained, and where. */
export type PlanTrainingOptions = StepOptions & PlanOptions

/**
 * Measures steps of a copy of the model on this machine for some seconds, and predicts those of `workers` workers like
 * it. The plan predicts others without measuring again.
 *
 * @throws {ConfigError} if the backend computes on GPUs, whose links and speed a plan does not know.
 * @example
 * const plan = await planTraining({ model, batchSize: 1024, workers: 8, link: await measureLink(transport) })
 * console.log(plan.stepMs, plan.memoryBytes, plan.at({ workers: 512 }).efficiency)
 */
export async function planTraining(options: PlanTrainingOptions): Promise<TrainingPlan> {
  const { batchSize, workers, link, workersPerMachine, localLink } = options
  const costs = await measureStepCosts(options)
  return new TrainingPlan(costs, {
    batchSize,
    workers,
    ...(link ? { link } : {}),
    ...(localLink ? { localLink } : {}),
    ...(workersPerMachine === undefined ? {} : { workersPerMachine }),
  })
}
