export { type PlanTrainingOptions, planTraining } from './plan-training.js'
export type { StepCosts, StepOptions } from './step-costs.js'
export { type PlanOptions, TrainingPlan } from './training-plan.js'
