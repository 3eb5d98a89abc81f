/** The npy format of numpy. @module */

import { DataError } from '../core/index.js'
import type { ArrayHeader, ReadHeader } from './array-files.js'

const kinds: Readonly<Record<string, ArrayHeader['kind']>> = {
  f4: 'Float32Array',
  f8: 'Float64Array',
  i1: 'Int8Array',
  i2: 'Int16Array',
  i4: 'Int32Array',
  i8: 'Int64',
  u1: 'Uint8Array',
  u2: 'Uint16Array',
  u4: 'Uint32Array',
  b1: 'Uint8Array',
}

/**
 * Reads the header of an npy file.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export const readNpyHeader: ReadHeader = async (reader) => {
  const { name } = reader
  const start = await reader.take(8)
  if (String.fromCharCode(...start.subarray(0, 6)) !== '\x93NUMPY')
    throw new DataError(`${name}, byte 0: this is no npy file.`, {
      expected: 'it to begin with 93 4e 55 4d 50 59',
      received: [...start.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
      remedy: 'Write it with numpy.save',
    })
  const major = start[6]!
  if (major < 1 || major > 3)
    throw new DataError(`${name}, byte 6: this version of the npy format is unknown.`, {
      expected: '1, 2 or 3',
      received: major,
    })
  const lengthBytes = await reader.take(major === 1 ? 2 : 4)
  const length = lengthBytes.reduceRight((sum, byte) => sum * 256 + byte, 0)
  const at = reader.offset
  return parse(new TextDecoder().decode(await reader.take(length)), `${name}, byte ${at}`)
}

/** Reads the header, a dictionary as Python writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`. */
function parse(text: string, where: string): ArrayHeader {
  const descr = /'descr': *(?:'([^']*)'|(.))/.exec(text)
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1]
  const shape = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1]
  if (!descr || order === undefined || shape === undefined)
    throw new DataError(`${where}: the header describes no array.`, { received: text.trim().slice(0, 120) })
  const [, type] = descr
  const kind = type === undefined ? undefined : kinds[type.slice(1)]
  if (!kind || !/^[<>|=]/.test(type!))
    throw new DataError(`${where}: the array holds values that a column does not.`, {
      expected: Object.keys(kinds).join(', '),
      received: type ?? 'records',
      remedy: "Save array.astype('float32')",
    })
  const lengths = shape.split(',').filter((length) => length.trim() !== '')
  if (order === 'True' && lengths.length > 1)
    throw new DataError(`${where}: the array is in Fortran order.`, {
      expected: 'C order, row after row',
      remedy: 'Save numpy.ascontiguousarray(array)',
    })
  return { kind, littleEndian: !type!.startsWith('>'), shape: lengths.map(Number) }
}
