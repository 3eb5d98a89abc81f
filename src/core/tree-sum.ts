/** A sum whose rounding does not depend on who computes it. @module */

/**
 * Adds arrays element by element in a fixed binary tree: neighbours first, then their sums. Whoever adds the same
 * arrays in the same order gets the same bits. The first array is overwritten with the sum and returned.
 *
 * @param arrays - At least one array, all of one length.
 * @param add - Adds `other` to `into`, element by element.
 */
export function treeSum(
  arrays: readonly Float32Array[],
  add: (into: Float32Array, other: Float32Array) => void = addTo,
): Float32Array {
  for (let distance = 1; distance < arrays.length; distance *= 2)
    for (let i = 0; i + distance < arrays.length; i += 2 * distance) add(arrays[i]!, arrays[i + distance]!)
  return arrays[0]!
}

function addTo(into: Float32Array, other: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i]! += other[i]!
}
