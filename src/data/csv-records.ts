/**
 * The records of comma-separated values, from text that comes in pieces: Papa Parse, and what it does not tell.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 * @module
 */

import Papa from 'papaparse'
import { MAX_ROW_LENGTH } from './text.js'

/** One record. */
export interface CsvRecord {
  fields: string[]
  /** Where it begins, from 1. */
  line: number
}

/** A record that is none. It ends with the line of its broken field, so that what is wrong there costs no other line. */
export interface BrokenRecord {
  line: number
  /** Number of the field, from 0. */
  place: number
  what: string
  value: string
}

/** What Papa Parse says of a record. */
interface Step {
  data: string[][]
  errors: Papa.ParseError[]
  meta: { cursor: number }
}

/** Takes text, gives records. Lines without a character are left out. */
export class CsvRecords {
  readonly #delimiter: string
  readonly #maxLength: number
  #skipLines: number
  /** What is in no record yet. */
  #text = ''
  /** The line on which that begins. */
  #line = 1

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
    this.#text += text
    const records: (CsvRecord | BrokenRecord)[] = []
    for (;;) {
      while (this.#skipLines > 0) if (!this.#skipLine()) return records
      const { whole, end, line, problem } = this.#parse(isLast)
      for (const record of whole) records.push(record)
      this.#text = this.#text.slice(end)
      this.#line = line
      if (problem) records.push(this.#broken(problem.code, problem.index! - end))
      else if (isLast || this.#text.length <= this.#maxLength) return records
      else records.push(this.#endless())
    }
  }

  /** Reads up to the first broken record. `end` and `line`: where the next begins; `problem`: what is wrong with it. */
  #parse(isLast: boolean) {
    const text = this.#text
    if (!text.includes('"')) return this.#parseLines(isLast)
    const delimiter = this.#delimiter
    const whole: CsvRecord[] = []
    let end = 0
    let line = this.#line
    let problem: Papa.ParseError | undefined
    const parser = new Papa.Parser({
      delimiter,
      newline: '\n',
      step({ data, errors, meta }: Step) {
        problem = errors[0]
        if (problem) return parser.abort()
        const read = text.slice(end, meta.cursor)
        const record = read.endsWith('\n') ? read.slice(0, -1) : read
        if (record !== '' && record !== '\r') whole.push({ fields: withoutReturn(data[0]!, record, delimiter), line })
        line += newlines(read)
        end = meta.cursor
      },
    } as Papa.ParseConfig)
    parser.parse(text, 0, !isLast)
    return { whole, end, line, problem }
  }

  /** As `#parse`, faster, for text without quotes, in which every line is a record. */
  #parseLines(isLast: boolean) {
    const parser = new Papa.Parser({ delimiter: this.#delimiter, newline: '\n' })
    const { data, meta } = parser.parse(this.#text, 0, !isLast) as Omit<Step, 'errors'>
    const whole: CsvRecord[] = []
    for (const [i, fields] of data.entries()) {
      const last = fields.at(-1)!
      if (last.endsWith('\r')) fields[fields.length - 1] = last.slice(0, -1)
      if (fields.length > 1 || fields[0] !== '') whole.push({ fields, line: this.#line + i })
    }
    return { whole, end: meta.cursor, line: this.#line + data.length, problem: undefined }
  }

  /** Ends a broken record with the line on which its field begins. */
  #broken(code: string, index: number): BrokenRecord {
    // Papa Parse counts from behind the quote.
    const before = this.#text.slice(0, index - 1)
    const { data } = new Papa.Parser({ delimiter: this.#delimiter, newline: '\n' }).parse(before, 0, false)
    return {
      line: this.#line + newlines(before),
      place: ((data as string[][]).at(-1)?.length ?? 1) - 1,
      what: code === 'MissingQuotes' ? 'the quote is never closed' : 'text follows a closing quote',
      value: this.#cutLine(index - 1),
    }
  }

  /** What is wrong with a record that is longer than one may be. */
  #endless(): BrokenRecord {
    const { problem } = this.#parse(true)
    if (problem) return this.#broken(problem.code, problem.index!)
    const line = this.#line
    return { line, place: 0, what: `the line has over ${this.#maxLength} characters`, value: this.#cutLine(0) }
  }

  /** The beginning of what stands at a place. The text goes on after that line, whose rest may be still to come. */
  #cutLine(at: number): string {
    const end = this.#text.indexOf('\n', at)
    const value = this.#text.slice(at, Math.min(end < 0 ? this.#text.length : end, at + 100)).trimEnd()
    if (end < 0) this.#skipLines++
    this.#moveTo(end < 0 ? this.#text.length : end + 1)
    return value
  }

  /** Whether the line was there as a whole. */
  #skipLine(): boolean {
    const end = this.#text.indexOf('\n')
    this.#moveTo(end < 0 ? this.#text.length : end + 1)
    if (end >= 0) this.#skipLines--
    return end >= 0
  }

  #moveTo(at: number): void {
    this.#line += newlines(this.#text.slice(0, at))
    this.#text = this.#text.slice(at)
  }
}

/** The fields without the CR of a CRLF, which Papa Parse leaves to a last field that has no quotes. */
function withoutReturn(fields: string[], record: string, delimiter: string): string[] {
  const last = fields.at(-1)!
  if (last.endsWith('\r') && (record === last || record.endsWith(delimiter + last)))
    fields[fields.length - 1] = last.slice(0, -1)
  return fields
}

function newlines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
