/** A sum whose rounding does not depend on who computes it. @module */

/**
 * Adds arrays element by element in a fixed binary tree: neighbours first, then their sums. Whoever adds the same
 * arrays in the same order gets the same bits. The first array is overwritten with the sum and returned.
 *
 * @param arrays - At least one array, all of one length.
 */
export function treeSum(arrays: readonly Float32Array[]): Float32Array {
  for (let distance = 1; distance < arrays.length; distance *= 2) {
    for (let i = 0; i + distance < arrays.length; i += 2 * distance) {
      const into = arrays[i]!
      const other = arrays[i + distance]!
      for (let j = 0; j < into.length; j++) into[j]! += other[j]!
    }
  }
  return arrays[0]!
}
