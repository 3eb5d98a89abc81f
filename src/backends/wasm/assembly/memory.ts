// Where the module may write: the scratch range that the instance's owner lends it.
// Nothing else here is mutable: instances on several threads may share one memory.

/** What of the scratch range is used at a time: a second-level cache. */
export const cacheBytes: usize = 1 << 20

let scratchPointer: usize = 0
let scratchBytes: usize = 0

/** First byte that the module itself does not use. */
export function heapBase(): usize {
  return __heap_base
}

/** Lends `sizeBytes` bytes, at least 64 KiB, to this instance. */
export function setScratch(pointer: usize, sizeBytes: usize): void {
  scratchPointer = (pointer + 63) & ~63
  scratchBytes = sizeBytes - (scratchPointer - pointer)
}

// @ts-ignore: decorator
@inline
export function scratchStart(): usize {
  return scratchPointer
}

// @ts-ignore: decorator
@inline
export function scratchSize(): usize {
  return scratchBytes
}
