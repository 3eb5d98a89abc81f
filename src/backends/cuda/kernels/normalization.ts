/** Batch and layer normalization, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { reduceCodes } from '../../wasm/exports.js'
import { callTable } from '../../wasm/program/call-table.js'
import type { CudaDevice } from '../cuda-device.js'
import { bfloat16Source } from './bfloat16.js'
import { foursSource } from './fours.js'
import { defineModule, each, type Launch, launchRows } from './kernel-module.js'
import { COLUMN_CHUNK, columnSource, inChunks, tiles } from './reductions.js'

const normalizationModule = defineModule(
  'normalization',
  `${columnSource}${foursSource}${bfloat16Source}
INLINE Operand<float> ofChannels(const float *first) { return Operand<float>{first, 0, 1}; }
KERNEL batchNorm(const float *x, const float *mean, const float *variance, const float *scale, const float *offset,
                 float *out, int rows, int channels, float epsilon) {
  auto of = [=](float value, float m, float v, float factor, float shift) {
    return (value - m) * (factor * rsqrtf(v + epsilon)) + shift;
  };
  if (scale && offset)
    makeRows(out, rows, channels, of, Operand<float>{x, channels, 1}, ofChannels(mean), ofChannels(variance),
             ofChannels(scale), ofChannels(offset));
  else EACH(i, rows * channels) {
    unsigned c = i % channels;
    out[i] = of(x[i], mean[c], variance[c], scale ? scale[c] : 1, offset ? offset[c] : 0);
  }
}

// Sums over the rows of [rows, size] of squared distances to the means.
KERNEL squaredDistances(const float *x, const float *mean, float *out, int rows, int size, int chunk, float share) {
  Tile tile(rows, size, chunk);
  float sum = 0;
  if (tile.column < size)
    for (int row = tile.from + tile.row; row < tile.to; row += 8) {
      float d = x[(long long)row * size + tile.column] - mean[tile.column];
      sum += d * d;
    }
  sum = joinTile<Add>(sum);
  if (tile.row == 0 && tile.column < size) out[tile.chunkIndex * size + tile.column] = sum / share;
}
// Sums over the rows of dy, and of dy times what x is there: what scale and offset of a normalization have to do with it.
template <class Of>
INLINE void sumGradients(const float *dy, float *products, float *sums, int rows, int size, int chunk, const Of &of) {
  Tile tile(rows, size, chunk);
  float product = 0, sum = 0;
  if (tile.column < size)
    for (int row = tile.from + tile.row; row < tile.to; row += 8) {
      long long i = (long long)row * size + tile.column;
      float slope = dy[i];
      sum += slope;
      product += slope * of(i, row, tile.column);
    }
  product = joinTile<Add>(product);
  sum = joinTile<Add>(sum);
  if (tile.row != 0 || tile.column >= size) return;
  products[tile.chunkIndex * size + tile.column] = product;
  sums[tile.chunkIndex * size + tile.column] = sum;
}
KERNEL batchNormSums(const float *dy, const float *x, const float *mean, float *products, float *sums, int rows,
                     int size, int chunk) {
  sumGradients(dy, products, sums, rows, size, chunk, [=](long long i, int, int c) { return x[i] - mean[c]; });
}
KERNEL layerNormSums(const float *dy, const float *x, const float *moments, float *products, float *sums, int rows,
                     int size, int chunk) {
  auto normal = [=](long long i, int row, int) { return (x[i] - moments[2 * row]) * moments[2 * row + 1]; };
  sumGradients(dy, products, sums, rows, size, chunk, normal);
}

// dScale holds the sums of dy times the distance to the mean.
KERNEL batchNormInputGrad(const float *dy, const float *x, const float *scale, const float *mean, const float *variance,
                          float *dx, const float *distances, const float *dOffset, int rows, int channels,
                          float epsilon) {
  float share = 1.0f / rows;
  auto of = [=](float slope, float value, float factor, float m, float v, float product, float sum) {
    float root = rsqrtf(v + epsilon);
    return (slope - sum * share - (value - m) * (product * share * root * root)) * factor * root;
  };
  Operand<float> slopes{dy, channels, 1}, values{x, channels, 1};
  makeRows(dx, rows, channels, of, slopes, values, ofChannels(scale), ofChannels(mean), ofChannels(variance),
           ofChannels(distances), ofChannels(dOffset));
}
KERNEL divideByDeviation(const float *x, const float *variance, float *out, int n, float epsilon) {
  EACH(i, n) out[i] = x[i] / sqrtf(variance[i] + epsilon);
}

// An element, and where there is a copy as bfloat16 that as well.
INLINE void storeBoth(float value, float *out, bfloat16 *copy, long long at) {
  out[at] = value;
  if (copy) copy[at] = toBfloat16(value);
}
template <class Row>
INLINE void layerNorm(const Row &r, const float *x, const float *scale, const float *offset, float *out,
                      float *moments, bfloat16 *copy, int rows, int size, float epsilon) {
  if (r.row >= rows) return;
  x += (long long)r.row * size;
  float sum = 0;
  EACH_IN(r, i, size) sum += x[i];
  float mean = r.template join<Add>(sum) / size;
  float squares = 0;
  EACH_IN(r, i, size) squares += (x[i] - mean) * (x[i] - mean);
  float root = 1.0f / sqrtf(r.template join<Add>(squares) / size + epsilon);
  EACH_IN(r, i, size) {
    float value = (x[i] - mean) * root * (scale ? scale[i] : 1) + (offset ? offset[i] : 0);
    storeBoth(value, out, copy, (long long)r.row * size + i);
  }
  if (r.rank == 0) {
    moments[2 * r.row] = mean;
    moments[2 * r.row + 1] = root;
  }
}
template <class Row>
INLINE void layerNormGrad(const Row &r, const float *dy, const float *x, const float *scale, const float *moments,
                          float *dx, bfloat16 *copy, int rows, int size) {
  if (r.row >= rows) return;
  long long first = (long long)r.row * size;
  float mean = moments[2 * r.row], root = moments[2 * r.row + 1];
  float sum = 0, product = 0;
  EACH_IN(r, i, size) {
    float g = dy[first + i] * (scale ? scale[i] : 1);
    sum += g;
    product += g * (x[first + i] - mean) * root;
  }
  sum = r.template join<Add>(sum) / size;
  product = r.template join<Add>(product) / size;
  EACH_IN(r, i, size) {
    float g = dy[first + i] * (scale ? scale[i] : 1);
    storeBoth((g - sum - (x[first + i] - mean) * root * product) * root, dx, copy, first + i);
  }
}
#define LAYER_NORM(FORM, ROW) \\
  KERNEL layerNorm_##FORM(const float *x, const float *scale, const float *offset, float *out, float *moments, \\
                          bfloat16 *copy, int rows, int size, float epsilon) { \\
    layerNorm(ROW(), x, scale, offset, out, moments, copy, rows, size, epsilon); \\
  } \\
  KERNEL layerNormGrad_##FORM(const float *dy, const float *x, const float *scale, const float *moments, float *dx, \\
                              bfloat16 *copy, int rows, int size) { \\
    layerNormGrad(ROW(), dy, x, scale, moments, dx, copy, rows, size); \\
  }
LAYER_NORM(warp, WarpRow)
LAYER_NORM(block, BlockRow)
`,
)

export const normalizationModules = [normalizationModule]

type NormalizationKernels = Pick<
  TensorKernels,
  'batchNorm' | 'batchNormTraining' | 'batchNormTrainingGrad' | 'layerNorm' | 'layerNormGrad' | 'layerNormParameterGrad'
>

/** @param reduce - Sums of columns. */
export function normalizationKernels(
  { memory, copies }: CudaDevice,
  launch: Launch,
  reduce: TensorKernels['reduce'],
): NormalizationKernels {
  const sum = `float_${reduceCodes.sum}`
  /** Sums over the rows of dy times something of x, and of dy, by a kernel that makes both. */
  const sumGradients = (
    kernel: 'batchNormSums' | 'layerNormSums',
    operands: number[],
    outs: readonly [products: number, sums: number],
    [rows, size]: readonly [rows: number, size: number],
  ) => {
    const run = (to: readonly number[], chunk: number) => {
      const grid = tiles(Math.max(1, Math.ceil(rows / chunk)), size)
      launch(normalizationModule, kernel, { arguments: 'rrrwwnnn' }, grid, [...operands, ...to, rows, size, chunk])
    }
    if (rows <= COLUMN_CHUNK) {
      run(outs, Math.max(1, rows))
      return
    }
    const chunks = Math.ceil(rows / COLUMN_CHUNK)
    const partials = outs.map(() => memory.scratch(chunks * size * 4, 'partial sum', [chunks, size]))
    run(partials, COLUMN_CHUNK)
    partials.forEach((partial, i) => {
      reduce(reduceCodes.sum, partial, outs[i]!, 1, chunks, size)
      memory.release(partial)
    })
  }
  const batchNorm: TensorKernels['batchNorm'] = (...v) =>
    launch(normalizationModule, 'batchNorm', callTable.batchNorm, each(v[6] * v[7]), v)
  return {
    batchNorm,
    batchNormTraining(x, scale, offset, out, mean, variance, rows, channels, epsilon) {
      reduce(reduceCodes.mean, x, mean, 1, rows, channels)
      const target = { out: variance, outer: 1, size: rows, inner: channels, share: rows }
      inChunks(launch, memory, sum, target, (to, chunk, share) => {
        const grid = tiles(Math.max(1, Math.ceil(rows / chunk)), channels)
        const values = [x, mean, to, rows, channels, chunk, share]
        launch(normalizationModule, 'squaredDistances', { arguments: 'rrwnnnf' }, grid, values)
      })
      batchNorm(x, mean, variance, scale, offset, out, rows, channels, epsilon)
    },
    batchNormTrainingGrad(dy, x, scale, mean, variance, dx, dScale, dOffset, rows, channels, epsilon) {
      sumGradients('batchNormSums', [dy, x, mean], [dScale, dOffset], [rows, channels])
      const values = [dy, x, scale, mean, variance, dx, dScale, dOffset, rows, channels, epsilon]
      launch(normalizationModule, 'batchNormInputGrad', { arguments: 'rrrrrwrrnnf' }, each(rows * channels), values)
      const last = [dScale, variance, dScale, channels, epsilon]
      launch(normalizationModule, 'divideByDeviation', { arguments: 'rrwnf' }, each(channels), last)
    },
    layerNorm(x, scale, offset, out, moments, rows, size, epsilon) {
      copies.writeAwaited(out, rows * size, (copy) => {
        const values = [x, scale, offset, out, moments, copy, rows, size, epsilon]
        launchRows(launch, normalizationModule, 'layerNorm', { arguments: 'rrrwwwnnf' }, [rows, size], values)
      })
    },
    layerNormGrad(dy, x, scale, moments, dx, rows, size) {
      copies.writeAwaited(dx, rows * size, (copy) => {
        const values = [dy, x, scale, moments, dx, copy, rows, size]
        launchRows(launch, normalizationModule, 'layerNormGrad', { arguments: 'rrrrwwnn' }, [rows, size], values)
      })
    },
    layerNormParameterGrad(dy, x, moments, dScale, dOffset, rows, size) {
      sumGradients('layerNormSums', [dy, x, moments], [dScale, dOffset], [rows, size])
    },
  }
}
