/** Where the bytes of a file come from: a path, an address, or a Blob of a browser. @module */

import { DataError, DcmlError } from '../core/index.js'

/** A file: an address, a Blob or File; in Node a string is a path unless it begins with `http:` or `https:`. */
export type FileLike = string | URL | Blob

/** The bytes of one file. */
export interface ByteSource {
  /** For messages. */
  readonly name: string
  /** One pass over all bytes, as they are stored. */
  stream(): AsyncGenerator<Uint8Array>
  /** Access by place, for formats that have their index at the end. The caller closes it. */
  random(): Promise<RandomBytes>
}

/** Bytes by place. */
export interface RandomBytes {
  readonly byteLength: number
  /** The bytes from `start` up to `end`, in memory of their own. */
  slice(start: number, end?: number): Promise<ArrayBuffer>
  close(): Promise<void>
}

/** Makes a source of what a user names. */
export type OpenSource = (file: FileLike) => ByteSource

/** What a browser has: addresses, relative to the page or not, and Blobs. */
export const webSource: OpenSource = (file) => (file instanceof Blob ? blobSource(file) : addressSource(String(file)))

/**
 * One pass over the bytes of a file, unpacked where they begin as gzip does, whatever the name.
 *
 * Reads no faster than its consumer.
 *
 * @throws {DataError} that names the file, if it cannot be read or what was packed is cut off or damaged.
 */
export async function* unpacked({ name, stream }: ByteSource): AsyncGenerator<Uint8Array> {
  const stored = stream()
  const parts: Uint8Array[] = []
  let isPacked = false
  try {
    // A stream may begin with a single byte.
    for (let held = 0; held < 2; ) {
      const { done, value } = await stored.next()
      if (done) break
      parts.push(value)
      held += value.length
    }
    const start = parts.flatMap((part) => [...part.subarray(0, 2)])
    isPacked = start[0] === 0x1f && start[1] === 0x8b
    const whole = joined(parts, stored)
    yield* isPacked ? gunzip(whole) : whole
  } catch (cause) {
    if (cause instanceof DcmlError) throw cause
    if (!isPacked) throw new DataError(`${name} cannot be read: ${(cause as Error).message}`, { cause })
    // What the decoder says of it differs from runtime to runtime; some say nothing.
    throw new DataError(`${name} is no whole gzip file: it is cut off or damaged.`, {
      cause,
      remedy: 'Write or fetch it again',
    })
  } finally {
    await stored.return(undefined)
  }
}

async function* joined(parts: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* parts
  yield* rest
}

async function* gunzip(stored: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packed = new ReadableStream<BufferSource>(
    {
      async pull(controller) {
        const { done, value } = await stored.next()
        if (done) controller.close()
        else controller.enqueue(value as Uint8Array<ArrayBuffer>)
      },
    },
    { highWaterMark: 0 },
  )
  yield* chunksOf(packed.pipeThrough(new DecompressionStream('gzip')))
}

/** The chunks of a stream, which not every browser iterates by itself. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    // A stream that failed has told why already.
    await reader.cancel().catch(() => {})
  }
}

function blobSource(blob: Blob): ByteSource {
  return {
    name: 'name' in blob ? String(blob.name) : 'the Blob',
    stream: () => chunksOf(blob.stream()),
    random: async () => ({
      byteLength: blob.size,
      slice: (start, end) => blob.slice(start, end).arrayBuffer(),
      close: async () => {},
    }),
  }
}

function addressSource(url: string): ByteSource {
  return {
    name: url,
    async *stream() {
      const { ok, status, body } = await fetch(url)
      if (!ok || !body) throw new DataError(`${url} cannot be read: the server answers ${status}.`)
      yield* chunksOf(body)
    },
    async random() {
      const { asyncBufferFromUrl } = await import('hyparquet')
      const buffer = await asyncBufferFromUrl({ url })
      return {
        byteLength: buffer.byteLength,
        slice: async (start, end) => buffer.slice(start, end),
        close: async () => {},
      }
    },
  }
}
