// A strided box as a dense tensor: transposes, slices, reversals, repetitions.

import { at, copyFloats } from './copy'

/** Columns of a transpose that are done together: their lines of the output stay in the nearest cache. */
const TILE = 128

/** See ../exports.ts. */
export function stridedCopy(input: usize, out: usize, elementBytes: i32, info: usize): void {
  if (elementBytes == 1) copyBox<u8>(input, out, info)
  else copyBox<u32>(input, out, info)
}

/** Row by row, or, where the input's nearest elements lie along another axis than the last, as 2-D transposes. */
function copyBox<T>(input: usize, out: usize, info: usize): void {
  const n = at(info, 5)
  const step = at(info, 11)
  let l0 = at(info, 0)
  let l1 = at(info, 1)
  let l2 = at(info, 2)
  let l3 = at(info, 3)
  let l4 = at(info, 4)
  // Strides of the output.
  const o4 = n
  const o3 = o4 * l4
  const o2 = o3 * l3
  const o1 = o2 * l2
  const o0 = o1 * l1
  // The axis that is turned with the last one: how long it is, and its stride in the output.
  let turned = 0
  let pitch = 0
  if (sizeof<T>() == 4 && step > 1 && n >= 4) {
    if (at(info, 10) == 1 && l4 >= 4) {
      turned = l4
      pitch = o4
      l4 = 1
    } else if (at(info, 9) == 1 && l3 >= 4) {
      turned = l3
      pitch = o3
      l3 = 1
    } else if (at(info, 8) == 1 && l2 >= 4) {
      turned = l2
      pitch = o2
      l2 = 1
    } else if (at(info, 7) == 1 && l1 >= 4) {
      turned = l1
      pitch = o1
      l1 = 1
    } else if (at(info, 6) == 1 && l0 >= 4) {
      turned = l0
      pitch = o0
      l0 = 1
    }
  }
  for (let i0 = 0; i0 < l0; i0++)
    for (let i1 = 0; i1 < l1; i1++)
      for (let i2 = 0; i2 < l2; i2++)
        for (let i3 = 0; i3 < l3; i3++) {
          const offset = i0 * at(info, 6) + i1 * at(info, 7) + i2 * at(info, 8) + i3 * at(info, 9)
          let place: usize = input + <usize>offset * sizeof<T>()
          let dense: usize = out + <usize>(i0 * o0 + i1 * o1 + i2 * o2 + i3 * o3) * sizeof<T>()
          const next: usize = <usize>at(info, 10) * sizeof<T>()
          for (let i4 = 0; i4 < l4; i4++) {
            if (turned) transpose2d(place, dense, turned, n, <usize>step << 2, <usize>pitch << 2)
            else if (sizeof<T>() == 4 && step == 1) copyFloats(place, dense, n)
            else copyRow<T>(place, dense, n, <usize>step * sizeof<T>())
            place += next
            dense += <usize>n * sizeof<T>()
          }
        }
}

/** Elements `step` bytes apart; 0: the same one n times. */
function copyRow<T>(place: usize, dense: usize, n: i32, step: usize): void {
  if (sizeof<T>() == 4 && step == 0) {
    const word = v128.load32_splat(place)
    for (; n >= 4; n -= 4) {
      v128.store(dense, word)
      dense += 16
    }
  }
  for (; n > 0; n--) {
    store<T>(dense, load<T>(place))
    place += step
    dense += sizeof<T>()
  }
}

/** out[i, j] = input[j, i] for i below `height`, j below `width`, in blocks of four by four; pitches in bytes. */
function transpose2d(input: usize, out: usize, height: i32, width: i32, inPitch: usize, outPitch: usize): void {
  for (let start = 0; start < height; start += TILE) {
    const end = min(height, start + TILE)
    let j = 0
    for (; j + 4 <= width; j += 4) {
      let from: usize = input + <usize>j * inPitch + (<usize>start << 2)
      let to: usize = out + <usize>start * outPitch + (<usize>j << 2)
      let i = start
      for (; i + 4 <= end; i += 4) {
        const a = v128.load(from)
        const b = v128.load(from + inPitch)
        const c = v128.load(from + 2 * inPitch)
        const d = v128.load(from + 3 * inPitch)
        const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5)
        const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5)
        const abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7)
        const cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7)
        v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2))
        v128.store(to + outPitch, v128.shuffle<u64>(ab, cd, 1, 3))
        v128.store(to + 2 * outPitch, v128.shuffle<u64>(abHigh, cdHigh, 0, 2))
        v128.store(to + 3 * outPitch, v128.shuffle<u64>(abHigh, cdHigh, 1, 3))
        from += 16
        to += 4 * outPitch
      }
      for (; i < end; i++) {
        store<u32>(to, load<u32>(from))
        store<u32>(to, load<u32>(from + inPitch), 4)
        store<u32>(to, load<u32>(from + 2 * inPitch), 8)
        store<u32>(to, load<u32>(from + 3 * inPitch), 12)
        from += 4
        to += outPitch
      }
    }
    for (; j < width; j++) {
      let from: usize = input + <usize>j * inPitch + (<usize>start << 2)
      let to: usize = out + <usize>start * outPitch + (<usize>j << 2)
      for (let i = start; i < end; i++) {
        store<u32>(to, load<u32>(from))
        from += 4
        to += outPitch
      }
    }
  }
}
