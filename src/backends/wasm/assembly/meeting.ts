// Where instances on several threads of one shared memory wait for each other.

/** Words of the place, on cache lines of their own: how many have come; how often all have; whether the group has ended. */
const ARRIVED: usize = 0
const GENERATION: usize = 64
const ENDED: usize = 68

/** Why a meeting failed; see ../exports.ts. */
const HAS_ENDED: i32 = -2
const IS_LATE: i32 = -3

/** See ../exports.ts. */
export function meet(place: usize, count: i32, spins: i32, timeoutMs: f64): i32 {
  if (ASC_FEATURE_THREADS) {
    const generation = atomic.load<i32>(place, GENERATION)
    if (atomic.load<i32>(place, ENDED)) return HAS_ENDED
    if (atomic.add<i32>(place, 1, ARRIVED) == count - 1) {
      atomic.store<i32>(place, 0, ARRIVED)
      next(place)
      return 0
    }
    while (spins-- > 0 && atomic.load<i32>(place, GENERATION) == generation) {}
    const timeout: i64 = timeoutMs < 1e12 ? <i64>(timeoutMs * 1e6) : -1
    while (atomic.load<i32>(place, GENERATION) == generation) {
      if (atomic.load<i32>(place, ENDED)) return HAS_ENDED
      if (atomic.wait<i32>(place + GENERATION, generation, timeout) == AtomicWaitResult.TIMED_OUT) {
        endMeetings(place)
        return IS_LATE
      }
    }
    if (atomic.load<i32>(place, ENDED)) return HAS_ENDED
  }
  return 0
}

/** See ../exports.ts. */
export function endMeetings(place: usize): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(place, 1, ENDED)
    // A new generation also wakes who is just about to sleep.
    next(place)
  }
}

function next(place: usize): void {
  atomic.add<i32>(place, 1, GENERATION)
  atomic.notify(place + GENERATION)
}
