/** What a thread of a tuner runs: the objective that a module exports, one trial at a time. @module */

import { parentThread } from '#parent-thread'
import { ConfigError, type Deferred, deferred, deserializeError, serializeError } from '../core/index.js'
import type { ObjectiveReply, ObjectiveRequest } from './objective-protocol.js'
import { LiveTrial, type Objective, type TrialParts } from './trial.js'

const parent = parentThread()
if (!parent) throw new Error('This module runs in a worker thread.')
const reply = (message: ObjectiveReply) => parent.post(message)

let aborting = new AbortController()
/** What the trial that runs has reported and waits for, in that order. */
let reported: { trial: number; verdicts: Deferred<boolean>[] } | undefined

parent.onMessage((received) => {
  const message = received as ObjectiveRequest
  if (message.kind === 'run') run(message.module, message.trial)
  else if (message.kind === 'abort') aborting.abort()
  else if (message.trial === reported?.trial) {
    const verdict = reported.verdicts.shift()!
    if (message.kind === 'verdict') verdict.resolve(message.prune)
    else verdict.reject(deserializeError(message.error))
  }
})

async function run(module: string, parts: TrialParts): Promise<void> {
  aborting = new AbortController()
  const verdicts: Deferred<boolean>[] = []
  reported = { trial: parts.number, verdicts }
  const trial = new LiveTrial(parts, aborting.signal, (step, value) => {
    const verdict = deferred<boolean>()
    verdicts.push(verdict)
    reply({ kind: 'report', trial: parts.number, step, value })
    return verdict.promise
  })
  try {
    reply({ kind: 'done', score: await (await objectiveOf(module))(trial) })
  } catch (error) {
    reply({ kind: 'failed', error: serializeError(error) })
  }
}

async function objectiveOf(module: string): Promise<Objective> {
  const exports = (await import(/* @vite-ignore */ module)) as { default?: unknown }
  if (typeof exports.default === 'function') return exports.default as Objective
  throw new ConfigError('The module of the objective does not export it.', {
    expected: 'export default async (trial) => score',
    received: Object.keys(exports).join(', ') || 'no export',
  })
}
