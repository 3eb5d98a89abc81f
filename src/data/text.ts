/** The text of files. @module */

import { DataError } from '../core/index.js'
import { type ByteSource, unpacked } from './byte-source.js'

/** Characters that one row of text may have. What is longer is no row, and would fill the memory. */
export const MAX_ROW_LENGTH = 2 ** 26

/**
 * One pass over the text of a file, without its byte order mark: UTF-8, or UTF-16 where the mark says so.
 *
 * @throws {DataError} that names the file and the byte, for bytes that are no such text.
 */
export async function* textOf(source: ByteSource): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  let offset = 0
  for await (const bytes of unpacked(source)) {
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true })
    try {
      yield decoder.decode(bytes, { stream: true })
    } catch (cause) {
      throw noText(source.name, decoder.encoding, offset + firstMisfit(bytes), cause)
    }
    offset += bytes.length
  }
  try {
    yield decoder?.decode() ?? ''
  } catch (cause) {
    throw noText(source.name, decoder!.encoding, offset, cause)
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}

const noText = (name: string, encoding: string, byte: number, cause: unknown) =>
  new DataError(`${name} is no ${encoding} text, near byte ${byte}.`, {
    cause,
    remedy: 'Convert it, for instance by: iconv -f latin1 -t utf-8 in.csv > out.csv',
  })

/** Bytes before the first that UTF-8 cannot hold. */
function firstMisfit(bytes: Uint8Array): number {
  const [before] = new TextDecoder().decode(bytes).split('\ufffd')
  return new TextEncoder().encode(before).length
}
