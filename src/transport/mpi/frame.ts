/** What travels ahead of, or instead of, a long message. @module */

/** `message`: the bytes follow in the frame. `long`: they travel by themselves. `left`, `abort`: the end of a peer, of all. */
const kinds = ['message', 'long', 'left', 'abort'] as const

/** One frame, but for its bytes. */
export interface Frame {
  readonly kind: (typeof kinds)[number]
  /** Number of the group among those that this job has joined, from 0. */
  readonly group: number
  readonly from: number
  /** The message's tag. Of one who left: how many collective operations it has finished. */
  readonly tag: number
  /** Which of the long messages from this peer. Of one who left: the first that it has not got rid of. */
  readonly sequence: number
  /** Of the message, in bytes. */
  readonly length: number
}

const HEADER_BYTES = 32
/** Header and bytes together: what MPI libraries send at once, without asking the receiver. */
export const FRAME_BYTES = 4096
/** Messages up to this length travel in their frame. */
export const SHORT_BYTES = FRAME_BYTES - HEADER_BYTES

/** A frame as bytes. */
export function encodeFrame(frame: Frame, bytes?: Uint8Array): Uint8Array {
  const encoded = new Uint8Array(HEADER_BYTES + (bytes?.length ?? 0))
  const numbers = new Float64Array(encoded.buffer, 24, 1)
  const words = new Int32Array(encoded.buffer, 0, 5)
  words.set([kinds.indexOf(frame.kind), frame.group, frame.from, frame.tag, frame.sequence])
  numbers[0] = frame.length
  if (bytes) encoded.set(bytes, HEADER_BYTES)
  return encoded
}

/** The frame at the beginning of `encoded`, and a copy of its bytes. */
export function decodeFrame(encoded: Uint8Array): { frame: Frame; bytes: Uint8Array } {
  const [kind, group, from, tag, sequence] = new Int32Array(encoded.buffer, encoded.byteOffset, 5)
  const [length] = new Float64Array(encoded.buffer, encoded.byteOffset + 24, 1)
  const frame = {
    kind: kinds[kind!]!,
    group: group!,
    from: from!,
    tag: tag!,
    sequence: sequence!,
    length: length!,
  }
  return { frame, bytes: encoded.slice(HEADER_BYTES, HEADER_BYTES + (frame.kind === 'long' ? 0 : frame.length)) }
}
