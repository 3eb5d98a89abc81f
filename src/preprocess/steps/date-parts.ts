/** What a date is made of. @module */

import { ConfigError, DataError, withDefaults } from '../../core/index.js'
import { categoryColumn, isMissing } from '../categories.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Name of a part of a date. */
export type DatePart = 'year' | 'month' | 'day' | 'weekday' | 'dayOfYear' | 'hour' | 'minute' | 'second'

/** Each part, in UTC, its first value and how many it has; the year has no end. */
const parts: Record<DatePart, { of: (date: Date) => number; first: number; count: number }> = {
  year: { of: (date: Date) => date.getUTCFullYear(), first: 0, count: 0 },
  month: { of: (date: Date) => date.getUTCMonth() + 1, first: 1, count: 12 },
  day: { of: (date: Date) => date.getUTCDate(), first: 1, count: 31 },
  weekday: { of: (date: Date) => date.getUTCDay(), first: 0, count: 7 },
  dayOfYear: {
    of: (date: Date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1,
    first: 1,
    count: 366,
  },
  hour: { of: (date: Date) => date.getUTCHours(), first: 0, count: 24 },
  minute: { of: (date: Date) => date.getUTCMinutes(), first: 0, count: 60 },
  second: { of: (date: Date) => date.getUTCSeconds(), first: 0, count: 60 },
}

/** Options of `dateParts`. */
export interface DatePartsOptions {
  /** Weekday 0 is Sunday. @default ['year', 'month', 'day', 'weekday'] */
  parts?: readonly DatePart[]
  /**
   * Whether each part that comes round becomes a point on a circle, sine and cosine, so that December lies beside
   * January.
   * @default false
   */
  cyclic?: boolean
}

/**
 * Dates as numbers, float32 `[rows, values]`: a value per part, or two where `cyclic` makes a circle of it. All in UTC.
 * A missing date gives NaN.
 *
 * @param columns - Columns `[rows]` of ISO 8601 texts, `2024-05-01` or `2024-05-01T12:00:00+02:00`, or of milliseconds
 *   since 1970. A time without a zone is UTC.
 * @example
 * new Preprocessor([dateParts('sold', { parts: ['month', 'weekday'], cyclic: true })])
 */
export function dateParts(columns: string | readonly string[], options: DatePartsOptions = {}): Step {
  const { parts: wanted, cyclic } = withDefaults('dateParts', options, {
    parts: ['year', 'month', 'day', 'weekday'],
    cyclic: false,
  })
  const names = namesOf(columns)
  for (const part of wanted)
    if (!Object.hasOwn(parts, part))
      throw new ConfigError('dateParts does not know this part.', {
        expected: Object.keys(parts).join(', '),
        received: part,
      })
  const chosen = wanted.map((part) => parts[part])
  const width = chosen.reduce((sum, { count }) => sum + (cyclic && count > 0 ? 2 : 1), 0)
  return {
    kind: 'dateParts',
    options: { columns: names, parts: [...wanted], cyclic },
    reads: names,
    makes: names,
    gives: 'numbers',
    apply(columns) {
      const split = { ...columns }
      for (const name of names) {
        const { data } = categoryColumn(columns, name, 'dateParts')
        const values = new Float32Array(data.length * width)
        for (let row = 0; row < data.length; row++) {
          let place = row * width
          const date = isMissing(data[row]!) ? undefined : dateOf(data[row]!, name, row)
          for (const { of, first, count } of chosen) {
            const value = date ? of(date) : Number.NaN
            if (!cyclic || count === 0) values[place++] = value
            else {
              const angle = (2 * Math.PI * (value - first)) / count
              values[place++] = Math.sin(angle)
              values[place++] = Math.cos(angle)
            }
          }
        }
        split[name] = { data: values, shape: [data.length, width] }
      }
      return split
    },
  }
}

/** A date, or a date and a time of any precision, with the zone that the time is of. */
const ISO = /^\d{4}-\d\d-\d\d(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/

function dateOf(value: number | string, name: string, row: number): Date {
  const parts = typeof value === 'string' ? ISO.exec(value) : undefined
  // Without a zone, a time would be read in that of the machine.
  const text = parts?.[1] !== undefined && parts[2] === undefined ? `${value}Z` : value
  const date = parts === null ? new Date(Number.NaN) : new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new DataError(`Row ${row} of the column "${name}" is no date.`, {
    expected: 'a text such as 2024-05-01 or 2024-05-01T12:00:00Z, or milliseconds since 1970',
    received: JSON.stringify(value),
  })
}
