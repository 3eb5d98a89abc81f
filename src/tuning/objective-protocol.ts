/** What a tuner and a thread that runs its objective say to each other. @module */

import type { SerializedError } from '../core/index.js'
import type { Score, TrialParts } from './trial.js'

/** To the thread. */
export type ObjectiveRequest =
  | { kind: 'run'; module: string; trial: TrialParts }
  | { kind: 'verdict'; prune: boolean }
  | { kind: 'refusal'; error: SerializedError }
  | { kind: 'abort' }

/** From the thread. */
export type ObjectiveReply =
  | { kind: 'report'; step: number; value: number }
  | { kind: 'done'; score: Score }
  | { kind: 'failed'; error: SerializedError }
