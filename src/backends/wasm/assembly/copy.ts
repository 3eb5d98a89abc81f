// Runs of floats, most of them short: a call of memory.copy costs as much as 30 floats.

// @ts-ignore: decorator
@inline
export function copyFloats(from: usize, to: usize, n: i32): void {
  if (n > 48) {
    memory.copy(to, from, <usize>n << 2)
    return
  }
  for (; n >= 4; n -= 4) {
    v128.store(to, v128.load(from))
    from += 16
    to += 16
  }
  for (; n > 0; n--) {
    store<f32>(to, load<f32>(from))
    from += 4
    to += 4
  }
}

// @ts-ignore: decorator
@inline
export function zeroFloats(to: usize, n: i32): void {
  memory.fill(to, 0, <usize>n << 2)
}

/** to += from. */
// @ts-ignore: decorator
@inline
export function addFloats(from: usize, to: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)))
    from += 16
    to += 16
  }
  for (; n > 0; n--) {
    store<f32>(to, load<f32>(to) + load<f32>(from))
    from += 4
    to += 4
  }
}

/** The index-th int32 of a description in memory. */
// @ts-ignore: decorator
@inline
export function at(info: usize, index: i32): i32 {
  return load<i32>(info + (<usize>index << 2))
}
