/**
 * Byte-pair encoding: the pair of symbols that occurs most often becomes a symbol, again and again.
 *
 * @see Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; over bytes as in Radford et al. 2019
 * @module
 */

/** Symbols below this are the bytes. */
export const BYTES = 256

/**
 * A text in pieces that no symbol reaches across: words with the blank before them, numbers, marks, white space. A piece
 * ends after 64 characters, so that a text without blanks does not cost the square of its length.
 */
export const pieces = (text: string): string[] => text.match(PIECE) ?? []
const PIECE = / ?[\p{L}\p{M}]{1,64}| ?\p{N}{1,64}| ?[^\s\p{L}\p{M}\p{N}]{1,64}|\s+(?!\S)|\s+/gu

/** A pair of symbols as one number. */
const keyOf = (first: number, second: number) => first * 2 ** 26 + second

/**
 * Learns what to join.
 *
 * @param counts - How often each piece occurs.
 * @param options - `merges`: most pairs; `minCount`: a pair that occurs less often is left apart.
 * @returns Pairs one after the other, the most frequent first; pair `i` makes the symbol `256 + i`. Of pairs that are
 *   equally frequent, that of the smaller symbols.
 */
export function learnPairs(
  counts: ReadonlyMap<string, number>,
  { merges, minCount }: { merges: number; minCount: number },
): number[] {
  const encoder = new TextEncoder()
  const words = [...counts].map(([piece, count]) => ({ symbols: Array.from(encoder.encode(piece)), count }))
  const tally = new PairTally()
  for (const [word, { symbols, count }] of words.entries()) tally.addWord(word, symbols, count)
  const pairs: number[] = []
  while (pairs.length < 2 * merges) {
    const best = tally.takeBest(minCount)
    if (!best) break
    const made = BYTES + pairs.length / 2
    pairs.push(best.first, best.second)
    for (const word of best.words) {
      const { symbols, count } = words[word]!
      tally.addWord(word, symbols, -count)
      words[word]!.symbols = joined(symbols, best.first, best.second, made)
      tally.addWord(word, words[word]!.symbols, count)
    }
  }
  return pairs
}

function joined(symbols: readonly number[], first: number, second: number, made: number): number[] {
  const shorter: number[] = []
  for (let i = 0; i < symbols.length; i++)
    if (symbols[i] === first && symbols[i + 1] === second) {
      shorter.push(made)
      i++
    } else shorter.push(symbols[i]!)
  return shorter
}

/** How often pairs occur, and in which words; gives the most frequent. */
class PairTally {
  readonly #counts = new Map<number, number>()
  readonly #words = new Map<number, Set<number>>()
  /** Pairs that may be the best, in a heap; the counts there may be out of date, but only too high. */
  readonly #heap: { key: number; count: number }[] = []

  addWord(word: number, symbols: readonly number[], count: number): void {
    for (let i = 1; i < symbols.length; i++) {
      const key = keyOf(symbols[i - 1]!, symbols[i]!)
      const sum = (this.#counts.get(key) ?? 0) + count
      this.#counts.set(key, sum)
      if (count < 0) continue
      const words = this.#words.get(key)
      if (words) words.add(word)
      else this.#words.set(key, new Set([word]))
      this.#push({ key, count: sum })
    }
  }

  takeBest(minCount: number): { first: number; second: number; words: number[] } | undefined {
    for (let top = this.#pop(); top; top = this.#pop()) {
      const { key, count } = top
      const now = this.#counts.get(key)!
      if (now < count) {
        if (now >= minCount) this.#push({ key, count: now })
        continue
      }
      if (now < minCount) return undefined
      const words = [...this.#words.get(key)!]
      this.#words.delete(key)
      return { first: Math.floor(key / 2 ** 26), second: key % 2 ** 26, words }
    }
    return undefined
  }

  #push(entry: { key: number; count: number }): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): { key: number; count: number } | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || !last) return top
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}

const isBefore = (a: { key: number; count: number }, b: { key: number; count: number }) =>
  a.count > b.count || (a.count === b.count && a.key < b.key)

/** Pieces kept with their symbols: texts say the same words again and again. */
const MOST_KEPT = 50_000

/** Turns texts into symbols and back, by the pairs that were learnt. */
export class BytePairCodec {
  /** What a pair becomes, which is also its rank. */
  readonly #made = new Map<number, number>()
  /** The bytes of each symbol. */
  readonly #bytes: Uint8Array[] = Array.from({ length: BYTES }, (_, byte) => Uint8Array.of(byte))
  readonly #kept = new Map<string, number[]>()
  readonly #encoder = new TextEncoder()
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  /** @param pairs - What `learnPairs` gave. */
  constructor(pairs: readonly number[]) {
    for (let i = 0; i < pairs.length; i += 2) {
      const [first, second] = [pairs[i]!, pairs[i + 1]!]
      this.#made.set(keyOf(first, second), this.#bytes.length)
      this.#bytes.push(Uint8Array.of(...this.#bytes[first]!, ...this.#bytes[second]!))
    }
  }

  /** Number of symbols. */
  get size(): number {
    return this.#bytes.length
  }

  encode(text: string): number[] {
    return pieces(text).flatMap((piece) => {
      const kept = this.#kept.get(piece)
      if (kept) return kept
      const symbols = this.#encodePiece(piece)
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear()
      this.#kept.set(piece, symbols)
      return symbols
    })
  }

  /** @param symbols - Each from 0 to `size - 1`. Bytes that are no UTF-8 become U+FFFD. */
  decode(symbols: readonly number[]): string {
    const parts = symbols.map((symbol) => this.#bytes[symbol]!)
    const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return this.#decoder.decode(bytes)
  }

  #encodePiece(piece: string): number[] {
    let symbols = Array.from(this.#encoder.encode(piece))
    for (;;) {
      let best = Infinity
      let at = -1
      for (let i = 1; i < symbols.length; i++) {
        const made = this.#made.get(keyOf(symbols[i - 1]!, symbols[i]!)) ?? Infinity
        if (made < best) {
          best = made
          at = i
        }
      }
      if (at < 0) return symbols
      symbols = joined(symbols, symbols[at - 1]!, symbols[at]!, best)
    }
  }
}
