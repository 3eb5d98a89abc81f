import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CsvRecords } from '../../../src/data/csv-records.js'

/** What comes out when text comes in these pieces. */
function read(pieces: readonly string[], { delimiter = ',', skipLines = 0, maxLength = 1000 } = {}) {
  const records = new CsvRecords(delimiter, skipLines, maxLength)
  return [...pieces.flatMap((piece) => records.push(piece, false)), ...records.push('', true)]
}

const fieldsOf = (pieces: readonly string[], delimiter?: string) =>
  read(pieces, { ...(delimiter !== undefined && { delimiter }) }).map((record) => 'fields' in record && record.fields)

/** Cuts a text at places that are fractions of its length. */
const cut = (text: string, fractions: readonly number[]) => {
  const places = [0, ...fractions.map((fraction) => Math.floor(fraction * text.length)).sort((a, b) => a - b)]
  return places.map((place, i) => text.slice(place, places[i + 1] ?? text.length))
}

const field = fc.string({ unit: fc.constantFrom('a', '1', ',', ';', '"', '\n', '\r', ' ', 'é'), maxLength: 6 })
const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 })

describe('CsvRecords', () => {
  it('gives back what was quoted, wherever the text is cut', () => {
    const table = fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 5 })
    fc.assert(
      fc.property(
        table,
        fractions,
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom(',', ';;'),
        (rows, at, end, delimiter) => {
          const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
          const text = rows.map((row) => row.map(quoted).join(delimiter) + end).join('')
          expect(fieldsOf(cut(text, at), delimiter)).toEqual(rows)
        },
      ),
    )
  })

  it('takes a quote within a field for what it is', () => {
    expect(fieldsOf(['1,5" disk\n2,"a ""b"""\n'])).toEqual([
      ['1', '5" disk'],
      ['2', 'a "b"'],
    ])
  })

  it('counts lines, within quotes too, and leaves out empty ones and those before the table', () => {
    expect(read(['about\n"this\n', 'a,b\r\n\r\n"x\ny",2\n3,4'], { skipLines: 2 })).toEqual([
      { fields: ['a', 'b'], line: 3 },
      { fields: ['x\ny', '2'], line: 5 },
      { fields: ['3', '4'], line: 7 },
    ])
  })

  it.each([
    ['text after a quote', '"1"2,3\n', { place: 0, what: 'text follows a closing quote', value: '"1"2,3' }],
    ['a quote left open', '1,"2\n', { place: 1, what: 'the quote is never closed', value: '"2' }],
  ])('costs no other line where one has %s', (_, broken, expected) => {
    for (const at of [[], [0.3], [0.5, 0.7]])
      expect(read(cut(`a,b\n${broken}5,6\n7,8\n`, at))).toEqual([
        { fields: ['a', 'b'], line: 1 },
        { line: 2, ...expected },
        { fields: ['5', '6'], line: 3 },
        { fields: ['7', '8'], line: 4 },
      ])
  })

  it('holds no more than a record may have', () => {
    const pieces = ['a\n', ...Array.from({ length: 50 }, () => 'x'.repeat(100)), '\nb\n']
    expect(read(pieces)).toEqual([
      { fields: ['a'], line: 1 },
      { line: 2, place: 0, what: 'the line has over 1000 characters', value: 'x'.repeat(100) },
      { fields: ['b'], line: 3 },
    ])
    const open = ['a\n"b\n', ...Array.from({ length: 50 }, () => 'x\n'.repeat(50))]
    const [, broken, next] = read(open)
    expect(broken).toEqual({ line: 2, place: 0, what: 'the quote is never closed', value: '"b' })
    expect(next).toEqual({ fields: ['x'], line: 3 })
  })
})
