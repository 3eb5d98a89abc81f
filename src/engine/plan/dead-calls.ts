/** Leaves out what nobody reads. @module */

import { readsOf, type Step, writesOf } from './calls.js'

/** Keeps the calls that a result, or memory from outside the step, depends on. */
export function removeDeadCalls(step: Step): Step {
  const needed = new Set(step.results)
  const kept = [...step.calls].reverse().filter((call) => {
    const isNeeded = writesOf(call).some(([, { buffer }]) => buffer < 0 || needed.has(buffer))
    if (isNeeded) for (const [, { buffer }] of readsOf(call)) needed.add(buffer)
    return isNeeded
  })
  return { ...step, calls: kept.reverse() }
}
