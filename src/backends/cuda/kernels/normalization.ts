/** Batch and layer normalization, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { reduceCodes } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { DeviceMemory } from '../device-memory.js'
import { defineModule, each, type Launch, rowBlocks } from './kernel-module.js'
import { columnSource, inChunks, tiles } from './reductions.js'

const normalizationModule = defineModule(
  'normalization',
  `${columnSource}
KERNEL batchNorm(const float *x, const float *mean, const float *variance, const float *scale, const float *offset,
                 float *out, int rows, int channels, float epsilon) {
  EACH(i, rows * channels) {
    unsigned c = i % channels;
    float factor = (scale ? scale[c] : 1) / sqrtf(variance[c] + epsilon);
    out[i] = (x[i] - mean[c]) * factor + (offset ? offset[c] : 0);
  }
}

// Sums over the rows of [rows, size] of what a term makes of each element.
template <class Term> INLINE void sumColumns(const Term &term, float *out, int rows, int size, int chunk, float share) {
  Tile tile(rows, size, chunk);
  float sum = 0;
  if (tile.column < size)
    for (int row = tile.from + tile.row; row < tile.to; row += 8) sum += term.at(row, tile.column, size);
  sum = joinTile<Add>(sum);
  if (tile.row == 0 && tile.column < size) out[tile.chunkIndex * size + tile.column] = sum / share;
}
struct SquaredDistance {
  const float *x, *mean;
  INLINE float at(int row, int column, int size) const {
    float d = x[(long long)row * size + column] - mean[column];
    return d * d;
  }
};
struct WeightedDistance {
  const float *dy, *x, *mean;
  INLINE float at(int row, int column, int size) const {
    long long i = (long long)row * size + column;
    return dy[i] * (x[i] - mean[column]);
  }
};
struct WeightedNormal {
  const float *dy, *x, *moments;
  INLINE float at(int row, int column, int size) const {
    long long i = (long long)row * size + column;
    return dy[i] * (x[i] - moments[2 * row]) * moments[2 * row + 1];
  }
};
KERNEL squaredDistances(const float *x, const float *mean, float *out, int rows, int size, int chunk, float share) {
  sumColumns(SquaredDistance{x, mean}, out, rows, size, chunk, share);
}
KERNEL weightedDistances(const float *dy, const float *x, const float *mean, float *out, int rows, int size, int chunk,
                         float share) {
  sumColumns(WeightedDistance{dy, x, mean}, out, rows, size, chunk, share);
}
KERNEL weightedNormals(const float *dy, const float *x, const float *moments, float *out, int rows, int size, int chunk,
                       float share) {
  sumColumns(WeightedNormal{dy, x, moments}, out, rows, size, chunk, share);
}

// dScale holds the sums of dy times the distance to the mean.
KERNEL batchNormInputGrad(const float *dy, const float *x, const float *scale, const float *mean, const float *variance,
                          float *dx, const float *distances, const float *dOffset, int rows, int channels,
                          float epsilon) {
  EACH(i, rows * channels) {
    unsigned c = i % channels;
    float root = 1.0f / sqrtf(variance[c] + epsilon);
    float slope = distances[c] * root * root / rows;
    dx[i] = (dy[i] - dOffset[c] / rows - (x[i] - mean[c]) * slope) * scale[c] * root;
  }
}
KERNEL divideByDeviation(const float *x, const float *variance, float *out, int n, float epsilon) {
  EACH(i, n) out[i] = x[i] / sqrtf(variance[i] + epsilon);
}

// A block for each row.
KERNEL layerNorm(const float *x, const float *scale, const float *offset, float *out, float *moments, int, int size,
                 float epsilon) {
  long long first = (long long)blockIdx.x * size;
  float sum = 0;
  EACH_OF_ROW(i, size) sum += x[first + i];
  float mean = joinBlock<Add>(sum) / size;
  float squares = 0;
  EACH_OF_ROW(i, size) squares += (x[first + i] - mean) * (x[first + i] - mean);
  float root = 1.0f / sqrtf(joinBlock<Add>(squares) / size + epsilon);
  EACH_OF_ROW(i, size)
    out[first + i] = (x[first + i] - mean) * root * (scale ? scale[i] : 1) + (offset ? offset[i] : 0);
  if (threadIdx.x == 0) {
    moments[2 * blockIdx.x] = mean;
    moments[2 * blockIdx.x + 1] = root;
  }
}
KERNEL layerNormGrad(const float *dy, const float *x, const float *scale, const float *moments, float *dx, int,
                     int size) {
  long long first = (long long)blockIdx.x * size;
  float mean = moments[2 * blockIdx.x], root = moments[2 * blockIdx.x + 1];
  float sum = 0, product = 0;
  EACH_OF_ROW(i, size) {
    float g = dy[first + i] * (scale ? scale[i] : 1);
    sum += g;
    product += g * (x[first + i] - mean) * root;
  }
  sum = joinBlock<Add>(sum) / size;
  product = joinBlock<Add>(product) / size;
  EACH_OF_ROW(i, size) {
    float g = dy[first + i] * (scale ? scale[i] : 1);
    dx[first + i] = (g - sum - (x[first + i] - mean) * root * product) * root;
  }
}
`,
)

export const normalizationModules = [normalizationModule]

type NormalizationKernels = Pick<
  TensorKernels,
  'batchNorm' | 'batchNormTraining' | 'batchNormTrainingGrad' | 'layerNorm' | 'layerNormGrad' | 'layerNormParameterGrad'
>

/** @param reduce - Sums of columns. */
export function normalizationKernels(
  launch: Launch,
  memory: DeviceMemory,
  reduce: TensorKernels['reduce'],
): NormalizationKernels {
  /** out[c] = the sum over the rows of a term, by its kernel, divided by `share`. */
  const sumColumns = (
    kernel: 'squaredDistances' | 'weightedDistances' | 'weightedNormals',
    operands: number[],
    [out, rows, size, share]: [out: number, rows: number, size: number, share: number],
  ) => {
    const target = { out, outer: 1, size: rows, inner: size, share }
    inChunks(launch, memory, `float_${reduceCodes.sum}`, target, (to, chunk, part) => {
      const form = { arguments: `${'r'.repeat(operands.length)}wnnnf` }
      const grid = tiles(Math.max(1, Math.ceil(rows / chunk)), size)
      launch(normalizationModule, kernel, form, grid, [...operands, to, rows, size, chunk, part])
    })
  }
  const batchNorm: TensorKernels['batchNorm'] = (...v) =>
    launch(normalizationModule, 'batchNorm', callTable.batchNorm, each(v[6] * v[7]), v)
  return {
    batchNorm,
    batchNormTraining(x, scale, offset, out, mean, variance, rows, channels, epsilon) {
      reduce(reduceCodes.mean, x, mean, 1, rows, channels)
      sumColumns('squaredDistances', [x, mean], [variance, rows, channels, rows])
      batchNorm(x, mean, variance, scale, offset, out, rows, channels, epsilon)
    },
    batchNormTrainingGrad(dy, x, scale, mean, variance, dx, dScale, dOffset, rows, channels, epsilon) {
      reduce(reduceCodes.sum, dy, dOffset, 1, rows, channels)
      sumColumns('weightedDistances', [dy, x, mean], [dScale, rows, channels, 1])
      const values = [dy, x, scale, mean, variance, dx, dScale, dOffset, rows, channels, epsilon]
      launch(normalizationModule, 'batchNormInputGrad', { arguments: 'rrrrrwrrnnf' }, each(rows * channels), values)
      const last = [dScale, variance, dScale, channels, epsilon]
      launch(normalizationModule, 'divideByDeviation', { arguments: 'rrwnf' }, each(channels), last)
    },
    layerNorm: (...v) => launch(normalizationModule, 'layerNorm', callTable.layerNorm, rowBlocks(v[5], v[6]), v),
    layerNormGrad: (...v) =>
      launch(normalizationModule, 'layerNormGrad', callTable.layerNormGrad, rowBlocks(v[5], v[6]), v),
    layerNormParameterGrad(dy, x, moments, dScale, dOffset, rows, size) {
      sumColumns('weightedNormals', [dy, x, moments], [dScale, rows, size, 1])
      reduce(reduceCodes.sum, dy, dOffset, 1, rows, size)
    },
  }
}
