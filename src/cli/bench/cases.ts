/** What is measured: the cases of `dcml bench train` and the libraries compared. @module */

/** A network, described so that every library builds the same. All end in 10 classes. */
export type Network =
  | { kind: 'mlp'; units: number[] }
  /** Two times convolution 3x3 (valid, ReLU) and max pooling 2x2, then a dense layer. */
  | { kind: 'cnn'; filters: [number, number]; units: number }
  | { kind: 'lstm'; steps: number; features: number; units: number }
  /** Encoder blocks (attention, then a hidden layer; each added and normalised), the mean over tokens, a dense layer. */
  | {
      kind: 'transformer'
      tokens: number
      vocabulary: number
      width: number
      heads: number
      blocks: number
      hidden: number
    }

/** What a child process is asked to measure. */
export interface Task {
  network: Network
  /** Rows of a step on one worker; the global batch is `workers` times as large. */
  rowsPerWorker: number
  workers: number
  /** Whether the workers are processes, which TCP joins; else threads. */
  processes?: boolean
  /** A GPU instead of the processor. */
  device?: 'cuda'
  /** In what precision products round their operands on the GPU. @default 'float32' */
  precision?: 'bfloat16'
  /** Steps of an epoch: enough data that an epoch is no matter of start-up, yet takes about a second at most. */
  stepsPerEpoch: number
}

/** One line of the table. */
export interface BenchCase extends Task {
  name: string
  /** What dcml should reach here: its speed over that of another. */
  target?: { over: Contender; atLeast: number /** What would be better still. */; aim?: number }
}

/** Libraries that a user may choose. */
export const libraries = ['dcml', 'tfjs-wasm', 'jax-js', 'pytorch', 'pytorch-malloc'] as const

/** The name of a library. */
export type Library = (typeof libraries)[number]

/** A column of the table. `dcml-1w` is dcml on one worker, beside a case of several. */
export type Contender = Library | 'dcml-1w'

const mlp = (width: number): Network => ({ kind: 'mlp', units: [width, width] })

/** All cases. Each is trained by Adam at 1e-3 with a softmax cross-entropy on random data. */
export const cases: readonly BenchCase[] = [
  { name: 'mlp-64', network: mlp(64), rowsPerWorker: 32, workers: 1, stepsPerEpoch: 256 },
  { name: 'mlp-64-b256', network: mlp(64), rowsPerWorker: 256, workers: 1, stepsPerEpoch: 64 },
  { name: 'mlp-512', network: mlp(512), rowsPerWorker: 32, workers: 1, stepsPerEpoch: 64 },
  {
    name: 'cnn',
    network: { kind: 'cnn', filters: [32, 64], units: 128 },
    rowsPerWorker: 32,
    workers: 1,
    stepsPerEpoch: 16,
  },
  {
    name: 'lstm',
    network: { kind: 'lstm', steps: 28, features: 28, units: 64 },
    rowsPerWorker: 32,
    workers: 1,
    stepsPerEpoch: 16,
  },
  {
    name: 'transformer',
    network: { kind: 'transformer', tokens: 64, vocabulary: 100, width: 128, heads: 4, blocks: 2, hidden: 512 },
    rowsPerWorker: 32,
    workers: 1,
    stepsPerEpoch: 4,
  },
  { name: 'mlp-64-2w', network: mlp(64), rowsPerWorker: 32, workers: 2, stepsPerEpoch: 256 },
  {
    name: 'mlp-64-2p',
    network: mlp(64),
    rowsPerWorker: 32,
    workers: 2,
    processes: true,
    stepsPerEpoch: 256,
    target: { over: 'pytorch', atLeast: 1.5 },
  },
  {
    // The network of the main job, `dcml digits`.
    name: 'cnn-2w',
    network: { kind: 'cnn', filters: [16, 32], units: 64 },
    rowsPerWorker: 64,
    workers: 2,
    stepsPerEpoch: 32,
    target: { over: 'dcml-1w', atLeast: 1.7 },
  },
]

/** The columns of a case for the libraries chosen. */
export function contendersOf({ workers }: BenchCase, chosen: readonly Library[]): Contender[] {
  if (workers === 1) return [...chosen]
  return chosen.flatMap((library): Contender[] => {
    if (library === 'dcml') return ['dcml', 'dcml-1w']
    // Neither of them trains on several workers.
    return library === 'tfjs-wasm' || library === 'jax-js' ? [] : [library]
  })
}
