/** The output of several processes as lines that say whose they are. @module */

type Stream = 'stdout' | 'stderr'

/** Puts whole lines out, `[2] epoch 1` for rank 2. */
export class LineWriter {
  readonly #write: (line: string, stream: Stream) => void
  /** Beginnings of lines, by rank and stream. */
  readonly #parts = new Map<string, { rank: number; stream: Stream; text: string }>()

  constructor(write: (line: string, stream: Stream) => void) {
    this.#write = write
  }

  take(rank: number, stream: Stream, text: string): void {
    const key = `${rank} ${stream}`
    const lines = ((this.#parts.get(key)?.text ?? '') + text).split('\n')
    const rest = lines.pop()!
    for (const line of lines) this.#write(`[${rank}] ${line}`, stream)
    if (rest === '') this.#parts.delete(key)
    else this.#parts.set(key, { rank, stream, text: rest })
  }

  /** A line of nobody's. */
  line(text: string, stream: Stream): void {
    this.#write(text, stream)
  }

  /** Puts out lines that have no end. */
  flush(): void {
    for (const { rank, stream, text } of this.#parts.values()) this.#write(`[${rank}] ${text}`, stream)
    this.#parts.clear()
  }
}
