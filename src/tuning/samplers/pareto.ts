/** Comparison by several values at once. @module */

/** Whether losses `a` are no worse than `b` in all and better in one. */
function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((loss, i) => loss <= b[i]!) && a.some((loss, i) => loss < b[i]!)
}

/**
 * Indices of the losses that none dominates, then of those that only these dominate, and so on.
 *
 * @see Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II",
 *   https://doi.org/10.1109/4235.996017
 */
export function nondominatedFronts(losses: readonly (readonly number[])[]): number[][] {
  const beaten = losses.map(() => [] as number[])
  const beatenBy = losses.map(() => 0)
  for (let i = 0; i < losses.length; i++) {
    for (let j = 0; j < i; j++) {
      const winner = dominates(losses[i]!, losses[j]!) ? i : dominates(losses[j]!, losses[i]!) ? j : undefined
      if (winner === undefined) continue
      const loser = winner === i ? j : i
      beaten[winner]!.push(loser)
      beatenBy[loser]!++
    }
  }
  const fronts: number[][] = []
  let front = losses.map((_, i) => i).filter((i) => beatenBy[i] === 0)
  while (front.length > 0) {
    fronts.push(front)
    front = front.flatMap((i) => beaten[i]!.filter((j) => --beatenBy[j]! === 0)).sort((a, b) => a - b)
  }
  return fronts
}

/** How far each member of a front is from its neighbours, as a sum of shares of each value's range. */
export function crowdingDistances(losses: readonly (readonly number[])[]): number[] {
  const distances = losses.map(() => 0)
  for (let objective = 0; objective < (losses[0]?.length ?? 0); objective++) {
    const order = losses.map((_, i) => i).sort((a, b) => losses[a]![objective]! - losses[b]![objective]!)
    const at = (place: number) => losses[order[place]!]![objective]!
    const range = at(order.length - 1) - at(0)
    distances[order[0]!] = distances[order.at(-1)!] = Number.POSITIVE_INFINITY
    if (range === 0) continue
    for (let place = 1; place < order.length - 1; place++)
      distances[order[place]!]! += (at(place + 1) - at(place - 1)) / range
  }
  return distances
}
