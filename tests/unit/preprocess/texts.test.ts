/** Texts as ids and back; byte pairs against the algorithm as the paper writes it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { type Columns, Dataset } from '../../../src/data/index.js'
import { BytePairCodec, learnPairs, pieces } from '../../../src/preprocess/byte-pairs.js'
import { bytePair, Preprocessor, pad, type Step, vocabulary } from '../../../src/preprocess/index.js'

const texts = (...data: string[]): Columns => ({ x: { data, shape: [data.length] } })
const fittedOn = (step: Step, ...data: string[]) => new Preprocessor([step]).fit(Dataset.fromArrays(texts(...data)))
const numbers = (data: number[], ...shape: number[]): Columns => ({ x: { data: Int32Array.from(data), shape } })
const rowsOf = ({ x }: Columns) =>
  Array.from({ length: x!.shape[0]! }, (_, row) => [...x!.data.slice(row * x!.shape[1]!, (row + 1) * x!.shape[1]!)])

describe('vocabulary', () => {
  it('numbers words by how often they occur, and says what is padding and what unknown', async () => {
    const preprocessor = await fittedOn(vocabulary('x'), 'to be, or not to be', "don't be")
    // be 3, to 2, then by their characters: "," "don't" "not" "or".
    expect(rowsOf(preprocessor.transformColumns(texts('to be or not', 'be!', '')))).toEqual([
      [3, 2, 7, 6],
      [2, 1, 0, 0],
      [0, 0, 0, 0],
    ])
    expect(preprocessor.transformRow({ x: "don't, be" })).toEqual({ x: Int32Array.of(5, 4, 2) })
    expect(preprocessor.inverse({ x: [5, 1, 2, 0, 0] })).toEqual({ x: "don't \uFFFD be" })
  })

  it('leaves out what is rare, and takes capitals as small letters where asked', async () => {
    const words = async (options: Parameters<typeof vocabulary>[1]) =>
      JSON.parse(JSON.stringify(await fittedOn(vocabulary('x', options), 'a a a b b C', 'A c'))).fitted[0].x
    expect(await words({})).toEqual(['a', 'b', 'A', 'C', 'c'])
    expect(await words({ lowercase: true })).toEqual(['a', 'b', 'c'])
    expect(await words({ minCount: 2 })).toEqual(['a', 'b'])
    expect(await words({ maxSize: 5 })).toEqual(['a', 'b', 'A'])
    expect(await words({ tokens: ['z', 'a'] })).toEqual(['z', 'a'])
  })

  it('gives back every text of known characters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 5 }),
        async (all) => {
          const preprocessor = await fittedOn(vocabulary('x', { level: 'character' }), ...all)
          for (const text of all)
            expect(preprocessor.inverse(preprocessor.transformRow({ x: text })!)).toEqual({ x: text })
        },
      ),
      { numRuns: 50 },
    )
  })
})

/** Algorithm 1 of the paper, over bytes and without its mark of the end of a word: counts everything anew each time. */
function slowly(counts: Map<string, number>, merges: number, minCount: number): number[] {
  const words = [...counts].map(([piece, count]) => ({ symbols: [...new TextEncoder().encode(piece)], count }))
  const pairs: number[] = []
  for (let made = 256; made < 256 + merges; made++) {
    const seen = new Map<string, number>()
    for (const { symbols, count } of words)
      for (let i = 1; i < symbols.length; i++) {
        const pair = `${symbols[i - 1]},${symbols[i]}`
        seen.set(pair, (seen.get(pair) ?? 0) + count)
      }
    const ranked = [...seen]
      .map(([pair, count]) => ({ pair: pair.split(',').map(Number) as [number, number], count }))
      .sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1])
    const best = ranked[0]
    if (!best || best.count < minCount) break
    pairs.push(...best.pair)
    for (const word of words)
      for (let i = 0; i + 1 < word.symbols.length; i++)
        if (word.symbols[i] === best.pair[0] && word.symbols[i + 1] === best.pair[1]) word.symbols.splice(i, 2, made)
  }
  return pairs
}

describe('bytePair', () => {
  it("joins what the paper's example joins", () => {
    const dictionary = new Map([
      ['low', 5],
      ['lower', 2],
      ['newest', 6],
      ['widest', 3],
    ])
    const pairs = learnPairs(dictionary, { merges: 8, minCount: 1 })
    const codec = new BytePairCodec(pairs)
    const symbols = Array.from({ length: 8 }, (_, i) => codec.decode([256 + i]))
    // By hand: es 9 (before st 9), est 9, lo 7 (before ow 7), low 7, ew 6 (before ne 6), new 6, newest 6, dest 3.
    expect(symbols).toEqual(['es', 'est', 'lo', 'low', 'ew', 'new', 'newest', 'dest'])
    expect(codec.encode('lowest').map((symbol) => codec.decode([symbol]))).toEqual(['low', 'est'])
  })

  it('learns what the algorithm of the paper learns', () => {
    const words = fc.array(
      fc.tuple(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é'), minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 9 }),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 0, max: 25 }),
        fc.integer({ min: 1, max: 4 }),
        (entries, merges, minCount) => {
          const counts = new Map(entries)
          expect(learnPairs(counts, { merges, minCount })).toEqual(slowly(counts, merges, minCount))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('cuts a text into pieces that are the text', () => {
    expect(pieces("Don't  stop at 42!\n")).toEqual(['Don', "'", 't', ' ', ' stop', ' at', ' 42', '!', '\n'])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(pieces(text).join('')).toBe(text)
      }),
    )
    for (const piece of pieces('x'.repeat(500))) expect(piece.length).toBeLessThanOrEqual(64)
  })

  it('gives back every text, seen before or not, and saved too', async () => {
    const preprocessor = await fittedOn(bytePair('x', { vocabularySize: 300 }), 'the theory of the thing', 'then there')
    const loaded = Preprocessor.fromJSON(JSON.stringify(preprocessor))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const row = loaded.transformRow({ x: text })!
        expect(row).toEqual(preprocessor.transformRow({ x: text }))
        expect(loaded.inverse(row)).toEqual({ x: text })
      }),
    )
    expect(loaded.inverse(loaded.transformRow({ x: '\uFEFFa\u0000b' })!)).toEqual({ x: '\uFEFFa\u0000b' })
    const ids = loaded.transformRow({ x: 'the theory' })!.x as Int32Array
    expect(ids.length).toBeLessThan(10)
    expect(Math.max(...ids)).toBeLessThan(300)
  })
})

describe('pad', () => {
  const ids = numbers([1, 2, 3, 4, 5, 0, 0, 0], 2, 4)
  const padded = (options: Parameters<typeof pad>[1], columns = ids) =>
    new Preprocessor([pad('x', options)]).transformColumns(columns)

  it('fills up and cuts, at either end', () => {
    expect(rowsOf(padded({ length: 3 }))).toEqual([
      [1, 2, 3],
      [5, 0, 0],
    ])
    expect(rowsOf(padded({ length: 3, keep: 'end', side: 'start' }))).toEqual([
      [2, 3, 4],
      [0, 0, 5],
    ])
    expect(rowsOf(padded({ length: 6, side: 'start' }))).toEqual([
      [0, 0, 1, 2, 3, 4],
      [0, 0, 0, 0, 0, 5],
    ])
    expect(padded({ length: 5 }).x!.data).toBeInstanceOf(Int32Array)
    expect([...padded({ length: 2, mask: 'm' }).m!.data]).toEqual([1, 1, 1, 0])
  })

  it('keeps what belongs to one time together', () => {
    const steps = { x: { data: Float32Array.of(1, 0, 2, 3, 0, 0), shape: [1, 3, 2] } }
    const { x, m } = padded({ length: 4, side: 'start', mask: 'm' }, steps)
    expect(x!.shape).toEqual([1, 4, 2])
    expect([...x!.data]).toEqual([0, 0, 0, 0, 1, 0, 2, 3])
    expect([...m!.data]).toEqual([0, 0, 1, 1])
  })

  it('makes batches of texts equally wide', async () => {
    const data = Dataset.fromArrays(texts('one two three', 'four', 'five six'))
    const preprocessor = await new Preprocessor([vocabulary('x'), pad('x', { length: 2 })]).fit(data)
    expect((await preprocessor.transform(data.batch(1)).columns()).x!.shape).toEqual([3, 2])
  })
})

describe('one clear error for', () => {
  it.each([
    ['an unknown level', () => vocabulary('x', { level: 'letter' as never }), /"word" or "character".*letter/],
    ['no room for a token', () => vocabulary('x', { maxSize: 2 }), /maxSize of vocabulary.*at least 3/],
    ['tokens twice', () => vocabulary('x', { tokens: ['a', 'a'] }), /each once/],
    ['no room for bytes', () => bytePair('x', { vocabularySize: 256 }), /vocabularySize of bytePair.*at least 257/],
    ['a count of 0', () => bytePair('x', { minCount: 0 }), /minCount of bytePair/],
    ['no length', () => pad('x', { length: 0 }), /length of pad/],
    ['an unknown side', () => pad('x', { length: 1, side: 'left' as never }), /"start" or "end"/],
    ['a mask of two columns', () => pad(['x', 'z'], { length: 1, mask: 'm' }), /a step for each/],
    [
      'a row that is too long',
      () => new Preprocessor([pad('x', { length: 1, keep: 'error' })]).transformColumns(numbers([1, 2], 1, 2)),
      /Row 0.*too long.*at most 1; received 2/,
    ],
    [
      'one number per row',
      () => new Preprocessor([pad('x', { length: 1 })]).transformColumns(numbers([1, 2], 2)),
      /a sequence per row/,
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  it.each([vocabulary('x'), bytePair('x')])('$kind of what is no text, or not there', async (step) => {
    const fitOn = (columns: Columns) => new Preprocessor([step]).fit(Dataset.fromArrays(columns))
    await expect(fitOn(numbers([1, 2], 2))).rejects.toThrow(/needs strings in the column "x"/)
    await expect(fitOn({ x: { data: ['a', 'b'], shape: [1, 2] } })).rejects.toThrow(/one text per row/)
    await expect(fitOn({ y: texts('a').x! })).rejects.toThrow(/column "x"/)
    const fitted = await fitOn(texts('a a'))
    expect(() => fitted.inverse({ x: [9999] })).toThrow(DataError)
    expect(() => fitted.inverse({ x: [9999] })).toThrow(/back into text.*received 9999/s)
    expect(() => fitted.inverse({ x: [1.5] })).toThrow(/back into text/)
  })

  it('a vocabulary of no token', async () => {
    await expect(fittedOn(vocabulary('x'), '', ' ')).rejects.toThrow(/no token in the column "x"/)
    await expect(fittedOn(vocabulary('x', { minCount: 2 }), 'a b')).rejects.toThrow(/occurs 2 times.*received 2 tokens/)
  })
})
