/** A guess at the name that was meant. @module */

/**
 * The closest of the names there are, as the remedy of an error: `Did you mean 'accuracy'?`
 *
 * @param name - What came instead.
 * @returns Undefined where no name is close: more than one change in three letters, the case of letters aside.
 * @example
 * throw new ConfigError(`There is no loss named '${name}'.`, { remedy: didYouMean(name, Object.keys(losses)) })
 */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.floor(name.length / 3) + 1
  for (const candidate of known) {
    const distance = changesBetween(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = candidate
  }
  return best === undefined ? undefined : `Did you mean '${best}'?`
}

/**
 * Letters to insert, remove, replace, or swap with their neighbour.
 *
 * @see Damerau 1964, https://doi.org/10.1145/363958.363994
 */
function changesBetween(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, j) => j)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = last[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]!
}
