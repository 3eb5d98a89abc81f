/**
 * Recommends films by the stars that people gave. Each of 600 people has rated 40 of 300 films, well-known ones more
 * often. How much a person likes a film is known, for the example makes it: how good the film is, and how much the person
 * likes its genre. The network is a matrix factorisation: a vector for each person and for each film, whose product, with
 * a number for each of the two, is the rating. It never hears of genres, and finds them.
 *
 * Command: npm run examples -- 23
 * Time: below 10 s on two cores
 * Prints: how good the ten films are that come first for each person, of those not rated yet (NDCG@10), beside the films
 *   that most people like and the best order there can be; and how often the film with the most similar vector is of the
 *   same genre.
 * @module
 */

import * as tfl from '@tensorflow/tfjs-layers'
import { adamw, Dataset, evaluatePredictions, ndcg, oneCycle, Predictor, Random, selectBackend, Trainer } from 'dcml'
import { expectAtLeast } from './targets.js'

const PEOPLE = 600
const FILMS = 300
const GENRES = 8
const RATED = 40
const SIZE = 8 // numbers in a vector
const EPOCHS = 20
const BATCH = 128
const TARGETS = { ndcg: 0.75, reached: 0.65, together: 0.9 }

const random = new Random(1)
const tastes = Array.from({ length: PEOPLE }, () => Array.from({ length: GENRES }, () => random.normal()))
const films = Array.from({ length: FILMS }, (_, film) => ({ genre: film % GENRES, quality: 0.5 * random.normal() }))
const liking = (person: number, film: number) => 3 + films[film]!.quality + 0.8 * tastes[person]![films[film]!.genre]!
/** What the person says when asked: whole stars, on a good or a bad day. */
const starsOf = (person: number, film: number) =>
  Math.max(1, Math.min(5, Math.round(liking(person, film) + 0.5 * random.normal())))

const seen = tastes.map(() => {
  const own = new Set<number>()
  // Of two films drawn, the better known one, which has the lower number.
  while (own.size < RATED) own.add(Math.min(random.integer(FILMS), random.integer(FILMS)))
  return own
})
const ratings = seen.flatMap((own, person) => [...own].map((film) => ({ person, film, stars: starsOf(person, film) })))
const mean = ratings.reduce((sum, { stars }) => sum + stars, 0) / ratings.length

await selectBackend()
const { layers } = tfl
const person = tfl.input({ shape: [1], name: 'person' })
const film = tfl.input({ shape: [1], name: 'film' })
function vectors(of: tfl.SymbolicTensor, name: string, inputDim: number, outputDim: number): tfl.SymbolicTensor {
  const embeddingsInitializer = tfl.initializers.randomNormal({ stddev: 0.1, seed: inputDim + outputDim })
  const embedding = layers.embedding({ name, inputDim, outputDim, embeddingsInitializer })
  return layers.flatten().apply(embedding.apply(of)) as tfl.SymbolicTensor
}
const product = layers
  .dot({ axes: -1 })
  .apply([vectors(person, 'people', PEOPLE, SIZE), vectors(film, 'films', FILMS, SIZE)]) as tfl.SymbolicTensor
const rating = layers
  .add()
  .apply([product, vectors(person, 'kindness', PEOPLE, 1), vectors(film, 'quality', FILMS, 1)]) as tfl.SymbolicTensor
const steps = EPOCHS * Math.ceil(ratings.length / BATCH)
const trainer = new Trainer({
  model: tfl.model({ inputs: [person, film], outputs: rating }),
  loss: 'meanSquaredError',
  // The decay keeps vectors short where there are few ratings to tell.
  optimizer: adamw({ learningRate: oneCycle(0.03, { steps }), weightDecay: 0.2 }),
  columns: { target: 'stars' },
  seed: 1,
})
const train = Dataset.fromRows(ratings.map((row) => ({ ...row, stars: row.stars - mean })))
await trainer.fit(train, { epochs: EPOCHS, batchSize: BATCH })
await trainer.close()

// Of films that a person has not rated, the stars above three that the person would give; and how well scores order them.
const truth = seen.map((own, p) => films.map((_, f) => (own.has(f) ? 0 : Math.max(0, starsOf(p, f) - 3))))
function ndcgOf(score: (person: number, film: number) => number): number {
  const scores = seen.map((own, p) => films.map((_, f) => (own.has(f) ? Number.NEGATIVE_INFINITY : score(p, f))))
  return evaluatePredictions({ truth, scores }, [ndcg({ k: 10 })]).values.ndcg as number
}
const predictor = new Predictor({ model: trainer.model })
const pairs = Dataset.fromRows(seen.flatMap((_, person) => films.map((_, film) => ({ person, film }))))
const { data: predicted } = await predictor.predict(await pairs.columns())
const popularity = films.map((_, film) => {
  const given = ratings.filter((row) => row.film === film)
  return given.reduce((sum, { stars }) => sum + stars, 3 * mean) / (given.length + 3) // as if three more found it average
})
const popular = ndcgOf((_, f) => popularity[f]!)
const learnt = ndcgOf((p, f) => predicted[p * FILMS + f]!)
const best = ndcgOf(liking)

const weights = trainer.model.getLayer('films').getWeights()[0]!.dataSync() as Float32Array
const vectorOf = (film: number) => weights.subarray(film * SIZE, (film + 1) * SIZE)
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
const together = films.filter(({ genre }, film) => {
  const others = films.map((_, other) => (other === film ? -2 : cosine(vectorOf(film), vectorOf(other))))
  return films[others.indexOf(Math.max(...others))]!.genre === genre
})

console.log(`NDCG@10 of what most people like: ${popular.toFixed(4)}, of the best order: ${best.toFixed(4)}`)
expectAtLeast('NDCG@10', learnt, TARGETS.ndcg)
expectAtLeast('Share of the way to the best order', (learnt - popular) / (best - popular), TARGETS.reached)
expectAtLeast('Films whose nearest is of their genre', together.length / FILMS, TARGETS.together)
