/** Columns from tensors. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { ShapeError } from '../core/index.js'
import type { Columns } from './columns.js'

/**
 * The values of tensors as columns. Reads them synchronously, which WebGPU cannot do for tensors that live on the GPU.
 *
 * @throws {ShapeError} for a scalar, which has no rows.
 */
export function columnsOfTensors(tensors: Record<string, tf.Tensor>): Columns {
  const columns: Columns = {}
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.rank === 0)
      throw new ShapeError(`The tensor "${name}" has no rows.`, { expected: '[rows, ...]', received: 'a scalar' })
    const data = tensor.dataSync<'float32' | 'int32' | 'bool'>()
    columns[name] = {
      // The cpu backend hands out its own memory, which ends with the tensor.
      data: tensor.dtype === 'string' ? [...(data as unknown as string[])] : data.slice(),
      shape: [...tensor.shape],
    }
  }
  return columns
}
