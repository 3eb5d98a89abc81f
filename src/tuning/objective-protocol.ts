/** What a tuner and a thread that runs its objective say to each other. @module */

import type { SerializedError } from '../core/index.js'
import type { Score, TrialParts } from './trial.js'

/** To the thread. An answer names the trial that reported: the next may have begun. */
export type ObjectiveRequest =
  | { kind: 'run'; module: string; trial: TrialParts }
  | { kind: 'verdict'; trial: number; prune: boolean }
  | { kind: 'refusal'; trial: number; error: SerializedError }
  | { kind: 'abort' }

/** From the thread. */
export type ObjectiveReply =
  | { kind: 'report'; trial: number; step: number; value: number }
  | { kind: 'done'; score: Score }
  | { kind: 'failed'; error: SerializedError }
