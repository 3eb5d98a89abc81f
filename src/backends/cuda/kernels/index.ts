/**
 * The table of kernels on CUDA, and the modules that they are compiled from.
 * @module
 */

import type { TensorKernels, UpdateKernels } from '../../device-backend.js'
import type { CudaDevice } from '../cuda-device.js'
import { attentionKernels, attentionModules } from './attention.js'
import { bfloat16Modules } from './bfloat16.js'
import { convolutionKernels, convolutionModules } from './convolutions.js'
import { copyKernels, copyModules } from './copies.js'
import { elementwiseKernels, elementwiseModules } from './elementwise.js'
import type { KernelModule, Launch } from './kernel-module.js'
import { lateModules } from './late.js'
import { layoutKernels, layoutModules } from './layout.js'
import { normalizationKernels, normalizationModules } from './normalization.js'
import { productKernels } from './products.js'
import { randomKernels, randomModules } from './random.js'
import { recurrentKernels, recurrentModules } from './recurrent.js'
import { reductionKernels, reductionModules } from './reductions.js'
import { segmentKernels, segmentModules } from './segments.js'
import { updateKernels, updateModules } from './updates.js'
import { windowKernels, windowModules } from './windows.js'

/** Every module. */
export const kernelModules: readonly KernelModule[] = [
  ...[
    ...elementwiseModules,
    ...reductionModules,
    ...layoutModules,
    ...convolutionModules,
    ...windowModules,
    ...normalizationModules,
  ],
  ...[...copyModules, ...randomModules, ...recurrentModules, ...segmentModules, ...updateModules, ...lateModules],
  ...[...bfloat16Modules, ...attentionModules],
]

/** The kernels on a device. */
export function cudaKernels(device: CudaDevice, launch: Launch): TensorKernels & UpdateKernels {
  const { memory } = device
  const elementwise = elementwiseKernels(launch, memory.ints)
  const reductions = reductionKernels(launch, memory)
  return {
    ...elementwise,
    ...reductions,
    ...copyKernels(launch, memory.ints),
    ...layoutKernels(launch, memory.ints),
    ...randomKernels(launch),
    ...segmentKernels(launch, memory, elementwise.fill),
    ...productKernels(device, launch, elementwise.fill),
    ...convolutionKernels(device, launch, elementwise.fill),
    ...windowKernels(launch, memory),
    ...normalizationKernels(device, launch, reductions.reduce),
    ...recurrentKernels(launch),
    ...attentionKernels(device, launch, elementwise.fill),
    ...updateKernels(device, launch),
  }
}
