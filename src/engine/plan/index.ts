/**
 * From the calls of a recorded step to a program.
 * @module
 */

import type { ProgramPlan } from '../../backends/index.js'
import type { Step } from './calls.js'
import { removeDeadCalls } from './dead-calls.js'
import { writeResultsDirectly } from './direct-results.js'
import { foldEpilogues } from './fold-epilogues.js'
import { fuseReluGradients } from './fuse-relu-gradients.js'
import { joinChains } from './join-chains.js'
import { placeBuffers } from './place-buffers.js'

export { makeCall, type Step, samePlace } from './calls.js'

/** Shortens a step and gives its buffers their places. */
export function planStep(step: Step, constants: ReadonlyMap<number, Uint8Array>): ProgramPlan {
  const passes = [removeDeadCalls, foldEpilogues, fuseReluGradients, writeResultsDirectly, joinChains]
  const planned = passes.reduce((now, pass) => pass(now), step)
  const { offsets, bytes } = placeBuffers(planned, new Set(constants.keys()))
  return { calls: planned.calls, offsets, bytes, constants }
}
