// Moving elements: slices, padding, rows by index.

import { addFloats, at, copyFloats, zeroFloats } from './copy'
import { fill } from './fill'

/** See ../exports.ts. */
export function copyRows(input: usize, out: usize, rows: i32, rowBytes: i32, inputPitch: i32, outPitch: i32): void {
  const isWords = rowBytes % 4 == 0
  for (let r = 0; r < rows; r++) {
    if (isWords) copyFloats(input, out, rowBytes >> 2)
    else memory.copy(out, input, rowBytes)
    input += inputPitch
    out += outPitch
  }
}

/** See ../exports.ts. */
export function pad(input: usize, out: usize, value: f32, info: usize): void {
  let total = 1
  for (let axis = 0; axis < 6; axis++) total *= at(info, axis) + at(info, 6 + axis) + at(info, 12 + axis)
  fill(0, out, total, value)
  padAxis(0, input, out, total, at(info, 0) * at(info, 1) * at(info, 2) * at(info, 3) * at(info, 4) * at(info, 5), info)
}

/** Places `count` elements of the axes from `axis` on into a padded range of `room` elements. */
function padAxis(axis: i32, input: usize, out: usize, room: i32, count: i32, info: usize): void {
  if (count == 0) return
  const size = at(info, axis)
  const before = at(info, 6 + axis)
  if (axis == 5) {
    copyFloats(input, out + (<usize>before << 2), size)
    return
  }
  const innerRoom = room / (size + before + at(info, 12 + axis))
  const innerCount = count / size
  for (let i = 0; i < size; i++)
    padAxis(
      axis + 1,
      input + (<usize>(i * innerCount) << 2),
      out + (<usize>((before + i) * innerRoom) << 2),
      innerRoom,
      innerCount,
      info,
    )
}

/** See ../exports.ts. */
export function gather(
  input: usize,
  indices: usize,
  out: usize,
  outer: i32,
  size: i32,
  count: i32,
  rowBytes: i32,
): i32 {
  let outside = 0
  const isWords = rowBytes % 4 == 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count; i++) {
      const index = at(indices, i)
      if (<u32>index < <u32>size) {
        const row: usize = input + <usize>index * rowBytes
        if (isWords) copyFloats(row, out, rowBytes >> 2)
        else memory.copy(out, row, rowBytes)
      } else {
        memory.fill(out, 0, rowBytes)
        if (o == 0) outside++
      }
      out += rowBytes
    }
    input += <usize>size * rowBytes
  }
  return outside
}

/** See ../exports.ts. */
export function segmentSum(input: usize, ids: usize, out: usize, rows: i32, inner: i32, segments: i32): void {
  zeroFloats(out, segments * inner)
  for (let r = 0; r < rows; r++) {
    const id = at(ids, r)
    if (<u32>id < <u32>segments) addFloats(input, out + (<usize>(id * inner) << 2), inner)
    input += <usize>inner << 2
  }
}

/** See ../exports.ts. */
export function oneHot(indices: usize, out: usize, n: i32, depth: i32, onValue: f32, offValue: f32): void {
  fill(0, out, n * depth, offValue)
  for (let i = 0; i < n; i++) {
    const index = at(indices, i)
    if (<u32>index < <u32>depth) store<f32>(out + (<usize>(i * depth + index) << 2), onValue)
  }
}
