/**
 * Products of the matrices of attention's heads, where they lie in `[batch, tokens, heads, dim]`: nothing is transposed.
 *
 * No single stride leads through the heads of several entries of a batch. So cuBLAS gets tables of their addresses, which
 * a kernel writes: nothing is copied from the host, and a graph can capture it.
 * @module
 */

import type { CudaDevice } from '../cuda-device.js'
import type { ProductPrecision } from '../ffi/cublas.js'
import { defineModule, each } from './kernel-module.js'

/** A matrix for each head of each entry of a batch. */
export interface HeadMatrices {
  /** Of the first. */
  readonly pointer: number
  /** Bytes of an element. */
  readonly width: 2 | 4
  /** Elements from row to row, from head to head, from entry to entry. */
  readonly rowStride: number
  readonly headStride: number
  readonly entryStride: number
  /** Where the address of the first stands in a table; 0: there is none. */
  readonly table: number
}

/** Some of the matrices: of whole entries, of some heads of one entry, or some rows of one head. */
export interface Part {
  readonly entry: number
  readonly entries: number
  readonly head: number
  readonly heads: number
  readonly row: number
  readonly rows: number
}

/**
 * Divides all matrices into parts, so that rows of scores take no more than so many bytes at once.
 *
 * @param rowBytes - Of a row of scores.
 */
export function partsOf(
  { batch, heads, rows }: { batch: number; heads: number; rows: number },
  rowBytes: number,
  mostBytes: number,
): Part[] {
  const fitting = (bytes: number, all: number) => Math.max(1, Math.min(all, Math.floor(mostBytes / bytes)))
  const rowsAtOnce = fitting(rowBytes, rows)
  const headsAtOnce = rowsAtOnce < rows ? 1 : fitting(rows * rowBytes, heads)
  const entriesAtOnce = headsAtOnce < heads ? 1 : fitting(heads * rows * rowBytes, batch)
  const parts: Part[] = []
  for (let entry = 0; entry < batch; entry += entriesAtOnce)
    for (let head = 0; head < heads; head += headsAtOnce)
      for (let row = 0; row < rows; row += rowsAtOnce)
        parts.push({
          entry,
          entries: Math.min(entriesAtOnce, batch - entry),
          head,
          heads: Math.min(headsAtOnce, heads - head),
          row,
          rows: Math.min(rowsAtOnce, rows - row),
        })
  return parts
}

/** The matrices of a part; `row` is the first row that is meant. */
export function within(matrices: HeadMatrices, { entry, heads, head }: Part, row = 0): HeadMatrices {
  const { pointer, width, rowStride, headStride, entryStride, table } = matrices
  const elements = entry * entryStride + head * headStride + row * rowStride
  // Tables serve parts of whole entries.
  return { ...matrices, pointer: pointer + width * elements, table: table && table + ADDRESS_BYTES * entry * heads }
}

/** out = op(a) op(b) + beta out for each matrix of a part; `[m, n]`, `[m, k]`, `[k, n]`. */
export interface HeadProduct {
  readonly a: HeadMatrices
  readonly b: HeadMatrices
  readonly out: HeadMatrices
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly beta: number
}

/** Starts the products of a part: one call of cuBLAS where there are tables, or where one stride does. */
export function multiplyHeads(
  device: CudaDevice,
  { entries, heads }: Part,
  { a, b, out, ...sizes }: HeadProduct,
  precision: ProductPrecision,
): void {
  const rows = { rowStrideA: a.rowStride, rowStrideB: b.rowStride, rowStrideOut: out.rowStride }
  if (entries > 1 && heads > 1 && a.table && b.table && out.table) {
    const tables = { tableA: a.table, tableB: b.table, tableOut: out.table }
    device.multiplyByTables({ ...sizes, ...rows, ...tables, out: out.pointer, batch: entries * heads }, precision)
    return
  }
  const stride = heads === 1 ? 'entryStride' : 'headStride'
  const strides = { batchStrideA: a[stride], batchStrideB: b[stride], batchStrideOut: out[stride] }
  const batch = heads === 1 ? entries : heads
  for (let i = 0; i < (heads === 1 ? 1 : entries); i++) {
    const at = ({ pointer, width, entryStride }: HeadMatrices) => pointer + width * i * entryStride
    device.multiply({ ...sizes, ...rows, ...strides, a: at(a), b: at(b), out: at(out), batch }, precision)
  }
}

const ADDRESS_BYTES = 8
/** Bytes of whose multiples cuBLAS wants all addresses in a table to be. */
const ALIGNMENT = 16
/** Tables that one launch writes. */
const TABLES = 6

const tableModule = defineModule(
  'heads',
  `
typedef unsigned long long Address;
// The table of all heads of all entries from a first address on; strides in units of ${ALIGNMENT} bytes.
INLINE void writeTable(Address *table, int index, int n, int heads, Address first, int headStride, int entryStride) {
  EACH(i, n) {
    long long entry = i / (unsigned)heads, head = i % (unsigned)heads;
    table[(long long)index * n + i] = first ? first + ${ALIGNMENT} * (entry * entryStride + head * headStride) : 0;
  }
}
#define TABLE(I) Address first##I, int head##I, int entry##I
#define WRITE(I) writeTable(tables, I, n, heads, first##I, head##I, entry##I);
KERNEL headTables(Address *tables, int n, int heads, TABLE(0), TABLE(1), TABLE(2), TABLE(3), TABLE(4), TABLE(5)) {
  WRITE(0) WRITE(1) WRITE(2) WRITE(3) WRITE(4) WRITE(5)
}
`,
)

export const headModules = [tableModule]

const isAligned = ({ pointer, width, rowStride, headStride, entryStride }: HeadMatrices): boolean =>
  [pointer, ...[rowStride, headStride, entryStride].map((stride) => width * stride)].every(
    (bytes) => bytes % ALIGNMENT === 0,
  )

/**
 * Lets a function use the matrices with tables, where these are of use: parts of several entries and several heads, all
 * at addresses that cuBLAS takes.
 */
export function withTables(
  device: CudaDevice,
  { matrices, batch, parts }: { matrices: readonly HeadMatrices[]; batch: number; parts: readonly Part[] },
  run: (...matrices: HeadMatrices[]) => void,
): void {
  const { entries, heads } = parts[0]!
  if (entries === 1 || heads === 1 || !matrices.every(isAligned)) {
    run(...matrices)
    return
  }
  const { memory } = device
  // A part of several entries has all heads.
  const n = batch * heads
  const rounded = Math.ceil(matrices.length / TABLES) * TABLES
  const tables = memory.scratch(ADDRESS_BYTES * n * rounded, 'table of addresses', [rounded, n])
  const units = (stride: number, width: number) => (stride * width) / ALIGNMENT
  for (let first = 0; first < matrices.length; first += TABLES) {
    const values = Array.from({ length: TABLES }, (_, i) => {
      const one = matrices[first + i]
      return one ? [one.pointer, units(one.headStride, one.width), units(one.entryStride, one.width)] : [0, 0, 0]
    })
    const to = tables + ADDRESS_BYTES * n * first
    device.launch(tableModule, 'headTables', { arguments: `wnn${'rnn'.repeat(TABLES)}` }, each(n, 1), [
      ...[to, n, heads],
      ...values.flat(),
    ])
  }
  run(...matrices.map((one, i) => ({ ...one, table: tables + ADDRESS_BYTES * n * i })))
  memory.release(tables)
}
