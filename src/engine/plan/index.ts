/**
 * From the calls of a recorded step to a program.
 * @module
 */

import { joiningOf, type ProgramPlan } from '../../backends/index.js'
import type { Step } from './calls.js'
import { removeDeadCalls } from './dead-calls.js'
import { writeResultsDirectly } from './direct-results.js'
import { type Bucket, cutsOf, type DividedGradients, divideGradients } from './divide-gradients.js'
import { foldEpilogues } from './fold-epilogues.js'
import { fuseReluGradients } from './fuse-relu-gradients.js'
import { joinCalls } from './join-calls.js'
import { joinChains } from './join-chains.js'
import { bytesOfBuckets, placeBuffers } from './place-buffers.js'
import { repeatDraws } from './repeat-draws.js'
import { splitEpilogues } from './split-epilogues.js'
import { workInPlace } from './work-in-place.js'

export { makeCall, type Step, samePlace } from './calls.js'
export { writeElsewhere } from './direct-results.js'
export type { DividedGradients } from './divide-gradients.js'

/** What is handed over while a program runs. */
interface Handover extends Bucket {
  /** How many calls have run by then. */
  readonly cut: number
}

/** A program, and the gradients that it hands over. */
export interface StepPlan extends ProgramPlan {
  readonly handovers: readonly Handover[]
  /** Bytes of the gradients that wait at once, at most. */
  readonly passingBytes: number
}

/**
 * Shortens a step and gives its buffers their places.
 *
 * @param divided - The gradients that it hands over in buckets, if it does.
 */
export function planStep(step: Step, constants: ReadonlyMap<number, Uint8Array>, divided?: DividedGradients): StepPlan {
  const divide = (whole: Step) => (divided ? divideGradients(whole, divided) : whole)
  const repeat = (whole: Step) => repeatDraws(whole, constants)
  const join = { chain: [joinChains], joined: [splitEpilogues, repeat, joinCalls, workInPlace] }[joiningOf()]
  const passes = [removeDeadCalls, foldEpilogues, fuseReluGradients, writeResultsDirectly, divide, ...join]
  const planned = passes.reduce((now, pass) => pass(now), step)
  const { offsets, bytes } = placeBuffers(planned, new Set(constants.keys()))
  const cuts = cutsOf(planned)
  const handovers = (planned.buckets ?? []).map((bucket, i) => ({ ...bucket, cut: cuts[i]! }))
  const { calls, sizes } = planned
  return { calls, offsets, sizes, bytes, constants, handovers, passingBytes: bytesOfBuckets(planned) }
}
