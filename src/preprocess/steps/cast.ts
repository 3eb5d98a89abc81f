/** Another kind of numbers. @module */

import { ConfigError, createTypedArray, DataError } from '../../core/index.js'
import { columnOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

const kinds = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' } as const

/**
 * Converts to float32, int32 or uint8. Text is read as a number; the empty string is NaN. A value that the kind cannot
 * hold (NaN or a fraction as int32, 300 as uint8) is a DataError, never rounded in silence.
 */
export function cast(columns: string | readonly string[], dtype: keyof typeof kinds): Step {
  const names = namesOf(columns)
  if (!Object.hasOwn(kinds, dtype))
    throw new ConfigError('cast does not know this dtype.', {
      expected: Object.keys(kinds).join(', '),
      received: dtype,
    })
  return {
    kind: 'cast',
    options: { columns: names, dtype },
    reads: names,
    makes: names,
    gives: 'numbers',
    apply(columns) {
      const converted = { ...columns }
      for (const name of names) {
        const { data, shape } = columnOf(columns, name, 'cast')
        const values = createTypedArray(kinds[dtype], data.length)
        for (let i = 0; i < data.length; i++) {
          const item = data[i]!
          const value = typeof item === 'number' ? item : item === '' ? Number.NaN : Number(item)
          values[i] = value
          const lost =
            dtype === 'float32' ? Number.isNaN(value) && item !== '' && typeof item === 'string' : values[i] !== value
          if (lost)
            throw new DataError(`cast cannot make ${dtype} of a value in the column "${name}".`, {
              received: JSON.stringify(item) === 'null' ? String(item) : JSON.stringify(item),
            })
        }
        converted[name] = { data: values, shape }
      }
      return converted
    },
  }
}
