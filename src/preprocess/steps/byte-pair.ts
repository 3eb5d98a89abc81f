/** Texts as the numbers of their syllables, so to say. @module */

import { withDefaults } from '../../core/index.js'
import { BYTES, BytePairCodec, learnPairs, pieces } from '../byte-pairs.js'
import { checkCounts } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'
import { columnOfIds, countFitting, oncePerFitted, PADDING, rowOfTexts, textsOf, unknownId } from '../texts.js'

/** Options of `bytePair`. */
export interface BytePairOptions {
  /** Most ids: that of padding, 256 of bytes, and those of joined pairs. @default 1000 */
  vocabularySize?: number
  /** Pairs that occur less often are not joined. @default 2 */
  minCount?: number
}

/** What was fitted, by column: pairs one after the other. */
type Fitted = Record<string, number[]>

/** Ids of symbols start behind that of padding. */
const FIRST = PADDING + 1

const codecOf = oncePerFitted((pairs: number[]) => new BytePairCodec(pairs))

/**
 * Each text as a row of ids, int32 `[rows, longest]`: 0 is padding behind the end, 1 to 256 the bytes of UTF-8, and what
 * follows frequent sequences of them, learnt from the training set. Nothing is unknown, and `inverse` gives back every
 * text to the character. Put `pad` behind it, so that all batches are equally wide. An empty text is all padding.
 *
 * @param columns - Columns `[rows]` of strings.
 * @see Sennrich et al. 2016, https://arxiv.org/abs/1508.07909
 * @example
 * new Preprocessor([bytePair('x', { vocabularySize: 2000 }), pad('x', { length: 128 })])
 */
export function bytePair(columns: string | readonly string[], options: BytePairOptions = {}): Step {
  const { vocabularySize, minCount } = withDefaults('bytePair', options, { vocabularySize: 1000, minCount: 2 })
  checkCounts('bytePair', { vocabularySize }, FIRST + BYTES)
  checkCounts('bytePair', { minCount }, 1)
  const names = namesOf(columns)
  return {
    kind: 'bytePair',
    options: { columns: names, vocabularySize, minCount },
    reads: names,
    makes: names,
    takes: 'strings',
    gives: 'numbers',
    fitting: fittingOf(
      countFitting('bytePair', names, {
        tokens: pieces,
        finish: (counts) => learnPairs(counts, { merges: vocabularySize - FIRST - BYTES, minCount }),
      }),
    ),
    apply(columns, fitted) {
      const encoded = { ...columns }
      for (const name of names) {
        const codec = codecOf((fitted as Fitted)[name]!)
        const texts = textsOf(columns, name, 'bytePair')
        encoded[name] = columnOfIds(texts.map((text) => codec.encode(text).map((symbol) => symbol + FIRST)))
      }
      return encoded
    },
    inverse: (row, fitted) =>
      rowOfTexts(row, names, (ids, name) => {
        const codec = codecOf((fitted as Fitted)[name]!)
        const wrong = ids.find((id) => !Number.isInteger(id) || id < FIRST || id >= codec.size + FIRST)
        if (wrong !== undefined) throw unknownId('bytePair', name, wrong, codec.size + FIRST)
        return codec.decode(ids.map((id) => id - FIRST))
      }),
  }
}
