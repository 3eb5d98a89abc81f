/** Typed arrays as columns hold them. @module */

/** Every array of numbers that a column may hold. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

const constructors = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
} as const

/** The name of a typed array's class, as plain data. */
export type TypedArrayName = keyof typeof constructors

/** The name of an array's class. */
export const typedArrayName = (array: TypedArray): TypedArrayName => array.constructor.name as TypedArrayName

/** A new array of the named class, zeroed, or a view of `buffer`. */
export function createTypedArray(
  name: TypedArrayName,
  length: number,
  buffer?: ArrayBufferLike,
  byteOffset = 0,
): TypedArray {
  const Class = constructors[name] as new (
    buffer: ArrayBufferLike | number,
    byteOffset?: number,
    length?: number,
  ) => TypedArray
  return buffer === undefined ? new Class(length) : new Class(buffer, byteOffset, length)
}

/** Whether a value is a typed array that a column may hold. */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && value.constructor.name in constructors
}

/** Whether float32 would change a whole number, such as an id beyond 2^24. */
export const isWholeBeyondFloat32 = (value: number): boolean => Number.isInteger(value) && Math.fround(value) !== value

/** Whether float32 would turn a number into infinity: from about 3.4e38 on. */
export const overflowsFloat32 = (value: number): boolean =>
  Number.isFinite(value) && !Number.isFinite(Math.fround(value))
