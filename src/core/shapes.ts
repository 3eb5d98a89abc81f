/** Shapes: lists of sizes, slowest axis first. @module */

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const length of shape) size *= length
  return size
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis])
}

/** Number of elements in one row: the product of all axes but the first. */
export function rowSize(shape: readonly number[]): number {
  return sizeOf(shape.slice(1))
}
