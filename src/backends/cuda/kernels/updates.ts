/**
 * Update rules of optimizers over flat ranges. Formulas as in src/optimizers; denormal numbers cost a GPU nothing, so
 * nothing is done about them.
 * @module
 */

import type { UpdateKernels } from '../../device-backend.js'
import { callForm } from '../../wasm/program/call-table.js'
import type { CudaDevice } from '../cuda-device.js'
import { type CallForm, defineModule, each, type Launch } from './kernel-module.js'

/** Blocks of `squares`, whatever the length: its partial sums are added up in the host, in their order. */
const SQUARES_BLOCKS = 256

/** Rules of one kernel. */
const ruleNames = ['sgd', 'adam', 'rmsprop', 'adagrad'] as const

/** The name of such a rule. */
export type RuleName = (typeof ruleNames)[number]

/** C types of their arguments. */
const types: Readonly<Record<string, string>> = { r: 'const float *', u: 'float *', n: 'int', f: 'float', d: 'double' }

/** The kernels of a rule: its float32 numbers come with the launch, or from memory; there it may be told to stop. */
function kernelsOf(name: RuleName): string {
  const kinds = [...callForm(name).arguments]
  const given = kinds.map((kind, i) => `${types[kind]} a${i}`)
  const late = kinds.map((kind, i) => `${kind === 'f' ? 'const float *' : types[kind]} a${i}`)
  const read = kinds.map((kind, i) => `${kind === 'f' ? '*' : ''}a${i}`)
  return `
KERNEL ${name}(${given.join(', ')}) { ${name}Rule(${kinds.map((_, i) => `a${i}`).join(', ')}); }
KERNEL ${name}InCells(${late.join(', ')}, const int *stop) { if (!*stop) ${name}Rule(${read.join(', ')}); }`
}

const updateModule = defineModule(
  'updates',
  `
INLINE void sgdRule(float *parameters, const float *gradients, float *velocity, int n, float rate, float momentum,
                    int nesterov, float weightDecay, float gradientScale) {
  EACH(i, n) {
    float w = parameters[i], g = weightDecay * w + gradientScale * gradients[i], direction = g;
    if (velocity) {
      float v = momentum * velocity[i] + g;
      velocity[i] = v;
      direction = nesterov ? momentum * v + g : v;
    }
    parameters[i] = w - rate * direction;
  }
}
INLINE void adamRule(float *parameters, const float *gradients, float *mean, float *squaredMean, int n, float stepSize,
                     float rootScale, double beta1, double beta2, float epsilon, float keep, float penalty,
                     float gradientScale) {
  // 1 - beta in float64: in float32 it would lose three digits.
  float old1 = (float)beta1, new1 = (float)(1 - beta1), old2 = (float)beta2, new2 = (float)(1 - beta2);
  EACH(i, n) {
    float w = parameters[i], g = penalty * w + gradientScale * gradients[i];
    float m = g * new1 + mean[i] * old1;
    float v = g * g * new2 + squaredMean[i] * old2;
    mean[i] = m;
    squaredMean[i] = v;
    parameters[i] = w * keep - stepSize * m / (sqrtf(v) * rootScale + epsilon);
  }
}
INLINE void rmspropRule(float *parameters, const float *gradients, float *squaredMean, float *velocity, float *mean,
                        int n, float rate, double alpha, float epsilon, float momentum, float weightDecay,
                        float gradientScale) {
  float old = (float)alpha, fresh = (float)(1 - alpha);
  EACH(i, n) {
    float w = parameters[i], g = weightDecay * w + gradientScale * gradients[i];
    float v = g * g * fresh + squaredMean[i] * old, spread = v;
    squaredMean[i] = v;
    if (mean) {
      float m = g * fresh + mean[i] * old;
      mean[i] = m;
      // Rounding can bring the variance of a constant gradient below zero.
      spread = fmaxf(0, v - m * m);
    }
    float direction = g / (sqrtf(spread) + epsilon);
    if (velocity) {
      direction = momentum * velocity[i] + direction;
      velocity[i] = direction;
    }
    parameters[i] = w - rate * direction;
  }
}
INLINE void adagradRule(float *parameters, const float *gradients, float *squaredSum, int n, float rate, float epsilon,
                        float weightDecay, float gradientScale) {
  EACH(i, n) {
    float w = parameters[i], g = weightDecay * w + gradientScale * gradients[i];
    float s = g * g + squaredSum[i];
    squaredSum[i] = s;
    parameters[i] = w - rate * g / (sqrtf(s) + epsilon);
  }
}
${ruleNames.map(kernelsOf).join('')}

// The means with this step's gradient, and partial sums of the squares of weights and directions: [blocks, 2].
KERNEL lambMeans(const float *parameters, const float *gradients, float *mean, float *squaredMean, double *squares,
                 int n, float meanScale, float rootScale, double beta1, double beta2, float epsilon, float weightDecay,
                 float gradientScale) {
  float old1 = (float)beta1, new1 = (float)(1 - beta1), old2 = (float)beta2, new2 = (float)(1 - beta2);
  double weights = 0, directions = 0;
  EACH(i, n) {
    float w = parameters[i], g = gradientScale * gradients[i];
    float m = g * new1 + mean[i] * old1;
    float v = g * g * new2 + squaredMean[i] * old2;
    mean[i] = m;
    squaredMean[i] = v;
    float u = meanScale * m / (sqrtf(v) * rootScale + epsilon) + weightDecay * w;
    weights += (double)w * w;
    directions += (double)u * u;
  }
  weights = joinBlock<Add>(weights);
  directions = joinBlock<Add>(directions);
  if (threadIdx.x == 0) {
    squares[2 * blockIdx.x] = weights;
    squares[2 * blockIdx.x + 1] = directions;
  }
}
// One block: how far the weights may go, instead of the partial sums.
KERNEL lambTrust(double *squares, int blocks) {
  bool isMine = (int)threadIdx.x < blocks;
  double weights = joinBlock<Add>(isMine ? squares[2 * threadIdx.x] : 0);
  double directions = joinBlock<Add>(isMine ? squares[2 * threadIdx.x + 1] : 0);
  if (threadIdx.x == 0) squares[0] = weights > 0 && directions > 0 ? sqrt(weights / directions) : 1;
}
KERNEL lambWeights(float *parameters, const float *mean, const float *squaredMean, const double *trust, int n,
                   float rate, float meanScale, float rootScale, float epsilon, float weightDecay) {
  float change = (float)(rate * *trust);
  EACH(i, n) {
    float w = parameters[i];
    float u = meanScale * mean[i] / (sqrtf(squaredMean[i]) * rootScale + epsilon) + weightDecay * w;
    parameters[i] = w - change * u;
  }
}
KERNEL squares(const float *x, double *out, int n) {
  double sum = 0;
  EACH(i, n) sum += (double)x[i] * x[i];
  sum = joinBlock<Add>(sum);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}
`,
)

export const updateModules = [updateModule]

/** The rules on a device. */
export function updateKernels(device: CudaDevice, launch: Launch): UpdateKernels {
  const { memory } = device
  const rule = (name: RuleName, values: number[]) =>
    launch(updateModule, name, callForm(name), each(values[lengthOf(name)]!), values)
  const partialSums = (n: number) => ({ blocks: Math.min(SQUARES_BLOCKS, each(n).blocks), threads: each(n).threads })
  return {
    sgd: (...v) => rule('sgd', v),
    adam: (...v) => rule('adam', v),
    rmsprop: (...v) => rule('rmsprop', v),
    adagrad: (...v) => rule('adagrad', v),
    lamb(parameters, gradients, mean, squaredMean, n, rate, ...rest) {
      if (n === 0) return
      const [meanScale, rootScale, beta1, beta2, epsilon, weightDecay, gradientScale] = rest
      const grid = partialSums(n)
      const squares = memory.scratch(grid.blocks * 16, 'partial sum', [grid.blocks, 2])
      const first = [parameters, gradients, mean, squaredMean, squares, n, meanScale, rootScale, beta1, beta2]
      launch(updateModule, 'lambMeans', lambMeansForm, grid, [...first, epsilon, weightDecay, gradientScale])
      launch(updateModule, 'lambTrust', { arguments: 'un' }, { blocks: 1, threads: SQUARES_BLOCKS }, [
        squares,
        grid.blocks,
      ])
      const second = [parameters, mean, squaredMean, squares, n, rate, meanScale, rootScale]
      launch(updateModule, 'lambWeights', lambWeightsForm, each(n), [...second, epsilon, weightDecay])
      memory.release(squares)
    },
    sumOfSquares(x, n) {
      const grid = partialSums(n)
      const sums = new Float64Array(grid.blocks)
      const pointer = memory.scratch(sums.byteLength, 'partial sum', [grid.blocks])
      launch(updateModule, 'squares', { arguments: 'rwn' }, grid, [x, pointer, n])
      device.download(pointer, sums)
      memory.release(pointer)
      return sums.reduce((sum, part) => sum + part, 0)
    },
  }
}

/** The form of a rule that finds its float32 numbers in cells, and behind the arguments whether it is to stop. */
export function ruleInCells(launch: Launch, name: RuleName): (values: readonly number[], stop: number) => void {
  const form = { arguments: `${callForm(name).arguments.replaceAll('f', 'r')}r` }
  return (values, stop) =>
    launch(updateModule, `${name}InCells`, form, each(values[lengthOf(name)]!), [...values, stop])
}

/** Which argument is the number of elements: the first that is a number. */
const lengthOf = (name: RuleName): number => callForm(name).arguments.indexOf('n')

const lambMeansForm: CallForm = { arguments: 'rruuwnffddfff' }
const lambWeightsForm: CallForm = { arguments: 'urrrnfffff' }
