/** Texts as the numbers of their words or characters. @module */

import { ConfigError, DataError, withDefaults } from '../../core/index.js'
import { checkChoice, checkCounts } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'
import { columnOfIds, countFitting, oncePerFitted, rowOfTexts, textsOf, unknownId } from '../texts.js'

/** Options of `vocabulary`. */
export interface VocabularyOptions {
  /** @default 'word' */
  level?: 'word' | 'character'
  /** Whether capitals count as small letters. @default false */
  lowercase?: boolean
  /** Tokens that occur less often are unknown. @default 1 */
  minCount?: number
  /** Most ids, those of padding and of the unknown among them: the rarest tokens are left out. @default as many as there are */
  maxSize?: number
  /** The tokens in the order of their ids, from 2; otherwise those of the training set, the most frequent first. */
  tokens?: readonly string[]
}

/** What was fitted, by column. */
type Fitted = Record<string, string[]>

/** The id of a token that is not in the vocabulary, and what it becomes in a text. */
const UNKNOWN = 1
const REPLACEMENT = '\uFFFD'
/** Ids of tokens start behind those of padding and of the unknown. */
const FIRST = 2

const idsOf = oncePerFitted((tokens: string[]) => new Map(tokens.map((token, i) => [token, FIRST + i])))

/** A run of letters, digits and apostrophes within; or any other character but white space. */
const WORD = /[\p{L}\p{M}\p{N}_]+(?:['\u2019][\p{L}\p{M}\p{N}_]+)*|[^\s]/gu

/**
 * Each text as a row of ids, int32 `[rows, longest]`: 0 is padding behind the end, 1 a token that is not known, 2 the most
 * frequent token. Put `pad` behind it, so that all batches are equally wide. An empty text is all padding. A word is a
 * run of letters and digits; marks of punctuation are tokens of their own. `inverse` gives the text: exactly with
 * 'character', and with 'word' its tokens with blanks between, U+FFFD where one is unknown.
 *
 * @param columns - Columns `[rows]` of strings.
 * @example
 * new Preprocessor([vocabulary('x', { maxSize: 10_000 }), pad('x', { length: 64 })])
 */
export function vocabulary(columns: string | readonly string[], options: VocabularyOptions = {}): Step {
  const { level, lowercase, minCount, maxSize, tokens } = withDefaults('vocabulary', options, {
    level: 'word',
    lowercase: false,
    minCount: 1,
    maxSize: undefined,
    tokens: undefined,
  })
  checkChoice('vocabulary', 'level', level, ['word', 'character'])
  checkChoice('vocabulary', 'lowercase', lowercase, [true, false])
  checkCounts('vocabulary', { minCount }, 1)
  checkCounts('vocabulary', { maxSize }, FIRST + 1)
  if (tokens && (tokens.length === 0 || new Set(tokens).size < tokens.length || tokens.includes('')))
    throw new ConfigError('tokens of vocabulary are no vocabulary.', {
      expected: 'at least one, each once, none of them empty',
      received: tokens,
    })
  const names = namesOf(columns)
  const split = (text: string) => {
    const read = lowercase ? text.toLowerCase() : text
    return level === 'character' ? Array.from(read) : (read.match(WORD) ?? [])
  }
  return {
    kind: 'vocabulary',
    options: { columns: names, level, lowercase, minCount, maxSize, tokens: tokens && [...tokens] },
    reads: names,
    makes: names,
    takes: 'strings',
    gives: 'numbers',
    fitting: fittingOf(
      countFitting('vocabulary', names, {
        tokens: split,
        finish: (counts, name) => (tokens ? [...tokens] : mostFrequent(counts, name, { minCount, maxSize })),
      }),
    ),
    apply(columns, fitted) {
      const encoded = { ...columns }
      for (const name of names) {
        const ids = idsOf((fitted as Fitted)[name]!)
        const texts = textsOf(columns, name, 'vocabulary')
        encoded[name] = columnOfIds(texts.map((text) => split(text).map((token) => ids.get(token) ?? UNKNOWN)))
      }
      return encoded
    },
    inverse: (row, fitted) =>
      rowOfTexts(row, names, (ids, name) => {
        const known = (fitted as Fitted)[name]!
        const words = ids.map((id) => {
          const token = id === UNKNOWN ? REPLACEMENT : known[id - FIRST]
          if (token === undefined) throw unknownId('vocabulary', name, id, known.length + FIRST)
          return token
        })
        return words.join(level === 'word' ? ' ' : '')
      }),
  }
}

/** The tokens by how often they occur, and where equally often by their characters. */
function mostFrequent(
  counts: Map<string, number>,
  name: string,
  { minCount, maxSize = Infinity }: { minCount: number; maxSize: number | undefined },
): string[] {
  const frequent = [...counts].filter(([, count]) => count >= minCount)
  if (frequent.length === 0)
    throw new DataError(`vocabulary found no token in the column "${name}".`, {
      expected: `one that occurs ${minCount} times`,
      received: `${counts.size} tokens`,
    })
  frequent.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
  return frequent.slice(0, maxSize - FIRST).map(([token]) => token)
}
