// A program run many times in one call.

import { runProgram } from './program'

/** See ../exports.ts. */
export function runLoop(
  from: usize,
  to: usize,
  targets: usize,
  targetCount: i32,
  table: usize,
  rowBytes: i32,
  count: i32,
  outcome: usize,
): i32 {
  for (let run = 0; run < count; run++) {
    for (let i = 0; i < targetCount; i++) {
      const target: usize = targets + (<usize>i << 3)
      store<u32>(<usize>load<u32>(target), load<u32>(table + <usize>load<u32>(target, 4)))
    }
    const stop = runProgram(from, to)
    if (stop) {
      store<i32>(outcome, stop)
      return run
    }
    table += rowBytes
  }
  store<i32>(outcome, 0)
  return count
}
