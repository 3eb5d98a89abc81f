/**
 * The records of comma-separated values, from text that comes in pieces.
 *
 * RFC 4180, strictly: a quote stands around a whole field or, doubled, inside one. A record that breaks this ends at its
 * line, so that what is wrong in one line costs no other.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @module
 */

import { MAX_ROW_LENGTH } from './text.js'

/** One record. */
export interface CsvRecord {
  fields: string[]
  /** Where it begins, from 1. */
  line: number
}

/** A record that is none. */
export interface BrokenRecord {
  line: number
  /** Number of the field, from 0. */
  place: number
  what: string
  value: string
}

/** Takes text, gives records. Lines without a character are left out. */
export class CsvRecords {
  readonly #delimiter: string
  readonly #maxLength: number
  #skipLines: number
  #text = ''
  #at = 0
  #line = 1
  /** The first quote that is not before `#at`, or the end. */
  #quote = -1

  /**
   * @param delimiter - One character or more, without quotes and ends of lines.
   * @param skipLines - Lines to leave out before all others.
   * @param maxLength - Characters that a record may have.
   */
  constructor(delimiter: string, skipLines: number, maxLength = MAX_ROW_LENGTH) {
    this.#delimiter = delimiter
    this.#skipLines = skipLines
    this.#maxLength = maxLength
  }

  /** The records that are whole with this text; with `isLast` all that are left. */
  push(text: string, isLast: boolean): (CsvRecord | BrokenRecord)[] {
    this.#text = this.#text.slice(this.#at) + text
    this.#at = 0
    this.#quote = -1
    const records: (CsvRecord | BrokenRecord)[] = []
    while (this.#at < this.#text.length) {
      const read = this.#next(isLast)
      if (read === undefined) break
      if (read !== 'empty') records.push(read)
    }
    return records
  }

  /** Undefined where more text must come first. */
  #next(isLast: boolean): CsvRecord | BrokenRecord | 'empty' | undefined {
    const text = this.#text
    const start = this.#at
    const end = this.#endOfLine(start, isLast)
    if (this.#skipLines > 0) {
      if (end !== undefined) this.#skipLines--
      this.#moveTo(end === undefined ? text.length : end + 1)
      return 'empty'
    }
    if (end === undefined) return this.#isTooLong() ? this.#tooLong() : undefined
    if (this.#quote < start) {
      const found = text.indexOf('"', start)
      this.#quote = found < 0 ? text.length : found
    }
    if (this.#quote < end) return this.#quoted(isLast)
    const line = this.#line
    this.#at = end + 1
    this.#line++
    const stop = end > start && text.charCodeAt(end - 1) === RETURN ? end - 1 : end
    return stop === start ? 'empty' : { fields: text.slice(start, stop).split(this.#delimiter), line }
  }

  /** A record with a quote in its first line. */
  #quoted(isLast: boolean): CsvRecord | BrokenRecord | undefined {
    const text = this.#text
    const line = this.#line
    const fields: string[] = []
    for (let at = this.#at; ; at += this.#delimiter.length) {
      const start = at
      let field: string
      if (text[at] === '"') {
        const close = closingQuote(text, at)
        // What follows the quote decides whether it closes.
        const known = close < 0 ? 0 : text.length - close - 1
        if (!isLast && known < Math.max(2, this.#delimiter.length)) {
          if (!this.#isTooLong()) return undefined
          return this.#broken(start, fields.length, 'the quote is never closed', isLast)
        }
        if (close < 0) return this.#broken(start, fields.length, 'the quote is never closed', isLast)
        field = text.slice(at + 1, close).replaceAll('""', '"')
        at = close + 1
      } else {
        const end = this.#endOfLine(at, isLast)
        if (end === undefined) return undefined
        const next = text.indexOf(this.#delimiter, at)
        at = next < 0 || next > end ? (text.charCodeAt(end - 1) === RETURN && end > start ? end - 1 : end) : next
        field = text.slice(start, at)
        if (field.includes('"')) return this.#broken(start, fields.length, 'a quote stands within a field', isLast)
      }
      fields.push(field)
      if (text.startsWith(this.#delimiter, at)) continue
      const end = text.charCodeAt(at) === RETURN ? at + 1 : at
      if (end < text.length && text.charCodeAt(end) !== NEWLINE)
        return this.#broken(start, fields.length - 1, 'text follows a closing quote', isLast)
      this.#moveTo(end + 1)
      return { fields, line }
    }
  }

  /** Ends the record at the end of the line on which its broken field begins. */
  #broken(start: number, place: number, what: string, isLast: boolean): BrokenRecord | undefined {
    const end = this.#endOfLine(start, isLast)
    if (end === undefined) return this.#isTooLong() ? this.#tooLong() : undefined
    const value = this.#text.slice(start, Math.min(end, start + 100))
    const line = this.#line + newlines(this.#text, this.#at, start)
    this.#moveTo(end + 1)
    return { line, place, what, value }
  }

  #tooLong(): BrokenRecord {
    const value = this.#text.slice(this.#at, this.#at + 100)
    // The rest of the line is to come: it is left out as well.
    this.#at = this.#text.length
    this.#skipLines++
    return { line: this.#line, place: 0, what: `the line has over ${this.#maxLength} characters`, value }
  }

  #isTooLong(): boolean {
    return this.#text.length - this.#at > this.#maxLength
  }

  #endOfLine(at: number, isLast: boolean): number | undefined {
    const end = this.#text.indexOf('\n', at)
    if (end >= 0) return end
    return isLast ? this.#text.length : undefined
  }

  #moveTo(at: number): void {
    this.#line += newlines(this.#text, this.#at, at)
    this.#at = at
  }
}

const NEWLINE = 10
const RETURN = 13

/** The quote that closes what opens at `open`; -1 where there is none. */
function closingQuote(text: string, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at)
    if (at < 0 || text[at + 1] !== '"') return at
  }
}

function newlines(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++
  return count
}
